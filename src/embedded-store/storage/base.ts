// LMDB under the log: what it has, snapshots of it, and moving into it what the log holds.
import type { KeyRange, Overlay, View } from './layer.ts';
import { layered } from './layer.ts';
import { openRoot, type Root, rootView, SEQUENCE_KEY, storedSequence } from './lmdb.ts';
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

interface Stats {
  pageSize: number;
  treeBranchPageCount: number;
  treeLeafPageCount: number;
  overflowPages: number;
  lastPageNumber: number;
  /** Since it was opened; each takes the place of another one, which is free as soon as no snapshot sees it. */
  pagesWritten: number;
}

export class Base {
  readonly #dir: string;
  #root: Root;
  #isOpen = true;
  /** With the pages that had been written when they were taken; the oldest first. */
  readonly #snapshots = new Map<Snapshot, number>();

  constructor(dir: string) {
    this.#dir = dir;
    this.#root = openRoot(dir);
  }

  /** Number of the last write that it has. */
  get sequence(): number {
    return storedSequence(this.#root);
  }

  /** The newest state; for this turn only. */
  view(): View {
    return rootView(this.#root);
  }

  /** Number of keys of a range. */
  count({ start, end }: KeyRange): number {
    return this.#root.getKeysCount({ start, end });
  }

  /** Size of its file. */
  get fileBytes(): number {
    const { lastPageNumber, pageSize } = this.#stats();
    return (lastPageNumber + 1) * pageSize;
  }

  #stats(): Stats {
    return this.#root.getStats() as Stats;
  }

  /** Frees the reader slots of processes that died. */
  clearStaleReaders(): number {
    return this.#root.readerCheck();
  }

  /** A fixed state under the overlays; must be released, since LMDB cannot reuse pages that a reader still sees. */
  snapshot(overlays: readonly Overlay[]): Snapshot {
    const transaction = this.#root.useReadTransaction();
    const view = layered(rootView(this.#root, transaction), overlays);
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
    this.#snapshots.set(snapshot, this.#stats().pagesWritten);
    return snapshot;
  }

  /** Takes all of the table in one flushed transaction. @throws Error the cause; what was there is there again. */
  async move(table: Memtable, sequence: number): Promise<void> {
    if (!this.#isOpen) this.#open();
    const marker = Buffer.alloc(8);
    marker.writeDoubleLE(sequence);
    try {
      await this.#root.batch(() => {
        for (const [key, value] of table.entries()) {
          if (value) this.#root.put(key, value);
          else this.#root.remove(key);
        }
        this.#root.put(SEQUENCE_KEY, marker);
      });
    } catch (error) {
      const failure = error as Error & { commitError?: Promise<unknown> };
      // lmdb rejects a second promise with the cause; unhandled it would end the process.
      const cause = await failure.commitError?.catch((reason: unknown) => reason);
      await this.#reopen();
      throw cause instanceof Error ? cause : failure;
    }
    // The shared read transaction may be older than this commit.
    this.#root.resetReadTxn();
    this.#releaseOld();
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    this.#releaseAll();
    await this.#root.close();
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
    this.#root = openRoot(this.#dir);
    this.#isOpen = true;
  }

  /** The file never shrinks, so a client that stops inside a transaction must not make it grow without end. */
  #releaseOld(): void {
    if (this.#snapshots.size === 0) return;
    const { pageSize, pagesWritten, treeBranchPageCount, treeLeafPageCount, overflowPages } = this.#stats();
    const used = treeBranchPageCount + treeLeafPageCount + overflowPages;
    const limit = Math.max(HELD_BYTES / pageSize, used / 4);
    for (const [snapshot, before] of this.#snapshots) if (pagesWritten - before > limit) snapshot.release();
  }

  #releaseAll(): void {
    for (const snapshot of this.#snapshots.keys()) snapshot.release();
  }
}
