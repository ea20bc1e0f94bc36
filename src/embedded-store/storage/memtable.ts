import { type Key, type KeyRange, type Layer, type Overlay, SortedKeys } from './layer.ts';

interface Version {
  /** Number of the write that made it. */
  sequence: number;
  value: Buffer | null;
  older: Version | undefined;
}

/** Written changes that are not in LMDB yet, with the older versions that snapshots may still read. */
export class Memtable implements Overlay {
  readonly #newest = new Map<Key, Version>();
  readonly #sorted = new SortedKeys();

  get size(): number {
    return this.#newest.size;
  }

  /** `seen` is the sequence of the newest snapshot: a version after it can be overwritten. */
  apply(changes: Layer, sequence: number, seen: number): void {
    for (const [key, value] of changes.entries) {
      const now = this.#newest.get(key);
      if (!now) this.#sorted.add(key);
      if (now && now.sequence > seen) {
        now.sequence = sequence;
        now.value = value;
      } else this.#newest.set(key, { sequence, value, older: now });
    }
  }

  get(key: Key): Buffer | null | undefined {
    return this.#newest.get(key)?.value;
  }

  keys(range: KeyRange): Key[] {
    return this.#sorted.within(range);
  }

  /** What it held after that write. */
  at(sequence: number): Overlay {
    return {
      get: (key) => {
        let version = this.#newest.get(key);
        while (version && version.sequence > sequence) version = version.older;
        return version?.value;
      },
      keys: (range) => this.keys(range),
    };
  }

  *entries(): Generator<[Key, Buffer | null]> {
    for (const [key, { value }] of this.#newest) yield [key, value];
  }
}
