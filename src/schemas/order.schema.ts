/** What comes in and goes out of checkout and orders. The OpenAPI document is made from these. */
import { z } from 'zod';
import {
  FULFILMENT_STATUSES,
  LEDGER_KINDS,
  ORDER_MOVES,
  ORDER_STATUSES,
  PAYMENT_STATUSES,
  TIMELINE_ACTORS,
} from '../words.ts';
import { EmailText, ObjectIdText, plainText, queryNumber } from './common.schema.ts';
import { CountryText } from './country.schema.ts';
import { LocaleText } from './user.schema.ts';

const oneLine = (min: number, max: number) =>
  plainText(min, max).refine((text) => !text.includes('\n'), 'must be one line');
const optionalLine = (max: number) => oneLine(1, max).nullable().default(null);

const Address = z
  .strictObject({
    name: oneLine(1, 100).meta({ example: 'Ana Sousa' }),
    line1: oneLine(1, 200).meta({ example: 'Rua das Flores 12' }),
    line2: optionalLine(200),
    city: oneLine(1, 100).meta({ example: 'Porto' }),
    region: optionalLine(100),
    postalCode: oneLine(1, 20).meta({ example: '4050-262' }),
    country: CountryText,
    phone: optionalLine(40),
  })
  .meta({ id: 'Address' });

const methodName = z.string().regex(/^[\w-]{1,40}$/, 'must be the name of a method');
const paymentMethod = methodName.meta({ description: 'One of GET /api/payments/methods', example: 'manual' });
const payment = z
  .record(z.string().max(40), z.string().max(200))
  .refine((details) => Object.keys(details).length <= 10, 'must have at most 10 members')
  .default({})
  .meta({ description: "The payment method's own details, such as `{ outcome }` of the method test" });

const money = z.int().meta({ description: 'In minor units of the currency: 1999 is 19.99', example: 1999 });

export const Checkout = z
  .strictObject({
    email: EmailText.optional().meta({ description: "Of guests; an account's own is taken when you are logged in" }),
    address: Address,
    shippingMethod: methodName.meta({ example: 'standard' }),
    paymentMethod,
    payment,
    acceptedTotal: money.min(0).optional().meta({
      description: 'The total that the buyer agrees to. Without it, prices must be those that they have seen',
    }),
    locale: LocaleText.optional().meta({
      description: "Of the mails to guests; an account's own is taken when you are logged in",
    }),
  })
  .meta({ id: 'Checkout' });
export type Checkout = z.output<typeof Checkout>;

export const PayOrder = z
  .strictObject({ paymentMethod: paymentMethod.optional(), payment })
  .meta({ id: 'PayOrder', description: 'The method of the order when absent' });
export type PayOrder = z.output<typeof PayOrder>;

const note = oneLine(1, 200).nullable().default(null);
export const CancelOrder = z.strictObject({ reason: note }).meta({ id: 'CancelOrder' });
export const FulfilOrder = z
  .strictObject({ tracking: note.meta({ description: 'For the customer, such as a tracking number' }) })
  .meta({ id: 'FulfilOrder' });
export const NoteOrder = z.strictObject({ text: plainText(1, 1000) }).meta({ id: 'NoteOrder' });
export const NoDetails = z.strictObject({});

const wholeNumber = (min: number, max: number) => z.int('must be a whole number').min(min).max(max);

export const RefundOrder = z
  .strictObject({
    lines: z
      .array(
        z.strictObject({
          line: wholeNumber(0, 99).meta({ description: 'The place of the line in the order, from 0' }),
          quantity: wholeNumber(1, 999),
          restock: z.boolean().default(false).meta({ description: 'The units go back into stock' }),
        }),
      )
      .max(100)
      .default([])
      .refine((lines) => new Set(lines.map(({ line }) => line)).size === lines.length, 'must have each line once'),
    shipping: z.boolean().default(false).meta({ description: 'The shipping price goes back too' }),
    amount: wholeNumber(1, Number.MAX_SAFE_INTEGER)
      .optional()
      .meta({ description: 'In minor units; what the lines and shipping cost when absent' }),
    reason: oneLine(1, 200),
  })
  .refine(({ lines, shipping, amount }) => lines.length > 0 || shipping || amount !== undefined, {
    path: ['amount'],
    message: 'must be there when neither lines nor shipping are refunded',
  })
  .meta({ id: 'RefundOrder' });
export type RefundOrder = z.output<typeof RefundOrder>;

export const LookUpOrder = z
  .strictObject({ email: EmailText, number: z.string().max(40).meta({ example: 'F-7KQ4-ZD2M' }) })
  .meta({ id: 'LookUpOrder' });

export const OrderParams = z.strictObject({
  oid: z
    .string()
    .regex(/^(?:[\da-f]{24}|F-?[\dA-Z]{4}-?[\dA-Z]{4})$/i)
    .meta({ description: "The order's id or number", example: 'F-7KQ4-ZD2M' }),
});

export const RefundParams = OrderParams.extend({
  refundId: ObjectIdText.meta({ description: 'The `id` of a refund that is stuck' }),
});

const at = z.iso.datetime({ offset: true, message: 'must be a time, such as 2026-01-31T00:00:00Z' });

export const ListOrders = z.strictObject({
  status: z.enum(ORDER_STATUSES).optional(),
  paymentStatus: z.enum(PAYMENT_STATUSES).optional(),
  fulfilmentStatus: z.enum(FULFILMENT_STATUSES).optional(),
  q: z.string().trim().min(1).max(254).optional().meta({ description: 'An order number or an e-mail address, whole' }),
  from: at.optional().meta({ description: 'Placed at this time or later' }),
  to: at.optional().meta({ description: 'Placed before this time' }),
  mine: z.enum(['true', 'false']).default('false').meta({ description: 'Staff, too, see their own orders alone' }),
  cursor: z
    .string()
    .regex(/^[\w-]{16}$/, 'must be the `next` of an earlier answer')
    .optional()
    .meta({ description: '`next` of the page before' }),
  limit: queryNumber(1, 100).default(20).meta({ description: 'At most 100' }),
});
export type ListOrders = z.output<typeof ListOrders>;

const text = z.string().nullable();
const time = z.iso.datetime();

export const OrderBody = z
  .object({
    id: ObjectIdText,
    number: z.string().meta({ example: 'F-7KQ4-ZD2M' }),
    status: z.enum(ORDER_STATUSES),
    paymentStatus: z.enum(PAYMENT_STATUSES),
    fulfilmentStatus: z.enum(FULFILMENT_STATUSES),
    owner: ObjectIdText.nullable(),
    email: text.meta({ description: 'null when the person was erased' }),
    locale: LocaleText,
    currency: z.string().meta({ example: 'EUR' }),
    lines: z.array(
      z.object({
        productId: ObjectIdText,
        variantId: ObjectIdText.nullable(),
        code: z.string(),
        title: z.string(),
        picture: text,
        unitPrice: money,
        quantity: z.int(),
        total: money.meta({ description: 'Before the discount' }),
        discount: money,
        tax: money,
        refunded: z.int().meta({
          description: 'Units that money was given back for, or is asked to be; none of a refund that has failed',
        }),
      }),
    ),
    address: z.object({
      ...{ name: text, line1: text, line2: text, city: text, region: text, postalCode: text, phone: text },
      country: z.string(),
    }),
    shipping: z.object({ method: z.string(), title: z.string(), price: money }),
    coupon: text,
    totals: z.object({
      ...{ subtotal: money, discount: money, shipping: money, tax: money, total: money },
      taxIncluded: z.boolean(),
    }),
    paymentMethod: z.string(),
    captured: money.meta({ description: 'Received' }),
    refunded: money.meta({ description: 'Given back' }),
    holdUntil: time.nullable().meta({ description: 'Until when the units are kept for it while it is not paid' }),
    cancelledAt: time.nullable(),
    fulfilledAt: time.nullable(),
    deliveredAt: time.nullable(),
    moves: z.array(z.enum(ORDER_MOVES)).meta({ description: 'What you can do with it now' }),
    timeline: z.array(
      z.object({
        at: time,
        event: z.string().meta({ example: 'placed' }),
        by: z.enum(TIMELINE_ACTORS),
        detail: text.meta({ description: 'What people wrote is null when the person was erased' }),
        amount: money.nullable(),
        staffOnly: z.boolean().optional(),
        actorId: z.string().optional(),
      }),
    ),
    ledger: z
      .array(
        z.object({
          id: z.string(),
          kind: z.enum(LEDGER_KINDS),
          amount: money,
          reference: z.string(),
          at: time,
          refundId: z.string().optional(),
        }),
      )
      .optional()
      .meta({ description: 'For staff alone' }),
    refunds: z.array(
      z.object({
        id: z.string(),
        amount: money,
        shipping: money,
        lines: z.array(
          z.object({
            ...{ line: z.int(), quantity: z.int(), restock: z.boolean() },
            cost: money.optional().meta({ description: 'What these units had cost in all' }),
          }),
        ),
        reason: text.meta({ description: 'null when the person was erased' }),
        at: time,
      }),
    ),
    stuckRefunds: z
      .array(
        z.object({
          ...{ id: ObjectIdText, amount: money, since: time },
          why: z.enum(['refused', 'unanswered']),
          reason: text.meta({ description: "The provider's, when it has said one" }),
        }),
      )
      .optional()
      .meta({ description: 'Refunds that do not come about by themselves any more; for staff alone' }),
    version: z.int(),
    createdAt: time,
    updatedAt: time,
  })
  .meta({ id: 'Order' });

export const PaidOrderBody = OrderBody.extend({
  payment: z
    .object({
      state: z.enum(['authorized', 'captured', 'pending', 'declined']),
      reason: z.string().optional(),
      redirect: z.string().optional().meta({ description: 'Where the buyer goes on' }),
      instructions: z.string().optional().meta({ description: 'What the buyer must know, such as bank details' }),
    })
    .nullable()
    .meta({ description: 'What became of the payment; null when there was nothing to pay' }),
}).meta({ id: 'OrderWithPayment' });

export const OrderListBody = z
  .object({
    items: z.array(OrderBody),
    next: z.string().nullable().meta({ description: 'Ask for `cursor` this to get the next page' }),
  })
  .meta({ id: 'OrderList' });
