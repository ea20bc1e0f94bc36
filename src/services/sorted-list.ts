/** A list that stays in order while single items come and go. */
export class SortedList<T> {
  readonly #items: T[];
  readonly #compare: (a: T, b: T) => number;

  /** @param compare tells any two items apart */
  constructor(items: Iterable<T>, compare: (a: T, b: T) => number) {
    this.#items = [...items].sort(compare);
    this.#compare = compare;
  }

  get items(): readonly T[] {
    return this.#items;
  }

  add(item: T): void {
    this.#items.splice(this.#placeOf(item), 0, item);
  }

  /** To be called before what the order depends on changes. */
  remove(item: T): void {
    this.#items.splice(this.#placeOf(item), 1);
  }

  #placeOf(item: T): number {
    return firstIndex(this.#items, (other) => this.#compare(other, item) >= 0);
  }
}

/** The index of the first item that passes a test which all behind it pass too; the length when none does. */
export function firstIndex<T>(items: readonly T[], passes: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (passes(items[middle] as T)) high = middle;
    else low = middle + 1;
  }
  return low;
}
