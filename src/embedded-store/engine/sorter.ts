// Sorts in memory in steps, so that others have their turns.
import { MongoError } from '../errors.ts';
import type { Key } from '../storage/layer.ts';
import { rankStrings } from './collation.ts';
import { nextTurn } from './engine.ts';
import type { StringFold, StringKey } from './key-encoding.ts';
import { wholeDocument } from './raw-bson.ts';
import { type SortPart, sortKey } from './sort.ts';

const MEMORY_BYTES = 100 * 1024 * 1024;
/** How many items are sorted, or put together, before others have their turn. */
const STEP = 1000;

interface Keyed<T> {
  key: Key;
  item: T;
}

/** Collects items with documents and gives them in order; with `wanted`, only the first of them. */
export class Sorter<T extends { document: Buffer }> {
  readonly #keyOf: (item: T, strings?: StringKey) => Key;
  readonly #fold: StringFold | undefined;
  readonly #wanted: number;
  #items: T[] = [];
  #bytes = 0;

  /** `keyOf` gives the place of an item in the order, with `strings` for the strings in it. */
  constructor(keyOf: (item: T, strings?: StringKey) => Key, fold?: StringFold, wanted = Number.POSITIVE_INFINITY) {
    this.#keyOf = keyOf;
    this.#fold = fold;
    this.#wanted = wanted;
  }

  /** @throws MongoError above 100 MB. */
  async add(items: readonly T[]): Promise<void> {
    for (const item of items) {
      this.#items.push(item);
      this.#bytes += item.document.length;
    }
    if (this.#items.length > this.#wanted * 2 + STEP) await this.finish();
    if (this.#bytes > MEMORY_BYTES)
      throw new MongoError(
        'QueryExceededMemoryLimitNoDiskUseAllowed',
        `Sort exceeded memory limit of ${MEMORY_BYTES} bytes; this server does not sort on disk.`,
      );
  }

  /** Equal items keep their order. */
  async finish(): Promise<T[]> {
    let runs: Keyed<T>[][] = [];
    const ranks = rankStrings(this.#fold, (see) => {
      for (const item of this.#items) this.#keyOf(item, see);
    });
    for (let from = 0; from < this.#items.length; from += STEP) {
      const run = this.#items.slice(from, from + STEP).map((item) => ({ item, key: this.#keyOf(item, ranks) }));
      runs.push(run.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).slice(0, this.#wanted));
      await nextTurn();
    }
    while (runs.length > 1) {
      const merged: Keyed<T>[][] = [];
      for (let i = 0; i < runs.length; i += 2) merged.push(await merge(runs[i] ?? [], runs[i + 1] ?? [], this.#wanted));
      runs = merged;
    }
    this.#items = (runs[0] ?? []).map(({ item }) => item);
    this.#bytes = this.#items.reduce((sum, { document }) => sum + document.length, 0);
    return this.#items;
  }
}

/** A sorter of documents by their fields. */
export function documentSorter<T extends { document: Buffer }>(
  parts: readonly SortPart[],
  fold: StringFold | undefined,
  wanted: number,
): Sorter<T> {
  return new Sorter<T>(({ document }, strings) => sortKey(wholeDocument(document), parts, strings), fold, wanted);
}

async function merge<T>(left: Keyed<T>[], right: Keyed<T>[], wanted: number): Promise<Keyed<T>[]> {
  const merged: Keyed<T>[] = [];
  let i = 0;
  let j = 0;
  while (merged.length < wanted) {
    const [a, b] = [left[i], right[j]];
    const next = !b || (a && a.key <= b.key) ? a : b;
    if (!next) break;
    merged.push(next);
    if (next === a) i++;
    else j++;
    if (merged.length % STEP === 0) await nextTurn();
  }
  return merged;
}
