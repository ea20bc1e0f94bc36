/** What the benchmarks of the store keep in it. */
import type { Collection, Document } from 'mongodb';

export interface Product extends Document {
  _id?: number;
}

const DESCRIPTION = 'A sturdy thing of good make, sold on the market since the days of old. '.repeat(3);

export function product(i: number, category = `k${i % 5}`): Product {
  const price = (i * 37) % 9973;
  return { title: `Thing ${i}`, category, price, stock: 5, description: DESCRIPTION, tags: ['a', 'b'] };
}

/** One that is not among the numbered ones. */
export const newProduct = (): Product => product(0, 'new');

/** Numbered products with a unique code; the indexes exist before them, as some servers want. */
export async function fill(products: Collection<Product>, count: number): Promise<void> {
  await products.createIndexes([{ key: { code: 1 } }, { key: { category: 1, price: 1, _id: 1 } }]);
  for (let from = 0; from < count; from += 1_000) {
    const batch = Array.from({ length: Math.min(1_000, count - from) }, (_, i) => from + i);
    await products.insertMany(batch.map((i) => ({ _id: i, code: `c${i}`, ...product(i) })));
  }
}

export const page = (products: Collection<Product>, i: number): Promise<Product[]> =>
  products
    .find({ category: `k${i % 5}` })
    .sort({ price: 1, _id: 1 })
    .limit(20)
    .toArray();
