import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { manualPayments } from '../../src/adapters/payments/manual-payments.ts';
import {
  factOf,
  type PaymentProvider,
  type PaymentRequest,
  type PaymentResult,
} from '../../src/adapters/payments/payment-provider.ts';
import { stripePayments } from '../../src/adapters/payments/stripe-payments.ts';
import { testPayments } from '../../src/adapters/payments/test-payments.ts';
import {
  STRIPE_SECRET_KEY,
  STRIPE_WEBHOOK_SECRET,
  type StripeStub,
  signed,
  startStripeStub,
} from '../helpers/stripe-stub.ts';
import { eventually } from '../helpers/wait-for.ts';

const TEST_SECRET = 'a-secret-of-the-suite';
const FIVE_MINUTES = 5 * 60;

interface Delivery {
  body: Buffer;
  headers: Record<string, string>;
}

/** A provider, and the world around it. */
interface Candidate {
  provider: PaymentProvider;
  /** What the buyer does after the answer. */
  buyerPays(result: PaymentResult): void;
  /** The webhook that tells of a payment. `secret` and `ageS` for bad ones. */
  webhook?(request: PaymentRequest, result: PaymentResult, bad?: { secret?: string; ageS?: number }): Delivery;
}

let stub: StripeStub;
beforeAll(async () => {
  stub = await startStripeStub();
});
afterAll(() => stub.stop());
afterEach(() => void jest.restoreAllMocks());

const stripe = (captureLater = false) =>
  stripePayments({
    secretKey: STRIPE_SECRET_KEY,
    webhookSecret: STRIPE_WEBHOOK_SECRET,
    captureLater,
    apiUrl: stub.url,
  });

const test = (captureLater = false) =>
  testPayments({ secret: TEST_SECRET, captureLater, deliver: async () => {}, delayMs: 10 });

function testWebhook(
  request: PaymentRequest,
  state: 'authorized' | 'captured',
  bad: { secret?: string; ageS?: number },
) {
  const at = new Date(Date.now() - (bad.ageS ?? 0) * 1000);
  const data = factOf(state, { ...request, reference: `test_${request.attempt}` });
  const body = JSON.stringify({ type: `payment.${state}`, data });
  const id = `evt_${request.attempt}`;
  const signature = new Webhook(bad.secret ?? TEST_SECRET, { format: 'raw' }).sign(id, at, body);
  const timestamp = String(Math.floor(at.getTime() / 1000));
  return {
    body: Buffer.from(body),
    headers: { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signature },
  };
}

const stripeCandidate = (captureLater: boolean): Candidate => ({
  provider: stripe(captureLater),
  buyerPays: ({ reference }) => void stub.pay(reference),
  webhook: (_request, { reference }, { secret, ageS } = {}) =>
    stub.event(
      'checkout.session.completed',
      { id: reference, object: 'checkout.session' },
      {
        ...(secret && { secret: `whsec_${secret}` }),
        ...(ageS && { timestamp: Math.floor(Date.now() / 1000) - ageS }),
      },
    ),
});

const testCandidate = (captureLater: boolean): Candidate => ({
  provider: test(captureLater),
  buyerPays: () => {},
  webhook: (request, _result, bad = {}) => testWebhook(request, captureLater ? 'authorized' : 'captured', bad),
});

const candidates: Record<string, () => Candidate> = {
  manual: () => ({ provider: manualPayments('Feira, PT50 0000'), buyerPays: () => {} }),
  test: () => testCandidate(false),
  'test, captured later': () => testCandidate(true),
  stripe: () => stripeCandidate(false),
  'stripe, captured later': () => stripeCandidate(true),
};

const hexId = () => randomBytes(12).toString('hex');

const newRequest = (overrides: Partial<PaymentRequest> = {}): PaymentRequest => ({
  attempt: hexId(),
  orderId: hexId(),
  number: 'F-7KQ4-ZD2M',
  amount: 4200,
  currency: 'EUR',
  email: 'ana@example.com',
  details: {},
  returnUrl: 'http://localhost:8080/orders/1',
  startedAt: new Date(),
  ...overrides,
});

const paymentOf = (
  { attempt, orderId, amount, currency }: PaymentRequest,
  { reference }: PaymentResult,
  key: string,
) => ({
  orderId,
  amount,
  currency,
  reference,
  key: `${attempt}-${key}`,
});

describe.each(Object.keys(candidates))('the provider %s', (name) => {
  let candidate: Candidate;
  let provider: PaymentProvider;
  beforeAll(() => {
    candidate = candidates[name]!();
    provider = candidate.provider;
  });

  const paid = async () => {
    const request = newRequest();
    const result = await provider.authorize(request);
    candidate.buyerPays(result);
    return { request, result };
  };

  it('takes payments in EUR, and of the buyer only what it knows', () => {
    expect(provider.accepts('EUR')).toBe(true);
    expect(provider.title).not.toBe('');
    expect(provider.holdMs).toBeGreaterThanOrEqual(15 * 60 * 1000);
    provider.checkDetails({});
    expect(() => provider.checkDetails({ colour: 'red' })).toThrow(
      expect.objectContaining({
        code: 'INVALID_INPUT',
        members: { errors: [expect.objectContaining({ pointer: '#/payment/colour' })] },
      }),
    );
  });

  it('asks for the money once, however often it is told to', async () => {
    const request = newRequest();
    const first = await provider.authorize(request);
    expect(first).toMatchObject({ amount: 4200, reference: expect.stringMatching(/./) });
    expect(await provider.authorize(request)).toEqual(first);
    expect((await provider.authorize(newRequest())).reference).not.toBe(first.reference);
  });

  it('knows what became of an attempt, also when its answer was lost', async () => {
    const { request, result } = await paid();
    const found = await provider.find({ ...request, reference: result.reference });
    expect(found).toMatchObject({ reference: result.reference, amount: 4200 });
    expect(found!.state).toBe(name === 'manual' ? 'pending' : provider.capturesAtOnce ? 'captured' : 'authorized');
    expect(await provider.find({ ...request, reference: null })).toEqual(found);
  });

  it('captures once', async () => {
    const { request, result } = await paid();
    const payment = paymentOf(request, result, 'capture-1');
    const fact = await provider.capture(payment);
    expect(fact).toEqual({
      id: `captured:${result.reference}`,
      kind: 'captured',
      orderId: request.orderId,
      reference: result.reference,
      amount: 4200,
      currency: 'EUR',
    });
    expect(await provider.capture(payment)).toEqual(fact);
    expect(await provider.capture({ ...payment, key: 'capture-2' })).toEqual(fact);
  });

  it('gives an unpaid payment up once', async () => {
    const request = newRequest();
    const result = await provider.authorize(request);
    const payment = paymentOf(request, result, 'void-1');
    const fact = await provider.void(payment);
    expect(fact).toMatchObject({ id: `voided:${result.reference}`, kind: 'voided', orderId: request.orderId });
    expect(await provider.void(payment)).toEqual(fact);
  });

  it('gives money back once for each refund', async () => {
    const { request, result } = await paid();
    await provider.capture(paymentOf(request, result, 'capture-1'));
    const refundId = hexId();
    const refund = { ...paymentOf(request, result, `refund-${refundId}`), amount: 1000, refundId };
    const fact = await provider.refund(refund);
    expect(fact).toEqual({
      id: `refunded:${refundId}`,
      kind: 'refunded',
      orderId: request.orderId,
      reference: result.reference,
      amount: 1000,
      currency: 'EUR',
      refundId,
    });
    expect(await provider.refund(refund)).toEqual(fact);
    // Days later, when nobody knows the key any more.
    stub.forgetKeys();
    expect(await provider.refund(refund)).toEqual(fact);
    expect(stub.refunds.filter(({ metadata }) => metadata.refundId === refundId).length).toBeLessThanOrEqual(1);
  });

  it('tells the same fact by webhook and by answer, if it sends webhooks', async () => {
    const { request, result } = await paid();
    const webhook = candidate.webhook?.(request, result);
    if (!webhook) return expect(provider.readWebhook).toBeUndefined();
    const found = await provider.find({ ...request, reference: result.reference });
    const told = await provider.readWebhook!(webhook.body, webhook.headers);
    expect(told.eventId).toMatch(/^evt_/);
    expect(told.fact).toEqual(factOf(found!.state as 'captured', { ...request, ...found! }));
    expect(await provider.readWebhook!(webhook.body, webhook.headers)).toEqual(told);
  });

  it('refuses webhooks that are forged, altered, truncated, unsigned or older than five minutes', async () => {
    const { request, result } = await paid();
    if (!candidate.webhook) return expect(provider.readWebhook).toBeUndefined();
    const { body, headers } = candidate.webhook(request, result);
    const forged = candidate.webhook(request, result, { secret: 'another-secret' });
    const old = candidate.webhook(request, result, { ageS: FIVE_MINUTES + 2 });
    const unsigned = Object.fromEntries(Object.keys(headers).map((key) => [key, '']));
    for (const bad of [
      forged,
      old,
      { body: Buffer.from(`${body} `), headers },
      { body: body.subarray(0, -1), headers },
      { body: Buffer.alloc(0), headers },
      { body, headers: unsigned },
      { body, headers: {} },
    ])
      await expect(provider.readWebhook!(bad.body, bad.headers)).rejects.toMatchObject({ code: 'WEBHOOK_REFUSED' });
    const recent = candidate.webhook(request, result, { ageS: FIVE_MINUTES - 5 });
    expect((await provider.readWebhook!(recent.body, recent.headers)).fact).not.toBeNull();
  });
});

describe('bank transfer', () => {
  it('tells where to, and keeps the order for a week', async () => {
    const provider = manualPayments('Feira, PT50 0000');
    const { state, instructions } = await provider.authorize(newRequest());
    expect({ state, instructions }).toEqual({ state: 'pending', instructions: 'Feira, PT50 0000\nF-7KQ4-ZD2M' });
    expect(provider.holdMs).toBe(7 * 24 * 60 * 60 * 1000);
  });
});

describe('the test provider', () => {
  const withOutcome = (outcome: string) => newRequest({ details: { outcome } });
  const delivered: Delivery[] = [];
  const provider = testPayments({
    secret: TEST_SECRET,
    captureLater: false,
    delayMs: 30,
    deliver: async (body, headers) => void delivered.push({ body: Buffer.from(body), headers }),
  });
  const factsOf = async ({ attempt }: PaymentRequest) => {
    const notices = await Promise.all(delivered.map(({ body, headers }) => provider.readWebhook!(body, headers)));
    return notices.flatMap(({ fact }) => (fact?.reference === `test_${attempt}` ? [fact] : []));
  };

  const factsOnce = async (request: PaymentRequest, count: number) => {
    await eventually(async () => (await factsOf(request)).length === count);
    return factsOf(request);
  };

  it('names the outcomes it knows', () => {
    expect(() => provider.checkDetails({ outcome: 'explode' })).toThrow(/approve, decline, delay/);
  });

  it('declines with a reason', async () => {
    const declined = { state: 'declined', reason: expect.stringContaining('declines') };
    const request = withOutcome('decline');
    expect(await provider.authorize(request)).toMatchObject(declined);
    expect(await provider.find({ ...request, reference: null })).toMatchObject(declined);
  });

  it('delays: a webhook follows, and until then it is pending', async () => {
    const request = withOutcome('delay');
    expect((await provider.authorize(request)).state).toBe('pending');
    expect(await factsOf(request)).toEqual([]);
    const [fact] = await factsOnce(request, 1);
    expect(fact).toMatchObject({ id: `captured:test_${request.attempt}`, orderId: request.orderId, amount: 4200 });
    expect((await provider.find({ ...request, reference: null }))!.state).toBe('captured');
  });

  it('sends no webhook for what was given up', async () => {
    const [givenUp, kept] = [withOutcome('delay'), withOutcome('delay')];
    const result = await provider.authorize(givenUp);
    await provider.authorize(kept);
    await provider.void(paymentOf(givenUp, result, 'void'));
    await factsOnce(kept, 1);
    expect(await factsOf(givenUp)).toEqual([]);
  });

  it('sends the webhook first, or twice', async () => {
    const [first, twice] = [withOutcome('webhook-first'), withOutcome('webhook-twice')];
    expect((await provider.authorize(first)).state).toBe('captured');
    expect(await factsOf(first)).toHaveLength(1);
    expect((await provider.authorize(twice)).state).toBe('captured');
    expect(await factsOnce(twice, 2)).toHaveLength(2);
  });

  it('refuses the first refund of a payment, and no other', async () => {
    const request = withOutcome('refund-fails');
    const result = await provider.authorize(request);
    expect(result.state).toBe('captured');
    const refund = (refundId: string) => provider.refund({ ...paymentOf(request, result, refundId), refundId });
    const [first, second] = [hexId(), hexId()];
    const refused = { id: `refund-failed:${first}`, reason: expect.stringContaining('refuses') };
    expect(await refund(first)).toMatchObject(refused);
    expect(await refund(second)).toMatchObject({ id: `refunded:${second}` });
    expect(await refund(first)).toMatchObject(refused);
  });

  it('takes the money and loses the answer', async () => {
    const request = withOutcome('timeout');
    await expect(provider.authorize(request)).rejects.toThrow('does not answer');
    expect((await provider.find({ ...request, reference: null }))!.state).toBe('captured');
  });
});

describe('Stripe', () => {
  const eventOf = async (type: string, object: object, provider = stripe()) => {
    const { body, headers } = stub.event(type, object);
    return (await provider.readWebhook!(body, headers)).fact;
  };
  const started = async (provider = stripe(), overrides: Partial<PaymentRequest> = {}) => {
    const request = newRequest(overrides);
    return { request, result: await provider.authorize(request) };
  };

  it('sends the buyer to its page, with what the shop knows of the order', async () => {
    const { request, result } = await started();
    expect(result).toMatchObject({ state: 'pending', redirect: expect.stringContaining(result.reference) });
    expect(stub.sessions.get(result.reference)).toMatchObject({
      amount_total: 4200,
      currency: 'eur',
      client_reference_id: request.attempt,
      metadata: { orderId: request.orderId, attempt: request.attempt },
    });
  });

  it('finds nothing that never came', async () => {
    expect(await stripe().find({ ...newRequest(), reference: null })).toBeNull();
  });

  it('tries a lost answer again by itself, and finds what it has lost', async () => {
    stub.loseAnswers(1);
    const { result } = await started();
    expect(result.state).toBe('pending');
    const request = newRequest();
    stub.loseAnswers(3);
    await expect(stripe().authorize(request)).rejects.toThrow();
    const found = await stripe().find({ ...request, reference: null });
    expect(found).toMatchObject({ state: 'pending', redirect: expect.stringContaining('https://') });
    expect([...stub.sessions.values()].filter((each) => each.client_reference_id === request.attempt)).toHaveLength(1);
  });

  it('declines what Stripe refuses, without its words', async () => {
    const { result } = await started(stripe(), { amount: 10 });
    expect(result).toMatchObject({ state: 'declined', reason: 'The payment provider refuses it (amount_too_small).' });
  });

  it('does not take currencies that Stripe counts in other units', () => {
    expect(['EUR', 'USD', 'JPY', 'ISK', 'KWD'].filter((currency) => stripe().accepts(currency))).toEqual([
      'EUR',
      'USD',
      'JPY',
    ]);
  });

  it('captures nothing that the buyer has not paid', async () => {
    const { request, result } = await started();
    await expect(stripe().capture(paymentOf(request, result, 'c'))).rejects.toMatchObject({ code: 'NO_PAYMENT' });
  });

  it('closes its page when the payment is given up, unless it was paid', async () => {
    const provider = stripe();
    const { request, result } = await started(provider);
    await provider.void(paymentOf(request, result, 'void'));
    expect(stub.sessions.get(result.reference)!.status).toBe('expired');
    const second = await started(provider);
    stub.pay(second.result.reference);
    expect((await provider.void(paymentOf(second.request, second.result, 'void'))).kind).toBe('captured');
  });

  it('cancels what was authorized', async () => {
    const provider = stripe(true);
    const { request, result } = await started(provider);
    const intent = stub.pay(result.reference);
    const fact = await provider.void(paymentOf(request, result, 'void'));
    expect(fact.kind).toBe('voided');
    expect(stub.intentOf(result.reference).status).toBe('canceled');
    expect(await eventOf('payment_intent.canceled', intent, provider)).toEqual(fact);
  });

  it('tells of authorizations, captures, failures and expiry by webhook, whichever event comes', async () => {
    const provider = stripe(true);
    const { request, result } = await started(provider);
    expect(await eventOf('checkout.session.completed', { id: result.reference }, provider)).toBeNull();
    const intent = stub.pay(result.reference);
    expect(await eventOf('checkout.session.completed', { id: result.reference }, provider)).toMatchObject({
      id: `authorized:${result.reference}`,
      amount: 4200,
    });
    await provider.capture(paymentOf(request, result, 'capture'));
    expect(await eventOf('payment_intent.succeeded', intent, provider)).toMatchObject({
      id: `captured:${result.reference}`,
    });

    const failed = await started();
    stub.pay(failed.result.reference, { fails: true });
    const { reference } = failed.result;
    expect(await eventOf('checkout.session.async_payment_failed', { id: reference })).toMatchObject({
      id: `declined:${reference}`,
      reason: 'The bank has refused the debit.',
    });
    const late = await started();
    stub.expire(late.result.reference);
    expect(await eventOf('checkout.session.expired', { id: late.result.reference })).toMatchObject({
      kind: 'declined',
      orderId: late.request.orderId,
      reason: 'The time to pay was over.',
    });
  });

  it('waits for refunds that take longer, and tells of those that fail', async () => {
    const provider = stripe();
    const { request, result } = await started(provider);
    stub.pay(result.reference);
    const refund = { ...paymentOf(request, result, 'refund'), refundId: hexId() };
    stub.refundsBecome('pending');
    expect(await provider.refund(refund)).toBeNull();
    stub.refundsBecome('succeeded');
    const made = stub.refunds.at(-1)!;
    expect(await eventOf('refund.created', made)).toBeNull();
    const failed = { id: `refund-failed:${refund.refundId}`, reference: result.reference, orderId: request.orderId };
    expect(await eventOf('refund.failed', { ...made, status: 'failed', failure_reason: 'expired_card' })).toMatchObject(
      {
        ...failed,
        reason: 'expired_card',
      },
    );
    expect(await eventOf('refund.updated', { ...made, status: 'succeeded' })).toMatchObject({
      id: `refunded:${refund.refundId}`,
      amount: 4200,
    });
    const tooMuch = { ...refund, key: 'refund-2', refundId: hexId() };
    expect(await provider.refund(tooMuch)).toMatchObject({ kind: 'refund-failed', reason: 'charge_already_refunded' });
  });

  it('refuses a refund again, and makes another one', async () => {
    const { request, result } = await started();
    stub.pay(result.reference);
    const refund = (refundId: string) => stripe().refund({ ...paymentOf(request, result, refundId), refundId });
    const [first, second] = [hexId(), hexId()];
    stub.refundsBecome('failed');
    const failed = await refund(first);
    stub.refundsBecome('succeeded');
    expect(failed).toMatchObject({ id: `refund-failed:${first}`, reason: 'expired_or_canceled_card' });
    stub.forgetKeys();
    expect(await refund(first)).toEqual(failed);
    expect(await refund(second)).toMatchObject({ id: `refunded:${second}`, amount: 4200 });
  });

  it('tells of refunds that were made on its own pages', async () => {
    const { request, result } = await started();
    const { id: payment_intent } = stub.pay(result.reference);
    const refund = { id: 're_1', object: 'refund', status: 'succeeded', amount: 700, payment_intent, metadata: {} };
    expect(await eventOf('refund.created', refund)).toMatchObject({
      id: 'refunded:re_1',
      orderId: request.orderId,
      amount: 700,
    });
  });

  it('leaves other events, and payments of other systems on the same account, alone', async () => {
    expect(await eventOf('customer.created', { id: 'cus_1' })).toBeNull();
    expect(
      await eventOf('refund.created', { id: 're_2', status: 'succeeded', amount: 1, payment_intent: 'pi_x' }),
    ).toBeNull();
    expect(await eventOf('payment_intent.succeeded', { id: 'pi_x' })).toBeNull();
  });

  it('accepts a recorded signature within five minutes, and no longer', async () => {
    const recorded = {
      id: 'evt_recorded',
      object: 'event',
      type: 'customer.created',
      data: { object: { id: 'cus_1' } },
    };
    const at = Date.UTC(2026, 0, 1) / 1000;
    const { body, headers } = signed(recorded, { timestamp: at });
    expect(headers['stripe-signature']).toBe(RECORDED);
    const clock = jest.spyOn(Date, 'now');
    clock.mockReturnValue((at + FIVE_MINUTES) * 1000);
    expect(await stripe().readWebhook!(body, headers)).toEqual({ eventId: 'evt_recorded', fact: null });
    clock.mockReturnValue((at + FIVE_MINUTES + 1) * 1000);
    await expect(stripe().readWebhook!(body, headers)).rejects.toMatchObject({ code: 'WEBHOOK_REFUSED' });
  });
});

const RECORDED = 't=1767225600,v1=97ecc4e64c9772fcd2de19255c5893237999d824841a5e8aa2402bb2ffc6d26a';
