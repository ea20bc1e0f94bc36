/** A shop whose database goes away, hangs, or loses an answer. */
import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { type DatabaseProxy, startDatabaseProxy } from '../helpers/database-proxy.ts';
import { createProduct, productInput } from '../helpers/factories.ts';
import { anOrder } from '../helpers/orders.ts';
import { databaseUri, type Feira, startFeira } from '../helpers/start-feira.ts';
import { eventually } from '../helpers/wait-for.ts';

const LIMIT_MS = 60_000;
/** The driver's, so that no test takes as long as a shop waits. */
const SHORT = { serverSelectionTimeoutMS: '2000', connectTimeoutMS: '2000', heartbeatFrequencyMS: '1000' };

const uri = databaseUri(`feira_test_${randomBytes(6).toString('hex')}`);
let proxy: DatabaseProxy;
let feira: Feira;
beforeAll(async () => {
  proxy = await startDatabaseProxy(uri);
  const short = new URL(proxy.uri);
  for (const [name, value] of Object.entries(SHORT)) short.searchParams.set(name, value);
  feira = await startFeira({ MONGODB_URI: short.href });
});
afterEach(async () => {
  proxy.mend();
  await eventually(async () => (await feira.api.get('/readyz')).status === 200);
});
afterAll(async () => {
  await feira.stop();
  await proxy.close();
  const client = await MongoClient.connect(uri);
  await client.db().dropDatabase();
  await client.close();
});

const create = (overrides: object = {}) => feira.withKey('post', '/api/products').send(productInput(overrides));

async function timed(request: PromiseLike<{ status: number; body: { code?: string }; headers: object }>) {
  const began = Date.now();
  const { status, body, headers } = await request;
  return { status, code: body.code, headers, seconds: (Date.now() - began) / 1000 };
}

describe.each(['cut', 'freeze'] as const)('a database that does not answer (%s)', (fault) => {
  it(
    'is told by 503 at every door, also to those who wait for each other, and the shop recovers by itself',
    async () => {
      const { id } = await createProduct(feira);
      proxy[fault]();
      const reads = ['/', '/api/products', `/api/products/${id}`, `/products/${id}`].map((path) => feira.api.get(path));
      const writes = Array.from({ length: 30 }, () => create());
      const logins = [feira.api.post('/api/auth/login').send({ email: 'a@example.com', password: 'not the password' })];
      const answers = await Promise.all([...reads, ...writes, ...logins].map(timed));
      for (const { status, headers } of answers)
        expect({ status, headers }).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
      expect(Math.max(...answers.map(({ seconds }) => seconds))).toBeLessThan(25);

      proxy.mend();
      await eventually(async () => (await create()).status === 201);
    },
    LIMIT_MS,
  );

  it('is known to those who watch the shop, within seconds', async () => {
    proxy[fault]();
    const [ready, alive] = await Promise.all([timed(feira.api.get('/readyz')), timed(feira.api.get('/healthz'))]);
    expect(ready).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
    expect(ready.seconds).toBeLessThan(4);
    expect(alive).toMatchObject({ status: 200 });
  });
});

it('tells by 503 too of what was written in the moment in which the database went', async () => {
  const { asGuest } = await anOrder(feira, { payment: { outcome: 'decline' } });
  const lost = proxy.cutAfter(({ name, collection }) => name === 'insert' && collection === 'payment_attempts');
  const answer = await timed(asGuest('post', '/pay').send({ payment: { outcome: 'approve' } }));
  await lost;
  expect(answer).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
});

it.each([
  { code: 10107, codeName: 'NotWritablePrimary' },
  { code: 91, codeName: 'ShutdownInProgress' },
  { code: 11602, codeName: 'InterruptedDueToReplStateChange' },
])('tells by 503 too that the database hands over to another member or stops ($codeName)', async (error) => {
  const email = `${randomBytes(6).toString('hex')}@example.com`;
  const refused = proxy.refuse(({ name, collection }) => name === 'delete' && collection === 'one_use_tokens', error);
  const signUp = () =>
    timed(feira.api.post('/api/auth/signup').send({ email, password: 'correct horse battery staple', name: 'Ana' }));
  expect(await signUp()).toMatchObject({ status: 503, code: 'UNAVAILABLE' });
  await refused;
  expect(await signUp()).toMatchObject({ status: 202 });
});

describe('a commit whose answer is lost', () => {
  it('has happened, and is answered so', async () => {
    const lost = proxy.loseAnswer(({ name }) => name === 'commitTransaction');
    const { code } = productInput();
    await create({ code }).expect(201);
    await lost;
    expect((await create({ code })).body.code).toBe('CODE_TAKEN');
  });

  it(
    'is not asked for during minutes when the database is away then',
    async () => {
      const { code } = productInput();
      const lost = proxy.cutAfter(({ name }) => name === 'commitTransaction');
      const [first, second] = await Promise.all([timed(create({ code })), lost.then(() => timed(create()))]);
      for (const { status, seconds } of [first, second]) {
        expect(status).toBe(503);
        expect(seconds).toBeLessThan(25);
      }
      proxy.mend();
      await eventually(async () => (await feira.api.get('/readyz')).status === 200);
      expect((await create({ code })).body.code).toBe('CODE_TAKEN');
    },
    LIMIT_MS,
  );
});
