/** What comes in and goes out of coupons. The OpenAPI document is made from these. */
import { z } from 'zod';
import { COUPON_KINDS } from '../words.ts';
import { ObjectIdText, queryNumber } from './common.schema.ts';

const kind = z.enum(COUPON_KINDS);
const amount = z.int('must be a whole number of minor units').min(0).max(1_000_000_000);
const time = z.iso.datetime({ offset: true, error: 'must be a time such as 2026-12-24T18:00:00Z' });
const uses = z.int().min(1).max(1_000_000_000);

const code = z
  .string()
  .trim()
  .toUpperCase()
  .regex(/^[A-Z\d](?:[A-Z\d-]{1,38})[A-Z\d]$/, 'must be 3 to 40 letters, digits and dashes')
  .meta({ description: 'What buyers type, in capitals or not', example: 'SUMMER-10' });

const changeable = {
  value: amount.meta({ description: 'Basis points of a percentage (1000 is 10 %), minor units of a fixed sum' }),
  minimum: amount.meta({ description: 'What the goods must cost at least' }),
  startsAt: time.nullable(),
  endsAt: time.nullable(),
  maxUses: uses.nullable().meta({ description: 'In all; null for any number' }),
  maxPerCustomer: uses.nullable().meta({ description: 'Of one account or e-mail address' }),
};

export const CreateCoupon = z
  .strictObject({
    code,
    kind,
    value: changeable.value.default(0),
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, 'must be a three-letter currency code (ISO 4217), for example EUR')
      .optional()
      .meta({ description: "Of a fixed sum and of the minimum; the shop's when absent" }),
    minimum: changeable.minimum.default(0),
    startsAt: changeable.startsAt.default(null),
    endsAt: changeable.endsAt.default(null),
    maxUses: changeable.maxUses.default(null),
    maxPerCustomer: changeable.maxPerCustomer.default(null),
  })
  .meta({ id: 'CreateCoupon' });
export type CreateCoupon = z.output<typeof CreateCoupon>;

export const UpdateCoupon = z
  .strictObject(changeable)
  .partial()
  .refine((body) => Object.keys(body).length > 0, 'must have at least one field')
  .meta({ id: 'UpdateCoupon' });
export type UpdateCoupon = z.output<typeof UpdateCoupon>;

export const CouponParams = z.strictObject({ kid: ObjectIdText });

export const ListCoupons = z.strictObject({
  after: ObjectIdText.optional().meta({ description: '`next` of the page before' }),
  limit: queryNumber(1, 100).default(20).meta({ description: 'At most 100' }),
});
export type ListCoupons = z.output<typeof ListCoupons>;

export const CouponBody = z
  .object({
    id: ObjectIdText,
    code: z.string(),
    kind,
    ...changeable,
    currency: z.string().nullable().meta({ description: 'null when it is good for every one' }),
    used: z.int().meta({ description: 'How often, in orders that were not cancelled' }),
    version: z.int(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Coupon' });

export const CouponListBody = z
  .object({
    items: z.array(CouponBody),
    next: z.string().nullable().meta({ description: 'Ask for `after` this to get the next page' }),
  })
  .meta({ id: 'CouponList' });
