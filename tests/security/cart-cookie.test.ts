import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createCart, createProduct } from '../helpers/factories.ts';
import { anEmail, anOrder } from '../helpers/orders.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

const SHOP = 'https://shop.example';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira({ PUBLIC_URL: SHOP });
});
afterAll(() => feira.stop());

describe("the cart's cookie", () => {
  it('is Secure when the shop is at an https address', async () => {
    const res = await feira.api.post('/api/carts').expect(201);
    expect(res.headers['set-cookie']?.[0]).toMatch(/HttpOnly; Secure; SameSite=Lax$/);
  });

  it('cannot be used by a page of another site', async () => {
    const product = await createProduct(feira);
    const cart = await createCart(feira);
    const cookie = `__Host-feira_cart=${cart.id}.${cart.secret}`;
    const foreign = [{ Origin: 'https://evil.example' }, { Origin: SHOP, 'Sec-Fetch-Site': 'cross-site' }];
    for (const headers of foreign) {
      for (const change of [
        feira.api.post(`/api/carts/mine/products/${product.id}`),
        feira.api.delete('/api/carts/mine'),
        feira.api.post('/cart/items').type('form').send({ productId: product.id }),
        feira.api.post('/cart/empty').type('form').send({}),
      ])
        await change
          .set('Cookie', cookie)
          .set(headers)
          .expect(403, /FOREIGN_ORIGIN|another site/);
      const asText = feira.api.post('/api/carts').type('text/plain').send('{}');
      await asText.set('Cookie', cookie).set(headers).expect(403);
    }
    await feira.api.post('/api/carts').type('text/plain').send('{}').expect(415);
    expect((await cart.request('get')).body).toMatchObject({ quantity: 0, version: 1 });
  });

  it('is the own one, not one that a neighbour below the same domain has planted', async () => {
    const product = await createProduct(feira);
    const planted = await createCart(feira);
    const add = (cookie: string, key: string) =>
      feira.api
        .post(`/api/carts/mine/products/${product.id}`)
        .set({ Cookie: cookie, 'Idempotency-Key': key })
        .send({ quantity: 1 });
    const trap = `feira_cart=${planted.id}.${planted.secret}`;
    const first = await add(trap, 'the first addition of all').expect(200);
    expect(first.body.id).not.toBe(planted.id);
    const [own] = /^__Host-feira_cart=[^;]+(?=;.* Path=\/; HttpOnly; Secure)/.exec(first.headers['set-cookie']![0]!)!;
    // Known by the cookie, a visitor may use a short key.
    expect((await add(`${trap}; ${own}`, 'short').expect(200)).body).toMatchObject({ id: first.body.id, quantity: 2 });
    await feira
      .page('/cart')
      .set('Cookie', own)
      .expect(200, /Speckled mug/);
    expect((await planted.request('get')).body).toMatchObject({ quantity: 0 });
  });

  it('is nothing when it is malformed', async () => {
    const { id, secret } = await createCart(feira);
    for (const value of [
      id,
      `${id}.`,
      `${id}.${secret}x`,
      `.${secret}`,
      `{"$ne":null}.${secret}`,
      '%',
      'x'.repeat(4000),
    ]) {
      const cookie = `__Host-feira_cart=${value}`;
      await feira.api.get('/api/carts/mine').set('Cookie', cookie).expect(404);
      await feira
        .page('/cart')
        .set('Cookie', cookie)
        .expect(200, /Your cart is empty/);
      await feira.page('/').set('Cookie', cookie).expect(200);
    }
  });
});

describe('the cookies of the chat and of an order', () => {
  it('are the own ones too, on pages and sockets', async () => {
    const joined = await feira.api.post('/api/chat/participants').send({ email: anEmail() }).expect(201);
    const token = joined.headers['chat-token'];
    expect(joined.headers['set-cookie']?.[0]).toMatch(new RegExp(`^__Host-feira_chat=${token};`));
    const me = (name: string) => feira.api.get('/api/chat/participants/me').set('Cookie', `${name}=${token}`);
    await me('feira_chat').expect(401);
    await me('__Host-feira_chat').expect(200);
    const join = async (name: string) =>
      (await feira.connectSocket({ Cookie: `${name}=${token}` })).timeout(5000).emitWithAck('chat:join', {});
    expect(await join('feira_chat')).toMatchObject({ error: { code: 'NOT_IN_CHAT' } });
    expect(await join('__Host-feira_chat')).toMatchObject({ data: { me: joined.body } });

    const { id, order, token: link } = await anOrder(feira);
    const opened = await feira.page(`/orders/${id}?token=${link}`).expect(303);
    const cookies = String(opened.headers['set-cookie']);
    expect(cookies).toMatch(new RegExp(`__Secure-feira_order=${link};[^,]*Path=/orders/${order.number};`));
    const page = (name: string) => feira.page(`/orders/${order.number}`).set('Cookie', `${name}=${link}`);
    await page('feira_order').expect(404);
    await page('__Secure-feira_order').expect(200);
  });
});
