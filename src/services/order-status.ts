/**
 * What an order is: a pure function of its ledger and its dates, whatever the order in which they were written. The
 * ledger is read as a set, because providers tell what has happened in any order.
 */
import { AppError } from '../errors.ts';
import type { LedgerEntry, OrderFields, OrderRefund, OrderStatuses } from '../models/order.model.ts';
import type { OrderMove } from '../words.ts';

/** What decides. */
export type OrderState = Pick<
  OrderFields,
  'ledger' | 'totals' | 'cancelledAt' | 'fulfilledAt' | 'deliveredAt' | 'paymentMethod'
>;

/** Sums of minor units. */
export interface OrderMoney {
  captured: number;
  refunded: number;
  /** What can still be given back: neither given back nor asked for. */
  refundable: number;
  /** Captured and not given back: of a paid order at least its total. */
  kept: number;
}

export function moneyOf(ledger: readonly LedgerEntry[]): OrderMoney {
  const captured = sumOf(ledger, 'captured');
  const failed = failedTries(ledger);
  // A bank may send back what was given back: the failure is the later news.
  const refunded = sumOf(
    ledger.filter(({ refundId = '' }) => !failed.has(refundId)),
    'refunded',
  );
  const asked = openRefunds(ledger).reduce((sum, { amount }) => sum + amount, 0);
  return { captured, refunded, kept: captured - refunded, refundable: Math.max(0, captured - refunded - asked) };
}

/** Refunds that were asked for and have neither come about nor failed. */
export function openRefunds(ledger: readonly LedgerEntry[]): LedgerEntry[] {
  const closed = new Set(ledger.map(({ refundId }) => refundId));
  return ledger.filter(({ kind, id }) => kind === 'refund-requested' && !closed.has(id));
}

/** A refund with all of its tries. Its id is that of the first one. */
export interface RefundState {
  id: string;
  amount: number;
  /** `failed`: none of its tries has come about or is open. */
  state: 'open' | 'refunded' | 'failed';
  tries: LedgerEntry[];
  /** The try that is open; a failed one is followed by one other at most. */
  open: LedgerEntry | undefined;
}

/** What has become of the refunds that the shop has asked for. */
export function refundStates(ledger: readonly LedgerEntry[]): RefundState[] {
  const unanswered = openRefunds(ledger);
  const failed = failedTries(ledger);
  const asked = ledger.filter(({ kind }) => kind === 'refund-requested');
  return asked
    .filter(({ refundId }) => refundId === undefined)
    .map(({ id, amount }) => {
      const tries = asked.filter((one) => one.id === id || one.refundId === id);
      const open = tries.find((one) => unanswered.includes(one));
      const state = open ? 'open' : tries.every((one) => failed.has(one.id)) ? 'failed' : 'refunded';
      return { id, amount, state, tries, open };
    });
}

const failedTries = (ledger: readonly LedgerEntry[]) =>
  new Set(ledger.filter(({ kind }) => kind === 'refund-failed').map(({ refundId }) => refundId));

/** The refunds that have come about or still may: the units of a failed one can be refunded in another way. */
export function liveRefunds({ refunds, ledger }: Pick<OrderFields, 'refunds' | 'ledger'>): OrderRefund[] {
  const failed = refundStates(ledger).filter(({ state }) => state === 'failed');
  return refunds.filter(({ id }) => !failed.some((one) => one.id === id));
}

/** Money that is promised, and neither taken nor given up. */
export function openAuthorizations(ledger: readonly LedgerEntry[]): LedgerEntry[] {
  const closed = ledger.filter(({ kind }) => kind === 'captured' || kind === 'voided');
  return ledger.filter(
    ({ kind, reference }) => kind === 'authorized' && !closed.some((entry) => entry.reference === reference),
  );
}

export function statusesOf(order: OrderState): OrderStatuses {
  const money = moneyOf(order.ledger);
  const paymentStatus = paymentStatusOf(order, money);
  return { status: statusOf(order, money), paymentStatus, fulfilmentStatus: fulfilmentStatusOf(order) };
}

function statusOf({ cancelledAt, deliveredAt, fulfilledAt, totals }: OrderState, money: OrderMoney) {
  if (cancelledAt) return 'cancelled';
  if (money.captured > 0 && money.kept <= 0) return 'refunded';
  if (money.captured >= totals.total && money.kept < totals.total) return 'partly_refunded';
  if (deliveredAt) return 'delivered';
  if (fulfilledAt) return 'fulfilled';
  return money.kept >= totals.total ? 'paid' : 'pending_payment';
}

function paymentStatusOf({ ledger, totals }: OrderState, { captured, kept }: OrderMoney) {
  if (captured > 0 && kept <= 0) return 'refunded';
  if (kept >= totals.total) return 'paid';
  if (captured >= totals.total) return 'partly_refunded';
  if (openAuthorizations(ledger).length > 0) return 'authorized';
  return ledger.some(({ kind }) => kind === 'voided') ? 'voided' : 'pending';
}

function fulfilmentStatusOf({ deliveredAt, fulfilledAt }: OrderState) {
  return deliveredAt ? 'delivered' : fulfilledAt ? 'fulfilled' : 'unfulfilled';
}

/** What can be done with an order now. */
export function movesOf(order: OrderState): OrderMove[] {
  const { captured, kept, refundable } = moneyOf(order.ledger);
  const isOpen = !order.cancelledAt;
  const isUnpaid = isOpen && captured < order.totals.total;
  const isPromised = openAuthorizations(order.ledger).length > 0;
  // All that was paid was given back: nothing is to be sent any more.
  const isUndone = captured > 0 && kept <= 0;
  const legal: Record<OrderMove, boolean> = {
    pay: isUnpaid && !isPromised,
    // A bank transfer is confirmed by staff.
    capture: isUnpaid && (isPromised || order.paymentMethod === 'manual'),
    cancel: isOpen && !order.fulfilledAt && !isUndone,
    fulfil: isOpen && !isUnpaid && !order.fulfilledAt && !isUndone,
    deliver: isOpen && order.fulfilledAt !== null && order.deliveredAt === null,
    refund: refundable > 0,
  };
  return (Object.keys(legal) as OrderMove[]).filter((move) => legal[move]);
}

/** @throws AppError ILLEGAL_MOVE with the `allowed` ones */
export function expectMove(order: OrderState, move: OrderMove): void {
  const allowed = movesOf(order);
  if (allowed.includes(move)) return;
  const { status } = statusesOf(order);
  throw new AppError('ILLEGAL_MOVE', `The order is ${status.replace('_', ' ')}: ${move} is not possible.`, { allowed });
}

const sumOf = (ledger: readonly LedgerEntry[], kind: LedgerEntry['kind']) =>
  ledger.reduce((sum, entry) => (entry.kind === kind ? sum + entry.amount : sum), 0);
