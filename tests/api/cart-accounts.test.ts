import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { LoggedInBody } from '../../src/schemas/auth.schema.ts';
import { CartBody } from '../../src/schemas/cart.schema.ts';
import { logInBrowser, PASSWORD, signUp, someone } from '../helpers/accounts.ts';
import { createCart, createProduct } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

const NOTHING = { merged: [], reduced: [], leftOut: [] };

/** Logs in with what a guest has in the cart. */
const logInWith = (email: string, secret: string) =>
  feira.api.post('/api/auth/login').set('Cart-Secret', secret).send({ email, password: PASSWORD });

/** Somebody with an account in whose cart these are. */
async function someoneWith(items: { productId: string; quantity: number }[]) {
  const { user, as } = await someone(feira);
  await as('post', '/api/carts').send({ items }).expect(201);
  return { email: user.email, as, cart: async () => (await as('get', '/api/carts/mine').expect(200)).body };
}

const quantities = (cart: { items: { productId: string; quantity: number }[] }) =>
  Object.fromEntries(cart.items.map(({ productId, quantity }) => [productId, quantity]));

describe("the account's cart", () => {
  it('is made by the first addition, and needs neither secret nor cookie', async () => {
    const product = await createProduct(feira);
    const { as } = await someone(feira);
    await as('get', '/api/carts/mine').expect(404);
    const added = await as('post', `/api/carts/mine/products/${product.id}`).send({ quantity: 2 }).expect(200);
    expect(CartBody.parse(added.body)).toEqual(added.body);
    expect(added.headers['set-cookie']).toBeUndefined();
    const byId = await as('get', `/api/carts/${added.body.id}`).expect(200);
    expect(byId.body.quantity).toBe(2);
    expect(byId.headers.vary).toMatch(/Authorization/);
  });

  it('is one: opened again, it is added to', async () => {
    const product = await createProduct(feira);
    const items = [{ productId: product.id, quantity: 1 }];
    const { as } = await someone(feira);
    const made = await as('post', '/api/carts').send({ items }).expect(201);
    expect(made.headers.location).toBe(`/api/carts/${made.body.id}`);
    expect(made.headers).not.toHaveProperty('cart-secret');
    const opened = await as('post', '/api/carts').send({ items }).expect(200);
    expect([opened.body.id, opened.body.quantity]).toEqual([made.body.id, 2]);
    await as('post', '/api/carts').expect(200);
  });

  it('is one, also when ten requests open it at once', async () => {
    const product = await createProduct(feira, { stock: 20 });
    const { as } = await someone(feira);
    const items = [{ productId: product.id, quantity: 1 }];
    const answers = await Promise.all(Array.from({ length: 10 }, () => as('post', '/api/carts').send({ items })));
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(9).fill(200), 201]);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect((await as('get', '/api/carts/mine')).body.quantity).toBe(10);
  });

  it('is changed, replaced and emptied as any other, under its version', async () => {
    const product = await createProduct(feira);
    const { as, cart } = await someoneWith([{ productId: product.id, quantity: 1 }]);
    const at = `/api/carts/mine/products/${product.id}`;
    await as('put', at).set('If-Match', '"1"').send({ quantity: 3 }).expect(200);
    await as('put', at).set('If-Match', '"1"').send({ quantity: 4 }).expect(412);
    expect((await cart()).quantity).toBe(3);
    await as('delete', at).expect(200);
    await as('put', '/api/carts/mine').send({ items: [] }).expect(200);
    await as('delete', '/api/carts/mine').expect(204);
    expect((await cart()).quantity).toBe(0);
  });

  it('is the same in every browser and program of the person', async () => {
    const product = await createProduct(feira);
    const { email } = await someoneWith([{ productId: product.id, quantity: 4 }]);
    const { agent, open } = await logInBrowser(feira, email);
    expect((await agent.get('/api/carts/mine')).body.quantity).toBe(4);
    expect((await open('/')).text).toMatch(/data-cart-count[^>]*>4</);
  });
});

describe('a login', () => {
  it('brings the cart of a guest along, whose secret is worth nothing then', async () => {
    const product = await createProduct(feira, { title: 'Blue mug' });
    const { email } = await signUp(feira);
    const guest = await createCart(feira, [{ productId: product.id, quantity: 3 }]);
    const { body } = await logInWith(email, guest.secret).expect(200);
    expect(LoggedInBody.strict().parse(body)).toEqual(body);
    expect(body.cart).toEqual({
      ...NOTHING,
      merged: [{ productId: product.id, title: 'Blue mug', quantity: 3 }],
    });
    await guest.request('get').expect(404);
    const own = await feira.api.get('/api/carts/mine').set('Authorization', `Bearer ${body.accessToken}`).expect(200);
    expect(quantities(own.body)).toEqual({ [product.id]: 3 });
    expect(own.body.id).not.toBe(guest.id);
  });

  it('adds it to what the account has, as far as there is stock and room, and tells what is missing', async () => {
    const [whole, scarce, plenty] = await Promise.all([
      createProduct(feira, { stock: 10 }),
      createProduct(feira, { stock: 5, title: 'Scarce' }),
      createProduct(feira, { stock: 5000, title: 'Plenty' }),
    ]);
    const { email, cart } = await someoneWith([
      { productId: whole.id, quantity: 1 },
      { productId: scarce.id, quantity: 3 },
      { productId: plenty.id, quantity: 600 },
    ]);
    const guest = await createCart(feira, [
      { productId: scarce.id, quantity: 4 },
      { productId: plenty.id, quantity: 600 },
      { productId: whole.id, quantity: 2 },
    ]);
    const { body } = await logInWith(email, guest.secret);
    expect(body.cart).toEqual({
      merged: [{ productId: whole.id, title: whole.title, quantity: 3 }],
      reduced: [
        { productId: scarce.id, title: 'Scarce', quantity: 5, wanted: 7 },
        { productId: plenty.id, title: 'Plenty', quantity: 999, wanted: 1200 },
      ],
      leftOut: [],
    });
    expect(quantities(await cart())).toEqual({ [whole.id]: 3, [scarce.id]: 5, [plenty.id]: 999 });
  });

  it('leaves out what is not sold any more, is sold out, or costs another money', async () => {
    const [own, gone, off, out, dollars] = await Promise.all([
      createProduct(feira),
      createProduct(feira),
      createProduct(feira),
      createProduct(feira),
      createProduct(feira, { currency: 'USD' }),
    ]);
    const { email, cart } = await someoneWith([{ productId: own.id, quantity: 1 }]);
    const [euros, inDollars] = [
      await createCart(
        feira,
        [gone, off, out].map(({ id }) => ({ productId: id, quantity: 2 })),
      ),
      await createCart(feira, [{ productId: dollars.id, quantity: 1 }]),
    ];
    await feira.withKey('delete', `/api/products/${gone.id}`).expect(204);
    await feira.withKey('patch', `/api/products/${off.id}`).send({ status: false }).expect(200);
    await feira.withKey('patch', `/api/products/${out.id}`).send({ stock: 0 }).expect(200);

    const { body } = await logInWith(email, euros.secret);
    expect(LoggedInBody.strict().parse(body)).toEqual(body);
    expect(body.cart.leftOut.map(({ code, quantity }: { code: string; quantity: number }) => [code, quantity])).toEqual(
      [
        ['NOT_FOUND', 2],
        ['NOT_FOR_SALE', 2],
        ['OUT_OF_STOCK', 2],
      ],
    );
    const second = await logInWith(email, inDollars.secret);
    expect(second.body.cart.leftOut).toMatchObject([{ productId: dollars.id, code: 'CURRENCY_MISMATCH' }]);
    expect(quantities(await cart())).toEqual({ [own.id]: 1 });
  });

  it('brings it once, however often and from however many places somebody logs in at the same moment', async () => {
    const product = await createProduct(feira, { stock: 500 });
    const items = [{ productId: product.id, quantity: 3 }];
    for (const { email, expected } of [
      { email: (await signUp(feira)).email, expected: 3 },
      { email: (await someoneWith(items)).email, expected: 6 },
    ]) {
      const guest = await createCart(feira, items);
      const answers = await Promise.all(Array.from({ length: 10 }, () => logInWith(email, guest.secret)));
      expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
      const brought = answers.filter(({ body }) => body.cart.merged.length > 0);
      expect(brought.map(({ body }) => body.cart.merged[0].quantity)).toEqual([expected]);
      const as = (await logInWith(email, guest.secret)).body;
      expect(as.cart).toEqual(NOTHING);
      const { body } = await feira.api.get('/api/carts/mine').set('Authorization', `Bearer ${as.accessToken}`);
      expect(body.quantity).toBe(expected);
    }
  });

  it('brings all, when ten guests log in to one account at the same moment', async () => {
    const product = await createProduct(feira, { stock: 500 });
    const { email } = await signUp(feira);
    const guests = await Promise.all(
      Array.from({ length: 10 }, () => createCart(feira, [{ productId: product.id, quantity: 2 }])),
    );
    const answers = await Promise.all(guests.map(({ secret }) => logInWith(email, secret)));
    expect(answers.map(({ body }) => body.cart.merged[0].quantity).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 10 }, (_, i) => 2 * (i + 1)),
    );
    const { agent } = await logInBrowser(feira, email);
    expect((await agent.get('/api/carts/mine')).body.quantity).toBe(20);
  });

  it('loses none of the additions that happen at the same moment', async () => {
    const product = await createProduct(feira, { stock: 500 });
    const { email, as, cart } = await someoneWith([{ productId: product.id, quantity: 1 }]);
    const guest = await createCart(feira, [{ productId: product.id, quantity: 100 }]);
    const answers = await Promise.all([
      ...Array.from({ length: 10 }, () => as('post', `/api/carts/mine/products/${product.id}`)),
      logInWith(email, guest.secret),
    ]);
    expect(answers.map(({ status }) => status)).toEqual(Array(11).fill(200));
    expect((await cart()).quantity).toBe(111);
  });

  it('takes the cart of a cookie too, and clears the cookie', async () => {
    const product = await createProduct(feira);
    const { email } = await signUp(feira);
    const guest = await createCart(feira, [{ productId: product.id, quantity: 1 }]);
    const res = await feira.api
      .post('/api/auth/login')
      .set('Cookie', `feira_cart=${guest.id}.${guest.secret}`)
      .send({ email, password: PASSWORD });
    expect(res.body.cart.merged).toHaveLength(1);
    expect(res.headers['set-cookie']).toEqual([expect.stringMatching(/^feira_cart=; Max-Age=0/)]);
  });

  it('that fails leaves the cart with the guest', async () => {
    const product = await createProduct(feira);
    const { email } = await signUp(feira);
    const guest = await createCart(feira, [{ productId: product.id, quantity: 1 }]);
    const wrong = { email, password: 'not the password' };
    await feira.api.post('/api/auth/login').set('Cart-Secret', guest.secret).send(wrong).expect(401);
    expect((await guest.request('get').expect(200)).body.quantity).toBe(1);
  });

  it('goes on without a cart when the secret fits none', async () => {
    const { email } = await signUp(feira);
    for (const secret of ['', 'x'.repeat(43), '{"$ne":null}'])
      expect((await logInWith(email, secret).expect(200)).body.cart).toEqual(NOTHING);
  });
});
