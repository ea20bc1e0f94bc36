/** A catalogue of 50,000 products with words, prices and categories as shops have them, put straight into the store. */
import { ObjectId } from 'bson';
import { MongoClient } from 'mongodb';
import { derivedFields } from '../../src/services/product-fields.ts';
import { startBuiltStore } from './built-store.ts';

const BATCH = 1000;
const TOPS = ['Kitchen', 'Garden', 'Textiles', 'Pantry', 'Paper', 'Tools', 'Lamps', 'Toys'];
const BELOW = 5;

/** Words that one can say: 12 x 5 x 12 x 5 of them. */
const word = (n: number) => {
  const syllable = (i: number) => `${'bdfglmnprstv'[i % 12]}${'aeiou'[Math.floor(i / 12) % 5]}`;
  return syllable(n) + syllable(Math.floor(n / 60)) + (n % 3 === 0 ? 'n' : 'rel');
};
const words = (n: number, count: number, of: number) =>
  Array.from({ length: count }, (_, i) => word((n * 7919 + i * 104_729 + ((n * i) % 613)) % of)).join(' ');

function category(n: number) {
  const top = n % TOPS.length;
  const name = `${TOPS[top]} ${Math.floor(n / TOPS.length) % BELOW}`;
  const slug = TOPS[top]?.toLowerCase() ?? '';
  return { name, top: slug, path: `${slug}/${name.toLowerCase().replace(' ', '-')}` };
}

/** The product with this number, as the shop stores it. */
export function largeProduct(n: number) {
  const { name, top, path } = category(n);
  const fields = {
    code: `C-${n}`,
    title: `${words(n, 3, 600)} ${word(n % 3600)}`,
    description: words(n, 25, 3600),
    category: name,
    price: Math.round(100 * 1.0001 ** ((n * 7919) % 50_000)),
    stock: n % 10 === 0 ? 0 : n % 50,
    variants: [],
    draft: false,
    deleted: false,
  };
  const at = new Date(Date.UTC(2026, 0, 1) + n * 60_000);
  return {
    ...fields,
    ...derivedFields(fields),
    categoryPaths: [top, path],
    ...{ currency: 'EUR', status: n % 20 !== 0, thumbnails: [], images: [], options: [], related: [] },
    ...{ listPrice: null, lowestPriceBefore: null, version: 1, createdAt: at, updatedAt: at },
  };
}

/** @param dir of a store in which a shop has made its indexes */
export async function fillLargeCatalogue(dir: string, count: number): Promise<void> {
  const store = await startBuiltStore(dir);
  const client = await new MongoClient(store.uri).connect();
  const tops = TOPS.map((name) => ({ _id: new ObjectId(), name, slug: name.toLowerCase(), path: name.toLowerCase() }));
  const below = Array.from({ length: TOPS.length * BELOW }, (_, n) => category(n)).map(({ name, top, path }) => ({
    ...{ _id: new ObjectId(), name, path, slug: path.split('/')[1] ?? '' },
    parent: tops.find((one) => one.path === top)?._id ?? null,
    position: 0,
  }));
  const categories = [...tops.map((one) => ({ ...one, parent: null, position: 0 })), ...below];
  await client.db().collection('categories').insertMany(categories);
  for (let from = 0; from < count; from += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, count - from) }, (_, i) => largeProduct(from + i));
    await client.db().collection('products').insertMany(batch);
  }
  await client.close();
  await store.end('SIGTERM');
}
