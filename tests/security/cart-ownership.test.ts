import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { logIn, PASSWORD, someone } from '../helpers/accounts.ts';
import { createCart, createProduct } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

const ADMIN = { email: 'admin@shop.example', password: 'a password of the admin' };
let feira: Feira;
beforeAll(async () => {
  feira = await startFeira({ ADMIN_EMAIL: ADMIN.email, ADMIN_PASSWORD: ADMIN.password });
});
afterAll(() => feira.stop());

const ROUTES = [
  ['get', '', undefined],
  ['head', '', undefined],
  ['put', '', { items: [] }],
  ['delete', '', undefined],
  ['post', '/products/:pid', { quantity: 1 }],
  ['put', '/products/:pid', { quantity: 1 }],
  ['delete', '/products/:pid', undefined],
  ['post', '/product/:pid', { quantity: 1 }],
  ['put', '/product/:pid', { quantity: 1 }],
  ['delete', '/product/:pid', undefined],
] as const;

describe("somebody else's cart", () => {
  it.each(ROUTES)('does not exist for %s /api/carts/:cid%s', async (method, path, body) => {
    const product = await createProduct(feira);
    const items = [{ productId: product.id, quantity: 2 }];
    const [a, b] = [await createCart(feira, items), await createCart(feira, items)];
    const address = `/api/carts/${a.id}${path.replace(':pid', product.id)}`;
    const shown: Record<string, string>[] = [
      {},
      { 'Cart-Secret': b.secret },
      { 'Cart-Secret': '' },
      { 'Cart-Secret': `${a.secret},${b.secret}` },
      { 'Cart-Secret': a.secret.toLowerCase() },
      { 'Cart-Secret': '[object Object]' },
      { Cookie: `feira_cart=${b.id}.${b.secret}` },
      { Cookie: `feira_cart=${a.id}.${b.secret}` },
      // A header is never ignored in favour of a cookie.
      { Cookie: `feira_cart=${a.id}.${a.secret}`, 'Cart-Secret': b.secret },
      { Authorization: 'Bearer test-key-of-the-suite' },
    ];
    for (const headers of shown) {
      const res = await feira.api[method](address).set(headers).send(body);
      expect([headers, res.status]).toEqual([headers, 404]);
      expect(res.text ?? '').not.toContain(product.title);
      expect(res.headers['set-cookie']).toBeUndefined();
    }
    const { body: after } = await a.request('get').expect(200);
    expect(after).toMatchObject({ quantity: 2, version: 1 });
  });

  it('is the same 404 as one that does not exist', async () => {
    const [a, b] = [await createCart(feira), await createCart(feira)];
    const [others, none] = await Promise.all(
      [a.id, 'f'.repeat(24)].map((id) => feira.api.get(`/api/carts/${id}`).set('Cart-Secret', b.secret)),
    );
    const { requestId: _, ...facts } = others?.body ?? {};
    expect(none?.body).toMatchObject(facts);
  });
});

describe("an account's cart", () => {
  it.each(ROUTES)('does not exist for others by %s /api/carts/:cid%s, be they staff', async (method, path, body) => {
    const product = await createProduct(feira);
    const [ana, bea, admin] = await Promise.all([
      someone(feira),
      someone(feira),
      logIn(feira, ADMIN.email, ADMIN.password),
    ]);
    const items = [{ productId: product.id, quantity: 2 }];
    const { body: cart } = await ana.as('post', '/api/carts').send({ items }).expect(201);
    await bea.as('post', '/api/carts').send({ items }).expect(201);
    const guest = await createCart(feira, items);
    const shown: Record<string, string>[] = [
      {},
      { Authorization: `Bearer ${bea.accessToken}` },
      { Authorization: `Bearer ${admin.accessToken}` },
      { Authorization: 'Bearer test-key-of-the-suite' },
      { 'Cart-Secret': guest.secret },
      { 'Cart-Secret': '' },
      { 'Cart-Secret': 'undefined' },
      { 'Cart-Secret': 'null' },
      // A header is never ignored in favour of a login.
      { Authorization: `Bearer ${ana.accessToken}`, 'Cart-Secret': guest.secret },
      { Cookie: `feira_cart=${cart.id}.${guest.secret}` },
    ];
    for (const headers of shown) {
      const res = await feira.api[method](`/api/carts/${cart.id}${path.replace(':pid', product.id)}`)
        .set(headers)
        .send(body);
      expect([headers, res.status]).toEqual([headers, 404]);
    }
    expect((await ana.as('get', '/api/carts/mine')).body).toMatchObject({ quantity: 2, version: 1 });
  });

  it('is not brought to another account by a login', async () => {
    const product = await createProduct(feira);
    const [ana, bea] = await Promise.all([someone(feira), someone(feira)]);
    const { body: cart } = await ana.as('post', `/api/carts/mine/products/${product.id}`).expect(200);
    const guest = await createCart(feira);
    const { email } = bea.user;
    for (const [name, value] of [
      ['Cookie', `feira_cart=${cart.id}.${guest.secret}`],
      ['Cart-Secret', cart.id],
    ] as const) {
      const login = feira.api.post('/api/auth/login').set(name, value);
      expect((await login.send({ email, password: PASSWORD })).body.cart.merged).toEqual([]);
    }
    expect((await ana.as('get', '/api/carts/mine')).body.quantity).toBe(1);
  });
});

describe('the secret', () => {
  it('is not stored, and not shown again', async () => {
    const cart = await createCart(feira);
    const stored = await mongoose.connection.collection('carts').findOne({ _id: new mongoose.Types.ObjectId(cart.id) });
    expect(JSON.stringify(stored)).not.toContain(cart.secret);
    const res = await cart.request('get').expect(200);
    expect(res.text + JSON.stringify(res.headers)).not.toContain(cart.secret);
    expect(res.text).not.toMatch(/secret|hash/i);
  });
});
