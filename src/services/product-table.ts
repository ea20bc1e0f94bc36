/**
 * The public catalogue in memory, as lists need it: which products fit, in which order, and how many there are of each
 * kind. A pass over all of it takes some milliseconds for 50,000 products.
 */
import type { ListProducts } from '../schemas/product.schema.ts';
import { type PriceRange, priceRanges } from './price-ranges.ts';
import { searchTerms } from './search-terms.ts';
import { SortedList } from './sorted-list.ts';
import { Vocabulary, type Word } from './vocabulary.ts';

/** In larger catalogues a typing error is more likely a word of its own, and looking for the nearest takes too long. */
const MAX_CORRECTED = 20_000;
const MAX_WORDS = 10;

/** What is kept of a product. */
export interface Kept {
  id: string;
  code: string;
  category: string;
  categoryPath: string;
  titleKey: string;
  price: number;
  stock: number;
  status: boolean;
  /** Milliseconds since 1970. */
  createdAt: number;
  updatedAt: number;
}

interface Entry extends Kept {
  words: Word<Entry>[];
  /** The mark of the last search that found it. */
  found: number;
}

export type TableQuery = Omit<ListProducts, 'draft' | 'category'> & { path: string | undefined };

/** How many there are of each kind; each facet is counted as if nothing was asked of it. */
export interface Counts {
  /** By the path of the category alone, without those below it. */
  paths: Map<string, number>;
  prices: PriceRange[];
  availability: { inStock: number; outOfStock: number };
}

export interface Found {
  /** Of the page that was asked for. */
  ids: string[];
  total: number;
  counts?: Counts;
  /** The words that were looked for in place of those that were typed. */
  corrected?: string;
}

type SortField = 'createdAt' | 'updatedAt' | 'price' | 'titleKey' | 'stock' | 'code' | 'category';

export class ProductTable {
  readonly #entries = new Map<string, Entry>();
  readonly #words = new Vocabulary<Entry>();
  /** Made when they are first asked for. */
  readonly #orders = new Map<SortField, SortedList<Entry>>();
  #lastMark = 0;

  /** Adds a product, or replaces it as it was. */
  put(kept: Kept, terms: readonly string[]): void {
    const known = this.#entries.get(kept.id);
    if (!known) {
      const entry: Entry = { ...kept, words: [], found: 0 };
      entry.words = this.#words.add(entry, terms);
      this.#entries.set(kept.id, entry);
      for (const order of this.#orders.values()) order.add(entry);
      return;
    }
    for (const order of this.#orders.values()) order.remove(known);
    Object.assign(known, kept);
    for (const order of this.#orders.values()) order.add(known);
    if (known.words.length === terms.length && known.words.every(({ text }, i) => text === terms[i])) return;
    this.#words.remove(known, known.words);
    known.words = this.#words.add(known, terms);
  }

  remove(id: string): void {
    const known = this.#entries.get(id);
    if (!known) return;
    this.#entries.delete(id);
    this.#words.remove(known, known.words);
    for (const order of this.#orders.values()) order.remove(known);
  }

  search(query: TableQuery): Found {
    const { words, corrected } = this.#understand(query);
    const { status, path, minPrice = 0, maxPrice = Number.POSITIVE_INFINITY, inStock, page, limit } = query;
    const mark = words.length > 0 ? this.#mark(words) : null;
    const below = `${path}/`;
    const first = (page - 1) * limit;
    const ids: string[] = [];
    let total = 0;
    const paths = new Map<string, number>();
    const prices: number[] = [];
    const availability = { inStock: 0, outOfStock: 0 };
    for (const entry of this.#inOrder(query.sort)) {
      if ((mark !== null && entry.found !== mark) || (status !== undefined && entry.status !== status)) continue;
      const { categoryPath, price } = entry;
      const isInStock = entry.stock > 0;
      const isThere = path === undefined || categoryPath === path || categoryPath.startsWith(below);
      const costsThat = price >= minPrice && price <= maxPrice;
      const isAvailable = inStock === undefined || inStock === isInStock;
      if (isThere && costsThat && isAvailable) {
        if (total >= first && ids.length < limit) ids.push(entry.id);
        total++;
      }
      if (!query.facets) continue;
      if (costsThat && isAvailable) paths.set(categoryPath, (paths.get(categoryPath) ?? 0) + 1);
      if (isThere && isAvailable) prices.push(price);
      if (isThere && costsThat) availability[isInStock ? 'inStock' : 'outOfStock']++;
    }
    return {
      ids,
      total,
      ...(query.facets && { counts: { paths, prices: priceRanges(prices), availability } }),
      ...(corrected !== undefined && { corrected }),
    };
  }

  /** The words as typed; one that nothing begins with gives way to the nearest that there is. */
  #understand({ q = '', exact = false }: TableQuery): { words: Word<Entry>[][]; corrected?: string } {
    const typed = searchTerms(q).slice(0, MAX_WORDS);
    const mayCorrect = !exact && this.#entries.size <= MAX_CORRECTED;
    const meant: string[] = [];
    const words = typed.map((word) => {
      const found = this.#words.startingWith(word);
      const near = found.length === 0 && mayCorrect ? this.#words.nearest(word) : null;
      meant.push(near ?? word);
      return near === null ? found : this.#words.startingWith(near);
    });
    return { words, ...(meant.some((word, i) => word !== typed[i]) && { corrected: meant.join(' ') }) };
  }

  /** Marks those that have one of the words of each list. */
  #mark(lists: Word<Entry>[][]): number {
    const start = this.#lastMark;
    this.#lastMark += lists.length;
    for (const [i, words] of lists.entries())
      for (const { owners } of words)
        for (const entry of owners) if (i === 0 || entry.found === start + i) entry.found = start + i + 1;
    return this.#lastMark;
  }

  *#inOrder(sort: ListProducts['sort']): Iterable<Entry> {
    const { items } = this.#order(fieldOf(sort));
    if (!sort.startsWith('-')) return yield* items;
    for (let i = items.length - 1; i >= 0; i--) yield items[i] as Entry;
  }

  #order(field: SortField): SortedList<Entry> {
    const known = this.#orders.get(field);
    if (known) return known;
    const order = new SortedList(this.#entries.values(), (a, b) =>
      a[field] < b[field] ? -1 : a[field] > b[field] ? 1 : a.id < b.id ? -1 : a.id > b.id ? 1 : 0,
    );
    this.#orders.set(field, order);
    return order;
  }
}

function fieldOf(sort: ListProducts['sort']): SortField {
  const field = sort.replace('-', '') as SortField | 'title';
  return field === 'title' ? 'titleKey' : field;
}
