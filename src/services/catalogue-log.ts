/** The numbered changes of the catalogue: written with each change, read by clients that missed some. */
import type { ClientSession } from 'mongoose';
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

/** `complete` is false when the changes since then are not all known any more: read the whole list again. */
export interface CatalogueChangeList {
  changes: CatalogueChangeDto[];
  sequence: number;
  complete: boolean;
}

/** Gives each changed product its number in the catalogue's sequence and keeps the change for those who missed it. */
export async function record(
  type: ChangeType,
  products: readonly ProductDto[],
  session: ClientSession,
): Promise<ProductEvent[]> {
  if (products.length === 0) return [];
  const last = await nextNumber(CATALOGUE, session, products.length);
  const events = products.map((product, i) => ({ sequence: last - products.length + 1 + i, product }));
  const at = new Date();
  await CatalogueChange.insertMany(
    events.map(({ sequence, product }) => ({ _id: sequence, type, product, at })),
    { session },
  );
  return events;
}

/** Has this catalogue ever held a product, even one that is deleted by now? */
export async function hasHistory(session: ClientSession): Promise<boolean> {
  return (await Product.exists({}).session(session)) !== null || (await lastNumber(CATALOGUE, session)) > 0;
}

/** At most 500 changes after the one with the number `since`. @param current the number of the last change. */
export async function changesAfter(since: number, current: number): Promise<CatalogueChangeList> {
  const docs = await CatalogueChange.find({ _id: { $gt: since } })
    .sort({ _id: 1 })
    .limit(MAX_CHANGES + 1)
    .lean();
  const sequence = docs.at(-1)?._id ?? current;
  const complete = docs.length <= MAX_CHANGES && sequence - since === docs.length;
  return { changes: complete ? docs.map(toCatalogueChangeDto) : [], sequence, complete };
}
