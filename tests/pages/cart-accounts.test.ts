import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { logIn, PASSWORD, signUp } from '../helpers/accounts.ts';
import { createProduct } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { type WebVisitor, webVisitor } from '../helpers/web-visitor.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

const put = ({ agent }: WebVisitor, productId: string, quantity: number) =>
  agent.post('/cart/items').type('form').send({ productId, quantity }).expect(303);

const logInOn = (visitor: WebVisitor, email: string, page = '/login') =>
  visitor.submit(page, { email, password: PASSWORD });

describe('the cart of a guest who logs in', () => {
  it('comes along: the count stays, the cookie goes', async () => {
    const product = await createProduct(feira, { title: 'Blue mug' });
    const { email } = await signUp(feira);
    const visitor = webVisitor(feira);
    await put(visitor, product.id, 3);
    const answer = await logInOn(visitor, email);
    expect(answer.headers.location).toBe('/');
    expect(String(answer.headers['set-cookie'])).toMatch(/feira_cart=; Max-Age=0/);
    expect((await visitor.open('/')).text).toMatch(/data-cart-count[^>]*>3</);
    const { text } = await visitor.open('/cart');
    expect(text).toContain('Blue mug');
    expect(text).toMatch(/role="status">\s*<strong>You are logged in, and your cart came along/);
  });

  it('is told about where it did not come whole: on the cart, until it changes', async () => {
    const [scarce, off] = await Promise.all([
      createProduct(feira, { title: 'Rare <i>mug</i>', stock: 4 }),
      createProduct(feira, { title: 'Old bowl' }),
    ]);
    const { email } = await signUp(feira);
    const { as } = await logIn(feira, email);
    await as('post', `/api/carts/mine/products/${scarce.id}`).send({ quantity: 3 }).expect(200);
    const visitor = webVisitor(feira);
    await put(visitor, scarce.id, 2);
    await put(visitor, off.id, 1);
    await feira.withKey('patch', `/api/products/${off.id}`).send({ status: false }).expect(200);

    const answer = await logInOn(visitor, email);
    expect(answer.headers.location).toBe('/cart');
    const { text } = await visitor.open('/cart');
    expect(text).toContain('Rare &lt;i&gt;mug&lt;/i&gt;: 4 instead of 5');
    expect(text).toContain('1 × Old bowl: Old bowl is not for sale at the moment.');
    await visitor.submit('/cart', { quantity: '1' }, `/cart/items/${scarce.id}`);
    expect((await visitor.open('/cart')).text).not.toContain('came along');
  });

  it('goes on to where the person was going', async () => {
    const product = await createProduct(feira, { stock: 2 });
    const { email } = await signUp(feira);
    const visitor = webVisitor(feira);
    await put(visitor, product.id, 2);
    await feira.withKey('patch', `/api/products/${product.id}`).send({ stock: 1 }).expect(200);
    expect((await logInOn(visitor, email, '/login?next=/profile')).headers.location).toBe('/profile');
  });
});

describe("the account's cart", () => {
  it('is used by the forms, and the browser has none of it after the logout', async () => {
    const product = await createProduct(feira, { title: 'Red bowl' });
    const { email } = await signUp(feira);
    const visitor = webVisitor(feira);
    await logInOn(visitor, email);
    const page = `/products/${product.id}`;
    const added = await visitor.submit(page, { quantity: '2' }, '/cart/items');
    expect([added.status, added.headers.location]).toEqual([303, '/cart']);
    expect(String(added.headers['set-cookie'])).not.toContain('feira_cart');
    await visitor.submit('/cart', { quantity: '5' }, `/cart/items/${product.id}`);
    expect((await visitor.open('/')).text).toMatch(/data-cart-count[^>]*>5</);

    await visitor.submit('/cart', {}, '/cart/empty');
    await visitor.submit(page, { quantity: '1' }, '/cart/items');
    await visitor.submit('/profile', {}, '/logout');
    expect((await visitor.open('/cart')).text).toContain('Your cart is empty.');
    expect((await visitor.open('/')).text).toMatch(/data-cart-count[^>]*>0</);

    await logInOn(visitor, email);
    expect((await visitor.open('/cart')).text).toContain('Red bowl');
  });

  it('is empty at first', async () => {
    const { email } = await signUp(feira);
    const visitor = webVisitor(feira);
    await logInOn(visitor, email);
    expect((await visitor.open('/cart').expect(200)).text).toContain('Your cart is empty.');
  });
});
