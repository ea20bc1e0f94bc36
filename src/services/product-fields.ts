/** What follows from the rest of a product, to be set with each change of it. Pure. */
import type { ProductFields } from '../models/product.model.ts';
import { foldText, searchTerms } from './search-terms.ts';

/** What is written as it comes; everything else is derived from it. */
export type WrittenFields = Pick<
  ProductFields,
  'code' | 'title' | 'description' | 'category' | 'price' | 'stock' | 'variants' | 'draft' | 'deleted'
>;

/** With variants, the price is the lowest of theirs and the stock their sum. */
export function derivedFields(product: WrittenFields) {
  const { code, title, description, category, variants } = product;
  const codes = [code, ...variants.map((variant) => variant.code)];
  return {
    ...(variants.length > 0 && {
      price: Math.min(...variants.map((variant) => variant.price)),
      stock: variants.reduce((sum, variant) => sum + variant.stock, 0),
    }),
    codes,
    listed: !product.deleted && !product.draft,
    titleKey: foldText(title),
    terms: searchTerms(title, ...codes, category, description),
  };
}
