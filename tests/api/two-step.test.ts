import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { logIn, PASSWORD, someone } from '../helpers/accounts.ts';
import { carefulPerson, codeOf, firstStep, freshCode, secondStep, switchOn } from '../helpers/authenticator.ts';
import { createCart, createProduct } from '../helpers/factories.ts';
import { nextMail } from '../helpers/mailbox.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

describe('switching two-step login on', () => {
  it('takes a code of the app and the password, gives ten recovery codes and tells the owner', async () => {
    const { as, user } = await someone(feira);
    expect((await as('get', '/api/auth/two-step').expect(200)).body).toEqual({
      enabled: false,
      since: null,
      recoveryCodesLeft: 0,
    });
    const { secret, uri, setup } = (await as('post', '/api/auth/two-step/setup').expect(200)).body;
    expect(uri).toContain(`secret=${secret}`);
    expect(uri).toMatch(/^otpauth:\/\/totp\/Feira:/);

    const enabled = await as('post', '/api/auth/two-step/enable')
      .send({ setup, code: codeOf(secret), password: PASSWORD })
      .expect(200);
    expect(new Set(enabled.body.recoveryCodes).size).toBe(10);
    expect(enabled.headers['cache-control']).toContain('no-store');
    expect((await as('get', '/api/auth/two-step')).body).toMatchObject({ enabled: true, recoveryCodesLeft: 10 });
    expect((await as('get', '/api/users/profile')).body).toMatchObject({ twoStep: true, version: user.version + 1 });
    expect((await nextMail(feira, user.email)).text).toContain('code from your authenticator app');
  });

  it('ends the logins that were opened without it, but not the one that asks', async () => {
    const person = await someone(feira);
    const other = await logIn(feira, person.user.email);
    await switchOn(person);
    await other.as('get', '/api/users/profile').expect(401);
    await person.as('get', '/api/users/profile').expect(200);
  });

  it('is refused for a wrong code or password, and nothing changes', async () => {
    const { as, user } = await someone(feira);
    const { secret, setup } = (await as('post', '/api/auth/two-step/setup')).body;
    const enable = (fields: object) =>
      as('post', '/api/auth/two-step/enable').send({ setup, code: codeOf(secret), password: PASSWORD, ...fields });

    const wrongCode = await enable({ code: codeOf(secret, 20) });
    expect([wrongCode.status, wrongCode.body.code]).toEqual([422, 'WRONG_CODE']);
    expect(wrongCode.body.errors[0].pointer).toBe('#/code');
    const wrongPassword = await enable({ password: 'a guess' });
    expect([wrongPassword.status, wrongPassword.body.errors[0].pointer]).toEqual([422, '#/password']);
    const wrongSetup = await enable({ setup: 'A'.repeat(80) });
    expect([wrongSetup.status, wrongSetup.body.code]).toEqual([422, 'INVALID_TOKEN']);
    await logIn(feira, user.email);
  });

  it('happens once, also when it is asked for twice at the same moment', async () => {
    const { as } = await someone(feira);
    const { secret, setup } = (await as('post', '/api/auth/two-step/setup')).body;
    const body = { setup, code: codeOf(secret), password: PASSWORD };
    const answers = await Promise.all([1, 2].map(() => as('post', '/api/auth/two-step/enable').send(body)));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(answers.find(({ status }) => status === 409)!.body.code).toBe('TWO_STEP_STATE');
  });

  it('does not take what another person was told', async () => {
    const [ana, bea] = await Promise.all([someone(feira), someone(feira)]);
    const { secret, setup } = (await ana.as('post', '/api/auth/two-step/setup')).body;
    const body = { setup, code: codeOf(secret), password: PASSWORD };
    const refused = await bea.as('post', '/api/auth/two-step/enable').send(body);
    expect(refused.body.code).toBe('INVALID_TOKEN');
  });

  it('is for people who are logged in', async () => {
    await feira.api.get('/api/auth/two-step').expect(401);
    await feira.api.post('/api/auth/two-step/enable').send({}).expect(401);
    await feira.withKey('post', '/api/auth/two-step/setup').expect(403);
  });
});

describe('logging in in two steps', () => {
  it('answers the first step with a challenge alone, and the second with tokens', async () => {
    const { email, secret, userId } = await carefulPerson(feira);
    const first = await feira.api.post('/api/auth/login').send({ email, password: PASSWORD });
    expect([first.status, first.body.code]).toEqual([401, 'SECOND_FACTOR_NEEDED']);
    expect(first.text).not.toMatch(/accessToken|refreshToken/);
    expect(first.headers['set-cookie']).toBeUndefined();

    const code = await freshCode({ secret, userId });
    const { body } = await secondStep(feira, first.body.challenge, `${code.slice(0, 3)} ${code.slice(3)}`).expect(200);
    expect(body).toMatchObject({ tokenType: 'Bearer', user: { id: userId, twoStep: true }, cart: { merged: [] } });
    await feira.api.get('/api/users/profile').set('Authorization', `Bearer ${body.accessToken}`).expect(200);
  });

  it('keeps the challenge after a wrong code, and says the same for a wrong recovery code', async () => {
    const { email, secret, userId } = await carefulPerson(feira);
    const challenge = await firstStep(feira, email);
    const wrong = await secondStep(feira, challenge, codeOf(secret, 20));
    const wrongRecovery = await secondStep(feira, challenge, 'abcd-efgh-2345-mnop');
    expect([wrong.status, wrong.body.code]).toEqual([422, 'WRONG_CODE']);
    expect({ ...wrongRecovery.body, requestId: '' }).toEqual({ ...wrong.body, requestId: '' });
    await secondStep(feira, challenge, await freshCode({ secret, userId })).expect(200);
  });

  it('takes each recovery code once, however it is typed', async () => {
    const { as, email, recoveryCodes } = await carefulPerson(feira);
    const [code = ''] = recoveryCodes;
    await secondStep(feira, await firstStep(feira, email), ` ${code.toUpperCase().replaceAll('-', ' ')} `).expect(200);
    expect((await as('get', '/api/auth/two-step')).body.recoveryCodesLeft).toBe(9);
    await secondStep(feira, await firstStep(feira, email), code).expect(422);
  });

  it("brings the guest's cart along after the second step, and not before", async () => {
    const { email, recoveryCodes } = await carefulPerson(feira);
    const product = await createProduct(feira);
    const { id, secret } = await createCart(feira, [{ productId: product.id, quantity: 2 }]);

    const challenge = (
      await feira.api.post('/api/auth/login').set('Cart-Secret', secret).send({ email, password: PASSWORD })
    ).body.challenge;
    await feira.api.get(`/api/carts/${id}`).set('Cart-Secret', secret).expect(200);
    const { body } = await secondStep(feira, challenge, recoveryCodes[0]!).set('Cart-Secret', secret).expect(200);
    expect(body.cart.merged).toHaveLength(1);
    await feira.api.get(`/api/carts/${id}`).set('Cart-Secret', secret).expect(404);
  });

  it('stays when the password is reset by mail', async () => {
    const { email } = await carefulPerson(feira);
    await nextMail(feira, email);
    await feira.api.post('/api/auth/forgot-password').send({ email }).expect(202);
    const { token } = await nextMail(feira, email);
    const password = 'a new long password';
    await feira.api.post('/api/auth/reset-password').send({ token, password }).expect(204);
    expect(await firstStep(feira, email, password)).toHaveLength(43);
  });
});

describe('changing two-step login', () => {
  it('is switched off with the password and a code, and the owner is told', async () => {
    const person = await carefulPerson(feira);
    await nextMail(feira, person.email);
    const off = (fields: object) =>
      person.as('post', '/api/auth/two-step/disable').send({ password: PASSWORD, code: '000000', ...fields });
    await off({ code: person.recoveryCodes[0], password: 'a guess' }).expect(422);
    expect((await off({ code: 'abcd-efgh-2345-mnop' })).body.code).toBe('WRONG_CODE');
    await firstStep(feira, person.email);

    await off({ code: await freshCode(person) }).expect(204);
    expect((await nextMail(feira, person.email)).text).toContain('no longer asks');
    await logIn(feira, person.email);
    expect((await off({ code: await freshCode(person) })).body.code).toBe('TWO_STEP_STATE');
  });

  it('gives new recovery codes for a code and the password; the old ones are worth nothing', async () => {
    const person = await carefulPerson(feira);
    const [first = '', second = ''] = person.recoveryCodes;
    const renewed = await person
      .as('post', '/api/auth/two-step/recovery-codes')
      .send({ password: PASSWORD, code: first })
      .expect(200);
    expect(renewed.body.recoveryCodes).toHaveLength(10);
    expect(renewed.body.recoveryCodes).not.toContain(second);
    await secondStep(feira, await firstStep(feira, person.email), second).expect(422);
    await secondStep(feira, await firstStep(feira, person.email), renewed.body.recoveryCodes[0]).expect(200);
  });
});
