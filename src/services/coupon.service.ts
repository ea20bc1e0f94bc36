/** Coupons as staff see and change them. What they are worth to buyers is in coupon-uses.ts. */
import { type Actor, authorize } from '../actor.ts';
import { inTransaction, isDuplicateKey } from '../database/transaction.ts';
import { AppError, invalidInput } from '../errors.ts';
import { Coupon, type CouponDto, type CouponRecord, toCouponDto } from '../models/coupon.model.ts';
import type { CreateCoupon, ListCoupons, UpdateCoupon } from '../schemas/coupon.schema.ts';
import { recordStaffWrites } from './audit.service.ts';
import { expectVersion } from './expect-version.ts';

export type { CouponDto };

export interface CouponPage {
  items: CouponDto[];
  /** For the next page; null at the end. */
  next: string | null;
}

/** Every method throws AppError UNAUTHENTICATED, FORBIDDEN; those that take an id, NOT_FOUND. */
export class CouponService {
  readonly #currency: string;

  /** @param deps `currency`: of sums that name none */
  constructor({ currency }: { currency: string }) {
    this.#currency = currency;
  }

  /** The newest first. */
  async list(actor: Actor, { after, limit }: ListCoupons): Promise<CouponPage> {
    authorize(actor, 'coupons:write');
    const docs = await Coupon.find(after ? { _id: { $lt: after } } : {})
      .sort({ _id: -1 })
      .limit(limit + 1)
      .lean();
    const items = docs.slice(0, limit).map(toCouponDto);
    return { items, next: docs.length > limit ? (items.at(-1)?.id ?? null) : null };
  }

  async get(actor: Actor, id: string): Promise<CouponDto> {
    authorize(actor, 'coupons:write');
    const doc = await Coupon.findById(id).lean();
    if (!doc) throw notFound();
    return toCouponDto(doc);
  }

  /** @throws AppError NAME_TAKEN for the code, INVALID_INPUT */
  async create(actor: Actor, input: CreateCoupon): Promise<CouponDto> {
    authorize(actor, 'coupons:write');
    const hasSum = input.kind === 'fixed' || input.minimum > 0;
    const fields = {
      ...input,
      currency: input.currency ?? (hasSum ? this.#currency : null),
      startsAt: dateOf(input.startsAt),
      endsAt: dateOf(input.endsAt),
    };
    expectSound(fields);
    try {
      return await inTransaction(async (session) => {
        const [doc] = await Coupon.create([fields], { session });
        if (!doc) throw new Error('The database returned no coupon.');
        const after = toCouponDto(doc.toObject());
        await recordStaffWrites(
          actor,
          [{ action: 'coupon.created', targetId: after.id, before: null, after }],
          session,
        );
        return after;
      });
    } catch (error) {
      if (isDuplicateKey(error)) throw new AppError('NAME_TAKEN', 'Another coupon has this code.');
      throw error;
    }
  }

  /** @throws AppError VERSION_MISMATCH, INVALID_INPUT */
  update(actor: Actor, id: string, input: UpdateCoupon, ifVersion?: number): Promise<CouponDto> {
    return this.#change(actor, 'coupon.changed', id, ifVersion, (doc) => {
      const { value = doc.value, minimum = doc.minimum, startsAt, endsAt, ...rest } = input;
      const times = {
        startsAt: startsAt === undefined ? (doc.startsAt ?? null) : dateOf(startsAt),
        endsAt: endsAt === undefined ? (doc.endsAt ?? null) : dateOf(endsAt),
      };
      expectSound({ kind: doc.kind, value, ...times });
      // A minimum is a sum of money.
      const currency = doc.currency ?? (minimum > 0 ? this.#currency : null);
      return { ...rest, ...times, value, minimum, currency };
    });
  }

  /** It is valid no longer; who has it in the cart is told. @throws AppError VERSION_MISMATCH */
  async end(actor: Actor, id: string, ifVersion?: number): Promise<void> {
    await this.#change(actor, 'coupon.ended', id, ifVersion, ({ endsAt }) => {
      const now = new Date();
      return { endsAt: endsAt && endsAt < now ? endsAt : now };
    });
  }

  #change(
    actor: Actor,
    action: string,
    id: string,
    ifVersion: number | undefined,
    fieldsOf: (doc: CouponRecord) => object,
  ): Promise<CouponDto> {
    authorize(actor, 'coupons:write');
    return inTransaction(async (session) => {
      const doc = await Coupon.findById(id).session(session).lean();
      if (!doc) throw notFound();
      expectVersion('coupon', doc.version, ifVersion);
      const changed = await Coupon.findOneAndUpdate(
        { _id: id, version: doc.version },
        { $set: fieldsOf(doc), $inc: { version: 1 } },
        { session, returnDocument: 'after' },
      ).lean();
      if (!changed) throw new AppError('CONCURRENT_CHANGE', 'Somebody else changes the coupon at this moment.');
      const [before, after] = [toCouponDto(doc), toCouponDto(changed)];
      await recordStaffWrites(actor, [{ action, targetId: id, before, after }], session);
      return after;
    });
  }
}

const dateOf = (time: string | null) => (time === null ? null : new Date(time));

type Sound = Pick<CouponRecord, 'kind' | 'value'> & { startsAt: Date | null; endsAt: Date | null };

/** @throws AppError INVALID_INPUT */
function expectSound({ kind, value, startsAt, endsAt }: Sound): void {
  const fits = {
    percentage: value >= 1 && value <= 10_000 ? null : 'must be 1 to 10000 basis points',
    fixed: value >= 1 ? null : 'must be at least 1',
    'free-shipping': value === 0 ? null : 'must be 0 for free shipping',
  }[kind];
  if (fits) throw invalidInput([{ pointer: '#/value', detail: fits }]);
  if (startsAt && endsAt && endsAt <= startsAt)
    throw invalidInput([{ pointer: '#/endsAt', detail: 'must be after the start' }]);
}

const notFound = () => new AppError('NOT_FOUND', 'There is no coupon with this id.');
