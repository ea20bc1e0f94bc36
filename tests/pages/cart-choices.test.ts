import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { logIn, PASSWORD, signUp, staff } from '../helpers/accounts.ts';
import { createCoupon, createProduct, createRedAndBlue } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { webVisitor } from '../helpers/web-visitor.ts';

let feira: Feira;
let seller: Awaited<ReturnType<typeof staff>>;
beforeAll(async () => {
  feira = await startFeira();
  seller = await staff(feira, 'seller');
});
afterAll(() => feira.stop());

/** A browser without JavaScript that has put one of something for 40.00 EUR into its cart. */
async function aVisitor(overrides: object = {}) {
  const product = await createProduct(feira, { price: 4000, ...overrides });
  const visitor = webVisitor(feira);
  const submit = (path: string, fields: Record<string, string> = {}) => visitor.submit('/cart', fields, path);
  expect((await submit('/cart/items', { productId: product.id })).status).toBe(303);
  return { product, submit, visitor, cart: async () => (await visitor.open('/cart')).text };
}

describe('variants on the page of the cart', () => {
  it('are lines of their own, changed and removed each by itself', async () => {
    const { product, red, blue } = await createRedAndBlue(feira);
    const { submit, cart } = await aVisitor();
    for (const variantId of [red.id, blue.id])
      expect((await submit('/cart/items', { productId: product.id, variantId })).status).toBe(303);
    let page = await cart();
    for (const text of ['Shirt – Red', 'Shirt – Blue', '€20.00 each', '€25.00 each']) expect(page).toContain(text);

    await submit(`/cart/items/${product.id}`, { variantId: blue.id, quantity: '2' });
    page = await cart();
    expect(page).toMatch(new RegExp(`id="line-${product.id}-${blue.id}"[^]*?name="quantity" value="2"`));
    expect(page).toMatch(new RegExp(`id="line-${product.id}-${red.id}"[^]*?name="quantity" value="1"`));
    await submit(`/cart/items/${product.id}/remove`, { variantId: red.id });
    page = await cart();
    expect(page).not.toContain('Shirt – Red');
    expect(page).toContain('Shirt – Blue');
  });

  it('are refused beside their own line', async () => {
    const { product, red, blue } = await createRedAndBlue(feira);
    const { submit } = await aVisitor();
    for (const variantId of [red.id, blue.id]) await submit('/cart/items', { productId: product.id, variantId });
    const { text, status } = await submit(`/cart/items/${product.id}`, { variantId: red.id, quantity: '900' });
    expect(status).toBe(409);
    expect(text).toContain(`id="problem-${product.id}-${red.id}"`);
    expect(text).not.toContain(`id="problem-${product.id}-${blue.id}"`);
  });
});

describe('a price that has changed', () => {
  it('is told, counts, and can be accepted', async () => {
    const { product, submit, cart } = await aVisitor({ title: 'Blue mug' });
    await feira.withKey('patch', `/api/products/${product.id}`).send({ price: 4500 }).expect(200);
    const page = await cart();
    expect(page).toMatch(/The price has changed since you put it into the cart\.\s+It was €40\.00 each\./);
    expect(page).toContain('€45.00 each');
    expect(page).toContain('Accept the new price of Blue mug');
    expect((await submit(`/cart/items/${product.id}`, { variantId: '', quantity: '1' })).status).toBe(303);
    expect(await cart()).not.toContain('has changed');
  });
});

describe('a coupon on the page of the cart', () => {
  it('is used, replaced and removed by forms', async () => {
    const { code } = await createCoupon(seller, { value: 2500 });
    const { submit, cart } = await aVisitor();
    expect((await submit('/cart/coupon', { code: code.toLowerCase() })).headers.location).toBe('/cart');
    const page = await cart();
    for (const text of [code, '−€10.00', '€30.00']) expect(page).toContain(text);
    expect((await submit('/cart/coupon/remove')).status).toBe(303);
    expect(await cart()).not.toContain('Discount');
  });

  it('is refused where it was typed', async () => {
    const { submit, visitor } = await aVisitor();
    const { status, text } = await submit('/cart/coupon', { code: 'NONE"><i>' });
    expect(status).toBe(409);
    expect(text).toMatch(/role="alert"[\s\S]*href="#coupon">There is no coupon with this code\./);
    expect(text).toContain('value="NONE&quot;&gt;&lt;i&gt;"');
    expect(text).toMatch(/id="coupon-problem">There is no coupon/);
    expect((await submit('/cart/coupon', { code: ' ' })).status).toBe(422);
    for (const path of ['/cart/coupon', '/cart/coupon/remove', '/cart/shipping'])
      expect((await visitor.open(path)).headers.location).toBe('/cart');
  });

  it('says when it counts for nothing any more', async () => {
    const coupon = await createCoupon(seller);
    const { submit, cart } = await aVisitor();
    await submit('/cart/coupon', { code: coupon.code });
    await seller.as('delete', `/api/coupons/${coupon.id}`).expect(204);
    expect(await cart()).toContain('This coupon has expired. It counts for nothing now.');
  });

  it('comes along at the login, with the variants and the country', async () => {
    const { code } = await createCoupon(seller);
    const { product, red, blue } = await createRedAndBlue(feira);
    const { email } = await signUp(feira);
    const { as } = await logIn(feira, email);
    const line = (variantId: string) => ({ productId: product.id, variantId, quantity: 1 });
    await as('post', '/api/carts').send({ items: [line(red.id)] });
    const { submit, visitor } = await aVisitor();
    for (const { id } of [red, blue]) await submit('/cart/items', { productId: product.id, variantId: id });
    await submit('/cart/coupon', { code });
    await submit('/cart/shipping', { country: 'PT' });
    expect((await visitor.submit('/login', { email, password: PASSWORD })).status).toBe(303);
    const { body } = await as('get', '/api/carts/mine').expect(200);
    expect(body).toMatchObject({ coupon: { code, notice: null }, shipping: { country: 'PT' }, quantity: 4 });
    const variants = body.items.map((item: { variantId: string; quantity: number }) => [item.variantId, item.quantity]);
    expect(variants).toEqual([
      [red.id, 2],
      [null, 1],
      [blue.id, 1],
    ]);
  });
});

describe('delivery on the page of the cart', () => {
  it('is shown with tax for the country, by the cheapest way until another one is chosen', async () => {
    const { submit, cart } = await aVisitor();
    expect(await cart()).toContain('choose a country');
    expect((await submit('/cart/shipping', { country: 'PT' })).status).toBe(303);
    let page = await cart();
    expect(page).toMatch(/<option value="PT" selected>Portugal</);
    for (const text of ['Standard, 3 to 5 days', '€4.90', '€44.90', 'Tax in it', '€8.40', 'href="/checkout"'])
      expect(page).toContain(text);
    await submit('/cart/shipping', { country: 'PT', region: '', method: 'express' });
    page = await cart();
    expect(page).toMatch(/value="express" checked/);
    expect(page).toContain('€52.90');
  });

  it('is refused where it is not offered', async () => {
    const { submit } = await aVisitor();
    for (const country of ['', 'XX', 'Portugal']) {
      const { status, text } = await submit('/cart/shipping', { country });
      expect(status).toBe(422);
      expect(text).toMatch(/id="delivery-problem">The country must be the two letters/);
    }
    expect((await submit('/cart/shipping', { country: 'PT', method: 'teleport' })).status).toBe(422);
  });
});
