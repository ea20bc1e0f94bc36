/** Stock: every change is conditional, and leaves a movement that says what caused it. */
import { type ClientSession, type mongo, Types } from 'mongoose';
import type { Update, Writes } from '../database/writes.ts';
import { AppError } from '../errors.ts';
import { Product, type ProductFields, toProductDto, unitOf } from '../models/product.model.ts';
import { StockMovement } from '../models/stock-movement.model.ts';
import type { ListMovements } from '../schemas/product.schema.ts';

/** Units of one product or variant. */
export interface StockLine {
  productId: string;
  variantId: string | null;
  quantity: number;
  /** The price at which they are bought: with another one in the catalogue they are not taken. */
  price?: number;
  /** The price's. */
  currency?: string;
}

/** A change of a unit's stock: above 0 for what came. */
export interface StockChange {
  productId: string;
  variantId: string | null;
  change: number;
}

/**
 * Takes units out of what can be bought, all or none; lines of one unit are summed. Whoever calls it tells of
 * `stock.changed`. The writes are refused with AppError OUT_OF_STOCK with what is `available`, NOT_FOR_SALE,
 * CONCURRENT_CHANGE when the price is another one.
 */
export function takeStock(writes: Writes, lines: readonly StockLine[], cause: string): void {
  const units = summed(lines);
  writes.update(Product, units.map(takeOf), () => shortageOf(units));
  recordMovements(
    writes,
    units.map(({ quantity, ...unit }) => ({ ...unit, change: -quantity })),
    cause,
  );
}

/**
 * Puts units back, also of products that are not for sale any more. Those that have other variants since have no such
 * unit: nothing comes back there. Whoever calls it tells of `stock.changed`.
 */
export async function returnStock(writes: Writes, lines: readonly StockLine[], cause: string): Promise<void> {
  if (lines.length === 0) return;
  const units = await existing(writes.session, summed(lines));
  if (units.length === 0) return;
  writes.update(
    Product,
    units.map((unit) => changeOf(unit, unit.quantity, { _id: new Types.ObjectId(unit.productId) })),
  );
  recordMovements(
    writes,
    units.map(({ quantity, ...unit }) => ({ ...unit, change: quantity })),
    cause,
  );
}

/** Writes one movement for each unit that changed. The stock itself is the caller's to write, in the same transaction. */
export function recordMovements(
  writes: Writes,
  changes: readonly StockChange[],
  cause: string,
  reason: string | null = null,
): void {
  const at = new Date();
  const movements = changes
    .filter(({ change }) => change !== 0)
    .map(({ productId, variantId, change }) => ({
      unit: unitName(productId, variantId),
      productId: new Types.ObjectId(productId),
      change,
      cause,
      reason,
      at,
    }));
  writes.insert(StockMovement, movements);
}

export interface StockMovementPage {
  items: { id: string; variantId: string | null; change: number; cause: string; reason: string | null; at: string }[];
  /** For the next page; null at the end. */
  next: string | null;
}

/** The movements of a product and its variants, the newest first. */
export async function movementsOf(productId: string, { after, limit }: ListMovements): Promise<StockMovementPage> {
  const docs = await StockMovement.find({ productId, ...(after && { _id: { $lt: after } }) })
    .sort({ _id: -1 })
    .limit(limit + 1)
    .lean();
  const items = docs.slice(0, limit).map(({ _id, unit, change, cause, reason = null, at }) => ({
    id: _id.toHexString(),
    variantId: unit.split(':')[1] ?? null,
    ...{ change, cause, reason, at: at.toISOString() },
  }));
  return { items, next: docs.length > limit ? (items.at(-1)?.id ?? null) : null };
}

const unitName = (productId: string, variantId: string | null) =>
  variantId === null ? productId : `${productId}:${variantId}`;

/** One line for each unit, always in the same order, so that two who want the same units meet at the first. */
function summed(lines: readonly StockLine[]): StockLine[] {
  const units = new Map<string, StockLine>();
  for (const line of lines) {
    const name = unitName(line.productId, line.variantId);
    const known = units.get(name);
    units.set(name, known ? { ...known, quantity: known.quantity + line.quantity } : line);
  }
  return [...units].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, unit]) => unit);
}

async function existing(session: ClientSession, units: StockLine[]): Promise<StockLine[]> {
  const _id = { $in: units.map(({ productId }) => productId) };
  const docs = await Product.find({ _id }, { variants: 1 }).session(session).lean();
  const products = new Map(docs.map((doc) => [doc._id.toHexString(), (doc.variants ?? []).map(({ id }) => id)]));
  return units.filter(({ productId, variantId }) => {
    const variants = products.get(productId);
    return variants && (variantId === null ? variants.length === 0 : variants.includes(variantId));
  });
}

function takeOf(unit: StockLine): Update<ProductFields> {
  const { productId, variantId, quantity, price, currency } = unit;
  const enough = { stock: { $gte: quantity }, ...(price !== undefined && { price }) };
  return changeOf(unit, -quantity, {
    _id: new Types.ObjectId(productId),
    ...{ deleted: false, status: true, draft: { $ne: true } },
    ...(currency !== undefined && { currency }),
    ...(variantId === null
      ? { ...enough, 'variants.0': { $exists: false } }
      : { variants: { $elemMatch: { id: variantId, ...enough } } }),
  });
}

function changeOf(
  { variantId }: StockLine,
  change: number,
  filter: mongo.Filter<ProductFields>,
): Update<ProductFields> {
  const $inc = { stock: change, version: 1 };
  const $set = { updatedAt: new Date() };
  if (variantId === null) return { filter, update: { $inc, $set } };
  const ofVariant = 'variants' in filter ? filter : { ...filter, 'variants.id': variantId };
  return { filter: ofVariant, update: { $inc: { ...$inc, 'variants.$.stock': change }, $set } };
}

/** Why they could not be taken, as the catalogue is now. */
async function shortageOf(units: readonly StockLine[]): Promise<AppError> {
  const docs = await Product.find({ _id: { $in: units.map((unit) => unit.productId) }, deleted: false }).lean();
  for (const { productId, variantId, quantity } of units) {
    const doc = docs.find(({ _id }) => _id.toHexString() === productId);
    const unit = doc && unitOf(toProductDto(doc), variantId);
    const which = { productId, variantId };
    if (!unit?.forSale) return new AppError('NOT_FOR_SALE', `${unit?.title ?? 'A product'} is not for sale.`, which);
    if (unit.stock < quantity) {
      const left = unit.stock === 0 ? 'is sold out' : `has ${unit.stock} left`;
      return new AppError('OUT_OF_STOCK', `${unit.title} ${left}.`, { available: unit.stock, ...which });
    }
  }
  return new AppError('CONCURRENT_CHANGE', 'The catalogue has changed in this moment.');
}
