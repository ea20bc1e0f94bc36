import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { logIn, PASSWORD, someone } from '../helpers/accounts.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

const NEW_PASSWORD = 'a new and longer password';
const AT_ONCE = 6;

let feira: Feira;
beforeAll(async () => {
  // One proxy in front: the logins come from several addresses, so that none waits for another.
  feira = await startFeira({ TRUST_PROXY: '1' });
});
afterAll(() => feira.stop());

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

      const answers = await Promise.all(
        tokens.map((token) => request(feira.url).get('/api/users/profile').set('Authorization', `Bearer ${token}`)),
      );
      expect(answers.map(({ status }) => status)).toEqual(tokens.map(() => 401));
      await logIn(feira, user.email, NEW_PASSWORD);
    }
  }, 60_000);
});
