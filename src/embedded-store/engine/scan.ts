// Runs a plan in steps. Between steps nothing is held open: the next one goes on after the last key that was seen, so a
// long scan neither blocks other commands nor keeps LMDB's pages from being reused.
import type { Key, KeyRange, View } from '../storage/layer.ts';
import { type Collection, checkPresent } from './catalog.ts';
import { documentKey } from './collection-writer.ts';
import type { Index } from './indexes.ts';
import type { Predicate } from './matcher.ts';
import type { Plan } from './planner.ts';
import { wholeDocument } from './raw-bson.ts';

export interface Match {
  idKey: Key;
  document: Buffer;
}

/** How many entries a step may look at before others get their turn. */
export const STEP_ENTRIES = 500;

export class Scan {
  readonly #collection: Collection;
  readonly #ranges: { index: Index | null; range: KeyRange }[];
  readonly #predicate: Predicate | null;
  readonly #seen: Set<Key> | null;
  #position = 0;
  /** Entries of indexes and documents looked at, for explain. */
  examined = { keys: 0, documents: 0 };

  /** `predicate` null takes everything that the ranges hold. */
  constructor(collection: Collection, plan: Plan, predicate: Predicate | null) {
    this.#collection = collection;
    this.#ranges = plan.scans.flatMap((scan) =>
      scan.ranges.map((range) => ({ index: scan.index, range: { ...range } })),
    );
    this.#predicate = predicate;
    this.#seen = plan.repeats ? new Set() : null;
  }

  get done(): boolean {
    return this.#position >= this.#ranges.length;
  }

  /**
   * The next matches: up to `limit` of them, or fewer when the step has looked at enough.
   * @throws MongoError QueryPlanKilled when what it reads has been dropped
   */
  step(view: View, limit: number): Match[] {
    const matches: Match[] = [];
    let budget = STEP_ENTRIES;
    while (!this.done && matches.length < limit && budget > 0) {
      const current = this.#ranges[this.#position];
      if (!current) break;
      checkPresent(this.#collection, current.index);
      let finished = true;
      for (const [key, value] of view.range(current.range)) {
        budget--;
        const match = this.#match(view, key, value, current.index !== null);
        if (match) matches.push(match);
        if (matches.length >= limit || budget <= 0) {
          if (current.range.reverse) current.range.end = key;
          else current.range.start = `${key}\0`;
          finished = false;
          break;
        }
      }
      if (finished) this.#position++;
    }
    return matches;
  }

  #match(view: View, key: Key, value: Buffer, byIndex: boolean): Match | undefined {
    const idKey = byIndex ? value.toString('latin1') : key.slice(4);
    if (byIndex) this.examined.keys++;
    if (this.#seen?.has(idKey)) return undefined;
    const document = byIndex ? view.get(documentKey(this.#collection, idKey)) : value;
    if (!document) return undefined;
    this.examined.documents++;
    if (this.#predicate && !this.#predicate(wholeDocument(document))) return undefined;
    this.#seen?.add(idKey);
    return { idKey, document };
  }
}
