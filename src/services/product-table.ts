/**
 * The public catalogue in memory, as lists need it: which products fit, in which order, and how many there are of each
 * kind. A pass over all of it takes some milliseconds for 50,000 products.
 */
import type { ListProducts } from '../schemas/product.schema.ts';
import { Labels } from './labels.ts';
import { type PriceRange, priceRanges, roundedDown } from './price-ranges.ts';
import { searchTerms } from './search-terms.ts';
import { SortedList } from './sorted-list.ts';
import { Vocabulary, type Word } from './vocabulary.ts';

/** In larger catalogues a typing error is more likely a word of its own, and looking for the nearest takes too long. */
const MAX_CORRECTED = 20_000;
const MAX_WORDS = 10;
/** Of the words of a query: the search for the nearest word is the one part that costs more than a pass. */
const MAX_CORRECTIONS = 3;

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

export type TableQuery = Omit<ListProducts, 'draft' | 'category'> & { path: string | undefined };

/** How many there are of each kind; each facet is counted as if nothing was asked of it. */
export interface Counts {
  /** By the path of the category alone, without those below it. */
  paths: (readonly [string, number])[];
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

/** The numbers of the products are reused; what is kept of one stands at its number in each column. */
export class ProductTable {
  /** Columns, because a pass over some of them then reads memory in a row: it is ten times as fast. */
  readonly #columns: { [F in keyof Kept]: Kept[F][] } = {
    ...{ id: [], code: [], category: [], categoryPath: [], titleKey: [] },
    ...{ price: [], stock: [], status: [], createdAt: [], updatedAt: [] },
  };
  readonly #paths = new Labels<string>();
  /** By what they are rounded down to. */
  readonly #prices = new Labels<number>();
  readonly #wordsOf: Word<number>[][] = [];
  /** The mark of the last search that found it. */
  readonly #found: number[] = [];
  #lastMark = 0;
  readonly #numbers = new Map<string, number>();
  readonly #free: number[] = [];
  readonly #vocabulary = new Vocabulary<number>();
  /** Made when they are first asked for. */
  readonly #orders = new Map<SortField, SortedList<number>>();

  /** Adds a product, or replaces it as it was. */
  put(kept: Kept, terms: readonly string[]): void {
    const known = this.#numbers.get(kept.id);
    const number = known ?? this.#free.pop() ?? this.#found.length;
    if (known !== undefined) for (const order of this.#orders.values()) order.remove(known);
    for (const [field, column] of Object.entries(this.#columns)) column[number] = kept[field as keyof Kept] as never;
    this.#paths.give(number, kept.categoryPath);
    this.#prices.give(number, roundedDown(kept.price));
    this.#numbers.set(kept.id, number);
    for (const order of this.#orders.values()) order.add(number);
    const words = known === undefined ? [] : (this.#wordsOf[known] ?? []);
    if (known !== undefined && words.length === terms.length && words.every(({ text }, i) => text === terms[i])) return;
    this.#vocabulary.remove(number, words);
    this.#wordsOf[number] = this.#vocabulary.add(number, terms);
    this.#found[number] = 0;
  }

  remove(id: string): void {
    const number = this.#numbers.get(id);
    if (number === undefined) return;
    for (const order of this.#orders.values()) order.remove(number);
    this.#vocabulary.remove(number, this.#wordsOf[number] ?? []);
    this.#numbers.delete(id);
    this.#free.push(number);
  }

  search(query: TableQuery): Found {
    const { words, corrected } = this.#understand(query);
    const mark = words.length > 0 ? this.#mark(words) : null;
    const { status, path, minPrice = 0, maxPrice = Number.POSITIVE_INFINITY, inStock, page, limit } = query;
    const paths = this.#paths.counter();
    const prices = this.#prices.counter();
    const isChosen = this.#paths.labels.map((one) => path === undefined || one === path || one.startsWith(`${path}/`));
    const first = (page - 1) * limit;
    const columns = this.#columns;
    const ids: string[] = [];
    const availability = { inStock: 0, outOfStock: 0 };
    let total = 0;
    const { items } = this.#order(fieldOf(query.sort));
    const last = query.sort.startsWith('-') ? items.length - 1 : 0;
    for (let i = 0; i < items.length; i++) {
      const number = items[Math.abs(last - i)] as number;
      if (mark !== null && this.#found[number] !== mark) continue;
      if (status !== undefined && columns.status[number] !== status) continue;
      const price = columns.price[number] as number;
      const isInStock = (columns.stock[number] as number) > 0;
      const isThere = isChosen[this.#paths.places[number] as number] as boolean;
      const costsThat = price >= minPrice && price <= maxPrice;
      const isAvailable = inStock === undefined || inStock === isInStock;
      if (isThere && costsThat && isAvailable) {
        if (total >= first && ids.length < limit) ids.push(columns.id[number] as string);
        total++;
      }
      if (!query.facets) continue;
      if (costsThat && isAvailable) paths.add(number);
      if (isThere && isAvailable) prices.add(number);
      if (isThere && costsThat) availability[isInStock ? 'inStock' : 'outOfStock']++;
    }
    return {
      ids,
      total,
      ...(query.facets && { counts: { paths: paths.counts(), prices: priceRanges(prices.counts()), availability } }),
      ...(corrected !== undefined && { corrected }),
    };
  }

  /** The words as typed; one that nothing begins with gives way to the nearest that there is. */
  #understand({ q = '', exact = false }: TableQuery): { words: Word<number>[][]; corrected?: string } {
    const typed = searchTerms(q).slice(0, MAX_WORDS);
    let corrections = exact || this.#numbers.size > MAX_CORRECTED ? 0 : MAX_CORRECTIONS;
    const meant: string[] = [];
    const words = typed.map((word) => {
      const found = this.#vocabulary.startingWith(word);
      const near = found.length === 0 && corrections-- > 0 ? this.#vocabulary.nearest(word) : null;
      meant.push(near ?? word);
      return near === null ? found : this.#vocabulary.startingWith(near);
    });
    return { words, ...(meant.some((word, i) => word !== typed[i]) && { corrected: meant.join(' ') }) };
  }

  /** Marks those that have one of the words of each list. */
  #mark(lists: Word<number>[][]): number {
    const found = this.#found;
    for (const [i, words] of lists.entries()) {
      const mark = ++this.#lastMark;
      for (const { owners } of words)
        for (const number of owners) if (i === 0 || found[number] === mark - 1) found[number] = mark;
    }
    return this.#lastMark;
  }

  #order(field: SortField): SortedList<number> {
    const known = this.#orders.get(field);
    if (known) return known;
    const { [field]: keys, id: ids } = this.#columns;
    const compare = <T extends string | number>(a: T | undefined, b: T | undefined) =>
      a === undefined || b === undefined || a === b ? 0 : a < b ? -1 : 1;
    const order = new SortedList(
      this.#numbers.values(),
      (a, b) => compare(keys[a], keys[b]) || compare(ids[a], ids[b]),
    );
    this.#orders.set(field, order);
    return order;
  }
}

function fieldOf(sort: ListProducts['sort']): SortField {
  const field = sort.replace('-', '') as SortField | 'title';
  return field === 'title' ? 'titleKey' : field;
}
