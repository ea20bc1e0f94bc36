// Transactions: what sessions read and write as of one moment, and the locks on what they have changed.
import { Timestamp } from 'bson';
import { MongoError, transientError } from '../errors.ts';
import type { Snapshot } from '../storage/base.ts';
import { type Key, Layer, layered, type View } from '../storage/layer.ts';
import type { Storage } from '../storage/storage.ts';
import type { Collection } from './catalog.ts';
import type { Session, Sessions } from './sessions.ts';

const TRANSACTION_LIMIT_MS = 60_000;
const SESSION_LIMIT_MS = 30 * 60_000;
const NO_ANSWER = Buffer.alloc(0);

export interface Transaction {
  number: bigint;
  snapshot: Snapshot;
  openedAt: number;
  /** The snapshot under the transaction's own writes. */
  view: View;
  changes: Layer;
  counts: Map<Collection, number>;
  /** Collections that exist only if it commits. */
  created: Set<Collection>;
  state: 'open' | 'committed' | 'aborted';
  /** Resolves when it ends, either way. */
  ended: Promise<void>;
  end: () => void;
  timer: NodeJS.Timeout;
  /** The name of the snapshot, when it is one for reads outside of transactions. */
  readTime?: Timestamp;
}

/** A plain write met a document that an open transaction has changed; it may try again when that has ended. */
export class LockedError extends Error {
  override name = 'LockedError';
  readonly holder: Transaction;

  constructor(holder: Transaction) {
    super('the document is changed by an open transaction');
    this.holder = holder;
  }
}

export class Transactions {
  readonly #storage: Storage;
  readonly #sessions: Sessions;
  readonly #onEnd: (transaction: Transaction) => void;
  readonly #locks = new Map<Key, Transaction>();
  #snapshots = 0;

  constructor(storage: Storage, sessions: Sessions, onEnd: (transaction: Transaction) => void) {
    this.#storage = storage;
    this.#sessions = sessions;
    this.#onEnd = onEnd;
  }

  endSession(id: string): void {
    const session = this.#sessions.find(id);
    if (!session) return;
    this.#abort(session);
    this.#sessions.remove(session);
  }

  forgetIdleSessions(): void {
    for (const { id, lastUsed } of this.#sessions.all())
      if (performance.now() - lastUsed > SESSION_LIMIT_MS) this.endSession(id);
  }

  /** @throws MongoError when the number is one that the session has left behind. */
  begin(session: Session, number: bigint): Transaction {
    checkNumber(session, number);
    if (session.number === number)
      throw transientError(
        'NoSuchTransaction',
        `Given transaction number ${number} does not match any in-progress transactions.`,
      );
    if (session.transaction) this.#finish(session.transaction, 'aborted');
    const transaction = this.#open(number);
    session.transaction = transaction;
    session.number = number;
    session.answer = null;
    return transaction;
  }

  /**
   * What a session reads outside of transactions: a new snapshot, or the one of this time while it is open.
   * @throws MongoError SnapshotTooOld
   */
  read(session: Session, time: Timestamp | undefined): Transaction {
    if (time) {
      for (const { reading } of this.#sessions.all())
        if (reading?.state === 'open' && reading.readTime?.equals(time)) return reading;
      throw new MongoError('SnapshotTooOld', 'Read timestamp is older than the oldest available timestamp.');
    }
    if (session.reading) this.#finish(session.reading, 'aborted');
    session.reading = this.#open(-1n);
    session.reading.readTime = new Timestamp({ t: Math.floor(Date.now() / 1000), i: ++this.#snapshots });
    return session.reading;
  }

  /** The open transaction of this number. @throws MongoError NoSuchTransaction */
  current(session: Session, number: bigint): Transaction {
    checkNumber(session, number);
    const { transaction } = session;
    if (transaction?.number !== number || transaction.state === 'aborted')
      throw transientError('NoSuchTransaction', `Transaction with { txnNumber: ${number} } has been aborted.`);
    if (transaction.state === 'committed')
      throw new MongoError('TransactionCommitted', `Transaction with { txnNumber: ${number} } has been committed.`);
    return transaction;
  }

  /** Applies all of it at once; again is harmless. Durable when the storage has flushed. */
  commit(session: Session, number: bigint): void {
    checkNumber(session, number);
    const isCommitted = session.transaction?.number === number && session.transaction.state === 'committed';
    if (isCommitted || session.outcome?.number === number) return;
    const transaction = this.current(session, number);
    if (transaction.changes.size > 0) {
      this.#storage.write(transaction.changes);
      this.#sessions.record(session, number, NO_ANSWER);
    }
    for (const [collection, change] of transaction.counts) if (collection.count !== null) collection.count += change;
    this.#finish(transaction, 'committed');
  }

  abort(session: Session, number: bigint): void {
    this.#finish(this.current(session, number), 'aborted');
  }

  /** Ends it if it is still open: after an error, a transaction cannot go on. */
  abandon(transaction: Transaction): void {
    this.#finish(transaction, 'aborted');
  }

  abortAll(): void {
    for (const session of this.#sessions.all()) this.#abort(session);
  }

  /** Takes the changes of one statement into the transaction. @throws MongoError WriteConflict */
  write(transaction: Transaction, changes: Layer): void {
    if (transaction.state !== 'open')
      throw transientError(
        'NoSuchTransaction',
        `Transaction with { txnNumber: ${transaction.number} } has been aborted.`,
      );
    const newest = this.#storage.current();
    for (const key of changes.entries.keys()) {
      const holder = this.#locks.get(key);
      if (holder === transaction) continue;
      if (holder || !sameBytes(newest.get(key), transaction.snapshot.get(key)))
        throw transientError(
          'WriteConflict',
          'Write conflict during plan execution. Please retry your operation or multi-document transaction.',
        );
    }
    for (const [key, value] of changes.entries) {
      this.#locks.set(key, transaction);
      transaction.changes.set(key, value);
    }
  }

  /** @throws LockedError when an open transaction has changed one of these keys. */
  checkLocks(changes: Layer): void {
    if (this.#locks.size === 0) return;
    for (const key of changes.entries.keys()) {
      const holder = this.#locks.get(key);
      if (holder) throw new LockedError(holder);
    }
  }

  /** Resolves when no open transaction has changed keys with this prefix. */
  async whenUnlocked(prefix: Key): Promise<void> {
    for (const [key, holder] of this.#locks) {
      if (key.startsWith(prefix)) {
        await holder.ended;
        return this.whenUnlocked(prefix);
      }
    }
  }

  #open(number: bigint): Transaction {
    const snapshot = this.#storage.snapshot();
    const changes = new Layer();
    let end = (): void => {};
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    const transaction: Transaction = {
      number,
      snapshot,
      openedAt: performance.now(),
      view: layered(snapshot, [changes]),
      changes,
      counts: new Map(),
      created: new Set(),
      state: 'open',
      ended,
      end,
      timer: setTimeout(() => this.#finish(transaction, 'aborted'), TRANSACTION_LIMIT_MS),
    };
    return transaction;
  }

  #abort({ transaction, reading }: Session): void {
    if (transaction) this.#finish(transaction, 'aborted');
    if (reading) this.#finish(reading, 'aborted');
  }

  #finish(transaction: Transaction, state: 'committed' | 'aborted'): void {
    if (transaction.state !== 'open') return;
    transaction.state = state;
    clearTimeout(transaction.timer);
    for (const key of transaction.changes.entries.keys()) this.#locks.delete(key);
    transaction.snapshot.release();
    this.#onEnd(transaction);
    transaction.end();
  }
}

/** @throws MongoError when the session has used a larger one. */
export function checkNumber(session: Session, number: bigint): void {
  if (number < session.number)
    throw new MongoError(
      'TransactionTooOld',
      `Cannot start transaction ${number} on session ${session.id}: a newer one, ${session.number}, has already started.`,
    );
}

function sameBytes(a: Buffer | undefined, b: Buffer | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && a.equals(b));
}
