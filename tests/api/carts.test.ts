import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { CartBody } from '../../src/schemas/cart.schema.ts';
import { createCart, createProduct } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

const UNKNOWN = 'f'.repeat(24);

describe('POST /api/carts', () => {
  it('makes an empty cart and tells its secret by header and cookie', async () => {
    const res = await feira.api.post('/api/carts').expect(201);
    expect(CartBody.parse(res.body)).toEqual(res.body);
    expect(res.body).toMatchObject({ items: [], quantity: 0, total: 0, currency: 'EUR', version: 1 });
    expect(res.headers.location).toBe(`/api/carts/${res.body.id}`);
    expect(res.headers.etag).toMatch(/^"1-[\w-]+"$/);
    const secret = res.headers['cart-secret'];
    expect(secret).toMatch(/^[\w-]{43}$/);
    expect(res.headers['set-cookie']).toEqual([
      `feira_cart=${res.body.id}.${secret}; Max-Age=2592000; Path=/; HttpOnly; SameSite=Lax`,
    ]);
    expect(res.text).not.toContain(secret);
  });

  it('takes an empty object, and lines of which equal ones become one', async () => {
    await feira.api.post('/api/carts').send({}).expect(201);
    const [mug, bowl] = [await createProduct(feira, { price: 500 }), await createProduct(feira, { price: 7 })];
    const res = await feira.api.post('/api/carts').send({
      items: [
        { productId: mug.id, quantity: 1 },
        { productId: bowl.id, quantity: 2 },
        { productId: mug.id, quantity: 3 },
      ],
    });
    expect(CartBody.parse(res.body)).toEqual(res.body);
    expect(res.body).toMatchObject({ quantity: 6, total: 2014, version: 1 });
    expect(res.body.items.map((item: { quantity: number }) => item.quantity)).toEqual([4, 2]);
  });

  it('makes nothing when a line is refused', async () => {
    const before = await countCarts();
    const body = { items: [{ productId: UNKNOWN, quantity: 1 }] };
    await feira.api
      .post('/api/carts')
      .send(body)
      .expect(404, /NOT_FOUND/);
    expect(await countCarts()).toBe(before);
  });

  it('is the only method there', async () => {
    const res = await feira.api.get('/api/carts').expect(405);
    expect(res.headers.allow).toBe('POST');
  });
});

describe('GET /api/carts/:cid', () => {
  it('shows each line with its product as the catalogue has it', async () => {
    const product = await createProduct(feira, { price: 250, stock: 4, thumbnails: ['/img/mug.webp', '/img/b.webp'] });
    const cart = await createCart(feira, [{ productId: product.id, quantity: 3 }]);
    const { body } = await cart.request('get').expect(200);
    expect(CartBody.parse(body)).toEqual(body);
    const { id, code, title, price, currency, stock, status } = product;
    expect(body).toMatchObject({ id: cart.id, quantity: 3, total: 750, currency: 'EUR' });
    expect(body.items).toEqual([
      {
        productId: id,
        variantId: null,
        product: { id, code, title, price, currency, stock, status, thumbnail: '/img/mug.webp' },
        quantity: 3,
        unitPrice: 250,
        lineTotal: 750,
        available: 4,
        notice: null,
      },
    ]);
  });

  it('opens by the cookie, by id and as "mine"', async () => {
    const cart = await createCart(feira);
    const cookie = `other=1; feira_cart=${cart.id}.${cart.secret}`;
    for (const path of [cart.id, 'mine']) {
      const res = await feira.api.get(`/api/carts/${path}`).set('Cookie', cookie).expect(200);
      expect(res.body.id).toBe(cart.id);
      expect(res.headers['cache-control']).toBe('private, no-cache');
    }
    await feira.api.get('/api/carts/mine').expect(404);
  });

  it('answers 304 until something that is shown changes, be it a price', async () => {
    const product = await createProduct(feira, { price: 100 });
    const cart = await createCart(feira, [{ productId: product.id, quantity: 2 }]);
    await cart.request('get').set('If-None-Match', cart.etag).expect(304);
    await cart.request('head').expect(200);

    await feira.withKey('patch', `/api/products/${product.id}`).send({ price: 120 }).expect(200);
    const { body, headers } = await cart.request('get').set('If-None-Match', cart.etag).expect(200);
    expect(body).toMatchObject({ total: 240, version: 1, items: [{ unitPrice: 120 }] });
    expect(headers.etag).not.toBe(cart.etag);
  });

  it('keeps lines whose product was switched off or deleted, with a notice and outside of the total', async () => {
    const [off, gone, left] = [
      await createProduct(feira),
      await createProduct(feira, { title: 'Old mug', price: 800 }),
      await createProduct(feira, { price: 30, stock: 5 }),
    ];
    const cart = await createCart(
      feira,
      [off, gone, left].map(({ id }) => ({ productId: id, quantity: 2 })),
    );
    await feira.withKey('patch', `/api/products/${off.id}`).send({ status: false }).expect(200);
    await feira.withKey('delete', `/api/products/${gone.id}`).expect(204);
    await feira.withKey('patch', `/api/products/${left.id}`).send({ stock: 1 }).expect(200);

    const { body } = await cart.request('get').expect(200);
    expect(CartBody.parse(body)).toEqual(body);
    expect(body).toMatchObject({ quantity: 6, total: 60 });
    expect(body.items).toMatchObject([
      { available: 0, lineTotal: 0, notice: { code: 'NOT_FOR_SALE' } },
      { available: 0, lineTotal: 0, notice: { code: 'NO_LONGER_SOLD' }, product: { title: 'Old mug', price: 800 } },
      { available: 1, lineTotal: 60, notice: { code: 'INSUFFICIENT_STOCK' } },
    ]);
    await cart.request('delete', `/products/${gone.id}`).expect(200);
  });

  it('is 404 after 30 days without a change, and every change starts them again', async () => {
    const product = await createProduct(feira);
    const [old, used] = [await createCart(feira), await createCart(feira)];
    const carts = mongoose.connection.collection('carts');
    const soon = new Date(Date.now() + 60_000);
    await carts.updateOne({ _id: new mongoose.Types.ObjectId(old.id) }, { $set: { expiresAt: new Date(0) } });
    await carts.updateOne({ _id: new mongoose.Types.ObjectId(used.id) }, { $set: { expiresAt: soon } });
    await old.request('get').expect(404);
    await used.request('post', `/products/${product.id}`).expect(200);
    const stored = await carts.findOne({ _id: new mongoose.Types.ObjectId(used.id) });
    expect(stored?.expiresAt.getTime() - Date.now()).toBeGreaterThan(29.9 * 24 * 60 * 60 * 1000);
    const indexes = await carts.indexes();
    expect(indexes).toContainEqual(expect.objectContaining({ key: { expiresAt: 1 }, expireAfterSeconds: 0 }));
  });
});

describe.each(['products', 'product'])('/api/carts/:cid/%s/:pid', (segment) => {
  it('POST adds up, by one when there is no body', async () => {
    const product = await createProduct(feira, { price: 3, stock: 20 });
    const cart = await createCart(feira);
    const path = `/${segment}/${product.id}`;
    await cart.request('post', path).expect(200);
    await cart.request('post', path).send({}).expect(200);
    const { body, headers } = await cart.request('post', path).send({ quantity: 5 }).expect(200);
    expect(CartBody.parse(body)).toEqual(body);
    expect(body).toMatchObject({ quantity: 7, total: 21, version: 4, items: [{ productId: product.id, quantity: 7 }] });
    expect(headers.etag).toMatch(/^"4-/);
    expect((await cart.request('get')).body).toEqual(body);
  });

  it('PUT sets the quantity, also of a product that is not there yet', async () => {
    const product = await createProduct(feira, { price: 3, stock: 20 });
    const cart = await createCart(feira);
    const path = `/${segment}/${product.id}`;
    const first = await cart.request('put', path).send({ quantity: 9 }).expect(200);
    expect(first.body).toMatchObject({ quantity: 9, total: 27 });
    const second = await cart.request('put', path).send({ quantity: 2 }).expect(200);
    expect(second.body).toMatchObject({ quantity: 2, total: 6 });
  });

  it('PUT needs a quantity', async () => {
    const cart = await createCart(feira);
    const { body } = await cart.request('put', `/${segment}/${UNKNOWN}`).send({}).expect(422);
    expect(body).toMatchObject({ code: 'INVALID_INPUT', errors: [{ pointer: '#/quantity' }] });
  });

  it('DELETE removes the line, and 404 when there is none', async () => {
    const [mug, bowl] = [await createProduct(feira), await createProduct(feira)];
    const cart = await createCart(
      feira,
      [mug, bowl].map(({ id }) => ({ productId: id, quantity: 1 })),
    );
    const { body } = await cart.request('delete', `/${segment}/${mug.id}`).expect(200);
    expect(body.items).toMatchObject([{ productId: bowl.id }]);
    await cart.request('delete', `/${segment}/${mug.id}`).expect(404, /NOT_FOUND/);
  });

  it('takes no other method', async () => {
    const cart = await createCart(feira);
    const res = await cart.request('get', `/${segment}/${UNKNOWN}`).expect(405);
    expect(res.headers.allow).toBe('POST, PUT, DELETE');
  });
});

describe('what a cart may hold', () => {
  it('is what the catalogue has', async () => {
    const cart = await createCart(feira);
    for (const method of ['post', 'put'] as const) {
      const { body } = await cart.request(method, `/products/${UNKNOWN}`).send({ quantity: 1 }).expect(404);
      expect(body).toMatchObject({ code: 'NOT_FOUND', productId: UNKNOWN });
    }
    const gone = await createProduct(feira);
    await feira.withKey('delete', `/api/products/${gone.id}`).expect(204);
    await cart.request('post', `/products/${gone.id}`).expect(404);
  });

  it('is for sale', async () => {
    const off = await createProduct(feira, { status: false });
    const cart = await createCart(feira);
    await cart.request('post', `/products/${off.id}`).expect(409, /NOT_FOR_SALE/);
  });

  it('is in stock, what is in the cart already included', async () => {
    const product = await createProduct(feira, { stock: 5 });
    const cart = await createCart(feira, [{ productId: product.id, quantity: 3 }]);
    const refused = await cart.request('post', `/products/${product.id}`).send({ quantity: 3 }).expect(409);
    expect(refused.body).toMatchObject({ code: 'OUT_OF_STOCK', productId: product.id, available: 5, requested: 6 });
    await cart
      .request('put', `/products/${product.id}`)
      .send({ quantity: 6 })
      .expect(409, /OUT_OF_STOCK/);
    await cart.request('post', `/products/${product.id}`).send({ quantity: 2 }).expect(200);
    expect((await cart.request('get')).body).toMatchObject({ quantity: 5, version: 2 });
  });

  it('has one currency, until it is empty again', async () => {
    const [euro, dollar] = [await createProduct(feira), await createProduct(feira, { currency: 'USD', price: 5 })];
    const cart = await createCart(feira, [{ productId: euro.id, quantity: 1 }]);
    await cart.request('post', `/products/${dollar.id}`).expect(409, /CURRENCY_MISMATCH/);
    await cart.request('delete', `/products/${euro.id}`).expect(200);
    const { body } = await cart.request('post', `/products/${dollar.id}`).expect(200);
    expect(body).toMatchObject({ currency: 'USD', total: 5 });
    const both = [euro, dollar].map(({ id }) => ({ productId: id, quantity: 1 }));
    await feira.api
      .post('/api/carts')
      .send({ items: both })
      .expect(409, /CURRENCY_MISMATCH/);
  });

  it('is at most 999 of one product', async () => {
    const product = await createProduct(feira, { stock: 2000 });
    const cart = await createCart(feira, [{ productId: product.id, quantity: 999 }]);
    const { body } = await cart.request('post', `/products/${product.id}`).expect(409);
    expect(body).toMatchObject({ code: 'LIMIT_REACHED', limit: 999 });
  });

  it('is at most 100 lines', async () => {
    const digits = [...'0123456789'];
    const variants = digits.flatMap((a) => digits.map((b) => ({ values: [a, b], price: 1, stock: 9 })));
    const product = await createProduct(feira, {
      price: undefined,
      stock: undefined,
      options: ['Tens', 'Ones'].map((name) => ({ name, values: digits })),
      variants: variants.map((variant) => ({ ...variant, code: `HUNDRED-${variant.values.join('')}` })),
    });
    const items = product.variants.map(({ id }) => ({ productId: product.id, variantId: id, quantity: 1 }));
    const { id: other } = await createProduct(feira);
    const cart = await createCart(feira, items);
    const { body } = await cart.request('post', `/products/${other}`).expect(409);
    expect(body).toMatchObject({ code: 'LIMIT_REACHED', limit: 100 });
    await cart.request('post', `/products/${product.id}`).send({ variantId: items[0]!.variantId }).expect(200);
    const tooMany = [...items, { productId: other, quantity: 1 }];
    await cart
      .request('put')
      .send({ items: tooMany })
      .expect(422, /INVALID_INPUT/);
  });
});

describe('PUT /api/carts/:cid', () => {
  it('replaces all lines, or none when one is refused', async () => {
    const [mug, bowl] = [await createProduct(feira), await createProduct(feira, { price: 10, stock: 2 })];
    const cart = await createCart(feira, [{ productId: mug.id, quantity: 1 }]);
    const one = [{ productId: bowl.id, quantity: 2 }];
    const { body } = await cart.request('put').send({ items: one }).expect(200);
    expect(body).toMatchObject({ items: [{ productId: bowl.id }], quantity: 2, total: 20, version: 2 });

    const tooMany = [{ productId: mug.id, quantity: 1 }, ...one, ...one];
    await cart
      .request('put')
      .send({ items: tooMany })
      .expect(409, /OUT_OF_STOCK/);
    expect((await cart.request('get')).body).toEqual(body);

    const none = await cart.request('put').send({ items: [] }).expect(200);
    expect(none.body).toMatchObject({ items: [], total: 0 });
    await cart.request('put').send({}).expect(422);
  });
});

describe('DELETE /api/carts/:cid', () => {
  it('empties the cart, which stays', async () => {
    const product = await createProduct(feira);
    const cart = await createCart(feira, [{ productId: product.id, quantity: 1 }]);
    const res = await cart.request('delete').expect(204);
    expect(res.text).toBe('');
    expect((await cart.request('get').expect(200)).body).toMatchObject({ items: [], quantity: 0, version: 2 });
  });
});

describe('POST /api/carts/mine/products/:pid', () => {
  it('makes the cart of a visitor who has none, or none any more', async () => {
    const product = await createProduct(feira, { price: 70 });
    const at = `/api/carts/mine/products/${product.id}`;
    for (const cookie of ['', `feira_cart=${UNKNOWN}.${'x'.repeat(43)}`]) {
      const added = await feira.api.post(at).set('Cookie', cookie).send({ quantity: 2 }).expect(200);
      expect(added.body).toMatchObject({ quantity: 2, total: 140, version: 1 });
      const held = String(added.headers['set-cookie']?.[0]).split(';', 1);
      const again = await feira.api.post(at).set('Cookie', held).expect(200);
      expect(again.body).toMatchObject({ id: added.body.id, quantity: 3, version: 2 });
    }
  });

  it('makes none when the addition is refused', async () => {
    const soldOut = await createProduct(feira, { stock: 0 });
    const before = await countCarts();
    for (const [pid, status] of [
      [soldOut.id, 409],
      [UNKNOWN, 404],
    ] as const) {
      const res = await feira.api.post(`/api/carts/mine/products/${pid}`).expect(status);
      expect(res.headers['set-cookie']).toBeUndefined();
    }
    await feira.api.post(`/api/carts/mine/products/${soldOut.id}`).set('If-Match', '"1"').expect(412);
    expect(await countCarts()).toBe(before);
  });
});

describe('a cookie that opened the cart', () => {
  it('is renewed by every change and left alone otherwise', async () => {
    const product = await createProduct(feira);
    const cart = await createCart(feira);
    const cookie = `feira_cart=${cart.id}.${cart.secret}`;
    const at = `/api/carts/mine/products/${product.id}`;
    const renewed = [expect.stringContaining(`${cookie}; Max-Age=2592000`)];
    for (const change of [
      feira.api.post(at),
      feira.api.put(at).send({ quantity: 2 }),
      feira.api.delete(at),
      feira.api.put('/api/carts/mine').send({ items: [] }),
      feira.api.delete('/api/carts/mine'),
    ])
      expect((await change.set('Cookie', cookie)).headers['set-cookie']).toEqual(renewed);
    expect((await feira.api.get('/api/carts/mine').set('Cookie', cookie)).headers['set-cookie']).toBeUndefined();
    expect((await cart.request('post', `/products/${product.id}`)).headers['set-cookie']).toBeUndefined();
  });
});

const countCarts = () => mongoose.connection.collection('carts').countDocuments();
