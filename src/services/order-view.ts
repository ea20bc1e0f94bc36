/** An order as it leaves the server. */
import type { OrderDto, OrderRecord, TimelineEntry } from '../models/order.model.ts';
import { unitsBack } from './order-changes.ts';
import { liveRefunds, moneyOf, movesOf } from './order-status.ts';
import { stuckRefundsOf } from './order-stuck-refunds.ts';
import type { PayableOrder, PaymentAnswer } from './payment.service.ts';

/** Customers and guests see their part; staff see all of it. */
export type Viewer = 'customer' | 'staff';

/** What a customer may do with an order of theirs; the rest is for staff. */
const CUSTOMER_MOVES: readonly string[] = ['pay', 'cancel'];

export function toOrderDto(order: OrderRecord, viewer: Viewer): OrderDto {
  const isStaff = viewer === 'staff';
  const { captured, refunded } = moneyOf(order.ledger);
  const { number, status, paymentStatus, fulfilmentStatus, email, locale, currency } = order;
  const { address, shipping, totals, paymentMethod, version } = order;
  const moves = movesOf(order);
  const live = liveRefunds(order);
  return {
    ...{ id: order._id.toHexString(), number, status, paymentStatus, fulfilmentStatus },
    ...{ owner: order.owner?.toHexString() ?? null, email, locale, currency },
    lines: order.lines.map(({ productId, variantId, ...line }, i) => ({
      ...line,
      productId: productId.toHexString(),
      variantId: variantId?.toHexString() ?? null,
      refunded: unitsBack(live, i),
    })),
    ...{ address, shipping, coupon: order.coupon?.code ?? null, totals, paymentMethod },
    captured,
    refunded,
    holdUntil: order.holdUntil?.toISOString() ?? null,
    cancelledAt: order.cancelledAt?.toISOString() ?? null,
    fulfilledAt: order.fulfilledAt?.toISOString() ?? null,
    deliveredAt: order.deliveredAt?.toISOString() ?? null,
    moves: isStaff ? moves : moves.filter((move) => isForCustomer(move, captured)),
    timeline: order.timeline.filter((one) => isStaff || !one.staffOnly).map((one) => toTimelineDto(one, isStaff)),
    ...(isStaff && { ledger: order.ledger.map((one) => ({ ...one, at: one.at.toISOString() })) }),
    refunds: order.refunds.map((one) => ({ ...one, at: one.at.toISOString() })),
    ...(isStaff && {
      stuckRefunds: stuckRefundsOf(order).map((one) => ({ ...one, since: one.since.toISOString() })),
    }),
    ...{ version, createdAt: order.createdAt.toISOString(), updatedAt: order.updatedAt.toISOString() },
  };
}

/** What was paid for is cancelled by staff, who give the money back. */
export const isForCustomer = (move: string, captured: number) =>
  CUSTOMER_MOVES.includes(move) && (move !== 'cancel' || captured === 0);

function toTimelineDto({ factId: _fact, staffOnly, actorId, at, ...told }: TimelineEntry, isStaff: boolean) {
  return { ...told, at: at.toISOString(), ...(isStaff && { staffOnly, ...(actorId && { actorId }) }) };
}

/** What a payment needs of its order. */
export const toPayable = (order: OrderRecord): PayableOrder => ({
  id: order._id.toHexString(),
  number: order.number,
  email: order.email ?? '',
  currency: order.currency,
  total: order.totals.total,
  paymentMethod: order.paymentMethod,
});

/** What became of the payment, as far as the order knows; null when it has heard of none. */
export function paymentAnswerOf({ paymentStatus, status, timeline }: OrderRecord): PaymentAnswer | null {
  if (paymentStatus === 'authorized') return { state: 'authorized' };
  if (paymentStatus !== 'pending' && paymentStatus !== 'voided') return { state: 'captured' };
  const ended = timeline.findLast(({ event }) => event === 'payment-declined' || event === 'voided');
  const reason = ended?.event === 'voided' ? 'The payment was given up.' : ended?.detail;
  if (ended) return { state: 'declined', ...(reason && { reason }) };
  return status === 'pending_payment' ? null : { state: 'pending' };
}
