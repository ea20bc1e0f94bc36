/**
 * What a refund is worth; pure. Refunds of all units and of shipping together are exactly what was paid, whichever of them
 * have failed in between: what a failed one was for can be refunded again, but its units go into stock once. One that is
 * tried again keeps its amount: when units beside it were refunded meanwhile, fractions of a unit may be left to refund.
 */
import { Types } from 'mongoose';
import { AppError, invalidInput } from '../errors.ts';
import type { OrderRecord, OrderRefund } from '../models/order.model.ts';
import type { RefundOrder } from '../schemas/order.schema.ts';
import { unitsBack } from './order-changes.ts';
import { liveRefunds, moneyOf } from './order-status.ts';

type Refunded = Pick<OrderRecord, 'lines' | 'totals' | 'refunds' | 'ledger'>;

/** @throws AppError INVALID_INPUT for lines that are not there, LIMIT_REACHED for more than what is left to refund */
export function refundOf(
  order: Refunded,
  { lines, shipping: withShipping, amount: given, reason }: RefundOrder,
): OrderRefund {
  const shipping = withShipping ? shippingLeft(order) : 0;
  const priced = lines.map((line, i) => ({ ...line, cost: costOfUnits(order, line, i) }));
  const amount = given ?? priced.reduce((sum, { cost }) => sum + cost, shipping);
  if (amount === 0)
    throw invalidInput([{ pointer: '#/amount', detail: 'must be there: what is refunded costs nothing' }]);
  const { refundable } = moneyOf(order.ledger);
  if (amount > refundable)
    throw new AppError('LIMIT_REACHED', 'This is more than what is left to refund.', { refundable, amount });
  return { id: new Types.ObjectId().toHexString(), amount, shipping, lines: priced, reason, at: new Date() };
}

/** Can a refund that has failed still be given back as it was asked for, or was it given back in another way? */
export function isStillDue(order: Refunded, { id, amount }: { id: string; amount: number }): boolean {
  const live = liveRefunds(order);
  const asked = order.refunds.find((one) => one.id === id);
  const areLeft = asked?.lines.every(
    ({ line, quantity }) => unitsBack(live, line) + quantity <= (order.lines[line]?.quantity ?? 0),
  );
  const isShippingLeft = !asked?.shipping || asked.shipping <= shippingLeft(order);
  return amount <= moneyOf(order.ledger).refundable && areLeft !== false && isShippingLeft;
}

/** What some units of a line cost, of what is left of it. The fractions of a unit fall to the last ones. */
function costOfUnits(order: Refunded, wanted: RefundOrder['lines'][number], i: number): number {
  const { line: index, quantity, restock } = wanted;
  const line = order.lines[index];
  if (!line) throw invalidInput([{ pointer: `#/lines/${i}/line`, detail: 'is not a line of this order' }]);
  const live = liveRefunds(order);
  const left = line.quantity - unitsBack(live, index);
  if (quantity > left) throw invalidInput([{ pointer: `#/lines/${i}/quantity`, detail: `must be at most ${left}` }]);
  const stocked = unitsBack(order.refunds, index, true);
  if (restock && quantity > line.quantity - stocked)
    throw invalidInput([
      { pointer: `#/lines/${i}/restock`, detail: `must not be: ${stocked} are back in stock already` },
    ]);
  const whole = line.total - line.discount + (order.totals.taxIncluded ? 0 : line.tax);
  const shareOf = (worth: number, units: number, all: number) => Number((BigInt(worth) * BigInt(units)) / BigInt(all));
  const refunded = live.flatMap(({ lines }) => lines.filter((one) => one.line === index));
  const worthLeft = refunded.reduce(
    (sum, one) => sum - (one.cost ?? shareOf(whole, one.quantity, line.quantity)),
    whole,
  );
  return shareOf(worthLeft, quantity, left);
}

/** Shipping with its tax, less what was refunded of it. */
function shippingLeft(order: Refunded): number {
  const { lines, totals } = order;
  const tax = totals.taxIncluded ? 0 : lines.reduce((left, line) => left - line.tax, totals.tax);
  return liveRefunds(order).reduce((left, refund) => left - refund.shipping, totals.shipping + tax);
}
