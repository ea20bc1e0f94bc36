import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { someone } from '../helpers/accounts.ts';
import { createCart, createProduct } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
let productId: string;
beforeAll(async () => {
  feira = await startFeira();
  productId = (await createProduct(feira, { price: 100, stock: 1000 })).id;
});
afterAll(() => feira.stop());

const countCarts = () => mongoose.connection.collection('carts').countDocuments();

describe('POST /api/carts with an Idempotency-Key', () => {
  const create = (key: string, body: object) => feira.api.post('/api/carts').set('Idempotency-Key', key).send(body);

  it('makes one cart, however often and however parallel it is sent, and tells its secret each time', async () => {
    const before = await countCarts();
    const key = randomUUID();
    const body = { items: [{ productId, quantity: 2 }] };
    const answers = await Promise.all(Array.from({ length: 10 }, () => create(key, body)));
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(201));
    expect(new Set(answers.map((res) => `${res.body.id} ${res.headers['cart-secret']} ${res.headers.etag}`)).size).toBe(
      1,
    );
    expect(answers.filter((res) => res.headers['idempotent-replayed'] === 'true')).toHaveLength(9);
    expect(await countCarts()).toBe(before + 1);
    const { id } = answers[0]!.body;
    const secret = String(answers[0]!.headers['cart-secret']);
    await feira.api.get(`/api/carts/${id}`).set('Cart-Secret', secret).expect(200);
    const stored = await mongoose.connection.collection('idempotency_keys').find().toArray();
    expect(JSON.stringify(stored)).not.toContain(secret);
  });

  it('refuses another body, and a key that is none; without a key each makes one', async () => {
    const key = randomUUID();
    await create(key, { items: [] }).expect(201);
    await create(key, { items: [{ productId, quantity: 1 }] }).expect(422, /IDEMPOTENCY_KEY_REUSED/);
    await create('x'.repeat(256), {}).expect(400);
    const [one, other] = [await feira.api.post('/api/carts'), await feira.api.post('/api/carts')];
    expect(one.body.id).not.toBe(other.body.id);
    expect(one.headers).not.toHaveProperty('idempotent-replayed');
  });

  it('keeps nothing of a refusal', async () => {
    const { id } = await createProduct(feira, { stock: 0 });
    const key = randomUUID();
    const body = { items: [{ productId: id, quantity: 1 }] };
    await create(key, body).expect(409);
    await feira.withKey('patch', `/api/products/${id}`).send({ stock: 1 }).expect(200);
    await create(key, body).expect(201);
  });

  it('opens and fills the cart of an account once, with the status of the first time', async () => {
    const { as } = await someone(feira);
    const body = { items: [{ productId, quantity: 2 }] };
    const open = (key: string) => as('post', '/api/carts').set('Idempotency-Key', key).send(body);
    for (const [key, status, quantity] of [
      ['first', 201, 2],
      ['first', 201, 2],
      ['second', 200, 4],
      ['second', 200, 4],
    ] as const) {
      const res = await open(key).expect(status);
      expect(res.body.quantity).toBe(quantity);
    }
    expect((await as('get', '/api/carts/mine')).body.quantity).toBe(4);
  });
});

describe('adding with an Idempotency-Key', () => {
  it('adds once, however often and however parallel, also under If-Match and when the stock is gone', async () => {
    const { id } = await createProduct(feira, { stock: 3 });
    const cart = await createCart(feira);
    const key = randomUUID();
    const add = () =>
      cart
        .request('post', `/products/${id}`)
        .set('Idempotency-Key', key)
        .set('If-Match', cart.etag)
        .send({ quantity: 3 });
    const answers = await Promise.all(Array.from({ length: 10 }, add));
    expect(answers.map(({ status, body }) => [status, body.quantity])).toEqual(Array(10).fill([200, 3]));
    expect((await cart.request('get')).body).toMatchObject({ quantity: 3, version: 2 });
    const other = cart.request('post', `/products/${id}`).set('Idempotency-Key', key).send({ quantity: 1 });
    expect((await other).status).toBe(422);
  });

  it("is a buyer's own: the same key of another one adds to theirs", async () => {
    const [one, other] = [await createCart(feira), await createCart(feira)];
    for (const cart of [one, other, one])
      await cart.request('post', `/products/${productId}`).set('Idempotency-Key', 'k').expect(200);
    for (const cart of [one, other]) expect((await cart.request('get')).body.quantity).toBe(1);
  });

  it('loses nothing of what happens beside it', async () => {
    const cart = await createCart(feira);
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, i) => {
        const add = cart.request('post', `/products/${productId}`);
        return i % 2 ? add : add.set('Idempotency-Key', `key-${i}`);
      }),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(12).fill(200));
    expect((await cart.request('get')).body).toMatchObject({ quantity: 12, version: 13 });
  });

  it('makes one cart for a visitor who has none, or none any more, and gives the key to it each time', async () => {
    const before = await countCarts();
    for (const cookie of ['', `feira_cart=${'f'.repeat(24)}.${'x'.repeat(43)}`]) {
      const add = () =>
        feira.api
          .post(`/api/carts/mine/products/${productId}`)
          .set('Cookie', cookie)
          .set('Idempotency-Key', `a visitor with ${cookie.length} bytes`);
      const [first, second] = [await add().expect(200), await add().expect(200)];
      expect(second.body).toEqual(first.body);
      expect(second.headers['set-cookie']).toEqual(first.headers['set-cookie']);
      expect(second.headers['idempotent-replayed']).toBe('true');
      const held = String(second.headers['set-cookie']?.[0]).split(';', 1);
      expect((await feira.api.get('/api/carts/mine').set('Cookie', held).expect(200)).body.quantity).toBe(1);
    }
    expect(await countCarts()).toBe(before + 2);
  });
});
