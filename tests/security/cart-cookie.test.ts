import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createCart, createProduct } from '../helpers/factories.ts';
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
    const cookie = `feira_cart=${cart.id}.${cart.secret}`;
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
      const cookie = `feira_cart=${value}`;
      await feira.api.get('/api/carts/mine').set('Cookie', cookie).expect(404);
      await feira
        .page('/cart')
        .set('Cookie', cookie)
        .expect(200, /Your cart is empty/);
      await feira.page('/').set('Cookie', cookie).expect(200);
    }
  });
});
