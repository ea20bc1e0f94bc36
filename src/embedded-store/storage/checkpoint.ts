// Moves what the log holds into LMDB, one table at a time, and tries again until LMDB has it.
import type { Base } from './base.ts';
import { explained, isFull, noSpace } from './disk-space.ts';
import type { Memtable } from './memtable.ts';

const RETRY_MS = 1_000;

export class Checkpoint {
  readonly #base: Base;
  readonly #dir: string;
  readonly #onFailed: (error: Error) => void;
  /** On its way into LMDB, or waiting for the record that begins the next file of the log. */
  table: Memtable | null = null;
  /** Why LMDB does not have it yet. */
  error: Error | null = null;
  #moving: Promise<void> = Promise.resolve();
  #still: Promise<unknown> = Promise.resolve();
  #retryTimer: NodeJS.Timeout | undefined;

  constructor(base: Base, dir: string, onFailed: (error: Error) => void) {
    this.#base = base;
    this.#dir = dir;
    this.#onFailed = onFailed;
  }

  /** The log has all of the table, up to this sequence. Resolves after the first try. */
  move(sequence: number): Promise<void> {
    this.#moving = this.#tryMove(sequence);
    return this.#moving;
  }

  /** Resolves when the try that is going on has ended, either way. */
  settled(): Promise<void> {
    return this.#moving;
  }

  /** Resolves when nothing is moved any more, until the result is called. */
  async keepStill(): Promise<() => void> {
    let resume = (): void => {};
    const resumed = new Promise<void>((resolve) => {
      resume = resolve;
    });
    this.#still = Promise.all([this.#still, resumed]);
    await this.#moving;
    return resume;
  }

  /** No further tries. */
  stop(): void {
    clearTimeout(this.#retryTimer);
  }

  async #tryMove(sequence: number): Promise<void> {
    if (!this.table) return;
    try {
      await this.#still;
      // Not tried in vain: after a commit that failed LMDB is opened anew, without the snapshots.
      if (isFull(this.#dir)) throw noSpace();
      await this.#base.move(this.table, sequence);
      this.table = null;
      this.error = null;
    } catch (error) {
      this.error = explained(error, this.#dir);
      this.#onFailed(this.error);
      this.#retryTimer = setTimeout(() => void this.move(sequence), RETRY_MS);
    }
  }
}
