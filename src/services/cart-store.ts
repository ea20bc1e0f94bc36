/** Carts in the database: who may open which, writing what has not changed since it was read, and closing. */
import { createHash } from 'node:crypto';
import { type ClientSession, Types } from 'mongoose';
import type { Writes } from '../database/writes.ts';
import { AppError } from '../errors.ts';
import { Cart, type CartFields } from '../models/cart.model.ts';

const KEPT_MS = 30 * 24 * 60 * 60 * 1000;

/** Who holds a guest's cart shows this; the id alone opens nothing. */
export interface GuestKey {
  id: string;
  secret: string;
}

/** The one cart of somebody who is logged in; with an id, only if it has that id. */
export interface AccountKey {
  owner: string;
  id?: string;
}

export type CartKey = GuestKey | AccountKey;

export type CartRecord = CartFields & { _id: Types.ObjectId };

/** What changes of a cart; the rest stays. */
export type CartChange = Partial<Pick<CartFields, 'items' | 'currency' | 'coupon' | 'shipping'>>;

export const hashOf = (secret: string) => createHash('sha256').update(secret).digest('base64url');
export const nextExpiry = () => new Date(Date.now() + KEPT_MS);

/** Ownership is part of the query: without the right secret or login there is no such cart. */
export function heldBy(key: AccountKey | { id?: string | undefined; secret: string }) {
  const open = { ...(key.id !== undefined && { _id: key.id }), order: null };
  if ('owner' in key) return { ...open, owner: key.owner };
  return { ...open, secretHash: hashOf(key.secret), expiresAt: { $gt: new Date() } };
}

export async function find(key: CartKey, session: ClientSession | null = null): Promise<CartRecord> {
  const doc = await Cart.findOne(heldBy(key)).session(session).lean();
  if (!doc) throw notFound();
  return doc;
}

const notFound = () => new AppError('NOT_FOUND', 'There is no such cart, or it is not yours.');

/** Also one that was checked out: of an account without an open cart, the last one. */
export async function findAlsoClosed(key: CartKey): Promise<CartRecord> {
  const open = await Cart.findOne(heldBy(key)).lean();
  if (open) return open;
  const { order: _open, ...held } = heldBy(key);
  const { owner, ...rest } = { owner: undefined, ...held };
  const closed = await Cart.findOne({ ...rest, ...(owner !== undefined && { buyer: owner }), order: { $ne: null } })
    .sort({ updatedAt: -1 })
    .lean();
  if (!closed) throw notFound();
  return closed;
}

/** @returns null when the cart has changed since `before` was read; nothing is written then. */
export function write(
  before: CartRecord,
  change: CartChange,
  session: ClientSession | null,
): Promise<CartRecord | null> {
  const expiry = before.owner ? {} : { expiresAt: nextExpiry() };
  return Cart.findOneAndUpdate(
    { _id: before._id, version: before.version, order: null },
    { $set: { ...change, ...expiry }, $unset: { lastMerge: 1 }, $inc: { version: 1 } },
    { returnDocument: 'after', session },
  ).lean();
}

/**
 * Marks the cart as checked out by an order, in the transaction that makes the order. The account's next cart can open.
 * The writes are refused with AppError CONCURRENT_CHANGE when it has another version, or is checked out already.
 */
export function closeCart(
  writes: Writes,
  { id, version }: { id: string; version: number },
  orderId: Types.ObjectId,
): void {
  const closing = {
    filter: { _id: new Types.ObjectId(id), version, order: null },
    update: {
      $set: { order: orderId, expiresAt: nextExpiry(), updatedAt: new Date() },
      $rename: { owner: 'buyer' },
      $unset: { lastMerge: true as const },
      $inc: { version: 1 },
    },
  };
  const refusal = () => new AppError('CONCURRENT_CHANGE', 'The cart has changed since it was read.');
  writes.update(Cart, [closing], refusal);
}
