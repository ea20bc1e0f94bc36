/** Cancelling an order, for whoever does it: buyers, staff, and the shop itself when nobody has paid in time. */
import type { Writes } from '../database/writes.ts';
import type { OrderRecord } from '../models/order.model.ts';
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
import { moneyOf } from './order-status.ts';
import { returnStock } from './stock.ts';

/** The order without its units and its coupon, and with its money on the way back. */
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
