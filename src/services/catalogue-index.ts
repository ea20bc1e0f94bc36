/** Keeps the table of public products at the catalogue's version: read once, then changed as the sequence tells. */
import { Product, type ProductDto, type StoredProduct } from '../models/product.model.ts';
import { publicChangesAfter } from './catalogue-log.ts';
import type { CatalogueVersion } from './catalogue-version.ts';
import { derivedFields } from './product-fields.ts';
import { type Found, ProductTable, type TableQuery } from './product-table.ts';

/** Changes stay in the database for a week. */
const KNOWN_MS = 6 * 24 * 60 * 60 * 1000;
/** With more changes than this, it is quicker to read the products. */
const MAX_CHANGES = 2000;

const KEPT_FIELDS = {
  ...{ code: 1, category: 1, categoryPaths: 1, titleKey: 1, terms: 1 },
  ...{ price: 1, stock: 1, status: 1, createdAt: 1, updatedAt: 1 },
} as const;

type KeptProduct = Pick<StoredProduct, '_id' | 'categoryPaths' | 'createdAt' | 'updatedAt'> &
  Pick<ProductDto, 'code' | 'category' | 'price' | 'stock' | 'status'> & { titleKey: string; terms: string[] };

/** A state of the table. */
interface Snapshot {
  table: ProductTable;
  /** All changes up to this number are in it. */
  sequence: number;
  /** When that was so, in milliseconds since 1970. */
  at: number;
}

export class CatalogueIndex {
  readonly #version: CatalogueVersion;
  #snapshot: Snapshot | null = null;
  #following: Promise<void> | null = null;

  constructor({ version }: { version: CatalogueVersion }) {
    this.#version = version;
  }

  /** Answers from every change that was acknowledged before; the first time it reads the whole catalogue. */
  async search(query: TableQuery): Promise<Found> {
    const { table } = await this.#current();
    return table.search(query);
  }

  async #current(): Promise<Snapshot> {
    const wanted = await this.#version.current();
    // One that runs already may have begun before the change that is wanted.
    while (this.#snapshot === null || this.#snapshot.sequence < wanted) {
      this.#following ??= this.#follow().finally(() => {
        this.#following = null;
      });
      await this.#following;
    }
    return this.#snapshot;
  }

  async #follow(): Promise<void> {
    const at = Date.now();
    const sequence = await this.#version.current();
    const known = this.#snapshot;
    // A number without a change stands for one of something else than a product.
    if (known !== null && sequence - known.sequence <= MAX_CHANGES && at - known.at < KNOWN_MS) {
      const changes = await publicChangesAfter(known.sequence, sequence);
      for (const { type, product } of changes) {
        if (type === 'deleted') known.table.remove(product.id);
        else putDto(known.table, product);
      }
      this.#snapshot = { ...known, sequence, at };
    } else {
      this.#snapshot = { table: await readTable(), sequence, at };
    }
  }
}

async function readTable(): Promise<ProductTable> {
  const table = new ProductTable();
  const products = Product.find({ listed: true }, KEPT_FIELDS).lean<KeptProduct[]>().cursor({ batchSize: 1000 });
  for await (const { _id, terms, categoryPaths = [], createdAt, updatedAt, ...product } of products) {
    const categoryPath = categoryPaths.at(-1) ?? '';
    const times = { createdAt: createdAt.getTime(), updatedAt: updatedAt.getTime() };
    table.put({ ...product, ...times, id: _id.toHexString(), categoryPath }, terms);
  }
  return table;
}

function putDto(table: ProductTable, product: ProductDto): void {
  const { id, code, category, categoryPath, price, stock, status } = product;
  const { titleKey, terms } = derivedFields({ ...product, deleted: false });
  const times = { createdAt: Date.parse(product.createdAt), updatedAt: Date.parse(product.updatedAt) };
  table.put({ id, code, category, categoryPath, titleKey, price, stock, status, ...times }, terms);
}
