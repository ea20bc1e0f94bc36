import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose, { Types } from 'mongoose';
import { logIn, logInBrowser, PASSWORD, someone, staff } from '../helpers/accounts.ts';
import { misfits, readApiDocument } from '../helpers/api-document.ts';
import { createProduct } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

type Person = Awaited<ReturnType<typeof someone>>;
const exportOf = ({ as }: Pick<Person, 'as'>) => as('get', '/api/users/export');

/** Messages that are there already, under the address of the person. */
async function talkative({ user }: Pick<Person, 'user'>, count: number): Promise<void> {
  const participant = new Types.ObjectId();
  const at = { createdAt: new Date() };
  const [people, messages] = ['participants', 'messages'].map((name) => mongoose.connection.collection(name));
  await people!.insertOne({ _id: participant, email: user.email, emailKey: user.email, ...at });
  const docs = Array.from({ length: count }, (_, i) => ({
    ...{ room: user.id, sequence: i + 1, participant, email: user.email, clientId: `m-${count - i}` },
    ...{ text: `message ${i + 1} ${'x'.repeat(1000)}`, ...at },
  }));
  await messages!.insertMany(docs);
}

describe('GET /api/users/export', () => {
  it('hands over a file with everything that is held about the person', async () => {
    const seller = await staff(feira, 'seller');
    const product = await createProduct(feira);
    const changed = await seller
      .as('patch', `/api/products/${product.id}`)
      .set('X-Request-Id', 'the-change')
      .send({ price: 7 });
    expect(changed.status).toBe(200);
    await seller.as('post', '/api/carts').send({ items: [{ productId: product.id, quantity: 2 }] });
    await seller
      .as('post', '/api/keys')
      .send({ name: 'import', permissions: ['products:write'] })
      .expect(201);
    await seller
      .as('post', '/api/auth/change-email')
      .send({ email: 'new@example.com', password: PASSWORD })
      .expect(202);
    await talkative(seller, 2);

    const answer = await exportOf(seller).expect(200);
    expect(answer.headers).toMatchObject({
      'content-type': expect.stringContaining('application/json'),
      'content-disposition': 'attachment; filename=feira-personal-data.json',
      'cache-control': 'private, no-store',
    });
    expect(misfits(await readApiDocument(feira), 'get', '/api/users/export', answer)).toEqual([]);
    const { body } = answer;
    expect(body.account).toEqual((await seller.as('get', '/api/users/profile')).body);
    expect(body.logins).toEqual([
      expect.objectContaining({ kind: 'api', current: true, address: expect.any(String), device: expect.any(String) }),
    ]);
    expect(body.apiKeys).toEqual([expect.objectContaining({ name: 'import', permissions: ['products:write'] })]);
    expect(body.cart).toMatchObject({ items: [{ productId: product.id, quantity: 2 }] });
    expect(body.mailedLinks).toEqual([
      { purpose: 'change-email', newEmail: 'new@example.com', expiresAt: expect.any(String) },
    ]);
    expect(body.chatIdentities).toEqual([expect.objectContaining({ email: seller.user.email })]);
    expect(body.chatMessages.map(({ text }: { text: string }) => text.slice(0, 9))).toEqual(['message 1', 'message 2']);
    expect(body.changesByYou.map(({ action }: { action: string }) => action)).toEqual([
      'api-key.created',
      'product.updated',
    ]);
    expect(body.changesByYou[1]).toMatchObject({
      changes: { price: { before: product.price, after: 7 } },
      requestId: 'the-change',
    });
    expect(body.changesOfAccount).toEqual([
      expect.objectContaining({ changes: { role: { before: 'customer', after: 'seller' } } }),
    ]);
  });

  it('is short for somebody new', async () => {
    const ana = await someone(feira);
    const { body } = await exportOf(ana).expect(200);
    expect(body).toEqual({
      exportedAt: expect.any(String),
      account: ana.user,
      logins: [expect.any(Object)],
      ...{ apiKeys: [], passkeys: [], cart: null, orders: [], mailedLinks: [], chatIdentities: [], chatMessages: [] },
      ...{ changesByYou: [], changesOfAccount: [] },
    });
  });

  it('holds no secrets and no hashes of them', async () => {
    const seller = await staff(feira, 'seller');
    const { email } = seller.user;
    const key = await seller.as('post', '/api/keys').send({ name: 'import', permissions: ['products:write'] });
    await feira.api.post('/api/auth/forgot-password').send({ email }).expect(202);
    await feira.api.post('/api/auth/signup').send({ email, password: PASSWORD, name: 'Ana' }).expect(202);
    const browser = await logInBrowser(feira, email);
    const { text } = await exportOf(seller).expect(200);

    expect(text).not.toMatch(/hash|argon2|secret/i);
    const stored = ['users', 'sessions', 'api_keys', 'one_use_tokens'].map(async (name) => {
      const docs = await mongoose.connection.collection(name).find().toArray();
      return docs.flatMap((doc) => [doc.passwordHash, doc.tokenHash, doc.hash, doc.data?.passwordHash, doc._id]);
    });
    const secrets = (await Promise.all(stored)).flat().filter((value) => typeof value === 'string');
    expect(secrets.length).toBeGreaterThan(5);
    const cookies = browser.agent.jar.getCookies({
      path: '/',
      domain: '127.0.0.1',
      script: false,
      secure: false,
    } as never);
    const held = [...secrets, key.body.key, seller.accessToken, seller.refreshToken, ...cookies.map((c) => c.value)];
    expect(held.filter((secret) => text.includes(secret))).toEqual([]);
  });

  it('tells nothing of others, whatever is asked for', async () => {
    const [ana, bea] = await Promise.all([someone(feira), someone(feira, { name: 'Bea Lima' })]);
    await talkative(bea, 1);
    const { text } = await ana.as('get', `/api/users/export?user=${bea.user.id}&id=${bea.user.id}`).expect(200);
    expect(text).not.toContain(bea.user.id);
    expect(text).not.toContain(bea.user.email);
    await ana.as('get', `/api/users/${bea.user.id}/export`).expect(404);
    await feira.api.get('/api/users/export').expect(401);
    const byKey = await feira.api.get('/api/users/export').set('Authorization', 'Bearer test-key-of-the-suite');
    expect(byKey.status).toBe(403);
  });

  it('does not name the staff who have changed the account', async () => {
    const person = await staff(feira, 'support');
    const boss = await logIn(feira, 'admin@example.com', 'the password of the admin');
    const { text } = await exportOf(person).expect(200);
    expect(text).not.toContain(boss.user.id);
  });

  it('is sent while it is read, in the order of the chat, and the reader may go away', async () => {
    const ana = await someone(feira);
    await talkative(ana, 2000);
    const { body, headers } = await exportOf(ana).expect(200);
    expect(headers['content-length']).toBeUndefined();
    const sequences = body.chatMessages.map(({ sequence }: { sequence: number }) => sequence);
    expect(sequences).toEqual(Array.from({ length: 2000 }, (_, i) => i + 1));

    const aborted = request(`${feira.url}/api/users/export`, {
      headers: { Authorization: `Bearer ${ana.accessToken}` },
    });
    await new Promise<void>((resolve) => {
      aborted.on('response', (res) => res.once('data', () => aborted.destroy()));
      aborted
        .on('error', () => {})
        .on('close', resolve)
        .end();
    });
    await feira.api.get('/healthz').expect(200);
    const head = await feira.api.head('/api/users/export').set('Authorization', `Bearer ${ana.accessToken}`);
    expect([head.status, head.headers['content-disposition']]).toEqual([200, expect.stringContaining('attachment')]);
  });

  it('is offered on the profile', async () => {
    const { user } = await someone(feira);
    const { open, agent } = await logInBrowser(feira, user.email);
    expect((await open('/profile')).text).toContain('href="/api/users/export"');
    const { body } = await agent.get('/api/users/export').expect(200);
    expect(body.account.id).toBe(user.id);
  });
});
