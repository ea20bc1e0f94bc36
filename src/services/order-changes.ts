/** What changes an order, as pure functions; `changeOrder` is the one way in which an order is written again. */
import { Types } from 'mongoose';
import type { PaymentFact } from '../adapters/payments/payment-provider.ts';
import type { Writes } from '../database/writes.ts';
import { AppError } from '../errors.ts';
import type { ShopEvent } from '../events.ts';
import {
  type LedgerEntry,
  Order,
  type OrderRecord,
  type OrderRefund,
  type TimelineEntry,
} from '../models/order.model.ts';
import { moneyOf, openAuthorizations, statusesOf } from './order-status.ts';
import type { StockLine } from './stock.ts';

/** What an unpaid order is kept for at first, and after each attempt to pay. */
export const HOLD_MS = 15 * 60 * 1000;

const ATTEMPTS = 10;

type Settable = 'stock' | 'holdUntil' | 'cancelledAt' | 'fulfilledAt' | 'deliveredAt' | 'paymentMethod' | 'refunds';

export interface OrderChange {
  set?: Partial<Pick<OrderRecord, Settable>>;
  ledger?: LedgerEntry[];
  timeline?: TimelineEntry[];
  events?: ShopEvent[];
}

/**
 * Writes a change with the statuses that follow from it. The writes are refused with AppError CONCURRENT_CHANGE when the
 * order has changed since it was read. @returns the order as it is then
 */
export function changeOrder(
  writes: Writes,
  order: OrderRecord,
  { set = {}, ledger = [], timeline = [] }: OrderChange,
): OrderRecord {
  const after: OrderRecord = {
    ...order,
    ...set,
    ledger: [...order.ledger, ...ledger],
    timeline: [...order.timeline, ...timeline],
    version: order.version + 1,
    updatedAt: new Date(),
  };
  const statuses = statusesOf(after);
  const update = {
    $set: { ...set, ...statuses, version: after.version, updatedAt: after.updatedAt },
    $push: { ledger: { $each: ledger }, timeline: { $each: timeline } },
  };
  const refusal = () => new AppError('CONCURRENT_CHANGE', 'The order has changed in this moment.');
  writes.update(Order, [{ filter: { _id: order._id, version: order.version }, update }], refusal);
  return { ...after, ...statuses };
}

/** Who has done something, and what they say about it. */
export type By = Pick<TimelineEntry, 'by'> & Partial<Pick<TimelineEntry, 'actorId' | 'detail'>>;

/** An entry of the timeline; by the shop itself, and for everybody, unless told. */
export const entry = (event: TimelineEntry['event'], overrides: Partial<TimelineEntry> = {}): TimelineEntry => ({
  at: new Date(),
  event,
  by: 'shop',
  actorId: null,
  detail: null,
  amount: null,
  staffOnly: false,
  factId: null,
  ...overrides,
});

/** It has left the shop, or has arrived. */
export const changeByDelivery = ({ _id }: OrderRecord, step: 'fulfilled' | 'delivered', by: By): OrderChange => ({
  set: step === 'fulfilled' ? { fulfilledAt: new Date() } : { deliveredAt: new Date() },
  timeline: [entry(step, by)],
  events: [{ type: `order.${step}`, data: { orderId: _id.toHexString() } }],
});

/** Has this fact had its effect? */
export const knowsFact = ({ ledger, timeline }: OrderRecord, { id }: PaymentFact) =>
  ledger.some((known) => known.id === id) || timeline.some((known) => known.factId === id);

/** Is this money that the order waits for, or would have waited for? */
export const isDueMoney = ({ totals, currency }: OrderRecord, { kind, ...fact }: PaymentFact) =>
  (kind === 'authorized' || kind === 'captured') && fact.amount === totals.total && fact.currency === currency;

/** What a fact changes, for an order that has its units or does not get them again. */
export function changeByFact(order: OrderRecord, fact: PaymentFact): OrderChange {
  const { kind, amount, reference, refundId, reason = null } = fact;
  const orderId = order._id.toHexString();
  const told = { amount, factId: fact.id, detail: reason };
  if (kind === 'declined')
    return {
      timeline: [entry('payment-declined', told)],
      events: [{ type: 'order.payment_failed', data: { orderId } }],
    };
  if (!fits(order, fact)) {
    const detail = `${kind} ${amount} ${fact.currency}, reference ${reference}`;
    return { timeline: [entry('payment-mismatch', { ...told, detail, staffOnly: true })] };
  }
  const ledger: LedgerEntry[] = [
    { id: fact.id, kind, amount, reference, at: new Date(), ...(refundId && { refundId }) },
  ];
  const after = { ...order, ledger: [...order.ledger, ...ledger] };
  switch (kind) {
    case 'authorized':
      return {
        ledger,
        timeline: [entry('authorized', told)],
        ...(openAuthorizations(after.ledger).length > 0 && {
          set: { ...paidBy(fact), ...keeping(order) },
          events: [{ type: 'order.authorized', data: { orderId } }],
        }),
      };
    case 'captured':
      return changeByMoney(order, after, { ledger, timeline: [entry('paid', told)], set: paidBy(fact) }, reference);
    case 'voided':
      return {
        ledger,
        timeline: [entry('voided', told)],
        // It waits for another payment.
        ...(isUnpaid(after) && order.stock === 'taken' && { set: { stock: 'held', holdUntil: inFuture(HOLD_MS) } }),
      };
    case 'refunded':
      return { ledger, timeline: [entry('refunded', told)], events: [{ type: 'order.refunded', data: { orderId } }] };
    case 'refund-failed':
      return { ledger, timeline: [entry('refund-failed', { ...told, staffOnly: true })] };
  }
}

/** Captured money: what is too much, or comes for an order that is cancelled, goes back. */
function changeByMoney(before: OrderRecord, after: OrderRecord, change: OrderChange, reference: string): OrderChange {
  const orderId = before._id.toHexString();
  const { refundable } = moneyOf(after.ledger);
  const wasPaid = moneyOf(before.ledger).captured >= after.totals.total;
  // Each payment is the whole total: a second one is too much whatever was given back of the first.
  const excess = after.cancelledAt ? refundable : wasPaid ? Math.min(refundable, after.totals.total) : 0;
  const isNews = !after.cancelledAt && !wasPaid;
  const paid: OrderChange = {
    ...change,
    set: { ...(!wasPaid && change.set), ...(!after.cancelledAt && keeping(before)) },
    events: isNews ? [{ type: 'order.paid', data: { orderId } }] : [],
  };
  return excess > 0 ? withRefund(before, paid, { amount: excess, reference }) : paid;
}

/** The change, with a refund that is asked for. */
export function withRefund(
  order: OrderRecord,
  { ledger = [], timeline = [], events = [], ...rest }: OrderChange,
  {
    amount,
    reference,
    refundId = new Types.ObjectId().toHexString(),
    ...told
  }: { amount: number; reference: string; refundId?: string } & Partial<By>,
): OrderChange {
  const orderId = order._id.toHexString();
  return {
    ...rest,
    ledger: [...ledger, { id: refundId, kind: 'refund-requested', amount, reference, at: new Date() }],
    timeline: [...timeline, entry('refund-requested', { amount, ...told })],
    events: [...events, { type: 'order.refund_requested', data: { orderId, refundId } }],
  };
}

/** The payment from which an amount is given back: one that still has so much, otherwise the first. */
export function paymentToRefund({ ledger }: Pick<OrderRecord, 'ledger'>, amount: number): string {
  const captures = ledger.filter(({ kind }) => kind === 'captured');
  const leftOf = (reference: string) => moneyOf(ledger.filter((one) => one.reference === reference)).refundable;
  return (captures.find(({ reference }) => leftOf(reference) >= amount) ?? captures[0])?.reference ?? '';
}

/** Units that the order has and did not give back, for stock: there they are whatever became of the money. */
export const unitsOf = ({ lines, refunds }: Pick<OrderRecord, 'lines' | 'refunds'>): StockLine[] =>
  lines
    .map(({ productId, variantId, quantity }, line) => ({
      productId: productId.toHexString(),
      variantId: variantId?.toHexString() ?? null,
      quantity: quantity - unitsBack(refunds, line, true),
    }))
    .filter(({ quantity }) => quantity > 0);

/** How many units of a line these refunds are for; or only those that went back into stock. */
export const unitsBack = (refunds: readonly OrderRefund[], line: number, restocked = false) =>
  refunds
    .flatMap((refund) => refund.lines)
    .reduce((sum, one) => (one.line === line && (one.restock || !restocked) ? sum + one.quantity : sum), 0);

export const stockChanged = ({ lines }: Pick<OrderRecord, 'lines'>): ShopEvent => ({
  type: 'stock.changed',
  data: { productIds: [...new Set(lines.map(({ productId }) => productId.toHexString()))] },
});

export const inFuture = (ms: number) => new Date(Date.now() + ms);

const isUnpaid = ({ ledger, totals }: OrderRecord) =>
  moneyOf(ledger).captured < totals.total && openAuthorizations(ledger).length === 0;

/** The buyer may have chosen another way in the meantime. */
const paidBy = ({ provider }: PaymentFact): OrderChange['set'] => (provider ? { paymentMethod: provider } : {});

/** The units are the order's for good. */
const keeping = (order: OrderRecord): OrderChange['set'] =>
  order.stock === 'held' ? { stock: 'taken', holdUntil: null } : {};

/** Amount and currency as the order knows them: what is paid is the total, what is given back is not more than it. */
function fits(order: OrderRecord, fact: PaymentFact): boolean {
  if (fact.currency !== order.currency || fact.amount <= 0) return false;
  if (fact.kind !== 'refunded' && fact.kind !== 'refund-failed') return fact.amount === order.totals.total;
  const asked = order.ledger.find(({ id, kind }) => kind === 'refund-requested' && id === fact.refundId);
  if (asked) return fact.amount === asked.amount;
  // At the provider's own site; it may be told before the payment, and its failure before itself.
  const { captured, refunded } = moneyOf(order.ledger);
  const before = fact.kind === 'refunded' ? refunded : 0;
  return before + fact.amount <= Math.max(captured, order.totals.total);
}

/** Works again when the order has changed in between. */
export async function retrying<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      const isRace = error instanceof AppError && error.code === 'CONCURRENT_CHANGE';
      if (!isRace || attempt === ATTEMPTS) throw error;
    }
  }
}
