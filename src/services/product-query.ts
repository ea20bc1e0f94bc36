/** How the catalogue is asked: filters, orders, and the fields that exist only for them. */
import type { QueryFilter } from 'mongoose';
import type { ProductFields } from '../models/product.model.ts';
import type { ListProducts } from '../schemas/product.schema.ts';
import { searchTerms, startsWith } from './search-terms.ts';

/** Everything but the derived fields, which never leave the database. */
export const PUBLIC_FIELDS = { terms: 0, titleKey: 0, codes: 0, listed: 0 } as const;

/** @param categoryPath of the category that is asked for, with all below it */
export function toFilter(
  { draft, status, minPrice, maxPrice, inStock, q }: ListProducts,
  categoryPath: string | undefined,
): QueryFilter<ProductFields> {
  const words = q ? searchTerms(q).slice(0, 10) : [];
  return {
    ...(draft ? { draft, deleted: false } : { listed: true }),
    ...(categoryPath !== undefined && { categoryPaths: categoryPath }),
    ...(status !== undefined && { status }),
    ...((minPrice !== undefined || maxPrice !== undefined) && {
      price: { ...(minPrice !== undefined && { $gte: minPrice }), ...(maxPrice !== undefined && { $lte: maxPrice }) },
    }),
    ...(inStock !== undefined && { stock: inStock ? { $gt: 0 } : 0 }),
    ...(words.length > 0 && { $and: words.map((word) => ({ terms: startsWith(word) })) }),
  };
}

/** Ends in `_id`, so that products that are equal keep their order from page to page. */
export function toSort(sort: ListProducts['sort']): [string, 1 | -1][] {
  const direction = sort.startsWith('-') ? -1 : 1;
  const field = sort.replace('-', '');
  return [
    [field === 'title' ? 'titleKey' : field, direction],
    ['_id', direction],
  ];
}
