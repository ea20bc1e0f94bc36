// Ordered keys, durable batches, snapshots.
// A write is visible at once, in memory. Its writer is answered when the log has it on disk; writes that wait meanwhile
// go out together in the next record (group commit). From time to time all that the log holds is moved into LMDB, with
// LMDB's own flush, in its own thread.
import { statfsSync } from 'node:fs';
import { type KeyRange, type Layer, layered, type View } from './layer.ts';
import { openRoot, type Root, rootView, SEQUENCE_KEY, storedSequence } from './lmdb.ts';
import { Memtable } from './memtable.ts';
import { encodeRecord, readLog, WriteAheadLog } from './write-ahead-log.ts';

export interface Snapshot extends View {
  release(): void;
}

export interface StorageEvents {
  /** Written changes were lost: whoever caches what they said must read anew. */
  lost(error: Error): void;
  /** LMDB did not take what the log holds; it is tried again. */
  checkpointFailed(error: Error): void;
}

/** A write that did not reach the disk. */
export class StorageWriteError extends Error {
  override name = 'StorageWriteError';
}

/** Somebody still reads for a transaction that has ended. */
export class SnapshotReleasedError extends Error {
  override name = 'SnapshotReleasedError';
}

interface Batch {
  layers: Layer[];
  done: Promise<void>;
  resolve: () => void;
  reject: (error: Error) => void;
}

const WRITE_DEADLINE_MS = 5_000;
/** Changes move into LMDB when the log has this much, or after this time. */
const CHECKPOINT_BYTES = 1024 * 1024;
const CHECKPOINT_AFTER_MS = 500;
const CHECKPOINT_RETRY_MS = 1_000;
const FULL_BELOW_BYTES = 1024 * 1024;

export class Storage {
  readonly #root: Root;
  readonly #log: WriteAheadLog;
  readonly #dir: string;
  readonly #events: StorageEvents;
  #sequence: number;
  /** Sequence of the newest snapshot. */
  #seen = 0;
  #active = new Memtable();
  /** On its way into LMDB. */
  #frozen: Memtable | null = null;
  #checkpointing: Promise<void> = Promise.resolve();
  #checkpointTimer: NodeJS.Timeout | undefined;
  #checkpointError: Error | null = null;
  #waiting = newBatch();
  #flushing: Batch | null = null;
  #scheduled = false;
  #broken: Error | null = null;

  private constructor(dir: string, events: StorageEvents) {
    this.#dir = dir;
    this.#events = events;
    this.#root = openRoot(dir);
    this.#log = new WriteAheadLog(dir);
    this.#sequence = storedSequence(this.#root);
  }

  /** Opens the directory; what the log holds is moved into LMDB first. */
  static async open(dir: string, events: StorageEvents): Promise<Storage> {
    const storage = new Storage(dir, events);
    await storage.#recover();
    return storage;
  }

  /** The newest state, including what is not on disk yet. */
  current(): View {
    const overlays = this.#memtables();
    return overlays.length === 0 ? rootView(this.#root) : layered(rootView(this.#root), overlays);
  }

  /** A fixed state; must be released, since LMDB cannot reuse pages that a reader still sees. */
  snapshot(): Snapshot {
    this.#seen = this.#sequence;
    const overlays = this.#memtables().map((memtable) => memtable.at(this.#seen));
    const transaction = this.#root.useReadTransaction();
    const view = layered(rootView(this.#root, transaction), overlays);
    let open = true;
    const checkOpen = (): void => {
      // Reading through a released transaction would read freed memory.
      if (!open) throw new SnapshotReleasedError('the snapshot has been released');
    };
    return {
      get(key) {
        checkOpen();
        return view.get(key);
      },
      range(range) {
        checkOpen();
        return view.range(range);
      },
      release() {
        if (open) transaction.done();
        open = false;
      },
    };
  }

  /** Applies all changes of the layer at once: visible now, durable when `flushed()` resolves. @throws StorageWriteError */
  write(changes: Layer): void {
    if (this.#broken) throw new StorageWriteError(`the store cannot write: ${this.#broken.message}`);
    this.#active.apply(changes, ++this.#sequence, this.#seen);
    this.#waiting.layers.push(changes);
    if (!this.#scheduled && !this.#flushing) {
      this.#scheduled = true;
      setImmediate(() => this.#flush());
    }
  }

  /** Resolves when everything written so far is on disk. */
  flushed(): Promise<void> {
    if (this.#waiting.layers.length > 0) return this.#waiting.done;
    return this.#flushing?.done ?? Promise.resolve();
  }

  /** Number of keys of a range. */
  count(range: KeyRange): number {
    const isStored = this.#memtables().every((memtable) => memtable.keys(range).length === 0);
    if (isStored) return this.#root.getKeysCount({ start: range.start, end: range.end });
    let count = 0;
    for (const _ of this.current().range(range)) count++;
    return count;
  }

  fileStats(): Record<string, unknown> {
    return this.#root.getStats() as Record<string, unknown>;
  }

  /** Frees the reader slots of processes that died. */
  clearStaleReaders(): number {
    return this.#root.readerCheck();
  }

  async close(): Promise<void> {
    await this.flushed().catch(() => {});
    await this.#moveAll().catch(() => {});
    clearTimeout(this.#checkpointTimer);
    this.#broken = new Error('it is closed');
    this.#log.close();
    await this.#root.close();
  }

  async #recover(): Promise<void> {
    for (const { sequence, changes } of readLog(this.#dir, this.#sequence)) {
      this.#active.apply(changes, sequence, 0);
      this.#sequence = sequence;
    }
    await this.#moveAll();
  }

  #memtables(): Memtable[] {
    const tables = this.#frozen ? [this.#frozen, this.#active] : [this.#active];
    return tables.filter((table) => table.size > 0);
  }

  async #flush(): Promise<void> {
    this.#scheduled = false;
    const batch = this.#waiting;
    if (this.#flushing || batch.layers.length === 0) return;
    this.#waiting = newBatch();
    this.#flushing = batch;
    const deadline = setTimeout(() => {
      this.#broken = new Error(`no flush within ${WRITE_DEADLINE_MS} ms`);
      this.#fail(this.#broken, batch);
    }, WRITE_DEADLINE_MS);
    try {
      const record = encodeRecord(this.#sequence, batch.layers);
      if (!this.#log.fits(record) || (this.#log.bytes > CHECKPOINT_BYTES && !this.#frozen)) await this.#turnLog(record);
      await this.#log.append(record);
      if (this.#flushing === batch) {
        this.#log.keep(record);
        this.#flushing = null;
        batch.resolve();
      }
      this.#checkpointTimer ??= setTimeout(() => this.#checkpointLater(), CHECKPOINT_AFTER_MS);
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)), batch);
    }
    clearTimeout(deadline);
    this.#broken = null;
    if (this.#waiting.layers.length > 0) void this.#flush();
  }

  /** Makes room: the other file of the log can be used when what it holds is in LMDB. */
  async #turnLog(record: Buffer): Promise<void> {
    if (this.#frozen) await this.#checkpointing;
    if (this.#checkpointError && !this.#log.fits(record)) throw this.#checkpointError;
    if (!this.#frozen) this.#freeze();
  }

  /**
   * What is in memory goes into LMDB, what is written from now on into the other file. Only between two records: the
   * changes of a record that is not flushed yet may be in both, which recovery sorts out by their sequence.
   */
  #freeze(): void {
    this.#frozen = this.#active;
    this.#active = new Memtable();
    this.#log.turn();
    this.#checkpointing = this.#moveFrozen(this.#frozen, this.#sequence);
  }

  async #moveFrozen(table: Memtable, sequence: number): Promise<void> {
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
      // The shared read transaction may be older than this commit; without the memtable it has to be renewed.
      this.#root.resetReadTxn();
      this.#frozen = null;
      this.#checkpointError = null;
    } catch (error) {
      const failure = error as Error & { commitError?: Promise<unknown> };
      // lmdb rejects a second promise with the cause; unhandled it would end the process.
      const cause = await failure.commitError?.catch((reason: unknown) => reason);
      this.#checkpointError = isFull(this.#dir)
        ? new Error('no space left on the device')
        : cause instanceof Error
          ? cause
          : failure;
      this.#events.checkpointFailed(this.#checkpointError);
      setTimeout(() => {
        this.#checkpointing = this.#moveFrozen(table, sequence);
      }, CHECKPOINT_RETRY_MS).unref();
    }
  }

  #checkpointLater(): void {
    this.#checkpointTimer = undefined;
    if (this.#active.size === 0) return;
    if (this.#frozen || this.#flushing || this.#waiting.layers.length > 0) {
      this.#checkpointTimer = setTimeout(() => this.#checkpointLater(), CHECKPOINT_AFTER_MS);
    } else this.#freeze();
  }

  async #moveAll(): Promise<void> {
    await this.flushed();
    await this.#checkpointing;
    if (this.#frozen) throw this.#checkpointError ?? new Error('the last checkpoint failed');
    if (this.#active.size > 0) this.#freeze();
    await this.#checkpointing;
  }

  /** What waits may depend on what was lost, so all of it fails together; memory goes back to what the log has. */
  #fail(error: Error, batch: Batch): void {
    if (this.#flushing !== batch) return;
    const lost = new StorageWriteError(`the write was not stored: ${error.message}`);
    const waiting = this.#waiting;
    this.#waiting = newBatch();
    this.#flushing = null;
    this.#active = new Memtable();
    for (const { sequence, changes } of this.#log.currentRecords()) this.#active.apply(changes, sequence, 0);
    batch.reject(lost);
    waiting.reject(lost);
    this.#events.lost(lost);
  }
}

/** LMDB reports a full disk as an input/output error. */
function isFull(dir: string): boolean {
  const { bavail, bsize } = statfsSync(dir);
  return bavail * bsize < FULL_BELOW_BYTES;
}

function newBatch(): Batch {
  let resolve = (): void => {};
  let reject: (error: Error) => void = () => {};
  const done = new Promise<void>((onDone, onFail) => {
    resolve = onDone;
    reject = onFail;
  });
  done.catch(() => {}); // a batch without waiting writers may fail unseen
  return { layers: [], done, resolve, reject };
}
