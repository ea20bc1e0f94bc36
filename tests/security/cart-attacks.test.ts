/** What a buyer might try with a cart, up to the checkout: lies about money, odd quantities, coupons and stock twice. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { staff } from '../helpers/accounts.ts';
import { createCart, createCoupon, createProduct, createRedAndBlue } from '../helpers/factories.ts';
import { checkoutInput, stockOf } from '../helpers/orders.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
let seller: Awaited<ReturnType<typeof staff>>;
beforeAll(async () => {
  feira = await startFeira();
  seller = await staff(feira, 'seller');
});
afterAll(() => feira.stop());

/** A cart with two red shirts for 20.00 each, delivered to Portugal; `unchanged` tells that nothing came of an attack. */
async function filledCart() {
  const { product, red, blue } = await createRedAndBlue(feira);
  const cart = await createCart(feira, [{ productId: product.id, variantId: red.id, quantity: 2 }]);
  await cart.request('put', '/shipping').send({ country: 'PT' }).expect(200);
  const before = (await cart.request('get')).body;
  const unchanged = async () => {
    expect((await cart.request('get').expect(200)).body).toEqual(before);
    await feira.api.get('/healthz').expect(200);
  };
  return { product, red, blue, cart, at: `/products/${product.id}`, unchanged };
}

describe('money that the buyer names', () => {
  const LIES = [
    { price: 1, unitPrice: 1, total: 1, currency: 'XXX' },
    { seenPrice: 1 },
    { discount: 4000 },
    { totals: { subtotal: 1, discount: 0, shipping: 0, tax: 0, total: 1 } },
    { coupon: { code: 'FREE', discount: { kind: 'percentage', value: 10_000 } } },
    { shipping: { country: 'PT', region: null, method: { id: 'standard', price: 0 } } },
    { order: 'f'.repeat(24), owner: 'f'.repeat(24), version: 1 },
  ];

  it.each(LIES)('is refused on every route: %j', async (lie) => {
    const { product, red, cart, at, unchanged } = await filledCart();
    const line = { productId: product.id, variantId: red.id, quantity: 1 };
    for (const [change, body] of [
      [cart.request('post', at), { variantId: red.id, quantity: 1 }],
      [cart.request('put', at), { variantId: red.id, quantity: 1 }],
      [cart.request('put'), { items: [line] }],
      [cart.request('put', '/coupon'), { code: 'NONE' }],
      [cart.request('put', '/shipping'), { country: 'PT' }],
      [feira.api.post('/api/carts'), { items: [line] }],
    ] as const)
      expect((await change.send({ ...body, ...lie })).status).toBe(422);
    expect((await cart.request('put').send({ items: [{ ...line, ...lie }] })).status).toBe(422);
    await unchanged();
  });

  it('is refused at checkout: the order costs what the catalogue says', async () => {
    const { cart } = await filledCart();
    for (const lie of LIES)
      expect((await cart.request('post', '/checkout').send({ ...checkoutInput(), ...lie })).status).toBe(422);
    const { body } = await cart.request('post', '/checkout').send(checkoutInput()).expect(201);
    expect(body.totals).toMatchObject({ subtotal: 4000, shipping: 490, total: 4490 });
  });
});

describe('a quantity that is none', () => {
  const QUANTITIES = '-1, 0, 1.5, 1e21, "2e3", 9007199254740993, null, [2], {"$gt":0}, 2147483648';

  it.each(QUANTITIES.split(', '))('is refused for variants too: %s', async (quantity) => {
    const { product, red, cart, at, unchanged } = await filledCart();
    const fields = `"variantId":"${red.id}","quantity":${quantity}`;
    for (const [change, text] of [
      [cart.request('post', at), `{${fields}}`],
      [cart.request('put', at), `{${fields}}`],
      [cart.request('put'), `{"items":[{"productId":"${product.id}",${fields}}]}`],
    ] as const)
      await change.type('json').send(text).expect(422);
    await unchanged();
  });

  it.each(['"x"', '[]', '{"$ne":null}', '1', '"__proto__"', 'true'])('nor is a variant %s', async (variantId) => {
    const { cart, at, unchanged } = await filledCart();
    for (const method of ['post', 'put'] as const)
      await cart.request(method, at).type('json').send(`{"quantity":1,"variantId":${variantId}}`).expect(422);
    await cart.request('delete', `${at}?variantId[$ne]=x`).expect(422);
    await cart.request('delete', `${at}?variantId=a&variantId=b`).expect(422);
    await unchanged();
  });

  it.each(['""', 'null', '{"$ne":null}', '["A"]', '".*"', `"${'x'.repeat(50_000)}"`, '"\\u0000"'])(
    'nor is a coupon: case %#',
    async (code) => {
      await createCoupon(seller);
      const { cart, unchanged } = await filledCart();
      const { status } = await cart.request('put', '/coupon').type('json').send(`{"code":${code}}`);
      expect([409, 422]).toContain(status);
      await unchanged();
    },
  );

  it.each(['"XX"', '{"$ne":null}', '["PT"]', '"__proto__"', 'null'])('nor is a country %s', async (country) => {
    const { cart, unchanged } = await filledCart();
    await cart.request('put', '/shipping').type('json').send(`{"country":${country}}`).expect(422);
    await cart.request('put', '/shipping').type('json').send(`{"country":"PT","method":${country}}`).expect(422);
    await unchanged();
  });
});

describe('a coupon of one use', () => {
  it('is one discount in twenty carts that are checked out at once', async () => {
    const coupon = await createCoupon(seller, { kind: 'fixed', value: 500, maxUses: 1 });
    const product = await createProduct(feira, { price: 1000, stock: 100 });
    const carts = await Promise.all(
      Array.from({ length: 20 }, () => createCart(feira, [{ productId: product.id, quantity: 1 }])),
    );
    await Promise.all(carts.map((cart) => cart.request('put', '/coupon').send({ code: coupon.code }).expect(200)));
    const answers = await Promise.all(
      carts.map((cart) => cart.request('post', '/checkout').send(checkoutInput({ acceptedTotal: 990 }))),
    );
    const orders = answers.filter(({ status }) => status === 201);
    expect(orders.map(({ body }) => body.totals)).toMatchObject([{ discount: 500, total: 990 }]);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(19);
    expect(await stockOf(product)).toBe(99);
    expect((await seller.as('get', `/api/coupons/${coupon.id}`)).body.used).toBe(1);
  });

  it('counts once in a cart, however it is spelled and however often it is sent at once', async () => {
    const { code } = await createCoupon(seller, { value: 1000 });
    const { cart } = await filledCart();
    const spellings = [code, code.toLowerCase(), ` ${code} `, code, code];
    await Promise.all(spellings.map((text) => cart.request('put', '/coupon').send({ code: text }).expect(200)));
    expect((await cart.request('get')).body.totals).toMatchObject({ discount: 400, total: 4090 });
  });
});

describe('two lines of one unit', () => {
  it('are one line, refused beyond the stock', async () => {
    const { product, red, blue } = await createRedAndBlue(feira, { stock: 1 });
    const line = (variantId: string) => ({ productId: product.id, variantId, quantity: 1 });
    for (const items of [
      [line(red.id), line(red.id)],
      [line(red.id), line(red.id.toUpperCase())],
      [line(red.id), line(blue.id), line(red.id)],
    ])
      await feira.api
        .post('/api/carts')
        .send({ items })
        .expect(409, /OUT_OF_STOCK/);
    const cart = await createCart(feira, [line(red.id), line(blue.id)]);
    await cart.request('post', `/products/${product.id}`).send({ variantId: red.id }).expect(409);
    expect((await cart.request('get')).body).toMatchObject({ quantity: 2, version: 1 });
  });

  it('sell one when there is one, whoever is first', async () => {
    const { product, red } = await createRedAndBlue(feira, { stock: 1 });
    const carts = await Promise.all(
      Array.from({ length: 5 }, () => createCart(feira, [{ productId: product.id, variantId: red.id, quantity: 1 }])),
    );
    const answers = await Promise.all(carts.map((cart) => cart.request('post', '/checkout').send(checkoutInput())));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409]);
    const { body } = await feira.api.get(`/api/products/${product.id}`);
    expect(body.variants.map(({ stock }: { stock: number }) => stock)).toEqual([0, 1]);
  });
});
