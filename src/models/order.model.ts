/**
 * An order: what was bought, at which prices, by whom, and everything that has happened to it since. What was bought
 * never changes; money is a ledger that only grows; statuses are derived from it (services/order-status.ts) and stored
 * to be searched for.
 */
import { randomInt } from 'node:crypto';
import { model, Schema, type Types } from 'mongoose';
import {
  FULFILMENT_STATUSES,
  type LEDGER_KINDS,
  ORDER_STATUSES,
  type OrderMove,
  PAYMENT_STATUSES,
  type TIMELINE_ACTORS,
} from '../words.ts';
import type { Totals } from './totals.ts';

/** One unit that was bought. Amounts are in minor units of the order's currency, as services/order-totals.ts has them. */
export interface OrderLine {
  productId: Types.ObjectId;
  variantId: Types.ObjectId | null;
  code: string;
  title: string;
  picture: string | null;
  unitPrice: number;
  quantity: number;
  total: number;
  discount: number;
  tax: number;
}

/** Where it goes. The person is null when they were erased; the country stays, for the books. */
export interface OrderAddress {
  name: string | null;
  line1: string | null;
  line2: string | null;
  city: string | null;
  region: string | null;
  postalCode: string | null;
  country: string;
  phone: string | null;
}

export type OrderTotals = Omit<Totals, 'lines'>;

/** Something that has happened to money. `reference` is the payment's at its provider; `id` is unique in the order. */
export interface LedgerEntry {
  id: string;
  kind: (typeof LEDGER_KINDS)[number];
  amount: number;
  reference: string;
  at: Date;
  /**
   * Of `refunded` and `refund-failed`: the entry that has asked for it, or a provider's own refund. Of a
   * `refund-requested` that tries a failed refund again: the entry that had asked first.
   */
  refundId?: string;
}

/**
 * What staff have given back: `lines` by their place in the order, whether the units went back into stock, and what they
 * had cost in all (absent in old ones). The ledger tells whether it has come about, by its id.
 */
export interface OrderRefund {
  id: string;
  amount: number;
  shipping: number;
  lines: { line: number; quantity: number; restock: boolean; cost?: number }[];
  /** Null when the person was erased. */
  reason: string | null;
  at: Date;
}

const TIMELINE_EVENTS = [
  'placed',
  'authorized',
  'paid',
  'payment-declined',
  'payment-mismatch',
  'voided',
  'fulfilled',
  'delivered',
  'cancelled',
  'reopened',
  'refund-requested',
  'refunded',
  'refund-failed',
  'refund-given-up',
  'refund-retried',
  'restocked',
  'note',
] as const;

export interface TimelineEntry {
  at: Date;
  event: (typeof TIMELINE_EVENTS)[number];
  by: (typeof TIMELINE_ACTORS)[number];
  /** The person or key of staff. */
  actorId: string | null;
  /** For people: a reason, a tracking number; what people wrote is null when the person was erased. */
  detail: string | null;
  amount: number | null;
  /** Not shown to the customer. */
  staffOnly: boolean;
  /** Of the payment fact that it tells of, which counts once; of the ledger's entry that is given up or tried again. */
  factId: string | null;
}

export interface OrderStatuses {
  status: (typeof ORDER_STATUSES)[number];
  paymentStatus: (typeof PAYMENT_STATUSES)[number];
  fulfilmentStatus: (typeof FULFILMENT_STATUSES)[number];
}

export interface OrderFields extends OrderStatuses {
  number: string;
  /** The cart that it was: one order for each. */
  cart: Types.ObjectId;
  owner: Types.ObjectId | null;
  /** Null when the person was erased. */
  email: string | null;
  emailKey: string | null;
  locale: string;
  currency: string;
  lines: OrderLine[];
  address: OrderAddress;
  shipping: { method: string; title: string; price: number };
  coupon: { id: string; code: string } | null;
  totals: OrderTotals;
  paymentMethod: string;
  ledger: LedgerEntry[];
  refunds: OrderRefund[];
  /** `held` until it is paid or cancelled; `taken` is for good; `returned` is for sale again. */
  stock: 'held' | 'taken' | 'returned';
  /** Until when the units are held for it; null when they are not. */
  holdUntil: Date | null;
  cancelledAt: Date | null;
  fulfilledAt: Date | null;
  deliveredAt: Date | null;
  timeline: TimelineEntry[];
  version: number;
  createdAt: Date;
  updatedAt: Date;
}

export type OrderRecord = OrderFields & { _id: Types.ObjectId };

const { ObjectId, Mixed } = Schema.Types;

const orderSchema = new Schema<OrderFields>(
  {
    number: { type: String, required: true },
    cart: { type: ObjectId, ref: 'Cart', required: true },
    owner: { type: ObjectId, ref: 'User', default: null },
    email: { type: String, default: null },
    emailKey: { type: String, default: null },
    locale: { type: String, required: true },
    currency: { type: String, required: true },
    // Written as the checkout has made them, whole: nothing inside is searched for or cast but the ids of products.
    lines: { type: Mixed as never, required: true },
    address: { type: Mixed as never, required: true },
    shipping: { type: Mixed as never, required: true },
    coupon: { type: Mixed as never, default: null },
    totals: { type: Mixed as never, required: true },
    paymentMethod: { type: String, required: true },
    ledger: { type: Mixed as never, required: true },
    refunds: { type: Mixed as never, required: true },
    stock: { type: String, enum: ['held', 'taken', 'returned'], required: true },
    holdUntil: { type: Date, default: null },
    cancelledAt: { type: Date, default: null },
    fulfilledAt: { type: Date, default: null },
    deliveredAt: { type: Date, default: null },
    status: { type: String, enum: ORDER_STATUSES, required: true },
    paymentStatus: { type: String, enum: PAYMENT_STATUSES, required: true },
    fulfilmentStatus: { type: String, enum: FULFILMENT_STATUSES, required: true },
    timeline: { type: Mixed as never, required: true },
    version: { type: Number, required: true },
  },
  { timestamps: true, versionKey: false, id: false, minimize: false },
);
orderSchema.index({ number: 1 }, { unique: true });
orderSchema.index({ cart: 1 }, { unique: true });
orderSchema.index({ owner: 1, _id: -1 });
orderSchema.index({ emailKey: 1, _id: -1 });
orderSchema.index({ status: 1, _id: -1 });
orderSchema.index({ paymentStatus: 1, _id: -1 });
orderSchema.index({ fulfilmentStatus: 1, _id: -1 });
orderSchema.index({ stock: 1, holdUntil: 1 });

export const Order = model('Order', orderSchema, 'orders');

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/**
 * A random number that people can read out, such as `F-7KQ4-ZD2M`. No counter: that would put all checkouts in a row.
 * The unique index tells when one is taken.
 */
export function newOrderNumber(): string {
  const digits = Array.from({ length: 8 }, () => CROCKFORD[randomInt(32)]).join('');
  return `F-${digits.slice(0, 4)}-${digits.slice(4)}`;
}

/** A number as people type it, in the way it is stored; null when it cannot be one. */
export function orderNumberOf(typed: string): string | null {
  const plain = typed.trim().toUpperCase().replace(/[IL]/g, '1').replaceAll('O', '0').replaceAll(/[\s-]/g, '');
  const [, first, second] = /^F([0-9A-HJKMNP-TV-Z]{4})([0-9A-HJKMNP-TV-Z]{4})$/.exec(plain) ?? [];
  return first && second ? `F-${first}-${second}` : null;
}

type Iso<T> = { [Key in keyof T]: T[Key] extends Date ? string : T[Key] };

export interface OrderLineDto extends Omit<OrderLine, 'productId' | 'variantId'> {
  productId: string;
  variantId: string | null;
  /** How many units money was given back for. */
  refunded: number;
}

/** What leaves the server of an order. Customers and guests get no ledger, and only their part of the timeline. */
export interface OrderDto extends OrderStatuses {
  id: string;
  number: string;
  owner: string | null;
  email: string | null;
  locale: string;
  currency: string;
  lines: OrderLineDto[];
  address: OrderAddress;
  shipping: { method: string; title: string; price: number };
  coupon: string | null;
  totals: OrderTotals;
  paymentMethod: string;
  /** Received, and given back, in minor units. */
  captured: number;
  refunded: number;
  holdUntil: string | null;
  cancelledAt: string | null;
  fulfilledAt: string | null;
  deliveredAt: string | null;
  /** What can be done with it now, by those who may. */
  moves: OrderMove[];
  timeline: (Omit<Iso<TimelineEntry>, 'factId' | 'staffOnly' | 'actorId'> & {
    staffOnly?: boolean;
    actorId?: string;
  })[];
  /** For staff alone. */
  ledger?: Iso<LedgerEntry>[];
  refunds: Iso<OrderRefund>[];
  /** What waits for staff, and for them alone. */
  stuckRefunds?: { id: string; amount: number; since: string; why: 'refused' | 'unanswered'; reason: string | null }[];
  version: number;
  createdAt: string;
  updatedAt: string;
}
