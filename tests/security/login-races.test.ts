import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import request from 'supertest';
import { Session } from '../../src/models/session.model.ts';
import { admin, logIn, PASSWORD, someone } from '../helpers/accounts.ts';
import { createCart, createProduct } from '../helpers/factories.ts';
import { addPasskey, askedForPasskey, device, originOf } from '../helpers/passkeys.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

const NEW_PASSWORD = 'a new and longer password';
const AT_ONCE = 6;

let feira: Feira;
beforeAll(async () => {
  // One proxy in front: the logins come from several addresses, so that none waits for another.
  feira = await startFeira({ TRUST_PROXY: '1' });
});
afterAll(() => feira.stop());

/** What the profile answers to each of the tokens. */
const statusesWith = (tokens: readonly string[]) =>
  Promise.all(
    tokens.map(async (token) => {
      const { status } = await request(feira.url).get('/api/users/profile').set('Authorization', `Bearer ${token}`);
      return status;
    }),
  );

describe('a login with the old password', () => {
  it('does not outlive the change of the password, though it was on its way', async () => {
    for (let round = 0; round < 2; round++) {
      const { as, user } = await someone(feira);
      const tokens: string[] = [];
      let isChanged = false;
      const tryLogin = async (address: string) => {
        const { status, body } = await feira.api
          .post('/api/auth/login')
          .set('X-Forwarded-For', address)
          .send({ email: user.email, password: PASSWORD });
        if (status === 200) tokens.push(body.accessToken);
        expect([200, 401, 409]).toContain(status);
      };
      const keepTrying = async (address: string) => {
        while (!isChanged) await tryLogin(address);
      };
      const tries = Array.from({ length: AT_ONCE }, (_, n) => keepTrying(`203.0.113.${n}`));
      while (tokens.length === 0) await tryLogin('203.0.113.100');
      const changed = await as('post', '/api/auth/change-password').send({ current: PASSWORD, password: NEW_PASSWORD });
      isChanged = true;
      await Promise.all(tries);
      expect(changed.status).toBe(204);

      expect(await statusesWith(tokens)).toEqual(tokens.map(() => 401));
      await logIn(feira, user.email, NEW_PASSWORD);
    }
  }, 60_000);

  it('is worth nothing after the change, even when the shop stops before it could end it', async () => {
    const here = await someone(feira);
    const there = await logIn(feira, here.user.email);
    const stopped = jest.spyOn(Session, 'deleteMany').mockImplementationOnce(() => {
      throw new Error('the shop has stopped');
    });
    await here.as('post', '/api/auth/change-password').send({ current: PASSWORD, password: NEW_PASSWORD }).expect(500);
    stopped.mockRestore();
    await logIn(feira, here.user.email, NEW_PASSWORD);
    await feira.api.post('/api/auth/refresh').send({ refreshToken: there.refreshToken }).expect(401);
    expect(await statusesWith([there.accessToken])).toEqual([401]);
  });
});

describe('a login of an account that staff have disabled', () => {
  it('does not come back when the account does, even when the shop stops before it could end it', async () => {
    const [boss, { user, accessToken, refreshToken }] = [await admin(feira), await someone(feira)];
    const stopped = jest.spyOn(Session, 'deleteMany').mockImplementationOnce(() => {
      throw new Error('the shop has stopped');
    });
    await boss.as('patch', `/api/users/${user.id}`).send({ disabled: true }).expect(500);
    stopped.mockRestore();
    await boss.as('patch', `/api/users/${user.id}`).send({ disabled: false }).expect(200);
    expect(await statusesWith([accessToken])).toEqual([401]);
    await feira.api.post('/api/auth/refresh').send({ refreshToken }).expect(401);
  });
});

describe('a login with a passkey', () => {
  it('does not outlive the removal of the passkey, though it was on its way', async () => {
    const product = await createProduct(feira, { stock: 1000 });
    for (let round = 0; round < 4; round++) {
      const owner = await someone(feira);
      const lost = device(originOf(feira));
      const { body: passkey } = await addPasskey(owner, lost);
      const logIns = await Promise.all(
        Array.from({ length: AT_ONCE }, async (_, n) => {
          const { options, cookie } = await askedForPasskey(feira);
          // Bringing a cart along takes a moment.
          const cart = await createCart(feira, [{ productId: product.id, quantity: 1 }]);
          const headers = { Cookie: cookie, 'Cart-Secret': cart.secret, 'X-Forwarded-For': `203.0.113.${n}` };
          const response = lost.use(options, { counter: 0 });
          return async () => feira.api.post('/api/auth/login/passkey').set(headers).send({ response });
        }),
      );
      const removing = owner.as('delete', `/api/auth/passkeys/${passkey.id}`).send({ password: PASSWORD });
      const [removed, ...answers] = await Promise.all([removing, ...logIns.map((logIn) => logIn())]);
      expect(removed.status).toBe(204);
      const tokens = answers.flatMap(({ status, body }) => (status === 200 ? [body.accessToken] : []));
      expect(await statusesWith(tokens)).toEqual(tokens.map(() => 401));
    }
  }, 60_000);
});
