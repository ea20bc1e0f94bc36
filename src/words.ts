/**
 * Words that are stored and that requests and answers use too: models and schemas, which know nothing of one another, take
 * them from here.
 */

/** Of mails and of people. */
export const LOCALES = ['en', 'pt', 'es'] as const;
export type Locale = (typeof LOCALES)[number];

/** By a cookie, or by tokens. */
export const LOGIN_KINDS = ['browser', 'api'] as const;
export type LoginKind = (typeof LOGIN_KINDS)[number];

/** Who changes something as staff: a person or an API key. */
export const STAFF_KINDS = ['user', 'key'] as const;
export type StaffKind = (typeof STAFF_KINDS)[number];

export const COUPON_KINDS = ['percentage', 'fixed', 'free-shipping'] as const;
export type CouponKind = (typeof COUPON_KINDS)[number];

export const ORDER_STATUSES = [
  'pending_payment',
  'paid',
  'fulfilled',
  'delivered',
  'cancelled',
  'partly_refunded',
  'refunded',
] as const;
export const PAYMENT_STATUSES = ['pending', 'authorized', 'paid', 'voided', 'partly_refunded', 'refunded'] as const;
export const FULFILMENT_STATUSES = ['unfulfilled', 'fulfilled', 'delivered'] as const;

/** What can be done with an order. */
export const ORDER_MOVES = ['pay', 'capture', 'cancel', 'fulfil', 'deliver', 'refund'] as const;
export type OrderMove = (typeof ORDER_MOVES)[number];

/** What becomes of a webhook on its way. */
export const DELIVERY_STATES = ['waiting', 'delivered', 'failed'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** Why an endpoint of webhooks is told nothing: staff want it so, or it has answered 410. */
export const DISABLED_BY = ['staff', 'gone'] as const;

/** Who has done something to an order; the shop itself is nobody. */
export const TIMELINE_ACTORS = ['customer', 'staff', 'shop'] as const;

/** What happens to the money of an order. */
export const LEDGER_KINDS = [
  'authorized',
  'captured',
  'voided',
  'refund-requested',
  'refunded',
  'refund-failed',
] as const;
