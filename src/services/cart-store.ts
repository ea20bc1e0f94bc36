/** Carts in the database: who may open which, making one, changing one that others change too, and closing. */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type ClientSession, Types } from 'mongoose';
import type { Writes } from '../database/writes.ts';
import { AppError } from '../errors.ts';
import { Cart, type CartDto, type CartFields, type CartRecord, toCartDto } from '../models/cart.model.ts';
import type { CartItemInput } from '../schemas/cart.schema.ts';
import { type Catalogue, noLines, withItems } from './cart-lines.ts';
import { type CartShop, priceCart, productsOf } from './cart-pricing.ts';
import { expectVersion } from './expect-version.ts';
import { inTransactionOnce, type Once, type OnceKey } from './idempotency.ts';
import { Turns } from './turns.ts';

const KEPT_MS = 30 * 24 * 60 * 60 * 1000;
const ATTEMPTS = 50;
const turns = new Turns();

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

/** What changes of a cart; the rest stays. */
type CartChange = Partial<Pick<CartFields, 'items' | 'currency' | 'coupon' | 'shipping'>>;

export type Edit = (cart: CartRecord, catalogue: Catalogue) => CartChange;

const hashOf = (secret: string) => createHash('sha256').update(secret).digest('base64url');
const nextExpiry = () => new Date(Date.now() + KEPT_MS);

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

/** With products and prices as they are now. @param catalogue the products, if they were read */
export async function toPricedDto(shop: CartShop, cart: CartRecord, catalogue?: Catalogue): Promise<CartDto> {
  const known = catalogue ?? (await productsOf(shop, cart.items));
  return toCartDto(cart, await priceCart(cart, known, shop), shop.currency);
}

/** A cart with these lines. @throws AppError as `withItems` does; MongoServerError 11000 when the account has one */
export function insertCart(
  shop: CartShop,
  holder: { owner: string } | { secret: string },
  items: readonly CartItemInput[],
  once: OnceKey | null,
): Promise<Once<CartDto>> {
  return doOnce(once, async (session) => {
    const catalogue = await productsOf(shop, items);
    const held = 'owner' in holder ? holder : { secretHash: hashOf(holder.secret), expiresAt: nextExpiry() };
    const doc = await new Cart({ ...withItems(noLines, items, catalogue), ...held }).save({ session });
    return toPricedDto(shop, doc, catalogue);
  });
}

interface ChangedCart {
  key: CartKey;
  ifVersion: number | undefined;
  /** The products that the edit asks the catalogue for. */
  needed: readonly CartItemInput[];
  once: OnceKey | null;
}

/**
 * Reads the cart, and writes what changes of it only if nobody else has in the meantime, otherwise again from the
 * start: of parallel changes none is lost.
 * @throws AppError NOT_FOUND, VERSION_MISMATCH, CONCURRENT_CHANGE, and what `edit` throws
 */
export function changeCart(
  shop: CartShop,
  { key, ifVersion, needed, once }: ChangedCart,
  edit: Edit,
): Promise<Once<CartDto>> {
  const change = async (session: ClientSession | null) => {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const [before, known] = await Promise.all([find(key, session), productsOf(shop, needed)]);
      expectVersion('cart', before.version, ifVersion);
      const changed = edit(before, known);
      const [after, others] = await Promise.all([
        write(before, changed, session),
        productsOf(shop, changed.items ?? before.items, known),
      ]);
      if (after) return toPricedDto(shop, after, others);
      await delay(Math.random() * attempt);
    }
    throw new AppError('CONCURRENT_CHANGE', 'The cart is being changed by many requests at once.');
  };
  return inTurn(key, () => doOnce(once, change));
}

/** Changes of one cart in this process wait for each other; against other processes the version guards. */
export function inTurn<T>(key: CartKey, work: () => Promise<T>): Promise<T> {
  // With the secret, so that nobody can keep the holder waiting.
  return turns.take('owner' in key ? key.owner : `${key.id}.${key.secret}`, work);
}

/** With a key, in a transaction that keeps the answer; without, `work` is one write and needs none. */
async function doOnce<T>(once: OnceKey | null, work: (session: ClientSession | null) => Promise<T>): Promise<Once<T>> {
  return once ? inTransactionOnce(once, work) : { result: await work(null), replayed: false };
}

/** @returns null when the cart has changed since `before` was read; nothing is written then. */
function write(before: CartRecord, change: CartChange, session: ClientSession | null): Promise<CartRecord | null> {
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
