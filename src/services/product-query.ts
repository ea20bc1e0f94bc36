/** How the catalogue is asked: filters, orders, and the fields that exist only for them. */
import type { QueryFilter } from 'mongoose';
import type { ProductFields } from '../models/product.model.ts';
import type { ListProducts } from '../schemas/product.schema.ts';
import { foldText, searchTerms, startsWith } from './search-terms.ts';

/** Everything but the derived fields, which never leave the database. */
export const PUBLIC_FIELDS = { terms: 0, titleKey: 0 } as const;

type Described = Pick<ProductFields, 'code' | 'title' | 'description' | 'category'>;

/** What sorting and searching need of a product; to be set with each change of it. */
export function derivedFields({ code, title, description, category }: Described) {
  return { titleKey: foldText(title), terms: searchTerms(title, code, category, description) };
}

export function toFilter({ category, status, minPrice, maxPrice, q }: ListProducts): QueryFilter<ProductFields> {
  const words = q ? searchTerms(q).slice(0, 10) : [];
  return {
    deleted: false,
    ...(category !== undefined && { category }),
    ...(status !== undefined && { status }),
    ...((minPrice !== undefined || maxPrice !== undefined) && {
      price: { ...(minPrice !== undefined && { $gte: minPrice }), ...(maxPrice !== undefined && { $lte: maxPrice }) },
    }),
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
