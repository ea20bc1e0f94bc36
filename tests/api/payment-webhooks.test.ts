import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import request from 'supertest';
import { admin } from '../helpers/accounts.ts';
import { misfits, promisedHeaders, readApiDocument } from '../helpers/api-document.ts';
import { createProduct } from '../helpers/factories.ts';
import { anOrder, movedOf, stockOf } from '../helpers/orders.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, type StripeStub, startStripeStub } from '../helpers/stripe-stub.ts';
import { eventually } from '../helpers/wait-for.ts';

const PATH = '/api/payments/stripe/webhook';

let feira: Feira;
let stub: StripeStub;
beforeAll(async () => {
  stub = await startStripeStub();
  feira = await startFeira({
    BANK_DETAILS: 'Feira, PT50 0000',
    STRIPE_SECRET_KEY,
    STRIPE_WEBHOOK_SECRET,
    STRIPE_API_URL: stub.url,
    TRUST_PROXY: '1',
  });
});
afterAll(async () => {
  await feira.stop();
  await stub.stop();
});

type Event = ReturnType<StripeStub['event']>;

const send = ({ body, headers }: Event, more: Record<string, string> = {}) =>
  request(feira.url)
    .post(PATH)
    .set({ ...headers, ...more })
    .send(body.toString());

/** Of an order that waits on Stripe's page. */
const sessionOf = async ({ id }: { id: string }): Promise<string> => {
  const order = new mongoose.Types.ObjectId(id);
  const attempt = await mongoose.connection.collection('payment_attempts').findOne({ order, provider: 'stripe' });
  return attempt!.reference;
};
const completed = (session: string) => stub.event('checkout.session.completed', { id: session });
const statusOf = async (order: Awaited<ReturnType<typeof anOrder>>) => (await order.asGuest('get')).body.status;
const ledgerOf = async ({ id }: { id: string }): Promise<{ kind: string; amount: number }[]> =>
  (await mongoose.connection.collection('orders').findOne({ _id: new mongoose.Types.ObjectId(id) }))!.ledger;
/** How often it was announced; each consumer has its own copy. */
const announced = async ({ id }: { id: string }, type: string): Promise<number> =>
  (await mongoose.connection.collection('outbox_events').distinct('event', { type, 'data.orderId': id })).length;

describe('GET /api/payments/methods', () => {
  it('lists how one can pay in a currency', async () => {
    const { body } = await feira.api.get('/api/payments/methods').expect(200);
    expect(body.items.map(({ name }: { name: string }) => name)).toEqual(['stripe', 'manual', 'test']);
    const dinars = await feira.api.get('/api/payments/methods?currency=KWD').expect(200);
    expect(dinars.body.items.map(({ name }: { name: string }) => name)).toEqual(['manual', 'test']);
    expect((await feira.api.get('/api/payments/methods?currency=euro').expect(422)).body.code).toBe('INVALID_INPUT');
    await feira.api.post('/api/payments/methods').expect(405);
  });
});

describe('POST /api/payments/:provider/webhook', () => {
  it('makes an order paid, once, however often it is told', async () => {
    const order = await anOrder(feira, { paymentMethod: 'stripe', payment: {} });
    expect(order.order).toMatchObject({ status: 'pending_payment', payment: { state: 'pending' } });
    expect(order.order.payment.redirect).toContain('https://checkout.stripe.test/');
    const session = await sessionOf(order);
    stub.pay(session);
    const event = completed(session);
    const answer = await send(event);
    expect(answer.status).toBe(200);
    expect(misfits(await readApiDocument(feira), 'post', '/api/payments/{provider}/webhook', answer)).toEqual([]);
    await send(event).expect(200);
    await send(completed(session)).expect(200);
    expect(await statusOf(order)).toBe('paid');
    expect(await ledgerOf(order)).toHaveLength(1);
    expect(await announced(order, 'order.paid')).toBeLessThanOrEqual(1);
  });

  it('has the same effect for events that are shuffled, repeated and at once', async () => {
    const stock = 40;
    const product = await createProduct(feira, { stock });
    const orders = await Promise.all(
      Array.from({ length: 10 }, () => anOrder(feira, { paymentMethod: 'stripe', payment: {} }, [{ product }])),
    );
    const events = await Promise.all(
      orders.map(async (order, index) => {
        const session = await sessionOf(order);
        const isPaid = index % 5 !== 4;
        if (!isPaid) {
          stub.expire(session);
          const event = stub.event('checkout.session.expired', { id: session });
          return [event, event, event];
        }
        const intent = stub.pay(session);
        const [done, taken] = [completed(session), stub.event('payment_intent.succeeded', intent)];
        return [done, done, done, taken, taken];
      }),
    );
    const waiting = shuffled(events.flat());
    await Promise.all(
      Array.from({ length: 6 }, async () => {
        for (let event = waiting.pop(); event; event = waiting.pop()) expect((await send(event)).status).toBe(200);
      }),
    );
    for (const [index, order] of orders.entries()) {
      const isPaid = index % 5 !== 4;
      expect(await statusOf(order)).toBe(isPaid ? 'paid' : 'pending_payment');
      expect((await ledgerOf(order)).map(({ kind }) => kind)).toEqual(isPaid ? ['captured'] : []);
      expect(await announced(order, isPaid ? 'order.paid' : 'order.payment_failed')).toBeLessThanOrEqual(1);
      const timeline: { event: string }[] = (await order.asGuest('get')).body.timeline;
      expect(timeline.map(({ event }) => event)).toEqual(['placed', isPaid ? 'paid' : 'payment-declined']);
    }
    expect(await stockOf(product)).toBe(stock - orders.length);
    expect(await movedOf(product)).toBe(stock - orders.length);
  });

  it('tells nobody of a failure when the page closes because the buyer pays otherwise', async () => {
    const order = await anOrder(feira, { paymentMethod: 'stripe', payment: {} });
    const session = await sessionOf(order);
    const { body } = await order.asGuest('post', '/pay').send({ paymentMethod: 'test' });
    expect(body).toMatchObject({ status: 'paid', paymentMethod: 'test' });
    expect(stub.sessions.get(session)!.status).toBe('expired');
    await send(stub.event('checkout.session.expired', { id: session })).expect(200);
    const timeline: { event: string }[] = (await order.asGuest('get')).body.timeline;
    expect(timeline.map(({ event }) => event)).not.toContain('payment-declined');
    expect(await statusOf(order)).toBe('paid');
  });

  it('names the way by which the money came, when the buyer had paid before choosing another one', async () => {
    const order = await anOrder(feira, { paymentMethod: 'stripe', payment: {} });
    stub.pay(await sessionOf(order));
    const { body } = await order.asGuest('post', '/pay').send({ paymentMethod: 'manual' });
    expect(body).toMatchObject({ status: 'paid', paymentMethod: 'stripe', payment: { state: 'captured' } });
    await send(completed(await sessionOf(order))).expect(200);
    expect((await order.asGuest('get')).body).toMatchObject({ status: 'paid', paymentMethod: 'stripe' });
  });

  it('has money given back that staff refund, and tells the order', async () => {
    const order = await anOrder(feira, { paymentMethod: 'stripe', payment: {} });
    stub.pay(await sessionOf(order));
    await send(completed(await sessionOf(order))).expect(200);
    const { as } = await admin(feira);
    const asked = await as('post', order.path('/refund')).send({ amount: 1000, reason: 'A chip in the glaze.' });
    expect(asked.status).toBe(200);
    await eventually(async () => (await statusOf(order)) === 'partly_refunded');
    const refunds = stub.refunds.filter(({ metadata }) => metadata.orderId === order.id);
    expect(refunds).toMatchObject([{ amount: 1000, metadata: { refundId: expect.stringMatching(/^[\da-f]{24}$/) } }]);
    for (const type of ['refund.created', 'refund.updated']) await send(stub.event(type, refunds[0]!)).expect(200);
    expect((await ledgerOf(order)).filter(({ kind }) => kind === 'refunded')).toHaveLength(1);

    // Asked for once more, as by a process that was away for a day.
    stub.forgetKeys();
    const events = mongoose.connection.collection('outbox_events');
    const which = { consumer: 'refunds', 'data.orderId': order.id };
    const isDone = async (tries: number) =>
      (await events.countDocuments({ ...which, tries, doneAt: { $exists: true } })) === 1;
    await eventually(() => isDone(1));
    await events.updateOne(which, { $set: { dueAt: new Date() }, $unset: { doneAt: '' } });
    await eventually(() => isDone(2));
    expect(stub.refunds.filter(({ metadata }) => metadata.orderId === order.id)).toHaveLength(1);
  });

  it('gives a payment back that was refunded on the pages of the provider, in the order too', async () => {
    const order = await anOrder(feira, { paymentMethod: 'stripe', payment: {} });
    const { id: payment_intent } = stub.pay(await sessionOf(order));
    await send(completed(await sessionOf(order))).expect(200);
    const refund = {
      id: 're_own',
      status: 'succeeded',
      amount: order.order.totals.total,
      payment_intent,
      metadata: {},
    };
    await send(stub.event('refund.created', refund)).expect(200);
    await send(stub.event('refund.updated', refund)).expect(200);
    expect(await statusOf(order)).toBe('refunded');
  });

  it.each(['after it', 'before it'])('can give back again what the bank has sent back, told %s', async (when) => {
    const order = await anOrder(feira, { paymentMethod: 'stripe', payment: {} });
    const { id: payment_intent } = stub.pay(await sessionOf(order));
    await send(completed(await sessionOf(order))).expect(200);
    const { total } = order.order.totals;
    const refund = { id: `re_${order.id}`, status: 'succeeded', amount: total, payment_intent, metadata: {} };
    const events = [
      stub.event('refund.created', refund),
      stub.event('refund.failed', { ...refund, status: 'failed', failure_reason: 'expired_or_canceled_card' }),
    ];
    for (const event of when === 'after it' ? events : events.toReversed()) await send(event).expect(200);
    expect((await order.asGuest('get')).body).toMatchObject({ status: 'paid', captured: total, refunded: 0 });
    const { as } = await admin(feira);
    const asked = { amount: total, reason: 'By another way.' };
    expect((await as('post', order.path('/refund')).send(asked)).status).toBe(200);
    await eventually(async () => (await statusOf(order)) === 'refunded');
  });

  it('answers 200 for what is signed and unknown, and changes nothing', async () => {
    const order = await anOrder(feira, { paymentMethod: 'stripe', payment: {} });
    const session = stub.sessions.get(await sessionOf(order))!;
    for (const orderId of ['f'.repeat(24), 'another-shop', '']) {
      session.metadata = { orderId };
      stub.pay(session.id);
      await send(completed(session.id)).expect(200);
    }
    await send(stub.event('customer.created', { id: 'cus_1' })).expect(200);
    await send(stub.event('charge.dispute.closed', { id: 'dp_1' })).expect(200);
    expect(await statusOf(order)).toBe('pending_payment');
  });

  it('refuses what is forged, old or altered, and what no provider sends', async () => {
    const order = await anOrder(feira, { paymentMethod: 'stripe', payment: {} });
    const session = await sessionOf(order);
    stub.pay(session);
    const event = completed(session);
    const now = Math.floor(Date.now() / 1000);
    const bad = [
      stub.event('checkout.session.completed', { id: session }, { secret: 'whsec_another' }),
      stub.event('checkout.session.completed', { id: session }, { timestamp: now - 302 }),
      { ...event, body: Buffer.from(`${event.body} `) },
      { ...event, body: event.body.subarray(0, -2) },
    ];
    for (const each of bad) {
      const answer = await send(each).expect(400);
      expect(answer.body).toMatchObject({ code: 'WEBHOOK_REFUSED', requestId: expect.any(String) });
      expect(answer.headers['content-type']).toContain('application/problem+json');
    }
    await feira.api.post(PATH).expect(400);
    const misfit = await send(bad[0]!).expect(400);
    expect(misfits(await readApiDocument(feira), 'post', '/api/payments/{provider}/webhook', misfit)).toEqual([]);
    for (const provider of ['manual', 'gold']) await feira.api.post(`/api/payments/${provider}/webhook`).expect(404);
    await feira.api.get(PATH).expect(405);
    expect(await statusOf(order)).toBe('pending_payment');
  });

  it('reads 256 kB at most, and nothing that is compressed', async () => {
    const event = stub.event('customer.created', { id: 'cus_1', text: 'x'.repeat(250_000) });
    await send(event).expect(200);
    await send(stub.event('customer.created', { id: 'cus_1', text: 'x'.repeat(263_000) })).expect(413);
    const { body, headers } = stub.event('customer.created', { id: 'cus_1' });
    const sent = await fetch(feira.url + PATH, {
      method: 'POST',
      headers: { ...headers, 'Content-Encoding': 'gzip' },
      body: new Uint8Array(gzipSync(body)),
    });
    expect(sent.status).toBe(415);
  });

  it('does not mind other origins and types: the signature decides', async () => {
    const event = stub.event('customer.created', { id: 'cus_1' });
    await send(event, { Origin: 'https://stripe.com', 'Sec-Fetch-Site': 'cross-site' }).expect(200);
    await send(event, { 'Content-Type': 'text/plain' }).expect(200);
    const answer = await send(event, { Authorization: 'Bearer of-nobody' }).expect(200);
    const document = await readApiDocument(feira);
    const path = '/api/payments/{provider}/webhook';
    expect(misfits(document, 'post', path, answer)).toEqual([]);
    for (const name of promisedHeaders(document, 'post', path, 200))
      expect(answer.headers).toHaveProperty(name.toLowerCase());
  });

  it('stops reading from an address that forges, and from no other', async () => {
    const forged = stub.event('customer.created', { id: 'cus_1' }, { secret: 'whsec_another' });
    const from = (address: string) => ({ 'X-Forwarded-For': address });
    for (let sent = 0; sent < 60; sent++) await send(forged, from('203.0.113.9')).expect(400);
    const stopped = await send(forged, from('203.0.113.9')).expect(429);
    expect(Number(stopped.headers['retry-after'])).toBeGreaterThan(0);
    expect(stopped.headers.ratelimit).toBe(`"refused-webhooks";r=0;t=${stopped.headers['retry-after']}`);
    expect(stopped.headers['ratelimit-policy']).toBe('"refused-webhooks";q=60;w=60');
    const fine = stub.event('customer.created', { id: 'cus_1' });
    for (let sent = 0; sent < 80; sent++) await send(fine, from('203.0.113.10')).expect(200);
    // A home has every address of a network of IPv6.
    for (let sent = 0; sent < 60; sent++) await send(forged, from(`2001:db8:1:2::${sent}`)).expect(400);
    await send(forged, from('2001:db8:1:2::ffff')).expect(429);
  });
});

describe('paying by the test provider, over its real webhooks', () => {
  it.each(['webhook-first', 'webhook-twice', 'timeout', 'approve'])('%s: the order is paid once', async (outcome) => {
    const order = await anOrder(feira, { payment: { outcome } });
    expect(order.order.payment).toEqual({ state: 'captured' });
    await eventually(async () => (await statusOf(order)) === 'paid');
    expect((await ledgerOf(order)).map(({ kind }) => kind)).toEqual(['captured']);
  });

  it('delay: the order becomes paid when the webhook comes', async () => {
    const order = await anOrder(feira, { payment: { outcome: 'delay' } });
    expect(order.order).toMatchObject({ status: 'pending_payment', payment: { state: 'pending' } });
    await eventually(async () => (await statusOf(order)) === 'paid');
    expect((await ledgerOf(order)).map(({ kind }) => kind)).toEqual(['captured']);
  });

  it('decline: the order waits, and is paid at the second try', async () => {
    const order = await anOrder(feira, { payment: { outcome: 'decline' } });
    expect(order.order.payment).toMatchObject({ state: 'declined', reason: expect.any(String) });
    const again = await order
      .asGuest('post', '/pay')
      .send({ payment: { outcome: 'approve' } })
      .expect(200);
    expect(again.body).toMatchObject({ status: 'paid', payment: { state: 'captured' } });
  });
});

describe('paying by bank transfer', () => {
  it('tells where to, and staff confirm it', async () => {
    const order = await anOrder(feira, { paymentMethod: 'manual', payment: {} });
    expect(order.order.payment).toEqual({
      state: 'pending',
      instructions: `Feira, PT50 0000\n${order.order.number}`,
    });
    const { as } = await admin(feira);
    expect((await as('post', order.path('/capture')).send({})).body).toMatchObject({ status: 'paid' });
    expect((await as('post', order.path('/capture')).send({})).body.code).toBe('ILLEGAL_MOVE');
  });
});

/** The same order in each run. */
function shuffled<T>(items: readonly T[]): T[] {
  const result = [...items];
  let seed = 42;
  for (let i = result.length - 1; i > 0; i--) {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    const j = seed % (i + 1);
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}
