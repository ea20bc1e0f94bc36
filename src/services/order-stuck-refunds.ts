/**
 * Refunds that do not come about by themselves any more: the provider has refused them, or did not answer for so long that
 * the shop has given up asking. Staff try them again. A refund that was refused is asked for anew, under an id of its own:
 * providers answer a repeat with the same refusal. One without an answer is asked for under its old id, so that it is given
 * back once if it was given back after all.
 */
import { Types } from 'mongoose';
import { AppError } from '../errors.ts';
import type { LedgerEntry, OrderRecord } from '../models/order.model.ts';
import { type By, entry, type OrderChange } from './order-changes.ts';
import { isStillDue } from './order-refunds.ts';
import { openRefunds, type RefundState, refundStates } from './order-status.ts';

export interface StuckRefund {
  id: string;
  amount: number;
  since: Date;
  why: 'refused' | 'unanswered';
  /** In the provider's words, or the shop's: not for customers. */
  reason: string | null;
}

/** What failed and was given back in another way is settled. */
export const stuckRefundsOf = (order: OrderRecord): StuckRefund[] =>
  refundStates(order.ledger).flatMap((refund) => stuckRefund(order, refund) ?? []);

function stuckRefund(order: OrderRecord, { id, amount, state, tries, open }: RefundState): StuckRefund | null {
  if (open) {
    const given = givenUp(order, open);
    return given && { id, amount, since: given.at, why: 'unanswered', reason: given.detail };
  }
  if (state === 'refunded' || !isStillDue(order, { id, amount })) return null;
  const isOfIt = ({ kind, refundId }: LedgerEntry) =>
    kind === 'refund-failed' && tries.some((one) => one.id === refundId);
  const failed = order.ledger.findLast(isOfIt);
  const told = order.timeline.find(({ factId }) => factId === failed?.id);
  return { id, amount, since: failed?.at ?? order.updatedAt, why: 'refused', reason: told?.detail ?? null };
}

/** When the shop has stopped to ask for a try that is open; null when it still does. */
function givenUp({ timeline }: OrderRecord, { id }: LedgerEntry) {
  const last = timeline.findLast(
    ({ event, factId }) => factId === id && (event === 'refund-given-up' || event === 'refund-retried'),
  );
  return last?.event === 'refund-given-up' ? last : null;
}

/** @param id of the try that nobody asks for any more. @returns null when that is known, or it was answered after all */
export function changeByGivingUp(order: OrderRecord, id: string, reason: string): OrderChange | null {
  const open = openRefunds(order.ledger).find((one) => one.id === id);
  if (!open || givenUp(order, open)) return null;
  const { amount } = open;
  return { timeline: [entry('refund-given-up', { amount, detail: reason, factId: id, staffOnly: true })] };
}

/** A stuck refund, asked for once more. @throws AppError NOT_FOUND, REFUND_NOT_STUCK */
export function changeByRetry(order: OrderRecord, id: string, by: By): OrderChange {
  const refund = refundStates(order.ledger).find((one) => one.id === id);
  const [first] = refund?.tries ?? [];
  if (!refund || !first) throw new AppError('NOT_FOUND', 'The order has no such refund.');
  const { state, amount } = refund;
  if (!stuckRefund(order, refund)) throw new AppError('REFUND_NOT_STUCK', NOT_STUCK[state]);
  const anew = { ...first, id: new Types.ObjectId().toHexString(), at: new Date(), refundId: id };
  const { id: refundId } = refund.open ?? anew;
  return {
    ledger: refund.open ? [] : [anew],
    timeline: [entry('refund-retried', { ...by, amount, factId: refundId, staffOnly: true })],
    events: [{ type: 'order.refund_requested', data: { orderId: order._id.toHexString(), refundId } }],
  };
}

const NOT_STUCK: Record<RefundState['state'], string> = {
  open: 'The refund is on its way.',
  refunded: 'The refund has come about.',
  failed: 'What this refund was for is refunded in another way.',
};
