// Sessions, transactions and the results of retryable writes.
import { Timestamp } from 'bson';
import { MongoError, writeConflict } from '../errors.ts';
import type { Snapshot } from '../storage/base.ts';
import { type Key, Layer, layered, type View } from '../storage/layer.ts';
import type { Storage } from '../storage/storage.ts';
import type { Collection } from './catalog.ts';
import { keyPrefix } from './indexes.ts';
import { afterPrefix } from './key-encoding.ts';

const TRANSACTION_LIMIT_MS = 60_000;
const SESSION_LIMIT_MS = 30 * 60_000;

export interface Transaction {
  number: bigint;
  snapshot: Snapshot;
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

export interface Session {
  id: string;
  lastUsed: number;
  transaction: Transaction | null;
  /** The snapshot that its reads with read concern `snapshot` share. */
  reading: Transaction | null;
  /** The newest number that the session has used, for a transaction or a retryable write. */
  number: bigint;
  /** The answer to the retryable write of that number, given again when it is sent again. */
  answer: Promise<Buffer> | null;
  /** What is stored of the newest number that has written something, as one piece with what it has written. */
  outcome: { number: bigint; answer: Buffer } | null;
}

const NO_ANSWER = Buffer.alloc(0);
const NUMBER_BYTES = 8;
const SESSIONS = `${keyPrefix(0)}s`;
const recordKey = (id: string): Key => SESSIONS + Buffer.from(id, 'hex').toString('latin1');

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
  readonly #onEnd: (transaction: Transaction) => void;
  readonly #sessions = new Map<string, Session>();
  readonly #locks = new Map<Key, Transaction>();
  /** Sessions with an outcome that is to go into the next record of the log. */
  readonly #unrecorded = new Set<Session>();
  #snapshots = 0;

  constructor(storage: Storage, onEnd: (transaction: Transaction) => void) {
    this.#storage = storage;
    this.#onEnd = onEnd;
    this.#load();
  }

  /** Written changes were lost: what sessions have done is what is stored. Open transactions end. */
  reload(): void {
    this.abortAll();
    this.#unrecorded.clear();
    for (const session of this.#sessions.values())
      Object.assign(session, { transaction: null, number: -1n, answer: null, outcome: null });
    this.#load();
  }

  #load(): void {
    for (const [key, value] of this.#storage.current().range({ start: SESSIONS, end: afterPrefix(SESSIONS) })) {
      const session = this.session(Buffer.from(key.slice(SESSIONS.length), 'latin1').toString('hex'));
      session.number = value.readBigInt64LE();
      session.outcome = { number: session.number, answer: value.subarray(NUMBER_BYTES) };
      session.answer = Promise.resolve(session.outcome.answer);
    }
  }

  /** Stores the answer as one piece with what has been written in this turn. */
  record(session: Session, number: bigint, answer: Buffer): void {
    session.outcome = { number, answer };
    this.#unrecorded.add(session);
  }

  /** Writes the outcomes that are new; for when a record of the log begins. */
  writeRecords(): void {
    if (this.#unrecorded.size === 0) return;
    const changes = new Layer();
    for (const { id, outcome } of this.#unrecorded) {
      if (!outcome) continue;
      const record = Buffer.allocUnsafe(NUMBER_BYTES + outcome.answer.length);
      record.writeBigInt64LE(outcome.number);
      outcome.answer.copy(record, NUMBER_BYTES);
      changes.set(recordKey(id), record);
    }
    this.#unrecorded.clear();
    this.#storage.write(changes);
  }

  session(id: string): Session {
    let session = this.#sessions.get(id);
    if (!session) {
      session = { id, lastUsed: 0, transaction: null, reading: null, number: -1n, answer: null, outcome: null };
      this.#sessions.set(id, session);
    }
    session.lastUsed = Date.now();
    return session;
  }

  endSession(id: string): void {
    const session = this.#sessions.get(id);
    if (!session) return;
    this.#abort(session);
    this.#sessions.delete(id);
    this.#unrecorded.delete(session);
    if (!session.outcome) return;
    const changes = new Layer();
    changes.set(recordKey(id), null);
    this.#storage.write(changes);
  }

  forgetIdleSessions(): void {
    for (const { id, lastUsed } of this.#sessions.values())
      if (Date.now() - lastUsed > SESSION_LIMIT_MS) this.endSession(id);
  }

  /** @throws MongoError when the number is one that the session has left behind. */
  begin(session: Session, number: bigint): Transaction {
    checkNumber(session, number);
    if (session.number === number)
      throw new MongoError(
        'NoSuchTransaction',
        `Given transaction number ${number} does not match any in-progress transactions.`,
        {},
        ['TransientTransactionError'],
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
      for (const { reading } of this.#sessions.values())
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
    if (transaction?.number !== number || transaction.state === 'aborted') {
      throw new MongoError('NoSuchTransaction', `Transaction with { txnNumber: ${number} } has been aborted.`, {}, [
        'TransientTransactionError',
      ]);
    }
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
      this.record(session, number, NO_ANSWER);
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
    for (const session of this.#sessions.values()) this.#abort(session);
  }

  /** Ids of the sessions, for `$listLocalSessions`. */
  list(): { id: string; lastUsed: number }[] {
    return [...this.#sessions.values()];
  }

  get openCount(): number {
    return [...this.#sessions.values()].filter((session) => session.transaction?.state === 'open').length;
  }

  /** Takes the changes of one statement into the transaction. @throws MongoError WriteConflict */
  write(transaction: Transaction, changes: Layer): void {
    if (transaction.state !== 'open')
      throw new MongoError('NoSuchTransaction', `Transaction ${transaction.number} has been aborted.`, {}, [
        'TransientTransactionError',
      ]);
    const newest = this.#storage.current();
    for (const key of changes.entries.keys()) {
      const holder = this.#locks.get(key);
      if (holder === transaction) continue;
      if (holder || !sameBytes(newest.get(key), transaction.snapshot.get(key))) throw writeConflict();
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

function checkNumber(session: Session, number: bigint): void {
  if (number < session.number) {
    throw new MongoError(
      'TransactionTooOld',
      `Cannot start transaction ${number} on session ${session.id} because a newer transaction ${session.number} has already started.`,
    );
  }
}

function sameBytes(a: Buffer | undefined, b: Buffer | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && a.equals(b));
}
