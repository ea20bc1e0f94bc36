import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Types } from 'mongoose';
import { manualPayments } from '../../src/adapters/payments/manual-payments.ts';
import type { PaymentProvider } from '../../src/adapters/payments/payment-provider.ts';
import { stripePayments } from '../../src/adapters/payments/stripe-payments.ts';
import { testPayments } from '../../src/adapters/payments/test-payments.ts';
import { newOrderNumber, Order } from '../../src/models/order.model.ts';
import { PaymentAttempt } from '../../src/models/payment-attempt.model.ts';
import { OrderPayments } from '../../src/services/order-payments.ts';
import { type PayableOrder, PaymentService } from '../../src/services/payment.service.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, type StripeStub, startStripeStub } from '../helpers/stripe-stub.ts';

const TOTAL = 4200;

let feira: Feira;
let stub: StripeStub;
beforeAll(async () => {
  stub = await startStripeStub();
  feira = await startFeira();
});
afterAll(async () => {
  await feira.stop();
  await stub.stop();
});

const silent = { warn: () => {} };
const orders = new OrderPayments({ outbox: { add: async () => {} } });

/** The service on the suite's database, with providers whose lines can be cut. */
function service({ captureLater = false } = {}) {
  const line = { isCut: false };
  const cuttable = (provider: PaymentProvider): PaymentProvider => {
    const asked =
      <A, R>(ask: (argument: A) => Promise<R>) =>
      async (argument: A) => {
        if (line.isCut) throw new Error('The line is cut.');
        return ask(argument);
      };
    const { find, capture, refund } = provider;
    return {
      ...provider,
      find: asked(find),
      capture: asked(capture),
      refund: asked(refund),
      void: asked(provider.void),
    };
  };
  const stripe = { secretKey: STRIPE_SECRET_KEY, webhookSecret: STRIPE_WEBHOOK_SECRET, apiUrl: stub.url };
  const providers = [
    manualPayments('Feira, PT50 0000'),
    testPayments({ secret: 'secret', captureLater, deliver: async () => {} }),
    stripePayments({ ...stripe, captureLater }),
  ].map(cuttable);
  const linkToOrder = (id: string) => `http://localhost/orders/${id}`;
  return { line, payments: new PaymentService({ providers, orders, linkToOrder, log: silent }) };
}

let payments: PaymentService;
beforeEach(() => {
  payments = service().payments;
});

/** An order that waits for its payment. */
async function placeOrder(paymentMethod = 'test'): Promise<PayableOrder> {
  const now = new Date();
  const order = {
    _id: new Types.ObjectId(),
    number: newOrderNumber(),
    cart: new Types.ObjectId(),
    owner: null,
    email: 'ana@example.com',
    emailKey: 'ana@example.com',
    locale: 'en',
    currency: 'EUR',
    lines: [],
    address: {
      name: null,
      line1: null,
      line2: null,
      city: null,
      region: null,
      postalCode: null,
      country: 'PT',
      phone: null,
    },
    shipping: { method: 'post', title: 'Post', price: 0 },
    coupon: null,
    totals: { subtotal: TOTAL, discount: 0, shipping: 0, tax: 0, total: TOTAL, taxIncluded: true },
    paymentMethod,
    ledger: [],
    refunds: [],
    stock: 'held' as const,
    holdUntil: new Date(now.getTime() + 900_000),
    cancelledAt: null,
    fulfilledAt: null,
    deliveredAt: null,
    status: 'pending_payment' as const,
    paymentStatus: 'pending' as const,
    fulfilmentStatus: 'unfulfilled' as const,
    timeline: [],
    version: 1,
    createdAt: now,
    updatedAt: now,
  };
  await Order.insertMany([order]);
  return {
    id: order._id.toHexString(),
    number: order.number,
    email: order.email,
    currency: 'EUR',
    total: TOTAL,
    paymentMethod,
  };
}

const read = async ({ id }: PayableOrder) => (await Order.findById(id).lean())!;
const moneyOf = async (order: PayableOrder) =>
  (await read(order)).ledger.map(({ kind, amount }) => `${kind} ${amount}`);
const attemptsOf = ({ id }: PayableOrder) => PaymentAttempt.find({ order: id }).sort({ _id: 1 }).lean();
const statesOf = async (order: PayableOrder) => (await attemptsOf(order)).map(({ state }) => state);
const refusal = (code: string) => expect.objectContaining({ code });

/** An attempt whose process died while it waited for the answer. */
async function abandonedAttempt(order: PayableOrder, agoMs: number, provider = 'test') {
  const { id, number, total: amount, currency } = order;
  const known = { order: id, open: id, number, provider, amount, currency, details: {}, state: 'running' as const };
  await PaymentAttempt.create({ ...known, startedAt: new Date(Date.now() - agoMs) });
}

describe('paying an order', () => {
  it('takes the money, changes the order and keeps the attempt', async () => {
    const order = await placeOrder();
    expect(await payments.pay(order)).toEqual({ state: 'captured' });
    expect(await read(order)).toMatchObject({ status: 'paid', paymentStatus: 'paid', stock: 'taken' });
    expect(await attemptsOf(order)).toEqual([
      expect.objectContaining({ provider: 'test', state: 'captured', amount: TOTAL, reference: expect.any(String) }),
    ]);
  });

  it('takes no money twice, however often and in parallel it is asked to', async () => {
    const order = await placeOrder();
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => payments.pay(order).catch((error: { code: string }) => error.code)),
    );
    for (const answer of answers) expect(['PAYMENT_RUNNING', { state: 'captured' }]).toContainEqual(answer);
    expect(answers).toContainEqual({ state: 'captured' });
    expect(await payments.pay(order)).toEqual({ state: 'captured' });
    expect(await moneyOf(order)).toEqual([`captured ${TOTAL}`]);
    expect(await statesOf(order)).toEqual(['captured']);
  });

  it('can be tried again after it was declined', async () => {
    const order = await placeOrder();
    expect(await payments.pay(order, { outcome: 'decline' })).toMatchObject({
      state: 'declined',
      reason: expect.stringContaining('declines'),
    });
    expect((await read(order)).status).toBe('pending_payment');
    expect(await payments.pay(order)).toEqual({ state: 'captured' });
    expect(await statesOf(order)).toEqual(['declined', 'captured']);
  });

  it('finds out what became of a payment whose answer was lost', async () => {
    const order = await placeOrder();
    expect(await payments.pay(order, { outcome: 'timeout' })).toEqual({ state: 'captured' });
    expect(await moneyOf(order)).toEqual([`captured ${TOTAL}`]);
  });

  it('waits when nobody can tell, and finds out later', async () => {
    const { line, payments } = service();
    const order = await placeOrder();
    line.isCut = true;
    expect(await payments.pay(order, { outcome: 'timeout' })).toEqual({ state: 'pending' });
    await expect(payments.pay(order)).rejects.toEqual(refusal('PAYMENT_RUNNING'));
    expect(await payments.settle(order.id)).toBe('pending');
    await PaymentAttempt.updateOne({ order: order.id }, { $set: { startedAt: new Date(Date.now() - 120_000) } });
    await expect(payments.settle(order.id)).rejects.toEqual(refusal('UNAVAILABLE'));
    line.isCut = false;
    expect(await payments.settle(order.id)).toBe('captured');
    expect(await payments.settle(order.id)).toBeNull();
    expect(await moneyOf(order)).toEqual([`captured ${TOTAL}`]);
  });

  it('takes up what a process left behind when it died', async () => {
    const order = await placeOrder();
    await abandonedAttempt(order, 120_000);
    expect(await payments.pay(order)).toEqual({ state: 'captured' });
    expect(await statesOf(order)).toEqual(['captured']);
    const stripeOrder = await placeOrder('stripe');
    await abandonedAttempt(stripeOrder, 120_000, 'stripe');
    expect(await payments.pay(stripeOrder)).toMatchObject({ state: 'pending', redirect: expect.any(String) });
    expect(await statesOf(stripeOrder)).toEqual(['failed', 'pending']);
  });

  it('answers what waits for the buyer again, and gives it up for another way to pay', async () => {
    const order = await placeOrder('stripe');
    const first = await payments.pay(order);
    expect(first).toMatchObject({ state: 'pending', redirect: expect.stringContaining('https://') });
    expect(await payments.pay(order)).toEqual(first);
    expect(await payments.pay({ ...order, paymentMethod: 'manual' })).toEqual({
      state: 'pending',
      instructions: `Feira, PT50 0000\n${order.number}`,
    });
    const [stripeAttempt] = await attemptsOf(order);
    expect(stub.sessions.get(stripeAttempt!.reference!)!.status).toBe('expired');
    expect(await statesOf(order)).toEqual(['voided', 'pending']);
  });

  it('notices that the buyer has paid before another way was chosen', async () => {
    const order = await placeOrder('stripe');
    await payments.pay(order);
    const [attempt] = await attemptsOf(order);
    stub.pay(attempt!.reference!);
    expect(await payments.pay({ ...order, paymentMethod: 'test' })).toMatchObject({ state: 'captured' });
    expect(await moneyOf(order)).toEqual([`captured ${TOTAL}`]);
    expect(await statesOf(order)).toEqual(['captured']);
  });

  it('begins anew when the time on the page of the provider was over', async () => {
    const order = await placeOrder('stripe');
    await payments.pay(order);
    const [attempt] = await attemptsOf(order);
    stub.expire(attempt!.reference!);
    const { redirect } = await payments.pay(order);
    expect(redirect).toBeDefined();
    expect(await statesOf(order)).toEqual(['declined', 'pending']);
  });

  it('knows its ways, their currencies and their details', async () => {
    expect(payments.methods('EUR').map(({ name }) => name)).toEqual(['manual', 'test', 'stripe']);
    expect(payments.methods('KWD').map(({ name }) => name)).toEqual(['manual', 'test']);
    expect(payments.check('manual', 'EUR').holdMs).toBe(7 * 24 * 60 * 60 * 1000);
    for (const [method, currency, details] of [
      ['gold', 'EUR', {}],
      ['stripe', 'KWD', {}],
      ['test', 'EUR', { outcome: 'explode' }],
      ['manual', 'EUR', { outcome: 'approve' }],
    ] as const)
      expect(() => payments.check(method, currency, details)).toThrow(refusal('INVALID_INPUT'));
  });
});

describe('capturing and giving up', () => {
  it('notes a bank transfer that has come', async () => {
    const order = await placeOrder('manual');
    await expect(payments.capture(order.id)).rejects.toEqual(refusal('NO_PAYMENT'));
    await payments.pay(order);
    await payments.capture(order.id);
    expect((await read(order)).status).toBe('paid');
    await expect(payments.capture(order.id)).rejects.toEqual(refusal('NO_PAYMENT'));
    expect(await moneyOf(order)).toEqual([`captured ${TOTAL}`]);
  });

  it('takes what was authorized, or gives it up', async () => {
    const { payments, line } = service({ captureLater: true });
    const [taken, givenUp] = [await placeOrder(), await placeOrder()];
    expect(await payments.pay(taken)).toEqual({ state: 'authorized' });
    expect(await payments.pay(taken)).toEqual({ state: 'authorized' });
    await payments.pay(givenUp);
    expect((await read(taken)).paymentStatus).toBe('authorized');
    line.isCut = true;
    await expect(payments.capture(taken.id)).rejects.toEqual(refusal('UNAVAILABLE'));
    line.isCut = false;
    await payments.capture(taken.id);
    await payments.void(givenUp.id);
    await payments.void(givenUp.id);
    expect(await moneyOf(taken)).toEqual([`authorized ${TOTAL}`, `captured ${TOTAL}`]);
    expect(await moneyOf(givenUp)).toEqual([`authorized ${TOTAL}`, `voided ${TOTAL}`]);
  });

  it('records money that came before it was given up', async () => {
    const order = await placeOrder('stripe');
    await payments.pay(order);
    const [attempt] = await attemptsOf(order);
    stub.pay(attempt!.reference!);
    await payments.void(order.id);
    expect(await moneyOf(order)).toEqual([`captured ${TOTAL}`]);
    await payments.void((await placeOrder()).id);
  });

  it('gives nothing up while a provider is being asked', async () => {
    const order = await placeOrder();
    await abandonedAttempt(order, 0);
    await expect(payments.void(order.id)).rejects.toEqual(refusal('PAYMENT_RUNNING'));
  });
});

describe('giving money back', () => {
  const asked = async (order: PayableOrder, amount: number, id = new Types.ObjectId().toHexString()) => {
    const reference = (await attemptsOf(order)).at(-1)!.reference!;
    const entry = { id, kind: 'refund-requested' as const, amount, reference, at: new Date() };
    await Order.updateOne({ _id: order.id }, { $push: { ledger: entry }, $inc: { version: 1 } });
    return id;
  };

  it('does it once for each refund that was asked for, also in parallel', async () => {
    const order = await placeOrder('stripe');
    await payments.pay(order);
    stub.pay((await attemptsOf(order))[0]!.reference!);
    await payments.settle(order.id);
    const refundId = await asked(order, 1000);
    await Promise.all(Array.from({ length: 4 }, () => payments.refund(order.id, refundId)));
    await payments.refund(order.id, refundId);
    expect(stub.refunds.filter(({ metadata }) => metadata.orderId === order.id)).toHaveLength(1);
    expect(await moneyOf(order)).toEqual([`captured ${TOTAL}`, 'refund-requested 1000', 'refunded 1000']);
    expect((await read(order)).status).toBe('partly_refunded');
  });

  it('tells when the provider refuses, and can be asked again when it is silent', async () => {
    const { payments, line } = service();
    const order = await placeOrder('stripe');
    await payments.pay(order);
    stub.pay((await attemptsOf(order))[0]!.reference!);
    await payments.settle(order.id);
    const [tooMuch, fine] = [await asked(order, TOTAL + 1), await asked(order, TOTAL)];
    await payments.refund(order.id, tooMuch);
    line.isCut = true;
    await expect(payments.refund(order.id, fine)).rejects.toEqual(refusal('UNAVAILABLE'));
    line.isCut = false;
    await payments.refund(order.id, fine);
    expect((await moneyOf(order)).slice(-2)).toEqual([`refund-failed ${TOTAL + 1}`, `refunded ${TOTAL}`]);
    await expect(payments.refund(order.id, new Types.ObjectId().toHexString())).rejects.toEqual(refusal('NOT_FOUND'));
  });
});
