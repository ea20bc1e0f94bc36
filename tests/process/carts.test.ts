import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { productInput } from '../helpers/factories.ts';
import { type FeiraProcess, startProcess } from '../helpers/start-process.ts';

const KEY = 'key-of-the-process-tests';
let dir: string;
let running: FeiraProcess[] = [];

async function start(): Promise<FeiraProcess> {
  const env = { DATA_DIR: join(dir, 'data'), UPLOADS_DIR: join(dir, 'uploads'), FEIRA_API_KEY: KEY };
  const feira = await startProcess(env);
  running.push(feira);
  return feira;
}

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'feira-carts-'));
});
afterEach(async () => {
  for (const feira of running) if (feira.process.exitCode === null) await feira.end('SIGKILL');
  running = [];
  await rm(dir, { recursive: true, force: true });
});

describe('carts of a shop with a store of its own', () => {
  it('show each change of the catalogue in the next read, and survive kill -9', async () => {
    const first = await start();
    const write = (method: 'post' | 'patch' | 'delete', path = '') =>
      first.api[method](`/api/products${path}`).set('Authorization', `Bearer ${KEY}`);
    const { body: product } = await write('post')
      .send(productInput({ price: 100, stock: 9 }))
      .expect(201);
    const items = [{ productId: product.id, quantity: 2 }];
    const { body: cart, headers } = await first.api.post('/api/carts').send({ items }).expect(201);
    const read = (feira: FeiraProcess) =>
      feira.api.get(`/api/carts/${cart.id}`).set('Cart-Secret', String(headers['cart-secret'])).expect(200);

    for (const price of [101, 102, 103]) {
      await write('patch', `/${product.id}`).send({ price }).expect(200);
      for (let i = 0; i < 3; i++) expect((await read(first)).body).toMatchObject({ total: 2 * price });
    }
    await write('patch', `/${product.id}`).send({ stock: 2 }).expect(200);
    const add = first.api.post(`/api/carts/${cart.id}/products/${product.id}`);
    await add.set('Cart-Secret', String(headers['cart-secret'])).expect(409, /OUT_OF_STOCK/);
    await write('delete', `/${product.id}`).expect(204);
    const { body } = await read(first);
    expect(body).toMatchObject({ total: 0, items: [{ notice: { code: 'NO_LONGER_SOLD' } }] });

    await first.end('SIGKILL');
    expect((await read(await start())).body).toEqual(body);
  });
});
