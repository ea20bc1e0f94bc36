// Ordered keys, durable batches, snapshots.
// A write is visible at once, in memory. Its writer is answered when the log has it on disk; writes that wait meanwhile
// go out together in the next record (group commit). From time to time all that the log holds is moved into LMDB, with
// LMDB's own flush, in its own thread.
import { randomInt } from 'node:crypto';
import { Base, type Snapshot } from './base.ts';
import { type Batch, newBatch } from './batch.ts';
import { Checkpoint } from './checkpoint.ts';
import { explained } from './disk-space.ts';
import { type KeyRange, type Layer, layered, type View } from './layer.ts';
import { Memtable } from './memtable.ts';
import { ensureFormat } from './upgrade.ts';
import { encodeRecord, WriteAheadLog } from './write-ahead-log.ts';

interface StorageEvents {
  /** A record is about to be written: what is written now is in it. */
  flushing(): void;
  /** Written changes were lost: whoever caches what they said must read anew. */
  lost(error: Error): void;
  /** LMDB did not take what the log holds; it is tried again. */
  checkpointFailed(error: Error): void;
}

/** A write that did not reach the disk. */
export class StorageWriteError extends Error {
  override name = 'StorageWriteError';
}

const WRITE_DEADLINE_MS = 5_000;
const LATE = `no flush within ${WRITE_DEADLINE_MS} ms`;
/** When at least so many have waited for one flush, the next one waits a moment for as many: fewer flushes serve all. */
const MANY_WRITERS = 3;
const GATHER_MS = 0.15;
/** Changes move into LMDB when the log has this much, or after this time. */
const CHECKPOINT_BYTES = 1024 * 1024;
/** More changes than this wait for the last ones: a page for each, and the old ones, are what the file grows by. */
const CHECKPOINT_KEYS = 4_000;
const CHECKPOINT_AFTER_MS = 500;

export class Storage {
  readonly #base: Base;
  readonly #log: WriteAheadLog;
  readonly #dir: string;
  readonly #events: StorageEvents;
  #sequence: number;
  /** Sequence of the newest snapshot. */
  #seen = 0;
  #active = new Memtable();
  /** What the current file of the log has of it. */
  #kept: Layer[] = [];
  /** Sequence of the newest record of the log. */
  #keptSequence: number;
  readonly #checkpoint: Checkpoint;
  #checkpointTimer: NodeJS.Timeout | undefined;
  /** The record that begins the next file of the log is being written. */
  #turning = false;
  #waiting = newBatch();
  #flushing: Batch | null = null;
  #scheduled = false;
  /** Those who waited for the last flushes; the latest count most. */
  #writers = 1;
  /** Why nothing can be written now. */
  #broken: string | null = null;
  /** How often written changes were lost; who has written before and after such a moment has written half. */
  losses = 0;

  private constructor(dir: string, events: StorageEvents) {
    this.#dir = dir;
    this.#events = events;
    this.#base = new Base(dir);
    this.#checkpoint = new Checkpoint(this.#base, dir, (error) => events.checkpointFailed(error));
    this.#log = new WriteAheadLog(dir);
    this.#sequence = this.#base.lmdb.sequence;
    this.#keptSequence = this.#sequence;
  }

  /**
   * Opens the directory with what its log holds, which is moved into LMDB if there is room for it.
   * @throws OtherFormatError, DamagedLogError
   */
  static async open(dir: string, events: StorageEvents): Promise<Storage> {
    await ensureFormat(dir);
    const storage = new Storage(dir, events);
    try {
      await storage.#recover();
    } catch (error) {
      await storage.close();
      throw error;
    }
    return storage;
  }

  /** The newest state, including what is not on disk yet; for this turn only. */
  current(): View {
    const overlays = this.#memtables();
    return overlays.length === 0 ? this.#base.lmdb.view() : layered(this.#base.lmdb.view(), overlays);
  }

  /** A fixed state, to be released. It ends by itself when it makes the file grow, or when LMDB had to be reopened. */
  snapshot(): Snapshot {
    this.#seen = this.#sequence;
    return this.#base.snapshot(this.#memtables().map((memtable) => memtable.at(this.#seen)));
  }

  /** Applies all changes of the layer at once: visible now, durable when `flushed()` resolves. @throws StorageWriteError */
  write(changes: Layer): void {
    if (this.#broken) throw new StorageWriteError(`the store cannot write: ${this.#broken}`);
    this.#active.apply(changes, ++this.#sequence, this.#seen);
    this.#waiting.layers.push(changes);
    if (!this.#scheduled && !this.#flushing) this.#flushSoon();
  }

  /** Resolves when everything written so far is on disk. */
  flushed(): Promise<void> {
    if (this.#waiting.layers.length > 0) {
      this.#waiting.writers++;
      return this.#waiting.done;
    }
    return this.#flushing?.done ?? Promise.resolve();
  }

  /** Number of keys of a range. */
  count(range: KeyRange): number {
    const isStored = this.#memtables().every((memtable) => memtable.keys(range).length === 0);
    if (isStored) return this.#base.lmdb.count(range);
    let count = 0;
    for (const _ of this.current().range(range)) count++;
    return count;
  }

  /** Size of LMDB's file. */
  get fileBytes(): number {
    return this.#base.lmdb.fileBytes;
  }

  /** Frees the reader slots of processes that died. */
  clearStaleReaders(): number {
    return this.#base.lmdb.clearStaleReaders();
  }

  /** Resolves when nothing is written to LMDB any more, until the result is called; writes go on in the log. */
  keepStill(): Promise<() => void> {
    return this.#checkpoint.keepStill();
  }

  async close(): Promise<void> {
    await this.flushed().catch(() => {});
    await this.#checkpoint.settled();
    if (!this.#checkpoint.table && this.#isBehind()) this.#checkpointNow();
    await this.#checkpoint.settled();
    clearTimeout(this.#checkpointTimer);
    this.#checkpoint.stop();
    this.#broken = 'it is closed';
    this.#log.close();
    await this.#base.close();
  }

  async #recover(): Promise<void> {
    for (const { sequence, changes } of this.#log.recover(this.#sequence)) {
      this.#active.apply(changes, sequence, 0);
      this.#sequence = sequence;
    }
    if (this.#sequence === 0) {
      // Where nobody can guess it: bytes in a document must not pass for a later record of the log.
      this.#sequence = randomInt(1, 2 ** 47);
      await this.#base.move(this.#active, this.#sequence);
    }
    this.#keptSequence = this.#sequence;
    if (this.#active.size === 0) return;
    this.#freeze();
    await this.#checkpoint.move(this.#sequence);
  }

  #memtables(): Memtable[] {
    const { table } = this.#checkpoint;
    const tables = table ? [table, this.#active] : [this.#active];
    return tables.filter((table) => table.size > 0);
  }

  #flushSoon(): void {
    this.#scheduled = true;
    const until = performance.now() + GATHER_MS;
    const gather = (): void => {
      const isWorthwhile = this.#writers >= MANY_WRITERS && this.#waiting.writers < this.#writers;
      if (isWorthwhile && performance.now() < until) setImmediate(gather);
      else void this.#flush();
    };
    setImmediate(gather);
  }

  async #flush(): Promise<void> {
    this.#scheduled = false;
    if (this.#flushing || this.#waiting.layers.length === 0) return;
    this.#events.flushing();
    const batch = this.#waiting;
    this.#waiting = newBatch();
    this.#flushing = batch;
    this.#writers = Math.max(batch.writers, this.#writers * 0.9);
    const deadline = setTimeout(() => {
      this.#broken = LATE;
      this.#fail(new Error(LATE), batch);
    }, WRITE_DEADLINE_MS);
    try {
      await this.#append(batch);
    } catch (error) {
      this.#fail(error, batch);
    } finally {
      clearTimeout(deadline);
      if (this.#broken === LATE) this.#broken = null;
    }
    if (this.#waiting.layers.length > 0 && !this.#scheduled) this.#flushSoon();
  }

  async #append(batch: Batch): Promise<void> {
    let record = encodeRecord(this.#sequence, this.#keptSequence, batch.layers);
    const isMuch = this.#active.size > CHECKPOINT_KEYS;
    if (this.#checkpoint.table && (isMuch || !this.#log.fits(record))) {
      await this.#checkpoint.settled();
      if (this.#flushing !== batch) return;
      this.#absorbWaiting(batch);
      record = encodeRecord(this.#sequence, this.#keptSequence, batch.layers);
    }
    const isFull = !this.#log.fits(record);
    if (this.#checkpoint.table && isFull) throw this.#checkpoint.error ?? new Error('the log is full');
    const sequence = this.#sequence;
    this.#turning = !this.#checkpoint.table && (isFull || isMuch || this.#log.bytes > CHECKPOINT_BYTES);
    // What is in memory is what the log has and this record, so LMDB may have it as soon as the record is on disk.
    if (this.#turning) this.#freeze();
    const end = await this.#log.append(record, this.#turning);
    if (this.#flushing !== batch) return;
    this.#log.keep(end);
    this.#keptSequence = sequence;
    this.#flushing = null;
    if (this.#turning) {
      this.#kept = [];
      void this.#checkpoint.move(sequence);
    } else this.#kept.push(...batch.layers);
    this.#turning = false;
    this.#checkpointSoon();
    batch.resolve();
  }

  /** What came while the log was full goes into the same record. */
  #absorbWaiting(batch: Batch): void {
    this.#events.flushing();
    const late = this.#waiting;
    this.#waiting = newBatch();
    batch.layers.push(...late.layers);
    batch.done.then(late.resolve, late.reject);
  }

  #freeze(): void {
    this.#checkpoint.table = this.#active;
    this.#active = new Memtable();
  }

  /** Whether the log has what LMDB has not; or a record that failed, which the next start must not take. */
  #isBehind(): boolean {
    return this.#active.size > 0 || this.#sequence !== this.#keptSequence;
  }

  #checkpointSoon(): void {
    this.#checkpointTimer ??= setTimeout(() => this.#checkpointWhenIdle(), CHECKPOINT_AFTER_MS);
  }

  #checkpointWhenIdle(): void {
    this.#checkpointTimer = undefined;
    if (!this.#isBehind()) return;
    const isIdle = !this.#checkpoint.table && !this.#flushing && !this.#broken && this.#waiting.layers.length === 0;
    if (isIdle) this.#checkpointNow();
    else this.#checkpointSoon();
  }

  /** Between two records. */
  #checkpointNow(): void {
    this.#freeze();
    this.#log.turn();
    this.#kept = [];
    void this.#checkpoint.move(this.#sequence);
  }

  /** What waits may depend on what was lost, so all of it fails together; memory goes back to what the log has. */
  #fail(error: unknown, batch: Batch): void {
    if (this.#flushing !== batch) return;
    const lost = new StorageWriteError(`the write was not stored: ${explained(error, this.#dir).message}`);
    const waiting = this.#waiting;
    this.#waiting = newBatch();
    this.#flushing = null;
    if (this.#turning) this.#checkpoint.table = null;
    this.#turning = false;
    this.#active = new Memtable();
    for (const layer of this.#kept) this.#active.apply(layer, this.#sequence, 0);
    this.losses++;
    this.#checkpointSoon();
    batch.reject(lost);
    waiting.reject(lost);
    this.#events.lost(lost);
  }
}
