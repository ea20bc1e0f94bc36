import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { anAddress, logIn, PASSWORD, signUp, someone } from '../helpers/accounts.ts';
import { nextMail } from '../helpers/mailbox.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

const NEW_PASSWORD = 'a new and longer password';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira({ PUBLIC_URL: 'https://shop.example' });
});
afterAll(() => feira.stop());

const forgot = (email: string) => feira.api.post('/api/auth/forgot-password').send({ email });
const reset = (token: string, password = NEW_PASSWORD) =>
  feira.api.post('/api/auth/reset-password').send({ token, password });
const tryLogin = (email: string, password: string) => feira.api.post('/api/auth/login').send({ email, password });

/** Signed up, with the mail that asked for the confirmation out of the way. */
const member = async () => {
  const ana = await someone(feira);
  return { ...ana, email: ana.user.email };
};

describe('a forgotten password', () => {
  it('is replaced by a mailed link, once; every login ends and the owner is told', async () => {
    const { email, as } = await member();
    await forgot(email).expect(202);
    const { token, link } = await nextMail(feira, email);
    expect(link).toMatch(/^https:\/\/shop\.example\/reset-password\?token=/);

    await reset(token).expect(204);
    await as('get', '/api/auth/sessions').expect(401);
    await tryLogin(email, PASSWORD).expect(401);
    await logIn(feira, email, NEW_PASSWORD);
    expect((await nextMail(feira, email)).subject).toMatch(/password/i);
    expect((await reset(token)).body.code).toBe('INVALID_TOKEN');
  });

  it('is answered the same for an address without an account', async () => {
    const { email } = await member();
    const [known, unknown] = await Promise.all([forgot(email), forgot(anAddress())]);
    expect([known.status, known.body]).toEqual([unknown.status, unknown.body]);
    expect(known.text).not.toMatch(/token/i);
  });

  it.each(['Host', 'X-Forwarded-Host', 'Forwarded'])('mails links to the shop, whatever %s says', async (header) => {
    const { email } = await member();
    await forgot(email).set(header, header === 'Forwarded' ? 'host=evil.example' : 'evil.example');
    expect((await nextMail(feira, email)).text).not.toContain('evil.example');
  });

  it('leaves only the newest link valid, and none after a change of the password', async () => {
    const { email, as } = await member();
    await forgot(email);
    const first = await nextMail(feira, email);
    await forgot(email);
    const second = await nextMail(feira, email);
    await reset(first.token).expect(422);
    await as('post', '/api/auth/change-password').send({ current: PASSWORD, password: NEW_PASSWORD }).expect(204);
    await reset(second.token, 'yet another password').expect(422);
    await logIn(feira, email, NEW_PASSWORD);
  });
});

describe('a new password by a link', () => {
  it.each(['email', 'name'] as const)('is not the %s of the account; the link stays valid', async (field) => {
    const name = 'Anacleta Sousa';
    const { email } = await signUp(feira, { name });
    await forgot(email);
    const { token } = await nextMail(feira, email);
    const refused = await reset(token, { email, name }[field]);
    expect([refused.status, refused.body.errors?.[0].pointer]).toEqual([422, '#/password']);
    await reset(token).expect(204);
  });
});

describe('a change of the password', () => {
  it('ends the other logins, keeps this one, and tells the owner', async () => {
    const here = await member();
    const there = await logIn(feira, here.email);
    const change = { current: PASSWORD, password: NEW_PASSWORD };
    await here.as('post', '/api/auth/change-password').send(change).expect(204);
    await here.as('get', '/api/auth/sessions').expect(200);
    await there.as('get', '/api/auth/sessions').expect(401);
    await feira.api.post('/api/auth/refresh').send({ refreshToken: there.refreshToken }).expect(401);
    expect((await nextMail(feira, here.email)).subject).toMatch(/password/i);
  });

  it('needs the password of now', async () => {
    const { as, email } = await member();
    const refused = await as('post', '/api/auth/change-password').send({ current: 'a guess', password: NEW_PASSWORD });
    expect(refused.status).toBe(422);
    expect(refused.body.errors).toEqual([{ pointer: '#/current', detail: 'is not your password' }]);
    await logIn(feira, email);
  });

  it('is for people who are logged in', async () => {
    const change = { current: PASSWORD, password: NEW_PASSWORD };
    await feira.api.post('/api/auth/change-password').send(change).expect(401);
    await feira.withKey('post', '/api/auth/change-password').send(change).expect(403);
  });
});

describe('a change of the address', () => {
  it('happens when the new address is confirmed; the old one is told', async () => {
    const { as, email } = await member();
    const next = anAddress('sousa');
    await as('post', '/api/auth/change-email').send({ email: next, password: PASSWORD }).expect(202);
    await logIn(feira, email);

    const { token } = await nextMail(feira, next);
    const { body } = await feira.api.post('/api/auth/confirm-email').send({ token }).expect(200);
    expect(body).toMatchObject({ email: next, version: 2 });
    await logIn(feira, next);
    await tryLogin(email, PASSWORD).expect(401);
    expect((await nextMail(feira, email)).text).not.toContain(next);
  });

  it('makes the links worthless that wait at the old one', async () => {
    const { as, email } = await member();
    const next = anAddress('sousa');
    await forgot(email);
    const atTheOldOne = await nextMail(feira, email);
    await as('post', '/api/auth/change-email').send({ email: next, password: PASSWORD }).expect(202);
    const { token } = await nextMail(feira, next);
    await feira.api.post('/api/auth/confirm-email').send({ token }).expect(200);
    expect((await reset(atTheOldOne.token)).body.code).toBe('INVALID_TOKEN');
    await logIn(feira, next);
  });

  it('tells nobody but its owner that an address has an account', async () => {
    const [ana, bea] = await Promise.all([member(), signUp(feira)]);
    const ask = (email: string) => ana.as('post', '/api/auth/change-email').send({ email, password: PASSWORD });
    const [taken, free] = await Promise.all([ask(bea.email), ask(anAddress())]);
    expect([taken.status, taken.body]).toEqual([free.status, free.body]);
    expect((await nextMail(feira, bea.email)).text).toContain('/login');
    await logIn(feira, bea.email);
  });

  it('needs the password', async () => {
    const { as } = await member();
    const refused = await as('post', '/api/auth/change-email').send({ email: anAddress(), password: 'a guess' });
    expect(refused.body.errors).toEqual([{ pointer: '#/password', detail: 'is not your password' }]);
  });
});
