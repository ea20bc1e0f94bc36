/** Taking back an order, whole or in part: its units return to stock, and its money to the buyer. */
import type { Writes } from '../database/writes.ts';
import type { OrderRecord, OrderRefund } from '../models/order.model.ts';
import { giveCouponBack } from './coupon-uses.ts';
import {
  type By,
  entry,
  type OrderChange,
  paymentToRefund,
  stockChanged,
  unitsOf,
  withRefund,
} from './order-changes.ts';
import { customerOf } from './order-payments.ts';
import { unitsToRestock } from './order-rules.ts';
import { moneyOf } from './order-status.ts';
import { returnStock } from './stock.ts';

/** Cancelled, by buyers, staff, or the shop itself when nobody has paid in time; its coupon can be used again. */
export async function cancelIn(writes: Writes, order: OrderRecord, by: By): Promise<OrderChange> {
  const orderId = order._id.toHexString();
  await returnStock(writes, unitsOf(order), `cancel:${orderId}:${order.version}`);
  if (order.coupon) await giveCouponBack(writes.session, order.coupon.id, customerOf(order));
  const change: OrderChange = {
    set: { cancelledAt: new Date(), stock: 'returned', holdUntil: null },
    timeline: [entry('cancelled', by)],
    events: [{ type: 'order.cancelled', data: { orderId } }, stockChanged(order)],
  };
  const { refundable: amount } = moneyOf(order.ledger);
  return amount > 0 ? withRefund(order, change, { amount, reference: paymentToRefund(order, amount), ...by }) : change;
}

/** With a refund that is asked for. */
export async function refundIn(writes: Writes, order: OrderRecord, refund: OrderRefund, who: By): Promise<OrderChange> {
  const { id: refundId, amount, reason: detail } = refund;
  const by = { ...who, detail };
  const restocked = unitsToRestock(order, refund.lines);
  await returnStock(writes, restocked, `refund:${refundId}`);
  const change: OrderChange = {
    set: { refunds: [...order.refunds, refund] },
    timeline: restocked.length > 0 ? [entry('restocked', { ...by, staffOnly: true })] : [],
    events: restocked.length > 0 ? [stockChanged(order)] : [],
  };
  return withRefund(order, change, { amount, reference: paymentToRefund(order, amount), refundId, ...by });
}
