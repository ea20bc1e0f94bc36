import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { anAddress, logIn, PASSWORD, signUp, someone } from '../helpers/accounts.ts';
import { nextMail } from '../helpers/mailbox.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

const sessionsOf = (accessToken: string) =>
  feira.api.get('/api/auth/sessions').set('Authorization', `Bearer ${accessToken}`);

describe('signing up', () => {
  it('makes an account when the address is confirmed, and not before', async () => {
    const email = anAddress();
    const asked = await feira.api.post('/api/auth/signup').send({ email, password: PASSWORD, name: 'Ana Sousa' });
    expect(asked.status).toBe(202);
    await feira.api.post('/api/auth/login').send({ email, password: PASSWORD }).expect(401);

    const { token } = await nextMail(feira, email);
    const confirmed = await feira.api.post('/api/auth/verify-email').send({ token }).expect(201);
    expect(confirmed.headers.location).toBe('/api/users/profile');
    expect(confirmed.body).toMatchObject({ email, name: 'Ana Sousa', role: 'customer', locale: 'en', version: 1 });
    expect(confirmed.text).not.toMatch(/hash|password/i);
    await logIn(feira, email);
  });

  it('answers the same for an address that has an account, and tells its owner', async () => {
    const { email } = await signUp(feira);
    const input = { password: 'another password', name: 'Somebody' };
    const [known, unknown] = await Promise.all([
      feira.api.post('/api/auth/signup').send({ ...input, email: email.toUpperCase() }),
      feira.api.post('/api/auth/signup').send({ ...input, email: anAddress() }),
    ]);
    expect([known.status, known.body]).toEqual([unknown.status, unknown.body]);
    expect((await nextMail(feira, email)).text).toContain('/login');
    await logIn(feira, email);
  });

  it('lets a link be used once, and only the newest of an address', async () => {
    const email = anAddress();
    const ask = () => feira.api.post('/api/auth/signup').send({ email, password: PASSWORD, name: 'Ana' }).expect(202);
    await ask();
    const first = await nextMail(feira, email);
    await ask();
    const second = await nextMail(feira, email);
    const confirm = (token: string) => feira.api.post('/api/auth/verify-email').send({ token });
    expect((await confirm(first.token)).body.code).toBe('INVALID_TOKEN');
    const answers = await Promise.all([confirm(second.token), confirm(second.token)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 422]);
  });

  it('says what is wrong, all of it', async () => {
    const refused = await feira.api.post('/api/auth/signup').send({ email: 'ana', password: 'short', name: ' ' });
    expect(refused.status).toBe(422);
    expect(refused.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual([
      '#/email',
      '#/password',
      '#/name',
    ]);
  });

  it('takes passwords of any script, the same however its letters are composed', async () => {
    const email = anAddress();
    await signUp(feira, { email, password: 'pa\u0301ssaros à solta 🐦' });
    await logIn(feira, email, 'p\u00e1ssaros à solta 🐦');
  });

  it.each([
    { role: 'admin' },
    { isAdmin: true },
    { permissions: ['*'] },
    { emailVerified: true },
    { _id: '665f1c2ab8a1f0c3d4e5f601' },
  ])('refuses %p', async (extra) => {
    const input = { email: anAddress(), password: PASSWORD, name: 'Ana', ...extra };
    expect((await feira.api.post('/api/auth/signup').send(input)).body.code).toBe('INVALID_INPUT');
  });
});

describe('logging in', () => {
  it('answers tokens and who it is', async () => {
    const { email, id } = await signUp(feira);
    const { body } = await feira.api.post('/api/auth/login').send({ email, password: PASSWORD }).expect(200);
    expect(body).toMatchObject({ tokenType: 'Bearer', expiresIn: 600, user: { id, email } });
    await sessionsOf(body.accessToken).expect(200);
  });

  it('says the same of a wrong password and of an address without an account', async () => {
    const { email } = await signUp(feira);
    const [known, unknown] = await Promise.all([
      feira.api.post('/api/auth/login').send({ email, password: 'not the password' }),
      feira.api.post('/api/auth/login').send({ email: anAddress(), password: 'not the password' }),
    ]);
    expect(known.status).toBe(401);
    expect({ ...known.body, requestId: '' }).toEqual({ ...unknown.body, requestId: '' });
    expect(known.body.code).toBe('INVALID_CREDENTIALS');
  });

  it.each([
    { email: { $ne: null }, password: { $ne: null } },
    { email: ['a@example.com', 'b@example.com'], password: PASSWORD },
    { email: 'a@example.com', password: { $gt: '' } },
  ])('refuses %p as input', async (input) => {
    expect((await feira.api.post('/api/auth/login').send(input)).body.code).toBe('INVALID_INPUT');
  });
});

describe('a refresh token', () => {
  it('gives new tokens for the same login', async () => {
    const { refreshToken, accessToken } = await someone(feira);
    const { body } = await feira.api.post('/api/auth/refresh').send({ refreshToken }).expect(200);
    expect(body.refreshToken).not.toBe(refreshToken);
    const logins = await sessionsOf(body.accessToken).expect(200);
    expect(logins.body.total).toBe(1);
    await sessionsOf(accessToken).expect(200);
  });

  it('ends the login when it is used a second time', async () => {
    const { refreshToken } = await someone(feira);
    const { body } = await feira.api.post('/api/auth/refresh').send({ refreshToken }).expect(200);
    await feira.api.post('/api/auth/refresh').send({ refreshToken }).expect(401);
    await feira.api.post('/api/auth/refresh').send({ refreshToken: body.refreshToken }).expect(401);
    await sessionsOf(body.accessToken).expect(401);
  });

  it('is worth nothing when it was made up, and ends nothing', async () => {
    const { refreshToken, accessToken } = await someone(feira);
    const [id] = refreshToken.split('.');
    const forged = `${id}.${'a'.repeat(43)}.${'a'.repeat(43)}`;
    await feira.api.post('/api/auth/refresh').send({ refreshToken: forged }).expect(401);
    await sessionsOf(accessToken).expect(200);
  });
});

describe('logins', () => {
  it('are listed with device and address, and ended one by one', async () => {
    const here = await someone(feira);
    const res = await feira.api
      .post('/api/auth/login')
      .set('User-Agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0')
      .send({ email: here.user.email, password: PASSWORD });
    const { body } = await here.as('get', '/api/auth/sessions').expect(200);
    expect(body.total).toBe(2);
    const there = body.items.find((session: { current: boolean }) => !session.current);
    expect(there).toMatchObject({
      kind: 'api',
      device: 'Firefox on Linux',
      address: expect.stringContaining('127.0.0.1'),
    });

    await here.as('delete', `/api/auth/sessions/${there.id}`).expect(204);
    await sessionsOf(res.body.accessToken).expect(401);
    await here.as('get', '/api/auth/sessions').expect(200);
  });

  it('end all but one', async () => {
    const first = await someone(feira);
    const second = await logIn(feira, first.user.email);
    await second.as('delete', '/api/auth/sessions').expect(204);
    await first.as('get', '/api/auth/sessions').expect(401);
    expect((await second.as('get', '/api/auth/sessions')).body.total).toBe(1);
  });

  it('of other people do not exist', async () => {
    const [ana, bea] = await Promise.all([someone(feira), someone(feira)]);
    const [own] = (await ana.as('get', '/api/auth/sessions')).body.items;
    await bea.as('delete', `/api/auth/sessions/${own.id}`).expect(404);
    await ana.as('get', '/api/auth/sessions').expect(200);
  });

  it('end by logging out, which may be repeated', async () => {
    const { as, refreshToken } = await someone(feira);
    await as('post', '/api/auth/logout').expect(204);
    await as('get', '/api/auth/sessions').expect(401);
    await feira.api.post('/api/auth/refresh').send({ refreshToken }).expect(401);
    await feira.api.post('/api/auth/logout').expect(204);

    const other = await someone(feira);
    await feira.api.post('/api/auth/logout').send({ refreshToken: other.refreshToken }).expect(204);
    await other.as('get', '/api/auth/sessions').expect(401);
  });

  it('belong to people: a visitor is told to log in, a key is refused', async () => {
    await feira.api.get('/api/auth/sessions').expect(401);
    await feira.api.get('/api/auth/sessions').set('Authorization', 'Bearer test-key-of-the-suite').expect(403);
  });
});
