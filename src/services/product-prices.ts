/** The history of prices, written with each change of one, and what it says about a reduction. */
import type { ClientSession } from 'mongoose';
import { PriceChange, type PriceChangeFields } from '../models/price-change.model.ts';
import type { ProductDocument, ProductDto } from '../models/product.model.ts';

const WINDOW_MS = 30 * 24 * 60 * 60 * 1000;
const READ_AT_MOST = 2000;

type Seen = Pick<PriceChangeFields, 'price' | 'at'>;

/**
 * Adds the prices that are new to the public; drafts have none. When the product's own price is one of them, sets
 * `lowestPriceBefore`: the lowest of the 30 days that end now, as Directive 98/6/EC, article 6a, asks for.
 */
export async function recordPrices(
  before: ProductDto | null,
  product: ProductDocument,
  session: ClientSession,
): Promise<void> {
  if (product.draft) return;
  const now = pricesOf(product);
  const old = before && !before.draft ? pricesOf(before) : new Map<string | null, number>();
  if ([...now].every(([variantId, price]) => old.get(variantId) === price)) return;

  const history = before ? await readHistory(product._id, session) : new Map<string | null, Seen[]>();
  const at = new Date();
  const added: Omit<PriceChangeFields, 'productId'>[] = [];
  for (const [variantId, price] of now) {
    const seen = history.get(variantId) ?? [];
    const unrecorded = seen.length === 0 ? old.get(variantId) : undefined;
    if (before && unrecorded !== undefined) {
      // From before there was a history.
      seen.push({ price: unrecorded, at: new Date(before.updatedAt) });
      added.push({ variantId, ...(seen[0] as Seen) });
    }
    if (seen[0]?.price === price) continue;
    added.push({ variantId, price, at });
    if (variantId === null && seen.length > 0) product.lowestPriceBefore = lowestSince(at.getTime() - WINDOW_MS, seen);
  }
  const productId = product._id;
  await PriceChange.insertMany(
    added.map((one) => ({ productId, ...one })),
    { session },
  );
}

const pricesOf = ({ price, variants }: Pick<ProductDto, 'price' | 'variants'>) =>
  new Map<string | null, number>([[null, price], ...variants.map((one) => [one.id, one.price] as const)]);

/** By unit, the newest first. */
async function readHistory(
  productId: ProductDocument['_id'],
  session: ClientSession,
): Promise<Map<string | null, Seen[]>> {
  const docs = await PriceChange.find({ productId })
    .sort({ at: -1, _id: -1 })
    .limit(READ_AT_MOST)
    .session(session)
    .lean();
  const history = new Map<string | null, Seen[]>();
  for (const { variantId, ...seen } of docs) history.set(variantId, [...(history.get(variantId) ?? []), seen]);
  return history;
}

/** @param seen the newest first; the first one before `since` was still valid then. */
function lowestSince(since: number, seen: readonly Seen[]): number | null {
  const end = seen.findIndex(({ at }) => at.getTime() <= since);
  const valid = end === -1 ? seen : seen.slice(0, end + 1);
  return valid.length > 0 ? Math.min(...valid.map(({ price }) => price)) : null;
}
