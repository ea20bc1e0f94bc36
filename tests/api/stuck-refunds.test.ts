import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import request from 'supertest';
import { admin, staff } from '../helpers/accounts.ts';
import { misfits, readApiDocument } from '../helpers/api-document.ts';
import { anOrder } from '../helpers/orders.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, type StripeStub, startStripeStub } from '../helpers/stripe-stub.ts';
import { eventually } from '../helpers/wait-for.ts';

let feira: Feira;
let stub: StripeStub;
let boss: Awaited<ReturnType<typeof admin>>;
beforeAll(async () => {
  stub = await startStripeStub();
  const stripe = { STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, STRIPE_API_URL: stub.url };
  feira = await startFeira({ BANK_DETAILS: 'Feira, PT50 0000', ...stripe });
  boss = await admin(feira);
});
afterAll(async () => {
  await feira.stop();
  await stub.stop();
});
afterEach(() => {
  stub.refundsBecome('succeeded');
  stub.loseAnswers(0);
});

/** An order that was paid by Stripe, as staff and its buyer deal with it. */
async function paidOrder() {
  const made = await anOrder(feira, { paymentMethod: 'stripe', payment: {} });
  const order = new mongoose.Types.ObjectId(made.id);
  const attempt = await mongoose.connection.collection('payment_attempts').findOne({ order });
  stub.pay(attempt!.reference);
  const { body, headers } = stub.event('checkout.session.completed', { id: attempt!.reference });
  await request(feira.url).post('/api/payments/stripe/webhook').set(headers).send(body.toString()).expect(200);
  const read = async () => (await boss.as('get', made.path())).body;
  return {
    ...made,
    read,
    stuck: async () => (await read()).stuckRefunds,
    /** @returns its id */
    refund: async (amount: number): Promise<string> => {
      const { body } = await boss.as('post', made.path('/refund')).send({ amount, reason: 'Chipped' }).expect(200);
      return body.refunds.at(-1).id;
    },
    retry: (refundId: string, who: Pick<typeof boss, 'as'> = boss) =>
      who.as('post', made.path(`/refunds/${refundId}/retry`)),
    atStripe: () => stub.refunds.filter(({ metadata }) => metadata.orderId === made.id),
    kinds: async () => (await read()).ledger.map(({ kind }: { kind: string }) => kind),
  };
}

/** What staff alone learn of. */
const SECRETS = /stuckRefunds|expired_or_canceled|refund-(failed|given-up|retried)|does not answer/;

describe('a refund that the provider has refused', () => {
  it('is shown to staff with its reason, and is tried again with another key', async () => {
    const { refund, retry, read, stuck, kinds, asGuest, atStripe, path, id } = await paidOrder();
    stub.refundsBecome('failed');
    const refundId = await refund(1000);
    await eventually(async () => (await stuck()).length === 1);
    const shown = await boss.as('get', path());
    expect(misfits(await readApiDocument(feira), 'get', '/api/orders/{oid}', shown)).toEqual([]);
    const { at: since } = shown.body.ledger.at(-1);
    expect(await stuck()).toEqual([
      { id: refundId, amount: 1000, since, why: 'refused', reason: 'expired_or_canceled_card' },
    ]);
    expect((await asGuest('get')).text).not.toMatch(SECRETS);

    expect((await retry(refundId).set('If-Match', '"1"').send({})).status).toBe(412);
    stub.refundsBecome('succeeded');
    const tried = await retry(refundId).send({});
    expect([tried.status, tried.body.stuckRefunds]).toEqual([200, []]);
    const where = '/api/orders/{oid}/refunds/{refundId}/retry';
    expect(misfits(await readApiDocument(feira), 'post', where, tried)).toEqual([]);
    await eventually(async () => (await read()).refunded === 1000);
    expect(await kinds()).toEqual(['captured', 'refund-requested', 'refund-failed', 'refund-requested', 'refunded']);
    expect((await read()).ledger[3]).toMatchObject({ refundId, amount: 1000 });
    expect(atStripe().map(({ status }) => status)).toEqual(['failed', 'succeeded']);
    expect((await asGuest('get')).text).not.toMatch(SECRETS);

    const { body: audit } = await boss.as('get', `/api/audit?targetId=${id}&action=order.refund-retried`);
    const before = [{ id: refundId, amount: 1000, why: 'refused' }];
    expect(audit.items).toMatchObject([{ changes: { stuckRefunds: { before, after: [] } } }]);
    const told = (await read()).timeline.filter(({ event }: { event: string }) => event === 'refund-retried');
    expect(told).toMatchObject([{ by: 'staff', staffOnly: true, amount: 1000 }]);
  });

  it('is tried again as often as it is refused, once by many at the same time', async () => {
    const { refund, retry, read, stuck, atStripe } = await paidOrder();
    stub.refundsBecome('failed');
    const refundId = await refund(700);
    await eventually(async () => (await stuck()).length === 1);
    await retry(refundId).send({}).expect(200);
    await eventually(async () => (await stuck()).length === 1);
    stub.refundsBecome('succeeded');
    const answers = await Promise.all(Array.from({ length: 5 }, () => retry(refundId).send({})));
    expect(answers.map(({ status, body }) => body.code ?? status).sort()).toEqual([
      200,
      ...Array(4).fill('REFUND_NOT_STUCK'),
    ]);
    await eventually(async () => (await read()).refunded === 700);
    expect(atStripe().map(({ status }) => status)).toEqual(['failed', 'failed', 'succeeded']);
  });

  it('is not tried again when it has come about, was replaced, or is none; nor by those who may not', async () => {
    const { order, refund, retry, read, stuck } = await paidOrder();
    const done = await refund(100);
    await eventually(async () => (await read()).refunded === 100);
    const refused = await retry(done).send({});
    expect([refused.status, refused.body.code]).toEqual([409, 'REFUND_NOT_STUCK']);
    expect((await retry('f'.repeat(24)).send({})).status).toBe(404);
    expect((await retry('nonsense').send({})).body.code).toBe('INVALID_ID');
    expect((await retry(done, await staff(feira, 'seller')).send({})).status).toBe(403);

    stub.refundsBecome('failed');
    const failed = await refund(order.totals.total - 100);
    await eventually(async () => (await stuck()).length === 1);
    stub.refundsBecome('succeeded');
    await refund(200);
    expect(await stuck()).toEqual([]);
    const late = await retry(failed).send({});
    expect([late.status, late.body.detail]).toEqual([409, 'What this refund was for is refunded in another way.']);
  });
});

describe('a refund that the shop has given up asking for', () => {
  it('is shown to staff, and tried again without giving money back twice', async () => {
    const { id, refund, retry, read, stuck, kinds, asGuest, atStripe } = await paidOrder();
    // It is made, and nobody hears of it.
    stub.loseAnswers(Infinity, 'POST');
    const refundId = await refund(1000);
    await eventually(async () => atStripe().length === 1);
    stub.loseAnswers(Infinity);
    const running = await retry(refundId).send({});
    expect([running.status, running.body.detail]).toEqual([409, 'The refund is on its way.']);
    const events = mongoose.connection.collection('outbox_events');
    const waiting = { consumer: 'refunds', 'data.orderId': id, claim: { $exists: false } };
    const lastTry = { $set: { tries: 12, dueAt: new Date() } };
    await eventually(
      async () => (await events.updateOne({ ...waiting, tries: { $gt: 0 } }, lastTry)).matchedCount === 1,
    );
    await eventually(async () => (await stuck()).length === 1);
    expect(await stuck()).toEqual([
      expect.objectContaining({ id: refundId, why: 'unanswered', reason: expect.stringContaining('does not answer') }),
    ]);
    expect((await asGuest('get')).text).not.toMatch(SECRETS);
    await eventually(async () => (await events.countDocuments({ ...waiting, givenUpAt: { $exists: true } })) === 1);

    stub.loseAnswers(0);
    stub.forgetKeys();
    expect((await retry(refundId).send({})).status).toBe(200);
    await eventually(async () => (await read()).refunded === 1000);
    expect(await kinds()).toEqual(['captured', 'refund-requested', 'refunded']);
    expect([atStripe().length, await stuck()]).toEqual([1, []]);
  });
});
