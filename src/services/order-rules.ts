/** What may be done with an order, and by whom; pure. */
import { type Actor, authorize } from '../actor.ts';
import { AppError } from '../errors.ts';
import type { OrderRecord, OrderRefund } from '../models/order.model.ts';
import { type By, HOLD_MS } from './order-changes.ts';
import { expectMove, moneyOf } from './order-status.ts';
import { isForCustomer, toOrderDto, type Viewer } from './order-view.ts';
import type { StockLine } from './stock.ts';

const HOUR_MS = 60 * 60 * 1000;
/** Beyond it only money and moves are written down. */
const MAX_TIMELINE = 500;
/** Attempts to pay that came to nothing. */
const MAX_FAILED = 20;

/** As the timeline names whoever does something. */
export const byWhom = ({ id }: Actor, viewer: Viewer): By =>
  viewer === 'staff' ? { by: 'staff', actorId: id } : { by: 'customer' };

/** @throws AppError ILLEGAL_MOVE, FORBIDDEN */
export function expectCancellable(actor: Actor, { order, viewer }: { order: OrderRecord; viewer: Viewer }): void {
  expectMove(order, 'cancel');
  const { captured, refundable } = moneyOf(order.ledger);
  if (viewer === 'customer') {
    if (isForCustomer('cancel', captured)) return;
    throw new AppError('ILLEGAL_MOVE', 'The order is paid: ask the shop to cancel it.', {
      allowed: toOrderDto(order, viewer).moves,
    });
  }
  authorize(actor, 'orders:write');
  if (refundable > 0) authorize(actor, 'orders:refund');
}

/** @throws AppError ILLEGAL_MOVE, LIMIT_REACHED, FORBIDDEN for staff who may only see orders */
export function expectPayable(actor: Actor, { order, viewer }: { order: OrderRecord; viewer: Viewer }): void {
  if (viewer === 'staff') authorize(actor, 'orders:write');
  expectMove(order, 'pay');
  expectPatience(order);
}

/** @throws AppError LIMIT_REACHED */
export function expectRoom({ timeline }: OrderRecord): void {
  if (timeline.length >= MAX_TIMELINE)
    throw new AppError('LIMIT_REACHED', `An order has at most ${MAX_TIMELINE} entries.`, { limit: MAX_TIMELINE });
}

/** Each of them is told to the buyer by mail. @throws AppError LIMIT_REACHED */
function expectPatience({ timeline }: OrderRecord): void {
  const failed = timeline.filter(({ event }) => event === 'payment-declined' || event === 'voided');
  if (failed.length >= MAX_FAILED)
    throw new AppError('LIMIT_REACHED', 'Too many payments of this order have failed. Place another one.', {
      limit: MAX_FAILED,
    });
}

/** Until a while from now, at most an hour after it was placed or as long as the method takes; never shorter. */
export function longerHold({ holdUntil, createdAt, stock }: OrderRecord, holdMs: number): { holdUntil?: Date } {
  if (stock !== 'held' || !holdUntil) return {};
  const latest = createdAt.getTime() + Math.max(HOUR_MS, holdMs);
  const wanted = Math.min(latest, Date.now() + Math.max(HOLD_MS, holdMs));
  return { holdUntil: new Date(Math.max(holdUntil.getTime(), wanted)) };
}

/** Of an order that was cancelled all units are back already. */
export const unitsToRestock = ({ lines, stock }: OrderRecord, refunded: OrderRefund['lines']): StockLine[] =>
  refunded.flatMap(({ line, quantity, restock }) => {
    const unit = lines[line];
    if (!unit || !restock || stock === 'returned') return [];
    return [{ productId: unit.productId.toHexString(), variantId: unit.variantId?.toHexString() ?? null, quantity }];
  });
