import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { CartBody } from '../../src/schemas/cart.schema.ts';
import { createCart, createProduct, createRedAndBlue } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

const RULES = {
  shippingMethods: [
    { id: 'post', title: 'Post', price: 400, countries: ['PT', 'US'], freeFrom: 10_000 },
    { id: 'courier', title: 'Courier', price: 900, countries: ['PT'] },
  ],
  taxes: [
    { country: 'PT', rate: 2300 },
    { country: 'PT', region: 'Madeira', rate: 2200 },
    { country: 'US', rate: 1000 },
  ],
  pricesIncludeTax: false,
};

let feira: Feira;
beforeAll(async () => {
  const file = join(tmpdir(), `feira-rules-${process.pid}.json`);
  writeFileSync(file, JSON.stringify(RULES));
  feira = await startFeira({ SHOP_RULES: file });
});
afterAll(() => feira.stop());

describe('a variant', () => {
  it('is a line with its own title, price, stock and limit', async () => {
    const { product, red, blue } = await createRedAndBlue(feira);
    const cart = await createCart(feira);
    const at = `/products/${product.id}`;
    await cart.request('post', at).send({ variantId: red.id, quantity: 2 }).expect(200);
    await cart.request('post', at).send({ variantId: blue.id.toUpperCase() }).expect(200);
    const { body } = await cart.request('post', at).send({ variantId: red.id }).expect(200);
    expect(CartBody.parse(body)).toEqual(body);
    expect(body.items).toMatchObject([
      { productId: product.id, variantId: red.id, quantity: 3, lineTotal: 6000, product: { title: 'Shirt – Red' } },
      { productId: product.id, variantId: blue.id, quantity: 1, lineTotal: 2500, product: { code: blue.code } },
    ]);
    const refused = await cart.request('post', at).send({ variantId: red.id, quantity: 8 }).expect(409);
    expect(refused.body).toMatchObject({ code: 'OUT_OF_STOCK', available: 10, requested: 11, variantId: red.id });
  });

  it('is set and removed by its id', async () => {
    const { product, red, blue } = await createRedAndBlue(feira);
    const items = [red, blue].map(({ id }) => ({ productId: product.id, variantId: id, quantity: 1 }));
    const { id: mug } = await createProduct(feira);
    const cart = await createCart(feira, [...items, { productId: mug, quantity: 1 }]);
    const at = `/products/${product.id}`;
    const set = await cart.request('put', at).send({ variantId: blue.id, quantity: 4 }).expect(200);
    expect(set.body.items.map(({ quantity }: { quantity: number }) => quantity)).toEqual([1, 4, 1]);
    await cart.request('delete', at).expect(404);
    const { body } = await cart.request('delete', `${at}?variantId=${red.id}`).expect(200);
    expect(body.items).toMatchObject([{ variantId: blue.id }, { productId: mug, variantId: null }]);
    await cart.request('delete', `${at}?variantId=x`).expect(422);
    await cart.request('delete', `${at}?price=1`).expect(422);
  });

  it('has to be named where there are some, and only there', async () => {
    const [{ product, red }, mug] = [await createRedAndBlue(feira), await createProduct(feira)];
    const cart = await createCart(feira);
    for (const [productId, variantId] of [
      [product.id, undefined],
      [product.id, null],
      [product.id, 'f'.repeat(24)],
      [mug.id, red.id],
    ]) {
      const { body } = await cart.request('post', `/products/${productId}`).send({ variantId }).expect(422);
      expect(body.errors).toEqual([{ pointer: '#/variantId', detail: 'must be one of the variants of the product' }]);
    }
  });

  it('that is gone stays as it was seen, and counts for nothing', async () => {
    const { product, red, blue } = await createRedAndBlue(feira);
    const cart = await createCart(feira, [{ productId: product.id, variantId: red.id, quantity: 2 }]);
    const { picture, ...kept } = blue;
    await feira
      .withKey('patch', `/api/products/${product.id}`)
      .send({ variants: [kept] })
      .expect(200);
    const { body } = await cart.request('get').expect(200);
    expect(body).toMatchObject({ total: 0, totals: { subtotal: 0, lines: [{ total: 0 }] } });
    expect(body.items).toMatchObject([
      { variantId: red.id, product: { title: 'Shirt – Red' }, notice: { code: 'NO_LONGER_SOLD' } },
    ]);
  });
});

describe('a draft', () => {
  it('cannot be put into a cart, and one that was is as good as gone', async () => {
    const product = await createProduct(feira, { title: 'Secret mug' });
    const cart = await createCart(feira, [{ productId: product.id, quantity: 1 }]);
    await feira.withKey('patch', `/api/products/${product.id}`).send({ draft: true, title: 'New name' }).expect(200);
    const { body } = await cart.request('get').expect(200);
    expect(body.items).toMatchObject([{ product: { title: 'Secret mug' }, notice: { code: 'NO_LONGER_SOLD' } }]);
    await cart.request('post', `/products/${product.id}`).expect(404);
  });
});

describe('a price that has changed', () => {
  it('is told with the one that was seen, until the line changes', async () => {
    const product = await createProduct(feira, { price: 1000 });
    const cart = await createCart(feira, [{ productId: product.id, quantity: 2 }]);
    await feira.withKey('patch', `/api/products/${product.id}`).send({ price: 1200 }).expect(200);
    const { body } = await cart.request('get').expect(200);
    expect(CartBody.parse(body)).toEqual(body);
    expect(body).toMatchObject({
      total: 2400,
      items: [{ unitPrice: 1200, notice: { code: 'PRICE_CHANGED', was: 1000 } }],
    });
    const other = await createProduct(feira);
    await cart.request('post', `/products/${other.id}`).expect(200);
    expect((await cart.request('get')).body.items[0].notice.was).toBe(1000);
    const accepted = await cart.request('put', `/products/${product.id}`).send({ quantity: 2 }).expect(200);
    expect(accepted.body.items[0].notice).toBeNull();
    await feira.withKey('patch', `/api/products/${product.id}`).send({ price: 1200, stock: 1 }).expect(200);
    expect((await cart.request('get')).body.items[0].notice.code).toBe('INSUFFICIENT_STOCK');
  });

  it('is not told when it has come back to what was seen', async () => {
    const product = await createProduct(feira, { price: 1000 });
    const cart = await createCart(feira, [{ productId: product.id, quantity: 1 }]);
    for (const price of [1200, 1000]) await feira.withKey('patch', `/api/products/${product.id}`).send({ price });
    expect((await cart.request('get')).body.items[0].notice).toBeNull();
  });
});

describe('PUT /api/carts/:cid/shipping', () => {
  const aCart = async (price = 1000) => {
    const product = await createProduct(feira, { price });
    return { product, cart: await createCart(feira, [{ productId: product.id, quantity: 1 }]) };
  };

  it('adds delivery and tax by country and region, the cheapest way at first', async () => {
    const { cart } = await aCart();
    const { body } = await cart.request('put', '/shipping').send({ country: 'pt' }).expect(200);
    expect(CartBody.parse(body)).toEqual(body);
    expect(body).toMatchObject({
      shipping: { country: 'PT', region: null, method: { id: 'post', title: 'Post', price: 400 } },
      shippingMethods: [
        { id: 'post', price: 400 },
        { id: 'courier', price: 900 },
      ],
      totals: { subtotal: 1000, shipping: 400, tax: 230 + 92, total: 1722, taxIncluded: false },
      total: 1722,
      version: 2,
    });
    const island = { country: 'PT', region: 'Madeira', method: 'courier' };
    const other = await cart.request('put', '/shipping').send(island).expect(200);
    expect(other.body.totals).toMatchObject({ shipping: 900, tax: 220 + 198, total: 2318 });
    expect((await cart.request('get')).body).toEqual(other.body);
  });

  it('is free from an amount of goods on', async () => {
    const { cart } = await aCart(10_000);
    const { body } = await cart.request('put', '/shipping').send({ country: 'US' }).expect(200);
    expect(body.totals).toMatchObject({ shipping: 0, tax: 1000, total: 11_000 });
  });

  it('refuses what is not offered, and takes the cheapest when it is not offered any more', async () => {
    const { cart } = await aCart();
    for (const [body, pointer] of [
      [{ country: 'DE' }, '#/country'],
      [{ country: 'XX' }, '#/country'],
      [{ country: 'US', method: 'courier' }, '#/method'],
      [{ country: 'PT', method: '' }, '#/method'],
      [{ country: 'PT', price: 0 }, '#/price'],
      [{}, '#/country'],
    ] as const) {
      const res = await cart.request('put', '/shipping').send(body).expect(422);
      expect(res.body.errors).toEqual([expect.objectContaining({ pointer })]);
    }
    expect((await cart.request('get')).body).toMatchObject({ shipping: null, shippingMethods: [], version: 1 });
    await store(cart.id, { shipping: { country: 'PT', region: null, method: 'by-donkey' } });
    expect((await cart.request('get')).body.shipping.method.id).toBe('post');
    await store(cart.id, { shipping: { country: 'DE', region: null, method: 'post' } });
    expect((await cart.request('get')).body).toMatchObject({ shipping: { method: null }, totals: { shipping: 0 } });
  });

  it('has no price in another currency than the one of the shop', async () => {
    const product = await createProduct(feira, { price: 1000, currency: 'USD' });
    const cart = await createCart(feira, [{ productId: product.id, quantity: 1 }]);
    await cart.request('put', '/shipping').send({ country: 'PT' }).expect(422);
  });
});

describe('a cart that was stored by an earlier version', () => {
  it('is read, changed and emptied as any other', async () => {
    const product = await createProduct(feira, { price: 500 });
    const cart = await createCart(feira, [{ productId: product.id, quantity: 1 }]);
    await mongoose.connection
      .collection('carts')
      .updateOne(
        { _id: new mongoose.Types.ObjectId(cart.id) },
        { $unset: { coupon: 1, shipping: 1, 'items.0.variantId': 1 } },
      );
    const { body } = await cart.request('get').expect(200);
    expect(CartBody.parse(body)).toEqual(body);
    expect(body).toMatchObject({
      coupon: null,
      shipping: null,
      total: 500,
      items: [{ variantId: null, notice: null }],
    });
    const more = await cart.request('post', `/products/${product.id}`).expect(200);
    expect(more.body.items).toMatchObject([{ quantity: 2 }]);
    await cart.request('delete', `/products/${product.id}`).expect(200);
  });
});

const store = (id: string, fields: object) =>
  mongoose.connection.collection('carts').updateOne({ _id: new mongoose.Types.ObjectId(id) }, { $set: fields });
