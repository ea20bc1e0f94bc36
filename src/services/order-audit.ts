/** What staff have done with orders, for the record. */
import type { ClientSession } from 'mongoose';
import type { Actor } from '../actor.ts';
import type { OrderRecord } from '../models/order.model.ts';
import { recordStaffWrites } from './audit.service.ts';
import { stuckRefundsOf } from './order-stuck-refunds.ts';
import type { AlsoOf } from './payment.service.ts';

/** Goes into the transaction of the change. */
export function recordOrderWrite(
  actor: Actor,
  action: string,
  { before, after }: { before: OrderRecord; after: OrderRecord },
  session: ClientSession,
): Promise<void> {
  const write = { action, targetId: after._id.toHexString(), before: changing(before), after: changing(after) };
  return recordStaffWrites(actor, [write], session);
}

/** The record of what staff have had PaymentService do, written with it. */
export const audited =
  (actor: Actor, kind: 'captured' | 'voided'): AlsoOf =>
  (fact) =>
    fact.kind !== kind ? undefined : ({ session }, orders) => recordOrderWrite(actor, `order.${kind}`, orders, session);

/** What of an order staff can change. What they say is in the order alone, where it can be erased. */
const changing = (order: OrderRecord) => ({
  status: order.status,
  paymentStatus: order.paymentStatus,
  fulfilmentStatus: order.fulfilmentStatus,
  refunds: order.refunds.map(({ reason: _said, ...refund }) => refund),
  stuckRefunds: stuckRefundsOf(order).map(({ id, amount, why }) => ({ id, amount, why })),
});
