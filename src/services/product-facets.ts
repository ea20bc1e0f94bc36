/** What a list can be narrowed by, with how many products each choice leaves. */
import { Category } from '../models/category.model.ts';
import { inTreeOrder, pathsOf } from './category-tree.ts';
import type { PriceRange } from './price-ranges.ts';
import type { Counts } from './product-table.ts';

export interface Facets {
  /** Each with all below it right behind it; those that leave nothing are left out, except the chosen one. */
  categories: { name: string; path: string; count: number }[];
  prices: PriceRange[];
  availability: { inStock: number; outOfStock: number };
}

/** @param chosen the path of the category that the list is narrowed to */
export async function toFacets({ paths, ...rest }: Counts, chosen = ''): Promise<Facets> {
  const totals = new Map(pathsOf(chosen).map((path) => [path, 0]));
  for (const [path, count] of paths)
    for (const above of pathsOf(path)) totals.set(above, (totals.get(above) ?? 0) + count);
  const categories = inTreeOrder(await Category.find().lean()).flatMap(({ name, path }) => {
    const count = totals.get(path);
    return count === undefined ? [] : [{ name, path, count }];
  });
  return { categories, ...rest };
}
