import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { logIn, logInBrowser, signUp, staff } from '../helpers/accounts.ts';
import { createProduct } from '../helpers/factories.ts';
import { mailsTo, nextMail } from '../helpers/mailbox.ts';
import { anEmail, anOrder, checkoutInput, letExpire, stockOf } from '../helpers/orders.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, startStripeStub } from '../helpers/stripe-stub.ts';
import { eventually } from '../helpers/wait-for.ts';
import { webVisitor } from '../helpers/web-visitor.ts';

let feira: Feira;
let stripe: Awaited<ReturnType<typeof startStripeStub>>;
let seller: Awaited<ReturnType<typeof staff>>;
beforeAll(async () => {
  stripe = await startStripeStub();
  feira = await startFeira({ STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, STRIPE_API_URL: stripe.url });
  seller = await staff(feira, 'seller');
});
afterAll(async () => {
  await feira.stop();
  await stripe.stop();
});

/** A guest's order, open in their browser. */
async function opened(overrides: object = {}) {
  const made = await anOrder(feira, overrides);
  const visitor = webVisitor(feira);
  const path = `/orders/${made.order.number}`;
  await visitor.open(`${path}?token=${made.token}`).expect(303);
  const page = async () => (await visitor.open(path).expect(200)).text;
  return { ...made, visitor, path, page };
}

/** An account with a browser and an order. */
async function aCustomer() {
  const { email } = await signUp(feira);
  const [{ as }, visitor] = [await logIn(feira, email), await logInBrowser(feira, email)];
  const order = async () => {
    const { id } = await createProduct(feira, { title: 'Green bowl' });
    await as('post', '/api/carts').send({ items: [{ productId: id, quantity: 2 }] });
    const { email: _own, ...input } = checkoutInput();
    return (await as('post', '/api/carts/mine/checkout').send(input).expect(201)).body;
  };
  return { email, visitor, order };
}

describe('a guest’s order', () => {
  it('opens by the link, whose token goes into a cookie and out of the address', async () => {
    const { id, order, token } = await anOrder(feira);
    const visitor = webVisitor(feira);
    const { headers, text } = await visitor.open(`/orders/${id}?token=${token}`).expect(303);
    expect(headers.location).toBe(`/orders/${order.number}`);
    expect(text).not.toContain(token);
    expect(String(headers['set-cookie'])).toContain(`Path=/orders/${order.number};`);
    const page = await visitor.open(headers.location!).expect(200);
    expect(page.headers['cache-control']).toContain('no-store');
    expect(page.text).toContain('<h1 data-headline>Paid</h1>');
    // As providers bring buyers back.
    expect((await visitor.open(`/orders/${id}`).expect(303)).headers.location).toBe(headers.location);
  });

  it('stays closed without the link, and says how to get it', async () => {
    const { order, token, path: _api } = await anOrder(feira);
    const other = await anOrder(feira);
    for (const query of ['', '?token=wrong', `?token=${other.token}`, `?token=${token}x`]) {
      const { status, text, headers } = await webVisitor(feira).open(`/orders/${order.number}${query}`);
      expect({ query, status }).toEqual({ query, status: 404 });
      expect(text).toContain('action="/orders/lookup"');
      expect(text).toContain(`/login?next&#x3D;/orders/${order.number}`);
      expect(headers['set-cookie']).toBeUndefined();
    }
    const { visitor } = await opened();
    expect((await visitor.agent.post(`/orders/${order.number}/cancel`).type('form').send({})).status).toBe(404);
  });

  it('is found by e-mail and number: the answer is always the same, and the mail has the link', async () => {
    const email = anEmail();
    const { order } = await anOrder(feira, { email });
    await eventually(async () => (await mailsTo(feira.config.mail.outboxDir, email)).length === 2);
    for (const _mail of [1, 2]) await nextMail(feira, email);
    const ask = (fields: Record<string, string>) => webVisitor(feira).submit('/orders', fields, '/orders/lookup');
    const right = await ask({ email, number: order.number.toLowerCase() });
    const wrong = await ask({ email: anEmail(), number: order.number });
    expect(right.status).toBe(200);
    expect(right.text).toContain('If there is such an order');
    expect(wrong.text).toBe(right.text);
    const { link } = await nextMail(feira, email);
    const visitor = webVisitor(feira);
    await visitor.open(link.replace(feira.url, '')).expect(303);
    expect((await visitor.open(`/orders/${order.number}`)).text).toContain(order.number);
    const refused = await ask({ email: 'nobody', number: 'F-1' });
    expect(refused.status).toBe(422);
    expect(refused.text).toContain('value="nobody"');
  });
});

describe('the page of an order', () => {
  it('offers to pay again after a refusal, and shows what became of it', async () => {
    const { page, visitor, path } = await opened({ payment: { outcome: 'decline' } });
    const text = await page();
    for (const part of ['The payment did not work', 'The test provider declines, as asked.', 'We keep everything'])
      expect(text).toContain(part);
    const pay = (fields: Record<string, string>) =>
      visitor.submit(path, { paymentMethod: 'test', ...fields }, `${path}/pay`);
    const odd = await pay({ paymentMethod: 'gold' });
    expect(odd.status).toBe(422);
    expect(odd.text).toContain('role="alert"');
    expect((await visitor.open(`${path}/pay`)).headers.location).toBe(path);
    expect((await pay({ 'test-outcome': 'decline' })).status).toBe(303);
    expect(await page()).toContain('The payment did not work');
    expect((await pay({ 'test-outcome': 'approve' })).headers.location).toBe(path);
    expect(await page()).toContain('<h1 data-headline>Paid</h1>');
    expect(await page()).not.toContain(`${path}/pay`);
    const late = await visitor.agent.post(`${path}/pay`).type('form').send({ paymentMethod: 'test' });
    expect(late.status).toBe(409);
    expect(late.text).toContain('pay is not possible');
  });

  it('shows that the provider has not answered, and asks it when it is opened again', async () => {
    const { page } = await opened({ payment: { outcome: 'delay' } });
    expect(await page()).toContain('The payment is on its way');
    await eventually(async () => (await page()).includes('<h1 data-headline>Paid</h1>'));
  });

  it('leads on to a payment elsewhere by a page of its own, and from the order', async () => {
    const { visitor, path, page } = await opened({ payment: { outcome: 'decline' } });
    const { status, headers, text } = await visitor.submit(path, { paymentMethod: 'stripe' }, `${path}/pay`);
    expect(status).toBe(200);
    const [session] = stripe.sessions.values();
    expect(headers.refresh).toBe(`0; url=${session!.url}`);
    expect(text).toContain(`href="${session!.url}"`);
    expect(await page()).toContain('Go on with the payment');
  });

  it('that is asked for by many tabs at once asks the provider once', async () => {
    const { visitor, path, page } = await opened({ payment: { outcome: 'decline' } });
    await visitor.submit(path, { paymentMethod: 'stripe' }, `${path}/pay`);
    const before = stripe.requests();
    const pages = await Promise.all(Array.from({ length: 30 }, page));
    for (const text of pages) expect(text).toContain('Go on with the payment');
    expect(stripe.requests() - before).toBeLessThan(5);
    // What it says later is seen later.
    for (const { id } of stripe.sessions.values()) stripe.expire(id);
    await eventually(async () => (await page()).includes('The payment did not work'));
  });

  it('is cancelled by who placed it as long as nothing is paid', async () => {
    const { page, visitor, path, product } = await opened({ payment: { outcome: 'decline' } });
    expect(await stockOf(product)).toBe(9);
    expect(await page()).toContain('Yes, cancel it');
    expect((await visitor.submit(path, {}, `${path}/cancel`)).headers.location).toBe(path);
    const text = await page();
    expect(text).toContain('<h1 data-headline>Cancelled</h1>');
    expect(text).not.toContain('Yes, cancel it');
    expect(text).toContain('Nothing will be sent, and no money was taken.');
    expect(await stockOf(product)).toBe(10);

    const paid = await opened();
    expect(await paid.page()).not.toContain('Yes, cancel it');
    const refused = await paid.visitor.agent.post(`${paid.path}/cancel`).type('form').send({});
    expect(refused.status).toBe(409);
    expect(refused.text).toContain('ask the shop to cancel it');
  });

  it('tells how far it is, with the tracking number, and nothing that is for staff', async () => {
    const { page, id } = await opened();
    await seller.as('post', `/api/orders/${id}/fulfil`).send({ tracking: 'CTT <123>' }).expect(200);
    const text = await page();
    expect(text).toContain('<h1 data-headline>On its way</h1>');
    expect(text).toContain('CTT &lt;123&gt;');
    expect(text).toMatch(/<li data-state="now" aria-current="step">Delivery/);
    // Staff look at the same page: they see what buyers see.
    const asStaff = await logInBrowser(feira, seller.user.email);
    const { order } = await anOrder(feira);
    const shown = await asStaff.open(`/orders/${order.number}`).expect(200);
    expect(shown.text).not.toContain('Yes, cancel it');
  });

  it('is paid late as long as nobody else has bought what it holds', async () => {
    const { page, id, visitor, path } = await opened({ payment: { outcome: 'decline' } });
    await letExpire(id);
    const { status } = await visitor.submit(path, { paymentMethod: 'test', 'test-outcome': 'approve' }, `${path}/pay`);
    expect(status).toBe(303);
    expect(await page()).toContain('<h1 data-headline>Paid</h1>');
  });
});

describe('one’s own orders', () => {
  it('are a list, the newest first, and go on on another page', async () => {
    const { visitor, order } = await aCustomer();
    expect((await visitor.open('/orders').expect(200)).text).toContain('There are none yet');
    const first = await order();
    const stored = await mongoose.connection.collection('orders').findOne({ number: first.number });
    const copies = Array.from({ length: 20 }, (_, i) => {
      const number = `F-0000-${String(i).padStart(4, '0')}`;
      return { ...stored, _id: new mongoose.Types.ObjectId(), cart: new mongoose.Types.ObjectId(), number };
    });
    await mongoose.connection.collection('orders').insertMany(copies);
    const { text } = await visitor.open('/orders');
    expect(text.indexOf('F-0000-0019')).toBeLessThan(text.indexOf('F-0000-0018'));
    expect(text).not.toContain(first.number);
    const older = /href="(\/orders\?cursor=[\w-]+)"/.exec(text)![1]!;
    const next = (await visitor.open(older)).text;
    expect(next).toContain(first.number);
    expect(next).toContain('Green bowl');
    expect(next).not.toContain('Older orders');
    expect((await visitor.open('/orders?cursor=nonsense')).status).toBe(200);
  });

  it('open for their owner, with a token in every form, and for nobody else', async () => {
    const { visitor, order } = await aCustomer();
    const { number, id } = await order();
    expect((await visitor.open(`/orders/${id}`).expect(303)).headers.location).toBe(`/orders/${number}`);
    expect((await visitor.open(`/orders/${number}`)).text).toContain('Green bowl');
    expect((await visitor.agent.post(`/orders/${number}/cancel`).type('form').send({})).status).toBe(403);
    const other = await aCustomer();
    expect((await other.visitor.open(`/orders/${number}`)).status).toBe(404);
    expect((await webVisitor(feira).open('/orders')).text).toContain('/login?next&#x3D;/orders');
  });
});
