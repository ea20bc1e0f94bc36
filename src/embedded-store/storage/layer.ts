/** A key as a "binary string": one character for each byte, so that `<` on strings is the byte order of LMDB. */
export type Key = string;
/** The first bytes of every key say to which collection or index it belongs. */
export const PREFIX_LENGTH = 4;
export const prefixOf = (key: Key): Key => key.slice(0, PREFIX_LENGTH);
export type Entry = [key: Key, value: Buffer];
/** Half open: `start` is included, `end` is not. All of it is within the keys of one prefix. */
export interface KeyRange {
  start: Key;
  end: Key;
  reverse?: boolean;
}

/** The smallest key above all keys that begin with this one. */
export function afterPrefix(prefix: Key): Key {
  let length = prefix.length;
  while (length > 0 && prefix.charCodeAt(length - 1) === 0xff) length--;
  return prefix.slice(0, length - 1) + String.fromCharCode(prefix.charCodeAt(length - 1) + 1);
}

/** Something that can be read: the newest state, or a snapshot of it. */
export interface View {
  get(key: Key): Buffer | undefined;
  range(range: KeyRange): Iterable<Entry>;
}

/** Changes that hide what is below them. */
export interface Overlay {
  /** `null` for a removed key, undefined for one that it says nothing about. */
  get(key: Key): Buffer | null | undefined;
  /** Keys of the range that may have changed, ascending. */
  keys(range: KeyRange): Key[];
}

/** The changes of a statement or a transaction, before they are written. */
export class Layer implements Overlay {
  readonly entries = new Map<Key, Buffer | null>();
  readonly #sorted = new SortedKeys();

  get size(): number {
    return this.entries.size;
  }

  set(key: Key, value: Buffer | null): void {
    if (!this.entries.has(key)) this.#sorted.add(key);
    this.entries.set(key, value);
  }

  get(key: Key): Buffer | null | undefined {
    return this.entries.get(key);
  }

  keys(range: KeyRange): Key[] {
    return this.#sorted.within(range);
  }
}

/** Above this many new keys, sorting all of them is cheaper than inserting each. */
const FEW_KEYS = 64;

/** A set of keys that is put in order when somebody asks for a range of it. */
export class SortedKeys {
  #sorted: Key[] = [];
  #added: Key[] = [];

  add(key: Key): void {
    this.#added.push(key);
  }

  within({ start, end }: KeyRange): Key[] {
    this.#sort();
    const from = lowerBound(this.#sorted, start);
    const to = lowerBound(this.#sorted, end);
    return from < to ? this.#sorted.slice(from, to) : [];
  }

  #sort(): void {
    if (this.#added.length === 0) return;
    if (this.#added.length < FEW_KEYS)
      for (const key of this.#added) this.#sorted.splice(lowerBound(this.#sorted, key), 0, key);
    else this.#sorted = this.#sorted.concat(this.#added).sort();
    this.#added = [];
  }
}

function lowerBound(sorted: Key[], key: Key): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Overlays over a base, the oldest first; a newer one hides what is below it. */
export function layered(base: View, overlays: readonly Overlay[]): View {
  return {
    get(key) {
      for (let i = overlays.length - 1; i >= 0; i--) {
        const value = overlays[i]?.get(key);
        if (value !== undefined) return value ?? undefined;
      }
      return base.get(key);
    },
    range(range) {
      let entries: Iterable<Entry> = base.range(range);
      for (const overlay of overlays) {
        const keys = overlay.keys(range);
        if (keys.length > 0) entries = merge(entries, range.reverse ? keys.reverse() : keys, overlay, range.reverse);
      }
      return entries;
    },
  };
}

function* merge(below: Iterable<Entry>, keys: Key[], overlay: Overlay, reverse = false): Generator<Entry> {
  let next = 0;
  for (const entry of below) {
    let key = keys[next];
    while (key !== undefined && (reverse ? key > entry[0] : key < entry[0])) {
      const value = overlay.get(key);
      if (value) yield [key, value];
      key = keys[++next];
    }
    if (key !== entry[0]) {
      yield entry;
      continue;
    }
    next++;
    const value = overlay.get(key);
    if (value) yield [key, value];
    else if (value === undefined) yield entry;
  }
  for (; next < keys.length; next++) {
    const key = keys[next];
    const value = key === undefined ? undefined : overlay.get(key);
    if (key !== undefined && value) yield [key, value];
  }
}
