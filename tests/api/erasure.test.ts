import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { admin, anAddress, logIn, logInBrowser, PASSWORD, signUp, someone, staff } from '../helpers/accounts.ts';
import { aMessage } from '../helpers/chat.ts';
import { createProduct, productInput } from '../helpers/factories.ts';
import { mailsTo, nextMail } from '../helpers/mailbox.ts';
import { picture } from '../helpers/pictures.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { filesOf } from '../helpers/uploads.ts';
import { nextEvent } from '../helpers/wait-for.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

type Person = Awaited<ReturnType<typeof someone>>;
const erase = ({ as }: Pick<Person, 'as'>, password = PASSWORD) =>
  as('delete', '/api/users/profile').send({ password });

/** Every document of the database that holds one of these texts, by its collection. */
async function tracesOf(...texts: string[]): Promise<string[]> {
  const collections = await mongoose.connection.db!.listCollections().toArray();
  const found = collections.map(async ({ name }) => {
    const docs = await mongoose.connection.collection(name).find().toArray();
    const held = docs.map((doc) => JSON.stringify(doc)).filter((doc) => texts.some((text) => doc.includes(text)));
    return held.map(() => name);
  });
  return (await Promise.all(found)).flat();
}

/** Somebody with a name of their own, of whom the shop holds everything that it can hold. */
async function settled(name: string) {
  const email = anAddress('settled');
  await signUp(feira, { email, name });
  const person = await logIn(feira, email);
  const boss = await admin(feira);
  await boss.as('patch', `/api/users/${person.user.id}`).send({ role: 'seller' }).expect(200);
  const product = await person.as('post', '/api/products').send(productInput()).expect(201);
  const key = await person
    .as('post', '/api/keys')
    .send({ name: 'mine', permissions: ['products:write'] })
    .expect(201);
  await person
    .as('post', '/api/carts')
    .send({ items: [{ productId: product.body.id, quantity: 1 }] })
    .expect(201);
  const avatar = await person
    .as('post', '/api/users/avatar')
    .attach('file', await picture(), 'me.png')
    .expect(200);
  await person
    .as('post', '/api/auth/change-email')
    .send({ email: anAddress('next'), password: PASSWORD })
    .expect(202);
  await feira.api.post('/api/auth/forgot-password').send({ email }).expect(202);
  const { token } = await nextMail(feira, email);
  await feira.api.post('/api/auth/signup').send({ email, password: PASSWORD, name }).expect(202);
  await nextMail(feira, email);
  await person.as('post', '/api/chat/participants').send({}).expect(201);
  const text = `said by ${anAddress()}`;
  const said = await person.as('post', '/api/chat/messages').send(aMessage(text)).expect(201);
  return { ...person, email, token, text, product: product.body, key: key.body.key, avatar: avatar.body.avatar, said };
}

describe('DELETE /api/users/profile', () => {
  it('leaves nothing that tells who it was: no document, no file', async () => {
    const before = await filesOf(feira);
    const ana = await settled('Anacleta Quintela');
    await erase(ana).expect(204);
    expect(await tracesOf(ana.email, 'Anacleta', 'Quintela', 'settled.', 'next.')).toEqual([]);
    expect(await filesOf(feira)).toEqual(before);
    await feira.api.get(ana.avatar).expect(404);
    const byId = await tracesOf(ana.user.id);
    // Ids alone, which lead to nobody.
    expect(['audit_entries', 'participants']).toEqual(expect.arrayContaining([...new Set(byId)]));
  });

  it('ends address, password, logins, refresh token, key and links', async () => {
    const ana = await settled('Ana');
    const browser = await logInBrowser(feira, ana.email);
    const other = await logIn(feira, ana.email);
    await erase(ana).expect(204);

    await ana.as('get', '/api/users/profile').expect(401);
    await other.as('get', '/api/users/profile').expect(401);
    expect((await browser.open('/profile')).status).toBe(303);
    for (const { refreshToken } of [ana, other])
      await feira.api.post('/api/auth/refresh').send({ refreshToken }).expect(401);
    const login = await feira.api.post('/api/auth/login').send({ email: ana.email, password: PASSWORD });
    expect([login.status, login.body.code]).toEqual([401, 'INVALID_CREDENTIALS']);
    const byKey = feira.api.post('/api/products').set('Authorization', `Bearer ${ana.key}`);
    await byKey.send(productInput()).expect(401);
    const reset = { token: ana.token, password: 'another long password' };
    await feira.api.post('/api/auth/reset-password').send(reset).expect(422);
    const boss = await admin(feira);
    await boss.as('get', `/api/users/${ana.user.id}`).expect(404);
  });

  it('keeps what others need: the goods, the words in the chat, and what staff have changed', async () => {
    const ana = await settled('Ana Unika');
    await erase(ana).expect(204);
    await feira.api.get(`/api/products/${ana.product.id}`).expect(200);

    const reader = await someone(feira);
    await reader.as('post', '/api/chat/participants').send({}).expect(201);
    const { body } = await reader.as('get', '/api/chat/messages').expect(200);
    const said = body.items.find(({ text }: { text: string }) => text === ana.text);
    expect(said.participant).toMatchObject({ email: 'erased account', name: null, verified: false });

    const boss = await admin(feira);
    const audit = await boss.as('get', `/api/audit?actorId=${ana.user.id}`).expect(200);
    expect(audit.text).not.toContain('Unika');
    expect(audit.body.items.map(({ action }: { action: string }) => action)).toEqual([
      'user.erased',
      'api-key.created',
      'product.created',
    ]);
    expect(audit.body.items[0]).toMatchObject({
      actor: { kind: 'user', id: ana.user.id, name: null },
      targetId: ana.user.id,
      changes: {},
      requestId: expect.any(String),
    });
  });

  it('lets the address sign up anew, as somebody who sees nothing of before', async () => {
    const ana = await settled('Ana');
    await erase(ana).expect(204);
    expect((await nextMail(feira, ana.email)).subject).toBe('Your account was erased');
    const { id } = await signUp(feira, { email: ana.email, name: 'Another' });
    expect(id).not.toBe(ana.user.id);
    const again = await logIn(feira, ana.email);
    expect(again.user).toMatchObject({ role: 'customer', avatar: null, version: 1 });
    await again.as('get', '/api/carts/mine').expect(404);
    await again.as('post', '/api/chat/participants').send({}).expect(201);
    const { body } = await again.as('get', '/api/users/export').expect(200);
    expect(body).toMatchObject({ apiKeys: [], cart: null, chatMessages: [], changesByYou: [], changesOfAccount: [] });
    expect(body.logins).toHaveLength(1);
    await ana.as('get', '/api/users/profile').expect(401);
  });

  it('cuts the sockets of the person at once', async () => {
    const ana = await someone(feira);
    const socket = await feira.connectSocket({}, { token: ana.accessToken });
    await socket.emitWithAck('chat:join', {});
    const [told, lost] = [nextEvent(socket, 'login:changed'), nextEvent(socket, 'disconnect')];
    await erase(ana).expect(204);
    await Promise.all([told, lost]);
  });

  it('needs the password, as often as a login may be tried', async () => {
    const ana = await someone(feira);
    const wrong = await erase(ana, 'a guess');
    expect([wrong.status, wrong.body.errors]).toEqual([
      422,
      [{ pointer: '#/password', detail: 'is not your password' }],
    ]);
    await ana.as('delete', '/api/users/profile').expect(422);
    await ana.as('delete', '/api/users/profile').send({ password: PASSWORD, id: ana.user.id }).expect(422);
    for (let i = 0; i < 9; i++) await erase(ana, `guess ${i}`).expect(422);
    const limited = await erase(ana);
    expect([limited.status, limited.body.code]).toEqual([429, 'TOO_MANY_REQUESTS']);
    await ana.as('get', '/api/users/profile').expect(200);
  });

  it('honours If-Match', async () => {
    const ana = await someone(feira);
    const eraseAt = (version: string) =>
      ana.as('delete', '/api/users/profile').set('If-Match', version).send({ password: PASSWORD });
    expect((await eraseAt('"9"').expect(412)).body.code).toBe('VERSION_MISMATCH');
    const { headers } = await ana.as('get', '/api/users/profile').expect(200);
    await eraseAt(headers.etag!).expect(204);
  });

  it('is for people who are logged in, and for themselves alone', async () => {
    await feira.api.delete('/api/users/profile').send({ password: PASSWORD }).expect(401);
    await feira.withKey('delete', '/api/users/profile').send({ password: PASSWORD }).expect(403);
    const [ana, boss] = await Promise.all([someone(feira), admin(feira)]);
    await boss.as('delete', `/api/users/${ana.user.id}`).expect(405);
    await ana.as('get', '/api/users/profile').expect(200);
  });

  it('happens once, also when it is asked for many times at once', async () => {
    const ana = await someone(feira);
    const answers = await Promise.all(Array.from({ length: 5 }, () => erase(ana)));
    const statuses = answers.map(({ status }) => status).sort();
    expect(statuses[0]).toBe(204);
    expect(statuses.slice(1).every((status) => [401, 404, 409].includes(status))).toBe(true);
    await nextMail(feira, ana.user.email);
    const mails = await mailsTo(feira.config.mail.outboxDir, ana.user.email);
    expect(mails.filter(({ subject }) => subject === 'Your account was erased')).toHaveLength(1);
    await erase(ana).expect(401);
  });

  it('never takes the last admin, not even when two go at once', async () => {
    const boss = await admin(feira);
    const refused = await erase(boss, 'the password of the admin');
    expect([refused.status, refused.body.code]).toEqual([409, 'LAST_ADMIN']);
    await boss.as('get', '/api/users').expect(200);

    const [first, second] = [await staff(feira, 'admin'), await staff(feira, 'admin')];
    await first.as('patch', `/api/users/${boss.user.id}`).send({ role: 'customer' }).expect(200);
    const answers = await Promise.all([erase(first), erase(second)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 409]);
    const last = answers[0]!.status === 409 ? first : second;
    await last.as('patch', `/api/users/${boss.user.id}`).send({ role: 'admin' }).expect(200);
    await erase(last).expect(204);
  });

  it('forgets the cookie of a browser', async () => {
    const { user } = await someone(feira);
    const { agent } = await logInBrowser(feira, user.email);
    const answer = await agent.delete('/api/users/profile').send({ password: PASSWORD }).expect(204);
    expect(String(answer.headers['set-cookie'])).toMatch(/feira_session=;/);
  });
});

describe('the page /profile/erase, without JavaScript', () => {
  it('says what goes and what stays, asks for the password, and says goodbye', async () => {
    const { user } = await someone(feira);
    const product = await createProduct(feira);
    const { open, submit, agent } = await logInBrowser(feira, user.email);
    await agent.post('/api/carts').send({ items: [{ productId: product.id, quantity: 3 }] });
    expect((await open('/profile')).text).toContain('href="/profile/erase"');
    expect((await open('/profile/erase')).text).toMatch(/deleted at once.*stays/s);

    const wrong = await submit('/profile/erase', { password: 'a guess' });
    expect([wrong.status, wrong.text]).toEqual([422, expect.stringContaining('Password is not your password.')]);
    await agent.post('/profile/erase').type('form').send({ password: PASSWORD }).expect(403);
    expect((await open('/profile')).status).toBe(200);

    const gone = await submit('/profile/erase', { password: PASSWORD });
    expect([gone.status, gone.headers.location]).toEqual([303, '/profile/erased']);
    const { text } = await open('/profile/erased');
    expect(text).toContain('Your account is erased');
    expect(text).toContain('href="/login"');
    expect(text).not.toContain(user.name);
    expect((await open('/profile')).status).toBe(303);
  });

  it('tells the last admin that they are the last', async () => {
    const { submit } = await logInBrowser(feira, 'admin@example.com', 'the password of the admin');
    const refused = await submit('/profile/erase', { password: 'the password of the admin' });
    expect([refused.status, refused.text]).toEqual([409, expect.stringContaining('This is the last admin')]);
  });
});
