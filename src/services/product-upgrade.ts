/** Products that an older version has stored get what has come since: codes, and their place in the tree. */
import { Product } from '../models/product.model.ts';
import { categoryNamed, inCategory } from './category-tree.ts';
import { derivedFields } from './product-fields.ts';

const BATCH = 500;

/**
 * To be awaited before anything is served: lists and the uniqueness of codes depend on it. Costs one look into an index
 * when there is nothing to do, and goes on where it was when it is interrupted.
 */
export async function upgradeProducts(): Promise<void> {
  for (;;) {
    const old = await Product.find({ listed: null }).limit(BATCH).lean();
    if (old.length === 0) return;
    const writes = [];
    for (const product of old) {
      const place = inCategory(await categoryNamed(product.category, null));
      const { draft = false, variants = [] } = product as Partial<typeof product>;
      const update = { $set: { ...place, ...derivedFields({ ...product, draft, variants }) } };
      writes.push({ updateOne: { filter: { _id: product._id, version: product.version }, update, timestamps: false } });
    }
    await Product.bulkWrite(writes);
  }
}
