/** A key as a "binary string": one character for each byte, so that `<` on strings is the byte order of LMDB. */
export type Key = string;
export type Entry = [key: Key, value: Buffer];
/** Half open: `start` is included, `end` is not. */
export interface KeyRange {
  start: Key;
  end: Key;
  reverse?: boolean;
}

/** Something that can be read: the newest state, or a snapshot of it. */
export interface View {
  get(key: Key): Buffer | undefined;
  range(range: KeyRange): Iterable<Entry>;
}

/** Changes that are not in LMDB yet, in key order on demand. `null` marks a removed key. */
export class Layer {
  readonly entries = new Map<Key, Buffer | null>();
  #sorted: Key[] | null = null;

  get size(): number {
    return this.entries.size;
  }

  set(key: Key, value: Buffer | null): void {
    if (this.#sorted && !this.entries.has(key)) this.#sorted.splice(lowerBound(this.#sorted, key), 0, key);
    this.entries.set(key, value);
  }

  addAll(other: Layer): void {
    for (const [key, value] of other.entries) this.set(key, value);
  }

  /** The changed keys of the range, ascending. */
  keys({ start, end }: KeyRange): Key[] {
    this.#sorted ??= [...this.entries.keys()].sort();
    const from = lowerBound(this.#sorted, start);
    return this.#sorted.slice(from, Math.max(from, lowerBound(this.#sorted, end)));
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

/** Layers over a base, oldest layer first; a newer layer hides what is below it. */
export function layered(base: View, layers: readonly Layer[]): View {
  return {
    get(key) {
      for (let i = layers.length - 1; i >= 0; i--) {
        const value = layers[i]?.entries.get(key);
        if (value !== undefined) return value ?? undefined;
      }
      return base.get(key);
    },
    range(range) {
      let entries: Iterable<Entry> = base.range(range);
      for (const layer of layers) {
        if (layer.size === 0) continue;
        const keys = layer.keys(range);
        if (keys.length > 0) entries = merge(entries, range.reverse ? keys.reverse() : keys, layer, range.reverse);
      }
      return entries;
    },
  };
}

function* merge(below: Iterable<Entry>, keys: Key[], layer: Layer, reverse = false): Generator<Entry> {
  let next = 0;
  for (const entry of below) {
    let key = keys[next];
    while (key !== undefined && (reverse ? key > entry[0] : key < entry[0])) {
      const value = layer.entries.get(key);
      if (value) yield [key, value];
      key = keys[++next];
    }
    if (key === entry[0]) {
      const value = layer.entries.get(key);
      if (value) yield [key, value];
      next++;
    } else yield entry;
  }
  for (; next < keys.length; next++) {
    const key = keys[next];
    const value = key === undefined ? undefined : layer.entries.get(key);
    if (key !== undefined && value) yield [key, value];
  }
}
