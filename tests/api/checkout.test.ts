import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { admin, someone } from '../helpers/accounts.ts';
import { misfits, readApiDocument } from '../helpers/api-document.ts';
import { createProduct } from '../helpers/factories.ts';
import { aBuyer, anOrder, checkoutInput, letExpire, movedOf, stockOf } from '../helpers/orders.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira({ BANK_DETAILS: 'IBAN PT50 0000' });
});
afterAll(() => feira.stop());

const manual = { paymentMethod: 'manual', payment: {} };

describe('POST /api/carts/:cid/checkout', () => {
  it('makes a paid order, takes the units and closes the cart', async () => {
    const [mug, bowl] = await Promise.all([
      createProduct(feira, { price: 1999, stock: 5 }),
      createProduct(feira, { price: 500, stock: 2, title: 'Bowl' }),
    ]);
    const { cart, checkOut } = await aBuyer(feira, [{ product: mug, quantity: 2 }, { product: bowl }]);
    const answer = await checkOut({ email: 'Ana@Example.com' });

    expect(answer.status).toBe(201);
    expect(misfits(await readApiDocument(feira), 'post', '/api/carts/{cid}/checkout', answer)).toEqual([]);
    expect(answer.headers.location).toBe(`/api/orders/${answer.body.id}`);
    expect(answer.headers['order-token']).toMatch(/^[\w-]{43}$/);
    expect(answer.body).toMatchObject({
      number: expect.stringMatching(/^F-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/),
      status: 'paid',
      paymentStatus: 'paid',
      fulfilmentStatus: 'unfulfilled',
      email: 'Ana@Example.com',
      owner: null,
      holdUntil: null,
      lines: [
        { productId: mug.id, variantId: null, code: mug.code, unitPrice: 1999, quantity: 2, total: 3998 },
        { productId: bowl.id, title: 'Bowl', unitPrice: 500, quantity: 1, total: 500 },
      ],
      address: { name: 'Ana Sousa', line2: null, country: 'PT' },
      shipping: { method: 'standard', price: 490 },
      totals: { subtotal: 4498, shipping: 490, total: 4988, taxIncluded: true },
      captured: 4988,
      payment: { state: 'captured' },
      moves: [],
    });
    expect(answer.body.timeline.map(({ event }: { event: string }) => event)).toEqual(['placed', 'paid']);
    expect(answer.body).not.toHaveProperty('ledger');
    expect([await stockOf(mug), await stockOf(bowl)]).toEqual([3, 1]);
    expect([await movedOf(mug), await movedOf(bowl)]).toEqual([3, 1]);
    expect((await cart.request('post', `/products/${mug.id}`).send({ quantity: 1 })).status).toBe(404);
  });

  it('sells a variant', async () => {
    const shirt = await createProduct(feira, {
      options: [{ name: 'Size', values: ['S', 'M'] }],
      variants: [
        { code: `S-${Date.now()}`, values: ['S'], price: 1000, stock: 1 },
        { code: `M-${Date.now()}`, values: ['M'], price: 1200, stock: 4 },
      ],
      price: undefined,
      stock: undefined,
    });
    const variantId = shirt.variants[1]!.id;
    const made = await feira.api.post('/api/carts').send({ items: [{ productId: shirt.id, variantId, quantity: 3 }] });
    const answer = await feira.api
      .post(`/api/carts/${made.body.id}/checkout`)
      .set('Cart-Secret', String(made.headers['cart-secret']))
      .send(checkoutInput());
    expect(answer.body).toMatchObject({ status: 'paid', lines: [{ variantId, unitPrice: 1200, total: 3600 }] });
    const after = (await feira.api.get(`/api/products/${shirt.id}`)).body;
    expect([after.stock, after.variants.map(({ stock }: { stock: number }) => stock)]).toEqual([2, [1, 1]]);
  });

  it('answers the same order again', async () => {
    const { checkOut, product } = await aBuyer(feira);
    const first = await checkOut();
    const again = await checkOut({ paymentMethod: 'manual', payment: {} });
    expect([again.status, again.body.id, again.body.payment.state]).toEqual([200, first.body.id, 'captured']);
    expect(again.headers['order-token']).toBe(first.headers['order-token']);
    expect(await stockOf(product)).toBe(9);
  });

  it('orders what the buyer has read, when they say which version that was', async () => {
    const { cart, checkOut, product } = await aBuyer(feira);
    await cart.request('post', `/products/${product.id}`).send({ quantity: 1 }).expect(200);
    const refused = await checkOut({}, { 'If-Match': cart.etag });
    expect([refused.status, refused.body.code]).toEqual([412, 'VERSION_MISMATCH']);
    expect(await stockOf(product)).toBe(10);
    const { headers } = await cart.request('get').expect(200);
    const answer = await checkOut({}, { 'If-Match': headers.etag! });
    expect([answer.status, answer.body.lines[0].quantity]).toEqual([201, 2]);
    // Asked again, the order is there.
    expect((await checkOut({}, { 'If-Match': headers.etag! })).body.id).toBe(answer.body.id);
  });

  it('answers again what became of the payment: given up, declined, or on its way after that', async () => {
    const given = await anOrder(feira, manual);
    await given.asGuest('post', '/cancel').send({}).expect(200);
    const declined = await anOrder(feira, { payment: { outcome: 'decline' } });
    const other = await anOrder(feira, manual);
    const askAgain = async ({ cart, id }: Awaited<ReturnType<typeof anOrder>>) => {
      const { status, body } = await cart.request('post', '/checkout').send(checkoutInput());
      expect([status, body.id, body.captured]).toEqual([200, id, 0]);
      return body.payment;
    };
    expect(await askAgain(given)).toEqual({ state: 'declined', reason: 'The payment was given up.' });
    expect(await askAgain(declined)).toMatchObject({ state: 'declined', reason: expect.stringContaining('as asked') });
    await declined.asGuest('post', '/pay').send(manual).expect(200);
    expect(await askAgain(declined)).toMatchObject({ state: 'pending', instructions: expect.any(String) });
    await other.asGuest('post', '/pay').send({ paymentMethod: 'test', payment: { outcome: 'decline' } });
    expect(await askAgain(other)).toMatchObject({ state: 'declined' });
    await other.asGuest('post', '/pay').send(manual).expect(200);
    expect(await askAgain(other)).toMatchObject({ state: 'pending', instructions: expect.any(String) });
  });

  it("is an account's own, with its address", async () => {
    const ana = await someone(feira);
    const product = await createProduct(feira);
    await ana.as('post', '/api/carts/mine/products/'.concat(product.id)).send({ quantity: 1 });
    const { body: cart } = await ana.as('post', '/api/carts').send({});
    const asked = () => ana.as('post', '/api/carts/mine/checkout').send(checkoutInput({ email: 'other@example.com' }));
    const answers = await Promise.all([asked(), asked(), asked()]);
    const made = answers.filter(({ status }) => status === 201);
    expect(made).toHaveLength(1);
    const [{ body: order, headers }] = made as [(typeof made)[0]];
    expect(order).toMatchObject({ owner: ana.user.id, email: ana.user.email });
    expect(headers).not.toHaveProperty('order-token');
    const again = await ana.as('post', `/api/carts/${cart.id}/checkout`).send(checkoutInput());
    expect([again.status, again.body.id]).toEqual([200, order.id]);
    const { body: next } = await ana.as('post', '/api/carts').send({});
    expect([next.items, next.id === cart.id]).toEqual([[], false]);
  });

  it('is declined into an order that can be paid again', async () => {
    const { order, asGuest, product } = await anOrder(feira, { payment: { outcome: 'decline' } });
    expect(order).toMatchObject({
      status: 'pending_payment',
      payment: { state: 'declined', reason: expect.any(String) },
      moves: ['pay', 'cancel'],
    });
    expect(await stockOf(product)).toBe(9);
    const paid = await asGuest('post', '/pay').send({ payment: { outcome: 'approve' } });
    expect([paid.status, paid.body.status, paid.body.payment.state]).toEqual([200, 'paid', 'captured']);
    const twice = await asGuest('post', '/pay').send({ payment: { outcome: 'approve' } });
    expect([twice.status, twice.body.code, twice.body.allowed]).toEqual([
      409,
      'ILLEGAL_MOVE',
      ['cancel', 'fulfil', 'refund'],
    ]);
  });

  it('finds out what became of a payment whose answer was lost', async () => {
    const { order } = await anOrder(feira, { payment: { outcome: 'timeout' } });
    expect([order.status, order.captured, order.payment.state]).toEqual(['paid', order.totals.total, 'captured']);
  });

  it('refuses prices that the buyer has not seen, until they are accepted', async () => {
    const product = await createProduct(feira, { price: 1000 });
    const { checkOut } = await aBuyer(feira, [{ product }]);
    await feira.withKey('patch', `/api/products/${product.id}`).send({ price: 1100 }).expect(200);
    const refused = await checkOut();
    expect([refused.status, refused.body]).toEqual([
      409,
      expect.objectContaining({
        code: 'CART_CHANGED',
        total: 1590,
        changes: [expect.objectContaining({ productId: product.id, code: 'PRICE_CHANGED', was: 1000, now: 1100 })],
      }),
    ]);
    expect((await checkOut({ acceptedTotal: 1490 })).body).toMatchObject({ code: 'CART_CHANGED', total: 1590 });
    expect(await stockOf(product)).toBe(10);
    expect((await checkOut({ acceptedTotal: 1590 })).body).toMatchObject({ status: 'paid', captured: 1590 });
  });

  it('refuses what is sold out, and tells what there is', async () => {
    const product = await createProduct(feira, { stock: 3 });
    const [ana, bea] = await Promise.all([
      aBuyer(feira, [{ product, quantity: 2 }]),
      aBuyer(feira, [{ product, quantity: 2 }]),
    ]);
    await ana.checkOut().expect(201);
    const refused = await bea.checkOut();
    expect([refused.status, refused.body.code]).toEqual([409, 'OUT_OF_STOCK']);
    expect(await stockOf(product)).toBe(1);
  });

  it('sells what an order holds that was not paid in time', async () => {
    const product = await createProduct(feira, { stock: 1 });
    const held = await anOrder(feira, { payment: { outcome: 'decline' } }, [{ product }]);
    await letExpire(held.id);
    // In the cart of somebody who came before it was sold out.
    await feira.withKey('patch', `/api/products/${product.id}`).send({ stock: 1 }).expect(200);
    const { checkOut } = await aBuyer(feira, [{ product }]);
    await feira.withKey('patch', `/api/products/${product.id}`).send({ stock: 0 }).expect(200);
    const bought = await checkOut();
    expect([bought.status, bought.body.status]).toEqual([201, 'paid']);
    expect((await held.asGuest('get')).body).toMatchObject({ status: 'cancelled', moves: [] });
    expect(await stockOf(product)).toBe(0);
  });

  it('is paid at once when a coupon leaves nothing to pay', async () => {
    const boss = await admin(feira);
    const made = await boss
      .as('post', '/api/coupons')
      .send({ code: `ALL-${Date.now()}`, kind: 'percentage', value: 10_000, maxUses: 1 });
    expect(made.status).toBe(201);
    const product = await createProduct(feira, { price: 7500 });
    const [ana, bea] = await Promise.all([aBuyer(feira, [{ product }]), aBuyer(feira, [{ product }])]);
    for (const { cart } of [ana, bea]) await cart.request('put', '/coupon').send({ code: made.body.code }).expect(200);
    const answers = await Promise.all([ana.checkOut(), bea.checkOut()]);
    const order = answers.find(({ status }) => status === 201)?.body;
    expect(order).toMatchObject({
      coupon: made.body.code,
      totals: { discount: 7500, total: 0 },
      status: 'paid',
      payment: null,
    });
    expect(answers.find(({ status }) => status !== 201)?.body.code).toMatch(/COUPON_NOT_VALID|CART_CHANGED/);
    expect(await stockOf(product)).toBe(9);
  });

  it.each([
    ['no address', { address: undefined }, '#/address'],
    ['no e-mail', { email: undefined }, '#/email'],
    ['an unknown country', { address: { ...checkoutInput().address, country: 'XX' } }, '#/address/country'],
    ['an unknown way to pay', { paymentMethod: 'gold' }, '#/paymentMethod'],
    ['an unknown way of delivery', { shippingMethod: 'pigeon' }, '#/shippingMethod'],
    ['a status', { status: 'paid' }, '#/status'],
  ])('refuses %s', async (_name, overrides, pointer) => {
    const { checkOut, product } = await aBuyer(feira);
    const refused = await checkOut(overrides);
    expect([refused.status, refused.body.errors?.[0]?.pointer]).toEqual([422, pointer]);
    expect(await stockOf(product)).toBe(10);
  });

  it('has nothing to sell of an empty cart, and no cart for strangers', async () => {
    const empty = await feira.api.post('/api/carts').send({});
    const path = `/api/carts/${empty.body.id}/checkout`;
    const secret = String(empty.headers['cart-secret']);
    const refused = await feira.api.post(path).set('Cart-Secret', secret).send(checkoutInput());
    expect([refused.status, refused.body.code]).toEqual([409, 'CART_EMPTY']);
    expect((await feira.api.post(path).send(checkoutInput())).status).toBe(404);
    expect((await feira.api.get(path)).status).toBe(405);
  });
});
