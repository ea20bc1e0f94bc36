/** Everything that goes with the write of one product, in the transaction of that write. */
import { randomUUID } from 'node:crypto';
import type { ClientSession } from 'mongoose';
import type { Actor } from '../actor.ts';
import { Writes } from '../database/writes.ts';
import { type ProductDocument, type ProductDto, toProductDto } from '../models/product.model.ts';
import { recordStaffWrites } from './audit.service.ts';
import type { PublicChange } from './catalogue-log.ts';
import { publicChange } from './catalogue-writer.ts';
import { categoryNamed, inCategory } from './category-tree.ts';
import { derivedFields } from './product-fields.ts';
import { recordPrices } from './product-prices.ts';
import { checkVariants } from './product-variants.ts';
import { recordMovements, type StockChange } from './stock.ts';

/** A product as the staff see it, and what the public is told of it. */
export interface StoredChange {
  product: ProductDto;
  told: PublicChange | null;
}

/**
 * Writes a product with all that follows from it: derived fields, category, history of prices, movements of stock and
 * the record of what staff have done.
 * @param before the product as it was; null when it is new
 * @param more `under`: where its category goes when that is new; `reason`: why staff have changed its stock
 * @throws AppError INVALID_INPUT, CODE_TAKEN; MongoServerError 11000 when another product has one of its codes
 */
export async function storeProduct(
  actor: Actor,
  before: ProductDto | null,
  product: ProductDocument,
  session: ClientSession,
  { under, reason }: { under?: string | undefined; reason?: string | undefined } = {},
): Promise<StoredChange> {
  checkVariants(product);
  if (product.category !== before?.category || product.categoryPaths.length === 0)
    product.set(inCategory(await categoryNamed(product.category, session, under)));
  product.set(derivedFields(product));
  await recordPrices(before, product, session);
  if (!product.isNew) product.version += 1;
  await product.save({ session });

  const stored = toProductDto(product);
  const after = product.deleted ? null : stored;
  const type = before ? (after ? 'updated' : 'deleted') : 'created';
  await recordStaffWrites(
    actor,
    [{ action: `product.${type}`, targetId: stored.id, before, after: after && { ...after, reason: reason ?? null } }],
    session,
  );
  const cause = `staff:${actor.requestId ?? randomUUID()}:${stored.version}`;
  const writes = new Writes(session);
  recordMovements(writes, stockChanges(before, stored), cause, reason);
  await writes.send();
  return { product: stored, told: publicChange(before, after) };
}

function stockChanges(before: ProductDto | null, after: ProductDto): StockChange[] {
  const [old, now] = [before ? stocksOf(before) : new Map<string | null, number>(), stocksOf(after)];
  return [...new Set([...old.keys(), ...now.keys()])].map((variantId) => ({
    productId: after.id,
    variantId,
    change: (now.get(variantId) ?? 0) - (old.get(variantId) ?? 0),
  }));
}

const stocksOf = ({ stock, variants }: ProductDto) =>
  new Map<string | null, number>(variants.length > 0 ? variants.map((one) => [one.id, one.stock]) : [[null, stock]]);
