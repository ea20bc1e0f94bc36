/** The attempts to get an order paid, as they are stored. */
import { Types } from 'mongoose';
import type { MadeAttempt, Payment, PaymentDetails, PaymentFact } from '../adapters/payments/payment-provider.ts';
import { isDuplicateKey } from '../database/transaction.ts';
import type { Writes } from '../database/writes.ts';
import { AppError } from '../errors.ts';
import { PaymentAttempt, type PaymentAttemptRecord } from '../models/payment-attempt.model.ts';

/** Longer than any request to a provider takes, with its repeats. */
const RUNNING_MS = 90_000;

/** What a payment needs of its order. `total` in minor units. */
export interface PayableOrder {
  id: string;
  number: string;
  email: string;
  currency: string;
  total: number;
  paymentMethod: string;
}

/** For `throw`. */
export const running = () => new AppError('PAYMENT_RUNNING', 'The payment provider is being asked at this moment.');

/** Somebody may still be waiting for the provider's answer. */
export const isRunning = ({ state, startedAt }: PaymentAttemptRecord) =>
  state === 'running' && Date.now() - startedAt.getTime() < RUNNING_MS;

/** A new one, the open one of its order. */
export function newAttempt(
  { id, number, currency, total: amount, paymentMethod: provider }: PayableOrder,
  details: PaymentDetails,
): PaymentAttemptRecord {
  const order = new Types.ObjectId(id);
  return {
    ...{ _id: new Types.ObjectId(), order, open: order, number, provider, amount, currency, details },
    ...{ state: 'running', reference: null, startedAt: new Date() },
  };
}

/** Stores a new one. @throws AppError PAYMENT_RUNNING */
export async function start(order: PayableOrder, details: PaymentDetails): Promise<PaymentAttemptRecord> {
  const attempt = newAttempt(order, details);
  try {
    await PaymentAttempt.insertMany([attempt], { lean: true });
    return attempt;
  } catch (error) {
    throw isDuplicateKey(error) ? running() : error;
  }
}

/** The newest attempt of an order in one of the states. */
export const latest = (order: string, states: readonly PaymentAttemptRecord['state'][]) =>
  PaymentAttempt.findOne({ order, state: { $in: states } }, null, { sort: { _id: -1 } }).lean();

/** What each state may follow: facts are told in any order. */
const UNDECIDED = ['running', 'pending'] as const;
const BEFORE = {
  authorized: UNDECIDED,
  declined: UNDECIDED,
  voided: [...UNDECIDED, 'authorized'],
  captured: [...UNDECIDED, 'authorized', 'voided', 'declined', 'failed'],
} as const;

/** Keeps what has become of an attempt. */
export function note(
  { kind, reference }: PaymentFact,
  attempt: { _id: Types.ObjectId } | { order: Types.ObjectId; reference: string },
  writes: Writes,
): void {
  if (kind === 'refunded' || kind === 'refund-failed') return;
  const filter = { ...attempt, state: { $in: BEFORE[kind] } };
  writes.update(PaymentAttempt, [{ filter, update: { $set: { state: kind, reference }, $unset: { open: true } } }]);
}

/** @param purpose tells requests for the same payment apart */
export const toPayment = (attempt: PaymentAttemptRecord, purpose: string): Payment => ({
  orderId: attempt.order.toHexString(),
  reference: attempt.reference ?? '',
  amount: attempt.amount,
  currency: attempt.currency,
  key: `${attempt._id.toHexString()}-${purpose}`,
});

/** What its provider is asked about. */
export const toAttempt = ({ _id, order, ...attempt }: PaymentAttemptRecord): MadeAttempt => ({
  attempt: _id.toHexString(),
  orderId: order.toHexString(),
  number: attempt.number,
  amount: attempt.amount,
  currency: attempt.currency,
  details: attempt.details,
  startedAt: attempt.startedAt,
  reference: attempt.reference,
});
