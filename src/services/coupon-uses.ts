/** What a coupon is worth to a buyer, and using it up: with the order that uses it, in one transaction. */
import { createHash } from 'node:crypto';
import type { ClientSession } from 'mongoose';
import { AppError } from '../errors.ts';
import { Coupon, type CouponRecord, CouponUse } from '../models/coupon.model.ts';
import type { Discount } from '../models/totals.ts';

const MONTH_MS = 30 * 24 * 60 * 60 * 1000;

/** What buyers type, as it is stored. */
export const couponCodeOf = (typed: string) => typed.normalize('NFKC').trim().toUpperCase();

interface CouponPurchase {
  /** What the goods cost, in minor units of `currency`. */
  subtotal: number;
  currency: string;
  now: Date;
}

/** The coupon with this code; null also for one that is planned: nobody finds out what that is. */
export async function findCoupon(code: string, now: Date): Promise<CouponRecord | null> {
  const coupon = await Coupon.findOne({ code: couponCodeOf(code) }).lean();
  return coupon?.startsAt && coupon.startsAt > now ? null : coupon;
}

/** @throws AppError COUPON_NOT_VALID with the reason; the uses of the customer are counted by `redeemCoupon` alone */
export function quoteCoupon(
  coupon: CouponRecord | null,
  { subtotal, currency, now }: CouponPurchase,
): { id: string; code: string; discount: Discount } {
  if (!coupon) throw notValid('There is no coupon with this code.');
  expectOpen(coupon, now);
  if (coupon.currency && coupon.currency !== currency)
    throw notValid(`This coupon is for purchases in ${coupon.currency}.`);
  if (subtotal < coupon.minimum)
    throw notValid('The goods cost too little for this coupon.', { minimum: coupon.minimum });
  return { id: coupon._id.toHexString(), code: coupon.code, discount: discountOf(coupon) };
}

/**
 * Uses a coupon once. Of parallel uses as many succeed as there are left.
 * @param customer the id of the account, or the e-mail key of a guest; null when they were erased meanwhile
 * @throws AppError COUPON_NOT_VALID
 */
export async function redeemCoupon(session: ClientSession, couponId: string, customer: string | null): Promise<void> {
  // A write at first: of several who use the coupon, one goes on at a time, and sees what the others have counted.
  const coupon = await Coupon.findOneAndUpdate(
    { _id: couponId },
    { $inc: { used: 1 } },
    { session, returnDocument: 'after', timestamps: false },
  ).lean();
  if (!coupon) throw notValid('There is no coupon with this code.');
  expectOpen({ ...coupon, used: coupon.used - 1 }, new Date());
  if (!customer) return;
  const _id = useId(couponId, customer);
  const { maxPerCustomer } = coupon;
  const uses = await CouponUse.findById(_id).session(session).lean();
  if (maxPerCustomer && uses && uses.count >= maxPerCustomer) throw notValid('You have used this coupon already.');
  if (uses) await CouponUse.updateOne({ _id }, { $inc: { count: 1 }, $unset: { until: 1 } }, { session });
  else await CouponUse.create([{ _id, count: 1 }], { session });
}

/** Takes a use back: of an order that was cancelled. The caller sees to it that this happens once. */
export async function giveCouponBack(session: ClientSession, couponId: string, customer: string | null): Promise<void> {
  const $inc = (field: string) => ({ $inc: { [field]: -1 } });
  await Coupon.updateOne({ _id: couponId, used: { $gt: 0 } }, $inc('used'), { session, timestamps: false });
  if (!customer) return;
  await CouponUse.updateOne({ _id: useId(couponId, customer), count: { $gt: 0 } }, $inc('count'), { session });
}

/** What somebody who is erased has used; `counts`: the order is neither sent nor cancelled. */
interface PastUse {
  couponId: string;
  customer: string;
  counts: boolean;
}

/**
 * Forgets who has used coupons; what was used in all stays. Uses that an open order counts on are known for another
 * month, in which it is sent or cancelled, so that the same address gets no second one meanwhile. All others go at once:
 * a person whom nobody may remember can use a coupon again.
 */
export async function forgetCouponUses(session: ClientSession, uses: readonly PastUse[]): Promise<void> {
  const counted = new Map<string, number>();
  for (const { couponId, customer, counts } of uses) {
    const _id = useId(couponId, customer);
    counted.set(_id, (counted.get(_id) ?? 0) + (counts ? 1 : 0));
  }
  const until = new Date(Date.now() + MONTH_MS);
  for (const [_id, count] of counted)
    if (count > 0) await CouponUse.updateOne({ _id }, { $set: { count, until } }, { session });
    else await CouponUse.deleteOne({ _id }, { session });
}

/** @throws AppError COUPON_NOT_VALID */
function expectOpen({ endsAt, maxUses, used }: CouponRecord, now: Date): void {
  if (endsAt && endsAt <= now) throw notValid('This coupon has expired.');
  if (maxUses && used >= maxUses) throw notValid('This coupon has been used up.');
}

const discountOf = ({ kind, value }: CouponRecord): Discount => (kind === 'free-shipping' ? { kind } : { kind, value });

/** Addresses of guests are not kept for this. */
const useId = (couponId: string, customer: string) =>
  `${couponId}:${createHash('sha256').update(customer).digest('base64url')}`;

const notValid = (detail: string, members: object = {}) => new AppError('COUPON_NOT_VALID', detail, { ...members });
