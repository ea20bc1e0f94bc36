import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createCart, createProduct } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

/** A cart with 2 of a product at 19.99; `unchanged` tells that nothing has become of what was sent. */
async function filledCart() {
  const product = await createProduct(feira, { stock: 1_000_000 });
  const cart = await createCart(feira, [{ productId: product.id, quantity: 2 }]);
  const unchanged = async () => {
    const { body } = await cart.request('get').expect(200);
    expect(body).toMatchObject({ quantity: 2, total: 3998, currency: 'EUR', version: 1 });
    await feira.api.get('/healthz').expect(200);
  };
  return { product, cart, at: `/products/${product.id}`, unchanged };
}

/** Sends text as it is: some of these are no values of JavaScript. */
const json = (text: string) => (req: ReturnType<Feira['api']['post']>) => req.type('json').send(text);

describe('a price that the client sends', () => {
  const lies = { price: 1, unitPrice: 1, lineTotal: 1, total: 1, currency: 'XXX' };

  it('is refused on every route', async () => {
    const { product, cart, at, unchanged } = await filledCart();
    const line = { productId: product.id, quantity: 1 };
    for (const [change, body] of [
      [cart.request('post', at), { quantity: 1, ...lies }],
      [cart.request('post', at), { productId: product.id, qty: 1, ...lies }],
      [cart.request('put', at), { quantity: 1, ...lies }],
      [cart.request('put'), { items: [{ ...line, ...lies }] }],
      [cart.request('put'), { items: [line], total: 1, version: 9 }],
      [feira.api.post('/api/carts'), { items: [{ ...line, ...lies }] }],
      [feira.api.post('/api/carts'), { currency: 'XXX', secretHash: 'x', expiresAt: '2099-01-01' }],
    ] as const) {
      const res = await change.send(body).expect(422);
      expect(res.body).toMatchObject({ code: 'INVALID_INPUT', errors: expect.any(Array) });
    }
    const form = feira.page('/cart').set('Cookie', `feira_cart=${cart.id}.${cart.secret}`);
    await form.expect(200, /€39\.98/);
    await unchanged();
  });
});

describe('a quantity that is no whole number from 1 to 999', () => {
  const QUANTITIES =
    '-1, 0, 1.5, 1e21, "2e3", 9007199254740993, null, [2], {"$gt":0}, 2147483648, 1000, "1", true, 1e400, -0.0';

  it.each(QUANTITIES.split(', '))('is refused everywhere: %s', async (quantity) => {
    const { product, cart, at, unchanged } = await filledCart();
    const line = `{"productId":"${product.id}","quantity":${quantity}}`;
    for (const send of [
      json(`{"quantity":${quantity}}`)(cart.request('post', at)),
      json(`{"quantity":${quantity}}`)(cart.request('put', at)),
      json(`{"items":[${line}]}`)(cart.request('put')),
      json(`{"items":[${line}]}`)(feira.api.post('/api/carts')),
    ]) {
      const { body } = await send.expect(422).expect('Content-Type', /problem\+json/);
      expect(body.errors[0].pointer).toMatch(/quantity$/);
    }
    await unchanged();
  });

  it.each(['-1', '0', '1.5', '1e2', '2e3', '9007199254740993', '', 'NaN', '0x10', '٣'])(
    'is refused by the forms: %j',
    async (quantity) => {
      const { product, cart, unchanged } = await filledCart();
      const cookie = `feira_cart=${cart.id}.${cart.secret}`;
      for (const [path, fields] of [
        ['/cart/items', { productId: product.id, quantity }],
        [`/cart/items/${product.id}`, { quantity }],
      ] as const)
        await feira.api
          .post(path)
          .set('Cookie', cookie)
          .set('Accept', 'text/html')
          .type('form')
          .send(fields)
          .expect(422);
      await unchanged();
    },
  );
});

describe('operators, prototypes and malformed input', () => {
  it('are refused in bodies', async () => {
    const { product, cart, at, unchanged } = await filledCart();
    for (const text of [
      '{"__proto__":{"isAdmin":true}}',
      '{"constructor":{"prototype":{"isAdmin":true}}}',
      '{"quantity":1,"__proto__":{"isAdmin":true}}',
      '{"$set":{"currency":"XXX"}}',
      '{"quantity":{"$ne":null}}',
      '[]',
      `{"quantity":1,"note":"${'x'.repeat(50_000)}"}`,
    ]) {
      for (const req of [cart.request('post', at), cart.request('put', at), cart.request('put')])
        expect((await json(text)(req)).status).toBe(422);
    }
    for (const productId of ['{"$ne":null}', '["a"]', '"x"', 'null', `"${product.id}\\u0000"`])
      await json(`{"items":[{"productId":${productId},"quantity":1}]}`)(feira.api.post('/api/carts')).expect(422);
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
    await unchanged();
  });

  it('are 400 when they are no JSON, 413 when they are too long, 415 when they are something else', async () => {
    const { cart, at, unchanged } = await filledCart();
    for (const text of ['{', 'null', '"x"', '1', '{"quantity":01}'])
      expect((await json(text)(cart.request('post', at))).status).toBe(400);
    await json(`{"quantity":1,"note":"${'x'.repeat(1_000_000)}"}`)(cart.request('post', at)).expect(413);
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/xml'])
      await cart.request('post', at).type(type).send('quantity=1').expect(415);
    await cart.request('post', at).field('__proto__[isAdmin]', 'true').field('quantity', '5').expect(415);
    await unchanged();
  });

  it('are 400 in addresses', async () => {
    const { cart, unchanged } = await filledCart();
    for (const id of ['x', '%7B%22$ne%22:null%7D', `${cart.id}0`, '__proto__', 'constructor', '%00', '%'])
      for (const path of [`/api/carts/${id}`, `/api/carts/${cart.id}/products/${id}`])
        for (const method of ['put', 'delete'] as const)
          expect([path, (await feira.api[method](path).set('Cart-Secret', cart.secret)).status]).toEqual([path, 400]);
    await unchanged();
  });

  it('are refused in forms', async () => {
    const { product, cart, unchanged } = await filledCart();
    const cookie = `feira_cart=${cart.id}.${cart.secret}`;
    for (const body of [
      `productId=${product.id}&__proto__[isAdmin]=true`,
      `productId=${product.id}&productId=${product.id}`,
      `productId[$ne]=`,
      `productId=${product.id}&quantity=1&quantity=2`,
      `productId=${product.id}&price=1`,
      '',
    ])
      await feira.api.post('/cart/items').set('Cookie', cookie).type('form').send(body).expect(422);
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
    await unchanged();
  });
});
