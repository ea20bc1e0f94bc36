// LMDB under the log: what it has, snapshots of it, and moving into it what the log holds.
import type { Overlay, View } from './layer.ts';
import { layered } from './layer.ts';
import { Environment } from './lmdb.ts';
import type { Memtable } from './memtable.ts';

export interface Snapshot extends View {
  release(): void;
}

/** Somebody still reads for a transaction that has ended, or through a snapshot that was in the way. */
export class SnapshotReleasedError extends Error {
  override name = 'SnapshotReleasedError';
}

/** What a snapshot may keep from being reused: this, or a quarter of what is in use. */
const HELD_BYTES = 32 * 1024 * 1024;

export class Base {
  readonly #dir: string;
  #lmdb: Environment;
  #isOpen = true;
  /** With the pages that had been written when they were taken; the oldest first. */
  readonly #snapshots = new Map<Snapshot, number>();

  constructor(dir: string) {
    this.#dir = dir;
    this.#lmdb = new Environment(dir);
  }

  /** The one that is open; for this turn only. */
  get lmdb(): Environment {
    return this.#lmdb;
  }

  /** A fixed state under the overlays; must be released, since LMDB cannot reuse pages that a reader still sees. */
  snapshot(overlays: readonly Overlay[]): Snapshot {
    const transaction = this.#lmdb.beginReading();
    const view = layered(this.#lmdb.view(transaction), overlays);
    const checkOpen = (): void => {
      // Reading through a released transaction would read freed memory.
      if (!this.#snapshots.has(snapshot)) throw new SnapshotReleasedError('the snapshot has been released');
    };
    const snapshot: Snapshot = {
      get(key) {
        checkOpen();
        return view.get(key);
      },
      range(range) {
        checkOpen();
        return view.range(range);
      },
      release: () => {
        if (this.#snapshots.delete(snapshot)) transaction.done();
      },
    };
    this.#snapshots.set(snapshot, this.#lmdb.pagesWritten);
    return snapshot;
  }

  /** Takes all of the table in one flushed transaction. @throws Error the cause; what was there is there again. */
  async move(table: Memtable, sequence: number): Promise<void> {
    if (!this.#isOpen) this.#open();
    try {
      await this.#lmdb.write(table.entries(), sequence);
    } catch (error) {
      await this.#reopen();
      throw error;
    }
    // The shared read transaction may be older than this commit.
    this.#lmdb.refresh();
    this.#releaseOld();
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    this.#releaseAll();
    await this.#lmdb.close();
  }

  /**
   * After a failed write of its meta page LMDB refuses everything (MDB_PANIC), and lmdb never settles the next commit, so
   * there must be none. What the file says is what it was before the commit.
   */
  async #reopen(): Promise<void> {
    await this.close();
    try {
      this.#open();
    } catch {
      // The next move tries again, and says why not.
    }
  }

  #open(): void {
    this.#lmdb = new Environment(this.#dir);
    this.#isOpen = true;
  }

  /** The file never shrinks, so a client that stops inside a transaction must not make it grow without end. */
  #releaseOld(): void {
    const { pageSize, pagesWritten } = this.#lmdb;
    for (const [snapshot, before] of this.#snapshots) {
      const held = (pagesWritten - before) * pageSize;
      // The second takes long to tell, with all trees.
      if (held <= HELD_BYTES || held <= this.#lmdb.usedBytes / 4) return;
      snapshot.release();
    }
  }

  #releaseAll(): void {
    for (const snapshot of this.#snapshots.keys()) snapshot.release();
  }
}
