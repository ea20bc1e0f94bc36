/** What checkout reads of a cart, and what becomes of a cart that was checked out; beside the doors, on the real database. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose, { Types } from 'mongoose';
import { inTransaction } from '../../src/database/transaction.ts';
import { CartHandoverService, type CheckoutCart } from '../../src/services/cart-handover.service.ts';
import { type CartKey, closeCart } from '../../src/services/cart-store.ts';
import { DEFAULT_RULES } from '../../src/shop-rules.ts';
import { logInBrowser, PASSWORD, someone, staff } from '../helpers/accounts.ts';
import { createCart, createCoupon, createProduct, createRedAndBlue } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
let carts: CartHandoverService;
let seller: Awaited<ReturnType<typeof staff>>;
beforeAll(async () => {
  feira = await startFeira();
  seller = await staff(feira, 'seller');
  const getMany = async (ids: readonly string[]) => {
    const answers = await Promise.all(ids.map((id) => feira.api.get(`/api/products/${id}`)));
    return answers.filter(({ status }) => status === 200).map(({ body }) => body);
  };
  carts = new CartHandoverService({ shop: { products: { getMany }, currency: 'EUR', rules: DEFAULT_RULES } });
});
afterAll(() => feira.stop());

const TO_PORTUGAL = { country: 'PT', region: null as string | null, method: 'standard' };

/** Reads a cart that is open. */
async function readOpen(key: CartKey, delivery = TO_PORTUGAL): Promise<CheckoutCart> {
  const cart = await carts.readForCheckout(key, delivery);
  if ('order' in cart) throw new Error('The cart was checked out.');
  return cart;
}

const close = (cart: { id: string; version: number }, order = new Types.ObjectId().toHexString()) =>
  inTransaction(async (_session, writes) => closeCart(writes, cart, new Types.ObjectId(order))).then(() => order);

describe('readForCheckout', () => {
  it('tells units, seen prices, coupon, delivery and totals', async () => {
    const coupon = await createCoupon(seller, { kind: 'fixed', value: 1000 });
    const { product, red } = await createRedAndBlue(feira);
    const mug = await createProduct(feira, { price: 500, thumbnails: ['/img/mug.webp'] });
    const cart = await createCart(feira, [
      { productId: product.id, variantId: red.id, quantity: 2 },
      { productId: mug.id, quantity: 1 },
    ]);
    await cart.request('put', '/coupon').send({ code: coupon.code }).expect(200);
    expect(await readOpen(cart)).toEqual({
      id: cart.id,
      version: 2,
      owner: null,
      currency: 'EUR',
      lines: [
        {
          unit: expect.objectContaining({
            productId: product.id,
            variantId: red.id,
            title: 'Shirt – Red',
            price: 2000,
          }),
          quantity: 2,
          seenPrice: 2000,
          thumbnail: null,
        },
        {
          unit: expect.objectContaining({ productId: mug.id, variantId: null, code: mug.code, forSale: true }),
          quantity: 1,
          seenPrice: 500,
          thumbnail: '/img/mug.webp',
        },
      ],
      coupon: { id: coupon.id, code: coupon.code },
      shipping: { method: 'standard', title: 'Standard, 3 to 5 days', price: 490 },
      totals: {
        subtotal: 4500,
        discount: 1000,
        shipping: 490,
        tax: 582 + 73 + 92,
        total: 3990,
        taxIncluded: true,
        lines: [
          { total: 4000, discount: 889, tax: 582 },
          { total: 500, discount: 111, tax: 73 },
        ],
      },
      notices: [],
    });
  });

  it('tells what stands against buying it: prices, stock, what is gone, the coupon', async () => {
    const coupon = await createCoupon(seller);
    const [dearer, scarce, gone, fine] = [
      await createProduct(feira, { price: 1000 }),
      await createProduct(feira),
      await createProduct(feira, { title: 'Old mug' }),
      await createProduct(feira),
    ];
    const items = [dearer, scarce, gone, fine].map(({ id }) => ({ productId: id, quantity: 2 }));
    const cart = await createCart(feira, items);
    await cart.request('put', '/coupon').send({ code: coupon.code }).expect(200);
    await feira.withKey('patch', `/api/products/${dearer.id}`).send({ price: 1100 }).expect(200);
    await feira.withKey('patch', `/api/products/${scarce.id}`).send({ stock: 1 }).expect(200);
    await feira.withKey('delete', `/api/products/${gone.id}`).expect(204);
    await seller.as('delete', `/api/coupons/${coupon.id}`).expect(204);

    const { lines, totals, notices, coupon: used } = await readOpen(cart);
    expect(lines.map(({ unit, seenPrice }) => [unit.productId, unit.price, seenPrice])).toEqual([
      [dearer.id, 1100, 1000],
      [scarce.id, 1999, 1999],
      [fine.id, 1999, 1999],
    ]);
    expect(totals.lines).toHaveLength(lines.length);
    expect(used).toBeNull();
    expect(notices).toMatchObject([
      { productId: dearer.id, code: 'PRICE_CHANGED', was: 1000, now: 1100 },
      { productId: scarce.id, code: 'INSUFFICIENT_STOCK' },
      { productId: gone.id, code: 'NO_LONGER_SOLD', title: 'Old mug' },
      { productId: null, code: 'COUPON_NOT_VALID', title: coupon.code, detail: 'This coupon has expired.' },
    ]);
  });

  it('reckons delivery as it is asked, not as the cart has it', async () => {
    const product = await createProduct(feira, { price: 1000 });
    const cart = await createCart(feira, [{ productId: product.id, quantity: 1 }]);
    await cart.request('put', '/shipping').send({ country: 'PT' }).expect(200);
    const abroad = await readOpen(cart, { country: 'BR', region: 'SP', method: 'international' });
    expect(abroad.totals).toMatchObject({ shipping: 1990, tax: 0, total: 2990 });
  });

  it('refuses an empty cart, delivery that is not offered, and whoever has no right to it', async () => {
    const product = await createProduct(feira);
    const [empty, cart] = [await createCart(feira), await createCart(feira, [{ productId: product.id, quantity: 1 }])];
    await expect(readOpen(empty)).rejects.toMatchObject({ code: 'CART_EMPTY' });
    for (const delivery of [
      { ...TO_PORTUGAL, method: 'international' },
      { ...TO_PORTUGAL, country: 'BR' },
      { ...TO_PORTUGAL, method: '' },
    ])
      await expect(readOpen(cart, delivery)).rejects.toMatchObject({
        code: 'INVALID_INPUT',
        members: { errors: [{ pointer: '#/shippingMethod' }] },
      });
    await expect(readOpen({ ...cart, secret: empty.secret })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(readOpen({ owner: seller.user.id })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('a cart that was checked out', () => {
  it('is closed at every door, and still tells its order to whoever holds it', async () => {
    const product = await createProduct(feira, { stock: 50 });
    const cart = await createCart(feira, [{ productId: product.id, quantity: 1 }]);
    const order = await close(await readOpen(cart));
    for (const req of [
      cart.request('get'),
      cart.request('delete'),
      cart.request('put').send({ items: [] }),
      cart.request('post', `/products/${product.id}`),
      cart.request('delete', `/products/${product.id}`),
      cart.request('put', '/shipping').send({ country: 'PT' }),
      cart.request('delete', '/coupon'),
    ])
      expect((await req).status).toBe(404);
    expect(await carts.readForCheckout(cart, TO_PORTUGAL)).toEqual({ order });
    await expect(carts.readForCheckout({ ...cart, secret: 'x' }, TO_PORTUGAL)).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it("makes room for a guest's next one at the next addition", async () => {
    const product = await createProduct(feira, { stock: 50 });
    const cart = await createCart(feira, [{ productId: product.id, quantity: 3 }]);
    const cookie = `feira_cart=${cart.id}.${cart.secret}`;
    await close(await readOpen(cart));
    await feira
      .page('/cart')
      .set('Cookie', cookie)
      .expect(200, /Your cart is empty/);
    const next = await feira.api.post(`/api/carts/mine/products/${product.id}`).set('Cookie', cookie).expect(200);
    expect(next.body).toMatchObject({ quantity: 1, version: 1 });
    expect(next.body.id).not.toBe(cart.id);
    expect(next.headers['set-cookie']?.[0]).toContain(`feira_cart=${next.body.id}.`);
  });

  it("makes room for the account's next one, and answers its order until then", async () => {
    const product = await createProduct(feira, { stock: 50 });
    const { user, as } = await someone(feira);
    const items = [{ productId: product.id, quantity: 2 }];
    const first = await as('post', '/api/carts').send({ items }).expect(201);
    const read = await readOpen({ owner: user.id });
    expect(read).toMatchObject({ id: first.body.id, owner: user.id });
    const order = await close(read);
    await as('get', '/api/carts/mine').expect(404);
    expect(await carts.readForCheckout({ owner: user.id }, TO_PORTUGAL)).toEqual({ order });

    const second = await as('post', '/api/carts').send({ items }).expect(201);
    expect(second.body).toMatchObject({ quantity: 2, version: 1 });
    expect((await readOpen({ owner: user.id })).id).toBe(second.body.id);
    expect(await carts.readForCheckout({ owner: user.id, id: first.body.id }, TO_PORTUGAL)).toEqual({ order });
    const third = await close(await readOpen({ owner: user.id }));
    expect(await carts.readForCheckout({ owner: user.id }, TO_PORTUGAL)).toEqual({ order: third });
    const stranger = await someone(feira);
    await expect(
      carts.readForCheckout({ owner: stranger.user.id, id: first.body.id }, TO_PORTUGAL),
    ).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('brings nothing to an account at the login', async () => {
    const product = await createProduct(feira);
    const cart = await createCart(feira, [{ productId: product.id, quantity: 2 }]);
    const order = await close(await readOpen(cart));
    const { user } = await someone(feira);
    const login = await feira.api
      .post('/api/auth/login')
      .set('Cart-Secret', cart.secret)
      .send({ email: user.email, password: PASSWORD });
    expect(login.body.cart.merged).toEqual([]);
    expect(await carts.readForCheckout(cart, TO_PORTUGAL)).toEqual({ order });
    const { open } = await logInBrowser(feira, user.email);
    expect((await open('/cart')).text).toContain('Your cart is empty.');
  });

  it('goes when it has expired, and with the account of its buyer', async () => {
    const product = await createProduct(feira);
    const { user, as } = await someone(feira);
    await as('post', '/api/carts').send({ items: [{ productId: product.id, quantity: 1 }] });
    await close(await readOpen({ owner: user.id }));
    const stored = () => mongoose.connection.collection('carts').findOne({ buyer: new Types.ObjectId(user.id) });
    expect((await stored())?.expiresAt.getTime()).toBeGreaterThan(Date.now());
    await as('delete', '/api/users/profile').send({ password: PASSWORD }).expect(204);
    expect(await stored()).toBeNull();
  });
});

describe('closeCart', () => {
  it('refuses another version, and a cart that is closed', async () => {
    const product = await createProduct(feira, { stock: 50 });
    const cart = await createCart(feira, [{ productId: product.id, quantity: 1 }]);
    const read = await readOpen(cart);
    await cart.request('post', `/products/${product.id}`).expect(200);
    await expect(close(read)).rejects.toMatchObject({ code: 'CONCURRENT_CHANGE' });
    const again = await readOpen(cart);
    await close(again);
    await expect(close(again)).rejects.toMatchObject({ code: 'CONCURRENT_CHANGE' });
    await expect(close({ ...again, version: again.version + 1 })).rejects.toMatchObject({ code: 'CONCURRENT_CHANGE' });
  });

  it('succeeds once of twenty that close at the same moment, whatever else changes the cart', async () => {
    const product = await createProduct(feira, { stock: 50 });
    const cart = await createCart(feira, [{ productId: product.id, quantity: 1 }]);
    const read = await readOpen(cart);
    const [additions, closings] = await Promise.all([
      Promise.all(Array.from({ length: 5 }, () => cart.request('post', `/products/${product.id}`))),
      Promise.allSettled(Array.from({ length: 20 }, () => close(read))),
    ]);
    const closed = closings.filter(({ status }) => status === 'fulfilled').length;
    const added = additions.filter(({ status }) => status === 200).length;
    expect(closed).toBe(added === 0 ? 1 : 0);
    if (closed === 1) expect(await carts.readForCheckout(cart, TO_PORTUGAL)).toHaveProperty('order');
    else expect((await cart.request('get')).body.quantity).toBe(1 + added);
  });
});
