/** What a refund is worth; pure. Refunds of all units and of shipping together are exactly what was paid. */
import { Types } from 'mongoose';
import { AppError, invalidInput } from '../errors.ts';
import type { OrderRecord, OrderRefund } from '../models/order.model.ts';
import type { RefundOrder } from '../schemas/order.schema.ts';
import { unitsBack } from './order-changes.ts';
import { moneyOf } from './order-status.ts';

type Refunded = Pick<OrderRecord, 'lines' | 'totals' | 'refunds' | 'ledger'>;

/** @throws AppError INVALID_INPUT for lines that are not there, LIMIT_REACHED for more than what is left to refund */
export function refundOf(
  order: Refunded,
  { lines, shipping: withShipping, amount: given, reason }: RefundOrder,
): OrderRefund {
  const shipping = withShipping ? shippingLeft(order) : 0;
  const cost = lines.reduce((sum, line, i) => sum + costOfUnits(order, line, i), shipping);
  const amount = given ?? cost;
  if (amount === 0)
    throw invalidInput([{ pointer: '#/amount', detail: 'must be there: what is refunded costs nothing' }]);
  const { refundable } = moneyOf(order.ledger);
  if (amount > refundable)
    throw new AppError('LIMIT_REACHED', 'This is more than what is left to refund.', { refundable, amount });
  return { id: new Types.ObjectId().toHexString(), amount, shipping, lines, reason, at: new Date() };
}

/** What some units of a line cost. The fractions of a unit fall to the later ones, so that nothing is lost. */
function costOfUnits(order: Refunded, { line: index, quantity }: RefundOrder['lines'][number], i: number): number {
  const line = order.lines[index];
  if (!line) throw invalidInput([{ pointer: `#/lines/${i}/line`, detail: 'is not a line of this order' }]);
  const before = unitsBack(order.refunds, index);
  const left = line.quantity - before;
  if (quantity > left) throw invalidInput([{ pointer: `#/lines/${i}/quantity`, detail: `must be at most ${left}` }]);
  const whole = BigInt(line.total - line.discount + (order.totals.taxIncluded ? 0 : line.tax));
  const costOfFirst = (units: number) => Number((whole * BigInt(units)) / BigInt(line.quantity));
  return costOfFirst(before + quantity) - costOfFirst(before);
}

/** Shipping with its tax, less what was refunded of it. */
function shippingLeft({ lines, totals, refunds }: Refunded): number {
  const tax = totals.taxIncluded ? 0 : lines.reduce((left, line) => left - line.tax, totals.tax);
  return refunds.reduce((left, refund) => left - refund.shipping, totals.shipping + tax);
}
