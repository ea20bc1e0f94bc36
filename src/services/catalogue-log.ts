/** The numbered changes of the catalogue: written with each change, read by clients that missed some. */
import type { ClientSession } from 'mongoose';
import pLimit from 'p-limit';
import type { ProductEvent } from '../events.ts';
import {
  CatalogueChange,
  type CatalogueChangeDto,
  type ChangeType,
  toCatalogueChangeDto,
} from '../models/catalogue-change.model.ts';
import { lastNumber, nextNumber } from '../models/counter.model.ts';
import { Product, type ProductDto } from '../models/product.model.ts';
import { CATALOGUE } from './catalogue-version.ts';

const MAX_CHANGES = 500;
/** They are large, and whoever has missed some asks when all the others do. */
const reading = pLimit(2);

/** `complete` is false when the changes since then are not all known any more: read the whole list again. */
export interface CatalogueChangeList {
  changes: CatalogueChangeDto[];
  sequence: number;
  complete: boolean;
}

export interface PublicChange {
  type: ChangeType;
  product: ProductDto;
}

/**
 * Gives each change its number in the catalogue's sequence and keeps it for those who missed it.
 * @param elsewhere takes one more number, behind which there is no change: whoever misses it reads the list again
 * @returns `last`: the last number; null when none was taken
 */
export async function record(
  changes: readonly PublicChange[],
  elsewhere: boolean,
  session: ClientSession,
): Promise<{ last: number | null; events: (ProductEvent & { type: ChangeType })[] }> {
  const count = changes.length + Number(elsewhere);
  if (count === 0) return { last: null, events: [] };
  const last = await nextNumber(CATALOGUE, session, count);
  const events = changes.map((change, i) => ({ sequence: last - count + 1 + i, ...change }));
  const at = new Date();
  await CatalogueChange.insertMany(
    events.map(({ sequence, type, product }) => ({ _id: sequence, type, product, at })),
    { session },
  );
  return { last, events };
}

/** Has this catalogue ever held a product, even one that is deleted by now? */
export async function hasHistory(session: ClientSession): Promise<boolean> {
  return (await Product.exists({}).session(session)) !== null || (await lastNumber(CATALOGUE, session)) > 0;
}

/** At most 500 changes after the one with the number `since`. @param current the number of the last change. */
export async function changesAfter(since: number, current: number): Promise<CatalogueChangeList> {
  if (current - since > MAX_CHANGES) return { changes: [], sequence: current, complete: false };
  const docs = await reading(() =>
    CatalogueChange.find({ _id: { $gt: since } })
      .sort({ _id: 1 })
      .limit(MAX_CHANGES + 1)
      .lean(),
  );
  const sequence = docs.at(-1)?._id ?? current;
  const complete = docs.length <= MAX_CHANGES && sequence - since === docs.length;
  return { changes: complete ? docs.map(toCatalogueChangeDto) : [], sequence, complete };
}

/** Every change between two numbers that is still known: after `since`, up to `last`. */
export async function publicChangesAfter(since: number, last: number): Promise<CatalogueChangeDto[]> {
  const docs = await CatalogueChange.find({ _id: { $gt: since, $lte: last } })
    .sort({ _id: 1 })
    .lean();
  return docs.map(toCatalogueChangeDto);
}
