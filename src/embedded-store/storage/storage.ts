// The only importer of lmdb: ordered keys, durable batches, snapshots.
// Writes collect in memory while a batch is on its way to the disk and go out together as the next one (group commit);
// reads see them at once, their writers are answered when LMDB has flushed.
import { type Database, open, type RootDatabase } from 'lmdb';
import { type Entry, type Key, type KeyRange, Layer, layered, type View } from './layer.ts';

export interface Snapshot extends View {
  release(): void;
}

type ReadTransaction = ReturnType<Database['useReadTransaction']>;

interface Batch {
  layers: Layer[];
  done: Promise<void>;
  resolve: () => void;
  reject: (error: Error) => void;
}

/** A batch that LMDB has not flushed within this time has failed. */
const WRITE_DEADLINE_MS = 5_000;
const MAP_SIZE = 2 ** 36;

/** A write that did not reach the disk; nothing of its batch is stored. */
export class StorageWriteError extends Error {
  override name = 'StorageWriteError';
}

export class Storage {
  readonly #root: RootDatabase<Buffer, string>;
  readonly #onFailure: (error: Error) => void;
  #active = newBatch();
  #flushing: Batch | null = null;
  #scheduled = false;
  #broken: Error | null = null;

  /** `onFailure` is told when written changes were lost and every cached view of them is stale. */
  constructor(dir: string, onFailure: (error: Error) => void) {
    this.#onFailure = onFailure;
    this.#root = open<Buffer, string>({
      path: dir,
      noSubdir: false,
      encoding: 'binary',
      keyEncoder: binaryStringKeys,
      mapSize: MAP_SIZE,
      maxReaders: 512,
      // One commit, one answer: LMDB's own order of data flush, then meta page flush.
      overlappingSync: false,
      eventTurnBatching: false,
    });
  }

  /** The newest state, including what is not flushed yet. */
  current(): View {
    const layers = this.#layers();
    return layers.length === 0 ? this.#base() : layered(this.#base(), layers);
  }

  /** A fixed state; must be released, since LMDB cannot reuse pages that a reader still sees. */
  snapshot(): Snapshot {
    const layers = this.#layers();
    if (this.#active.layers.at(-1)?.size) this.#active.layers.push(new Layer());
    const transaction = this.#root.useReadTransaction();
    const view = layered(this.#base(transaction), layers);
    let open = true;
    return {
      get: view.get,
      range: view.range,
      release: () => {
        if (open) transaction.done();
        open = false;
      },
    };
  }

  /** Applies all changes of the layer at once: visible now, durable when `flushed()` resolves. */
  write(changes: Layer): void {
    if (this.#broken) throw new StorageWriteError(`the store cannot write: ${this.#broken.message}`);
    this.#active.layers.at(-1)?.addAll(changes);
    if (!this.#scheduled && !this.#flushing) {
      this.#scheduled = true;
      setImmediate(() => this.#drain());
    }
  }

  /** Resolves when everything written so far is on disk. */
  flushed(): Promise<void> {
    if (this.#active.layers.some((layer) => layer.size > 0)) return this.#active.done;
    return this.#flushing?.done ?? Promise.resolve();
  }

  /** Number of stored keys of a range, counted by LMDB itself; pending changes are not in it. */
  countStored({ start, end }: KeyRange): number {
    return this.#root.getKeysCount({ start, end });
  }

  hasPending(): boolean {
    return this.#layers().length > 0;
  }

  fileStats(): Record<string, unknown> {
    return this.#root.getStats() as Record<string, unknown>;
  }

  /** Frees the reader slots of processes that died. */
  clearStaleReaders(): number {
    return this.#root.readerCheck();
  }

  backup(path: string): Promise<void> {
    return this.#root.backup(path, true);
  }

  async close(): Promise<void> {
    while (this.hasPending()) await this.flushed().catch(() => {});
    this.#broken = new Error('it is closed');
    await this.#root.close();
  }

  #layers(): Layer[] {
    const active = this.#active.layers.filter((layer) => layer.size > 0);
    return this.#flushing ? [...this.#flushing.layers, ...active] : active;
  }

  #base(transaction?: ReadTransaction): View {
    const root = this.#root;
    const options = transaction && { transaction };
    return {
      get: (key) => root.get(key, options),
      range: ({ start, end, reverse = false }) => ({
        *[Symbol.iterator](): Generator<Entry> {
          const bounds = reverse
            ? { start: end, end: start, reverse, exclusiveStart: true, inclusiveEnd: true }
            : { start, end };
          for (const { key, value } of root.getRange({ ...bounds, ...options })) yield [key as Key, value];
        },
      }),
    };
  }

  #drain(): void {
    this.#scheduled = false;
    const batch = this.#active;
    this.#active = newBatch();
    this.#flushing = batch;
    const deadline = setTimeout(
      () => this.#fail(new Error(`no flush within ${WRITE_DEADLINE_MS} ms`), true),
      WRITE_DEADLINE_MS,
    );
    this.#commit(batch)
      .then(
        () => this.#committed(batch),
        (error: Error) => this.#fail(error, false),
      )
      .finally(() => clearTimeout(deadline));
  }

  #commit(batch: Batch): Promise<unknown> {
    return this.#root.batch(() => {
      for (const layer of batch.layers) {
        for (const [key, value] of layer.entries) {
          if (value) this.#root.put(key, value);
          else this.#root.remove(key);
        }
      }
    });
  }

  #committed(batch: Batch): void {
    if (this.#flushing !== batch) return;
    // The shared read transaction may be older than this commit; without the layers it has to be renewed.
    this.#root.resetReadTxn();
    this.#flushing = null;
    batch.resolve();
    if (this.#active.layers.some((layer) => layer.size > 0)) this.#drain();
  }

  /** What waits may depend on what was lost, so all of it fails together. */
  #fail(error: Error & { commitError?: Promise<unknown> }, broken: boolean): void {
    // lmdb rejects a second promise with the cause; unhandled it would end the process.
    error.commitError?.catch(() => {});
    if (broken) this.#broken = error;
    const lost = new StorageWriteError(`the write was not stored: ${error.message}`);
    const batches = [this.#flushing, this.#active];
    this.#flushing = null;
    this.#active = newBatch();
    for (const batch of batches) batch?.reject(lost);
    this.#onFailure(lost);
  }
}

function newBatch(): Batch {
  let resolve = (): void => {};
  let reject: (error: Error) => void = () => {};
  const done = new Promise<void>((onDone, onFail) => {
    resolve = onDone;
    reject = onFail;
  });
  done.catch(() => {}); // a batch without waiting writers may fail unseen
  return { layers: [new Layer()], done, resolve, reject };
}

const binaryStringKeys = {
  writeKey: (key: string, target: Buffer, start: number): number => start + target.write(key, start, 'latin1'),
  readKey: (target: Buffer, start: number, end: number): string => target.toString('latin1', start, end),
};
