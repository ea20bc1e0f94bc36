import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { createProduct } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

/** A browser without JavaScript: it keeps cookies and follows the answers to its forms. */
function visitor() {
  const agent = request.agent(feira.url).set('Accept', 'text/html');
  return {
    open: (path: string) => agent.get(path),
    submit: (path: string, fields: object = {}) => agent.post(path).type('form').send(fields),
  };
}

describe('a visitor without JavaScript', () => {
  it('starts with an empty cart that leads to the shop, and gets no cookie for looking', async () => {
    const res = await visitor().open('/cart').expect(200);
    expect(res.text).toContain('Your cart is empty.');
    expect(res.text).toMatch(/<a href="\/" role="button">/);
    expect(res.headers['set-cookie']).toBeUndefined();
    expect(res.headers['cache-control']).toBe('private, no-store');
  });

  it('adds, changes, removes and empties', async () => {
    const [mug, bowl] = [
      await createProduct(feira, { title: 'Blue mug', price: 1250 }),
      await createProduct(feira, { title: 'Red bowl', price: 999 }),
    ];
    const { open, submit } = visitor();
    const added = await submit('/cart/items', { productId: mug.id }).expect(303);
    expect(added.headers.location).toBe('/cart');
    expect(added.headers['set-cookie']?.[0]).toMatch(/^feira_cart=.*HttpOnly; SameSite=Lax$/);
    await submit('/cart/items', { productId: mug.id, quantity: '2' }).expect(303);
    await submit('/cart/items', { productId: bowl.id }).expect(303);

    let page = (await open('/cart').expect(200)).text;
    for (const text of ['Blue mug', '€12.50 each', '€37.50', 'Red bowl', '€9.99', '€47.49'])
      expect(page).toContain(text);
    expect(page).toMatch(new RegExp(`action="/cart/items/${mug.id}"[^]*?name="quantity" value="3" min="1" max="10"`));
    expect(page).not.toMatch(/<script(?![^>]*src=)|\sstyle=|\son\w+=/);

    await submit(`/cart/items/${mug.id}`, { quantity: '1' }).expect(303);
    page = (await open('/cart')).text;
    expect(page).toContain('€22.49');
    await submit(`/cart/items/${mug.id}/remove`).expect(303);
    await submit(`/cart/items/${mug.id}/remove`).expect(303);
    page = (await open('/cart')).text;
    expect(page).not.toContain('Blue mug');
    await submit('/cart/empty').expect(303);
    expect((await open('/cart')).text).toContain('Your cart is empty.');
  });

  it('sees how many units are in the cart on every page', async () => {
    const product = await createProduct(feira);
    const { open, submit } = visitor();
    await submit('/cart/items', { productId: product.id, quantity: '7' }).expect(303);
    for (const path of ['/', '/cart', `/products/${product.id}`, '/nothing-here'])
      expect((await open(path)).text).toMatch(/data-cart-count[^>]*>7</);
    expect((await feira.page('/')).text).toMatch(/data-cart-count[^>]*>0</);
  });

  it('is shown a refusal next to the line, with its status and what was typed', async () => {
    const product = await createProduct(feira, { title: 'Rare mug', stock: 3 });
    const { submit, open } = visitor();
    await submit('/cart/items', { productId: product.id }).expect(303);
    for (const [quantity, status, detail] of [
      ['5', 409, 'Only 3 in stock: Rare mug.'],
      ['0', 422, 'The quantity must be a whole number from 1 to 999.'],
      ['"><b>', 422, 'The quantity must be a whole number from 1 to 999.'],
    ] as const) {
      const { text } = await submit(`/cart/items/${product.id}`, { quantity }).expect(status);
      expect(text).toMatch(new RegExp(`role="alert"[^]*href="#line-${product.id}"[^]*${detail}`));
      expect(text).toMatch(new RegExp(`id="problem-${product.id}">${detail}`));
      expect(text).toMatch(new RegExp(`aria-invalid="true" aria-describedby="problem-${product.id}"`));
      expect(text).toContain(`value="${quantity.replace('"><b>', '&quot;&gt;&lt;b&gt;')}"`);
    }
    const again = await submit('/cart/items', { productId: product.id, quantity: '3' }).expect(409);
    expect(again.text).toContain('Only 3 in stock: Rare mug.');
    expect((await open(`/cart/items/${product.id}`).expect(303)).headers.location).toBe('/cart');
    expect((await open('/cart')).text).toMatch(/name="quantity" value="1"/);
  });

  it('gets no cart from a refused first addition', async () => {
    const soldOut = await createProduct(feira, { title: 'Last mug', stock: 0 });
    const { submit } = visitor();
    const refused = await submit('/cart/items', { productId: soldOut.id }).expect(409);
    expect(refused.text).toContain('Last mug is out of stock.');
    expect(refused.text).toContain('Your cart is empty.');
    expect(refused.headers['set-cookie']).toBeUndefined();
    await submit('/cart/items', { productId: 'f'.repeat(24) }).expect(404, /There is no product with this id/);
    await submit('/cart/items', { productId: 'x' }).expect(422);
    await submit('/cart/items/x', { quantity: '1' }).expect(400);
  });

  it('gets a new cart when the old one is gone, and is told so where it was needed', async () => {
    const product = await createProduct(feira);
    const cookie = `feira_cart=${'a'.repeat(24)}.${'b'.repeat(43)}`;
    const form = (path: string, fields: object) =>
      feira.api.post(path).set('Cookie', cookie).set('Accept', 'text/html').type('form').send(fields);
    const added = await form('/cart/items', { productId: product.id }).expect(303);
    expect(added.headers['set-cookie']?.[0]).not.toContain('a'.repeat(24));
    await form(`/cart/items/${product.id}`, { quantity: '2' }).expect(404, /There is no such cart/);
    await feira
      .page('/cart')
      .set('Cookie', cookie)
      .expect(200, /Your cart is empty/);
    await visitor()
      .submit('/cart/empty')
      .expect(404, /You have no cart/);
  });

  it('sees lines that cannot be bought any more, and can remove them', async () => {
    const product = await createProduct(feira, { title: 'Old mug <i>' });
    const { open, submit } = visitor();
    await submit('/cart/items', { productId: product.id }).expect(303);
    await feira.withKey('delete', `/api/products/${product.id}`).expect(204);
    const { text } = await open('/cart').expect(200);
    expect(text).toContain('Old mug &lt;i&gt;');
    expect(text).toContain('This product is no longer sold.');
    expect(text).toContain('Not counted');
    expect(text).not.toContain(`href="/products/${product.id}"`);
    await submit(`/cart/items/${product.id}/remove`).expect(303);
    expect((await open('/cart')).text).toContain('Your cart is empty.');
  });
});
