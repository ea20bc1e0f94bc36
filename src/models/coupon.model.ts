/** Coupons, and how often each customer has used one. Counters change by conditions alone, so that no use is one too many. */
import { type InferSchemaType, model, Schema, type Types } from 'mongoose';
import { COUPON_KINDS, type CouponKind } from '../words.ts';

const couponSchema = new Schema(
  {
    /** In capitals: buyers type it as they like. */
    code: { type: String, required: true },
    kind: { type: String, enum: COUPON_KINDS, required: true },
    /** Basis points of a percentage, minor units of a fixed sum, 0 for free shipping. */
    value: { type: Number, required: true },
    /** Of a fixed sum and of the minimum; null when there is neither. */
    currency: { type: String, default: null },
    /** What the goods must cost at least, in minor units. */
    minimum: { type: Number, required: true, default: 0 },
    startsAt: { type: Date, default: null },
    endsAt: { type: Date, default: null },
    maxUses: { type: Number, default: null },
    maxPerCustomer: { type: Number, default: null },
    used: { type: Number, required: true, default: 0 },
    /** Of what staff have written; a use does not change it. */
    version: { type: Number, required: true, default: 1 },
  },
  { timestamps: true, versionKey: false, id: false },
);
couponSchema.index({ code: 1 }, { unique: true });

export const Coupon = model('Coupon', couponSchema, 'coupons');

const couponUseSchema = new Schema(
  {
    /** The coupon and a digest of the customer. */
    _id: { type: String, required: true },
    count: { type: Number, required: true },
    /** Of somebody who was erased: when it is forgotten. */
    until: { type: Date },
  },
  { versionKey: false, id: false },
);
couponUseSchema.index({ until: 1 }, { expireAfterSeconds: 0 });

export const CouponUse = model('CouponUse', couponUseSchema, 'coupon_uses');

export type CouponRecord = InferSchemaType<typeof couponSchema> & { _id: Types.ObjectId };

export interface CouponDto {
  id: string;
  code: string;
  kind: CouponKind;
  value: number;
  currency: string | null;
  minimum: number;
  startsAt: string | null;
  endsAt: string | null;
  maxUses: number | null;
  maxPerCustomer: number | null;
  used: number;
  version: number;
  createdAt: string;
  updatedAt: string;
}

export function toCouponDto(doc: CouponRecord): CouponDto {
  return {
    id: doc._id.toHexString(),
    code: doc.code,
    kind: doc.kind,
    value: doc.value,
    currency: doc.currency ?? null,
    minimum: doc.minimum,
    startsAt: doc.startsAt?.toISOString() ?? null,
    endsAt: doc.endsAt?.toISOString() ?? null,
    maxUses: doc.maxUses ?? null,
    maxPerCustomer: doc.maxPerCustomer ?? null,
    used: doc.used,
    version: doc.version,
    createdAt: doc.createdAt.toISOString(),
    updatedAt: doc.updatedAt.toISOString(),
  };
}
