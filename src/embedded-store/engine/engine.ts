// The store behind the wire: catalog, storage, transactions and cursors of one directory.
import type { Document } from 'bson';
import { MongoError, transientError } from '../errors.ts';
import { afterPrefix, Layer, type View } from '../storage/layer.ts';
import { Storage, StorageWriteError } from '../storage/storage.ts';
import { Catalog, type Collection } from './catalog.ts';
import type { WriteTarget } from './collection-writer.ts';
import { Cursors } from './cursors.ts';
import { keyPrefix } from './indexes.ts';
import { Sessions } from './sessions.ts';
import { LockedError, type Transaction, Transactions } from './transactions.ts';

export interface Logger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** What every operation carries: inside which transaction it runs, and until when. */
export interface Operation {
  transaction: Transaction | null;
  /** Milliseconds since the epoch; `maxTimeMS`. */
  deadline: number;
  /** `Storage.losses` at its first write. */
  losses?: number;
  /** Stores also what the validator of a collection refuses. */
  bypassValidation?: boolean;
}

/** Errors that follow each other sooner are one entry in the log. */
const LOG_EVERY_MS = 1_000;

export class Engine {
  readonly storage: Storage;
  readonly catalog = new Catalog();
  readonly sessions: Sessions;
  readonly transactions: Transactions;
  readonly cursors = new Cursors();
  /** `host:port` at which clients reach the server. */
  address = '';
  /** Called when keys of dropped collections wait to be removed. */
  onGarbage: () => void = () => {};

  private constructor(storage: Storage) {
    this.storage = storage;
    this.sessions = new Sessions(storage);
    this.transactions = new Transactions(storage, this.sessions, (transaction) => this.#settleCreated(transaction));
    this.#loadCatalog();
  }

  /** Opens the directory and recovers what a crash has left. */
  static async open(dir: string, log: Logger): Promise<Engine> {
    let engine: Engine | undefined;
    let loggedAt = Number.NEGATIVE_INFINITY;
    const storage = await Storage.open(dir, {
      flushing: () => engine?.sessions.writeRecords(),
      lost(error) {
        if (performance.now() - loggedAt > LOG_EVERY_MS) log.error({ err: error }, 'writes of the embedded store fail');
        loggedAt = performance.now();
        engine?.forget();
      },
      checkpointFailed(error) {
        log.warn({ err: error }, 'the embedded store cannot move its log into LMDB and will try again');
      },
    });
    engine = new Engine(storage);
    return engine;
  }

  view({ transaction }: Operation): View {
    return transaction ? transaction.view : this.storage.current();
  }

  /** The collection, if it exists for this operation. @throws MongoError SnapshotUnavailable */
  collection(operation: Operation, namespace: string): Collection | undefined {
    const { transaction } = operation;
    if (transaction && this.catalog.hasMoved(namespace, transaction.openedAt))
      throw transientError('SnapshotUnavailable', `${namespace} was dropped or renamed after the snapshot`);
    const collection = this.catalog.get(namespace);
    if (!collection || !isVisible(collection, operation)) return undefined;
    if (transaction && !collection.creator && collection.indexedAt >= transaction.openedAt)
      throw transientError('SnapshotUnavailable', `${namespace} has an index that is newer than the snapshot`);
    return collection;
  }

  collections(operation: Operation, database?: string): Collection[] {
    return this.catalog.list(database).filter((collection) => isVisible(collection, operation));
  }

  /** The collection, created when it does not exist. One that a transaction creates is its own until it commits. */
  ensureCollection(operation: Operation, database: string, name: string, options: Document = {}): Collection {
    const found = this.catalog.get(`${database}.${name}`);
    if (found) {
      if (!isVisible(found, operation)) found.creator = null;
      return found;
    }
    this.#checkLosses(operation);
    const created = this.change((changes) => this.catalog.create(database, name, options, changes));
    created.creator = operation.transaction;
    operation.transaction?.created.add(created);
    return created;
  }

  /** A change of the catalog: outside of transactions, durable with the next flush. */
  change<T>(work: (changes: Layer) => T): T {
    const changes = new Layer();
    const result = work(changes);
    this.storage.write(changes);
    return result;
  }

  /**
   * Runs one statement: all of its changes or, when it throws, none. Waits while an open transaction holds a document
   * that it wants to change, as MongoDB does.
   */
  async statement<T>(operation: Operation, work: (target: WriteTarget) => T): Promise<T> {
    for (;;) {
      try {
        return this.#attempt(operation, work);
      } catch (error) {
        if (!(error instanceof LockedError)) throw error;
        await withDeadline(error.holder.ended, operation.deadline);
      }
    }
  }

  /** Resolves when all that the operation has written is on disk. @throws StorageWriteError when it was lost */
  async acknowledged(operation: Operation): Promise<void> {
    if (operation.losses !== undefined) this.#checkLosses(operation);
    await this.storage.flushed();
  }

  adjustCount({ transaction }: Operation, collection: Collection, change: number): void {
    if (transaction) transaction.counts.set(collection, (transaction.counts.get(collection) ?? 0) + change);
    else if (collection.count !== null) collection.count += change;
  }

  countDocuments(collection: Collection, operation: Operation): number {
    const start = keyPrefix(collection.id);
    collection.count ??= this.storage.count({ start, end: afterPrefix(start) });
    return collection.count + (operation.transaction?.counts.get(collection) ?? 0);
  }

  async close(): Promise<void> {
    this.transactions.abortAll();
    await this.storage.close();
  }

  /** Written changes were lost: what memory holds may be ahead of the disk. */
  forget(): void {
    this.transactions.abortAll();
    this.sessions.reload();
    this.#loadCatalog();
  }

  #settleCreated({ created, state }: Transaction): void {
    for (const collection of created) {
      const isOwn = collection.creator !== null;
      collection.creator = null;
      if (!isOwn || state !== 'aborted' || collection.dropped) continue;
      const changes = new Layer();
      this.catalog.drop(collection, changes);
      this.#repair(changes);
    }
  }

  #loadCatalog(): void {
    this.#repair(this.catalog.load(this.storage.current()));
  }

  /** Changes that can wait: if they cannot be written now, they are made after the next start. */
  #repair(changes: Layer): void {
    try {
      if (changes.size > 0) this.storage.write(changes);
    } catch (error) {
      if (!(error instanceof StorageWriteError)) throw error;
    }
  }

  #checkLosses(operation: Operation): void {
    operation.losses ??= this.storage.losses;
    if (operation.losses !== this.storage.losses)
      throw new StorageWriteError('the write was not stored: what it had written before was lost');
  }

  #attempt<T>(operation: Operation, work: (target: WriteTarget) => T): T {
    const changes = new Layer();
    const result = work({
      view: this.view(operation),
      changes,
      onMultikey: (collection, index, position) => {
        const field = index.fields[position];
        if (!field) return;
        field.multikey = true;
        this.change((catalogChanges) => this.catalog.save(collection, catalogChanges));
      },
    });
    if (changes.size === 0) return result;
    this.#checkLosses(operation);
    if (operation.transaction) this.transactions.write(operation.transaction, changes);
    else {
      this.transactions.checkLocks(changes);
      this.storage.write(changes);
    }
    return result;
  }
}

function isVisible({ creator }: Collection, { transaction }: Operation): boolean {
  return creator === null || creator === transaction;
}

function timeExceeded(): MongoError {
  return new MongoError('MaxTimeMSExpired', 'operation exceeded time limit');
}

export function checkDeadline(operation: Operation): void {
  if (performance.now() > operation.deadline) throw timeExceeded();
}

/** Lets other commands run. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

async function withDeadline(promise: Promise<void>, deadline: number): Promise<void> {
  if (deadline === Number.POSITIVE_INFINITY) return promise;
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(timeExceeded()), deadline - performance.now());
  });
  try {
    await Promise.race([promise, expired]);
  } finally {
    clearTimeout(timer);
  }
}
