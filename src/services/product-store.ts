/** Writing products: everything that goes with the write of one is in the transaction of that write. */
import { randomUUID } from 'node:crypto';
import type { ClientSession } from 'mongoose';
import { type Actor, authorize } from '../actor.ts';
import { isDuplicateKey } from '../database/transaction.ts';
import type { Writes } from '../database/writes.ts';
import { AppError } from '../errors.ts';
import {
  Product,
  type ProductDocument,
  type ProductDto,
  type ProductFields,
  toProductDto,
} from '../models/product.model.ts';
import { recordStaffWrites } from './audit.service.ts';
import type { PublicChange } from './catalogue-log.ts';
import { type CatalogueWriter, publicChange } from './catalogue-writer.ts';
import { categoryNamed, inCategory } from './category-tree.ts';
import { expectVersion } from './expect-version.ts';
import { derivedFields } from './product-fields.ts';
import { recordPrices } from './product-prices.ts';
import { checkVariants } from './product-variants.ts';
import { recordMovements, type StockChange } from './stock.ts';

/** A product as the staff see it, and what the public is told of it. */
export interface StoredChange {
  product: ProductDto;
  told: PublicChange | null;
}

export const noSuchProduct = () => new AppError('NOT_FOUND', 'There is no product with this id.');

/** One transaction, then the news of it. @throws AppError CODE_TAKEN, and what `work` throws */
export async function writeProducts(
  catalogue: CatalogueWriter,
  work: (session: ClientSession, writes: Writes) => Promise<StoredChange[]>,
): Promise<ProductDto[]> {
  try {
    return await catalogue.write(async (session, writes) => {
      const stored = await work(session, writes);
      return { result: stored.map((one) => one.product), changes: stored.flatMap(({ told }) => told ?? []) };
    });
  } catch (error) {
    if (isDuplicateKey(error)) throw new AppError('CODE_TAKEN', 'Another product or variant has this code.');
    throw error;
  }
}

interface StaffChange {
  actor: Actor;
  id: string;
  ifVersion?: number | undefined;
  /** Why they have changed its stock. */
  reason?: string;
}

/**
 * Staff change one product. @param fieldsOf what becomes other than it is
 * @throws AppError UNAUTHENTICATED, FORBIDDEN, NOT_FOUND, VERSION_MISMATCH, INVALID_INPUT, CODE_TAKEN
 */
export async function changeProduct(
  catalogue: CatalogueWriter,
  { actor, id, ifVersion, reason }: StaffChange,
  fieldsOf: (product: ProductDto) => Partial<ProductFields>,
): Promise<ProductDto> {
  authorize(actor, 'products:write');
  const [changed] = await writeProducts(catalogue, async (session, writes) => {
    const product = await Product.findOne({ _id: id, deleted: false }).session(session);
    if (!product) throw noSuchProduct();
    expectVersion('product', product.version, ifVersion);
    const before = toProductDto(product);
    product.set(fieldsOf(before));
    return [await storeProduct(actor, before, product, writes, { reason })];
  });
  return changed as ProductDto;
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
  writes: Writes,
  { under, reason }: { under?: string | undefined; reason?: string | undefined } = {},
): Promise<StoredChange> {
  const { session } = writes;
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
  recordMovements(writes, stockChanges(before, stored), cause, reason);
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
