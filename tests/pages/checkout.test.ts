import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { logInBrowser, signUp, staff } from '../helpers/accounts.ts';
import { createCoupon, createProduct } from '../helpers/factories.ts';
import { anEmail, stockOf } from '../helpers/orders.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { type WebVisitor, webVisitor } from '../helpers/web-visitor.ts';

const BANK = 'Feira Lda, IBAN PT50 0002';

let feira: Feira;
let seller: Awaited<ReturnType<typeof staff>>;
beforeAll(async () => {
  feira = await startFeira({ BANK_DETAILS: BANK });
  seller = await staff(feira, 'seller');
});
afterAll(() => feira.stop());

const address = { name: 'Ana Sousa', line1: 'Rua das Flores 12', line2: '', postalCode: '4050-262', city: 'Porto' };
const typedBy = (overrides: Record<string, string> = {}) => ({
  ...{ email: anEmail(), ...address, country: 'PT', region: '', phone: '' },
  ...{ shippingMethod: 'standard', paymentMethod: 'test', 'test-outcome': 'approve', coupon: '' },
  ...overrides,
});

/** A browser without JavaScript, with a product for 40.00 EUR in its cart. */
async function aVisitor(overrides: object = {}, visitor: WebVisitor = webVisitor(feira)) {
  const product = await createProduct(feira, { title: 'Blue mug', price: 4000, ...overrides });
  await visitor.submit(`/products/${product.id}`, { quantity: '1' }, '/cart/items');
  const press = (button: string, fields: Record<string, string> = {}) =>
    visitor.submit('/checkout', { do: button, ...typedBy(), ...fields });
  return { product, visitor, press };
}

describe('the page of the checkout', () => {
  it('is friendly without a cart, also to a form', async () => {
    const visitor = webVisitor(feira);
    expect((await visitor.open('/checkout').expect(200)).text).toContain('Your cart is empty');
    expect((await visitor.submit('/checkout', { do: 'buy' })).status).toBe(404);
    await visitor.agent.post('/checkout').type('text').send('do=buy').expect(404);
  });

  it('prices a country by a button, and keeps what was typed', async () => {
    const { press, visitor } = await aVisitor();
    const { text: first } = await visitor.open('/checkout').expect(200);
    expect(first).toContain('choose a country');
    expect(first).toContain('Continue');
    expect(first).not.toContain('acceptedTotal');

    const { status, text } = await press('price', { name: 'Rui "<i>" Reis', shippingMethod: '' });
    expect(status).toBe(200);
    expect(text).toContain('value="Rui &quot;&lt;i&gt;&quot; Reis"');
    expect(text).toMatch(/<option value="PT" selected>Portugal</);
    expect(text).toMatch(/name="shippingMethod" value="standard" checked/);
    expect(text).toContain('name="acceptedTotal" value="4490"');
    expect(text).toContain('Pay €44.90');

    const express = await press('price', { shippingMethod: 'express' });
    expect(express.text).toContain('name="acceptedTotal" value="5290"');
    const abroad = await press('price', { shippingMethod: 'express', country: 'BR' });
    expect(abroad.text).toMatch(/name="shippingMethod" value="international" checked/);
    const nowhere = await press('price', { country: '' });
    expect(nowhere.status).toBe(422);
    expect(nowhere.text).toMatch(/id="fault-country"[^>]*>Country must be the two letters/);
  });

  it('takes a coupon and removes it; a refused one is refused where it was typed', async () => {
    const { code } = await createCoupon(seller, { value: 2500 });
    const { press } = await aVisitor();
    const used = await press('price', { coupon: code.toLowerCase(), country: '', name: 'Rui Reis' });
    for (const text of [code, '−€10.00', 'value="Rui Reis"']) expect(used.text).toContain(text);
    expect((await press('remove-coupon')).text).not.toContain('Discount');
    const refused = await press('price', { coupon: 'NONE' });
    expect(refused.status).toBe(409);
    expect(refused.text).toMatch(/id="coupon-fault"[^>]*>There is no coupon/);
    expect(refused.text).toContain('value="NONE"');
  });
});

describe('buying', () => {
  it('leads to the order, which opens for this browser alone', async () => {
    const { press, visitor, product } = await aVisitor();
    const { status, headers } = await press('buy', { acceptedTotal: '4490' });
    expect(status).toBe(303);
    expect(headers.location).toMatch(/^\/orders\/F-[\dA-Z]{4}-[\dA-Z]{4}$/);
    expect(String(headers['set-cookie'])).toMatch(/feira_order=[\w-]{43};[^,]*Path=\/orders\/F-[^,]*HttpOnly[^,]*Lax/);
    expect(await stockOf(product)).toBe(9);

    const { text } = await visitor.open(headers.location!).expect(200);
    for (const part of ['<h1 data-headline>Paid</h1>', '€44.90', 'Blue mug', 'Rua das Flores 12', 'Portugal'])
      expect(text).toContain(part);
    expect((await webVisitor(feira).open(headers.location!)).status).toBe(404);
    expect((await visitor.open('/checkout')).text).toContain('Your cart is empty');
  });

  it('happens once for one form, sent again as it was or with changes', async () => {
    const { visitor, product } = await aVisitor();
    const form = { ...typedBy(), do: 'buy', acceptedTotal: '4490', key: 'f3b1c2d4-0000-4000-8000-000000000001' };
    const send = (overrides: object = {}) =>
      visitor.agent
        .post('/checkout')
        .type('form')
        .send({ ...form, ...overrides });
    const answers = await Promise.all([send(), send(), send({ city: 'Lisboa' })]);
    const places = [...answers, await send()].map(({ headers }) => headers.location);
    expect(new Set(places).size).toBe(1);
    expect(places[0]).toMatch(/^\/orders\/F-/);
    expect(await stockOf(product)).toBe(9);
  });

  it('happens once for a form with a coupon, too', async () => {
    const { code } = await createCoupon(seller, { value: 2500 });
    const { visitor, product } = await aVisitor();
    const form = { ...typedBy({ coupon: code }), do: 'buy', key: 'f3b1c2d4-0000-4000-8000-000000000002' };
    const send = () => visitor.agent.post('/checkout').type('form').send(form);
    const [first, again] = [await send(), await send()];
    expect(first.headers.location).toMatch(/^\/orders\/F-/);
    expect([again.status, again.headers.location]).toEqual([303, first.headers.location]);
    expect(await stockOf(product)).toBe(9);
  });

  it('says beside each field what is wrong, and keeps the rest', async () => {
    const { press, product } = await aVisitor();
    const { status, text } = await press('buy', { email: 'ana@', city: ' ', acceptedTotal: '4490' });
    expect(status).toBe(422);
    expect(text).toMatch(/id="fault-email"[^>]*>E-mail must be an e-mail address/);
    expect(text).toMatch(/id="fault-city"[^>]*>City must not be empty/);
    expect(text).toContain('href="#field-email"');
    for (const kept of ['value="ana@"', 'value="Rua das Flores 12"', 'name="acceptedTotal" value="4490"'])
      expect(text).toContain(kept);
    expect(await stockOf(product)).toBe(10);
  });

  it('shows what has changed, and takes the new total by the same button', async () => {
    const { press, product } = await aVisitor();
    await press('price');
    await feira.withKey('patch', `/api/products/${product.id}`).send({ price: 4500 }).expect(200);
    const { status, text } = await press('buy', { acceptedTotal: '4490' });
    expect(status).toBe(409);
    expect(text).toMatch(/Blue mug: <s>€40\.00<\/s> <strong>€45\.00<\/strong>/);
    expect(text).toMatch(/Your total is <strong>€49\.90<\/strong> now; it was €44\.90/);
    // The hidden fields of the page as it is now.
    expect((await press('buy')).status).toBe(303);
  });

  it('counts a country that was never priced as a change', async () => {
    const { press } = await aVisitor();
    const { status, text } = await press('buy', { acceptedTotal: '4000' });
    expect(status).toBe(409);
    expect(text).toContain('Pay €44.90');
    expect(text).toContain('it was €40.00');
  });

  it('says which line is short, and leads to the cart', async () => {
    const { press, product } = await aVisitor({ title: 'Last lamp', stock: 1 });
    await press('price');
    await feira.withKey('patch', `/api/products/${product.id}`).send({ stock: 0 }).expect(200);
    const { status, text } = await press('buy', { acceptedTotal: '4490' });
    expect(status).toBe(409);
    expect(text).toMatch(/role="alert"[\s\S]*Last lamp[\s\S]*href="\/cart"/);
    expect(text).not.toContain('value="buy"');
  });

  it('tells where to transfer the money, when it comes later', async () => {
    const { press, visitor } = await aVisitor();
    await press('price');
    const { headers } = await press('buy', { paymentMethod: 'manual' });
    const { text } = await visitor.open(headers.location!).expect(200);
    for (const part of ['Waiting for your transfer', BANK, headers.location!.split('/').at(-1)!])
      expect(text).toContain(part);
  });

  it('asks for no payment where nothing is to be paid', async () => {
    const { code } = await createCoupon(seller, { value: 10_000 });
    const { press, visitor } = await aVisitor({ price: 8000 });
    const { text } = await press('price', { coupon: code });
    expect(text).toContain('Place the order');
    expect(text).not.toContain('Pay €');
    const { headers } = await press('buy', { acceptedTotal: '0' });
    expect((await visitor.open(headers.location!)).text).toContain('<h1 data-headline>Paid</h1>');
  });

  it('knows an account, and where its last order went', async () => {
    const { email } = await signUp(feira);
    const visitor = await logInBrowser(feira, email);
    await aVisitor({}, visitor);
    const first = (await visitor.open('/checkout')).text;
    expect(first).not.toContain('name="email"');
    expect(first).toContain('value="Ana Sousa"');
    const { email: _none, ...typed } = typedBy();
    await visitor.submit('/checkout', { ...typed, do: 'price' });
    const { status, headers } = await visitor.submit('/checkout', { ...typed, do: 'buy' });
    expect(status).toBe(303);
    expect(String(headers['set-cookie'])).not.toContain('feira_order');
    expect((await visitor.open('/orders')).text).toContain(headers.location!.split('/').at(-1));
    await aVisitor({}, visitor);
    expect((await visitor.open('/checkout')).text).toContain('value="Rua das Flores 12"');
  });
});
