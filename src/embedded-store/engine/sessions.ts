// Sessions, and the answers to their retryable writes, which are stored together with what was written.
import { afterPrefix, type Key, Layer } from '../storage/layer.ts';
import type { Storage } from '../storage/storage.ts';
import { keyPrefix } from './indexes.ts';
import type { Transaction } from './transactions.ts';

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

const NUMBER_BYTES = 8;
const SESSIONS = `${keyPrefix(0)}s`;
const recordKey = (id: string): Key => SESSIONS + Buffer.from(id, 'hex').toString('latin1');

export class Sessions {
  readonly #storage: Storage;
  readonly #sessions = new Map<string, Session>();
  /** Those with an outcome that is to go into the next record of the log. */
  readonly #unrecorded = new Set<Session>();

  constructor(storage: Storage) {
    this.#storage = storage;
    this.#load();
  }

  all(): Session[] {
    return [...this.#sessions.values()];
  }

  find(id: string): Session | undefined {
    return this.#sessions.get(id);
  }

  /** The session of this id, which is in use from now on. */
  use(id: string): Session {
    let session = this.#sessions.get(id);
    if (!session) {
      session = { id, lastUsed: 0, transaction: null, reading: null, number: -1n, answer: null, outcome: null };
      this.#sessions.set(id, session);
    }
    session.lastUsed = performance.now();
    return session;
  }

  remove(session: Session): void {
    this.#sessions.delete(session.id);
    this.#unrecorded.delete(session);
    if (!session.outcome) return;
    const changes = new Layer();
    changes.set(recordKey(session.id), null);
    this.#storage.write(changes);
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

  /** Written changes were lost: what sessions have done is what is stored. */
  reload(): void {
    this.#unrecorded.clear();
    for (const session of this.#sessions.values())
      Object.assign(session, { transaction: null, number: -1n, answer: null, outcome: null });
    this.#load();
  }

  #load(): void {
    for (const [key, value] of this.#storage.current().range({ start: SESSIONS, end: afterPrefix(SESSIONS) })) {
      const session = this.use(Buffer.from(key.slice(SESSIONS.length), 'latin1').toString('hex'));
      session.number = value.readBigInt64LE();
      session.outcome = { number: session.number, answer: value.subarray(NUMBER_BYTES) };
      session.answer = Promise.resolve(session.outcome.answer);
    }
  }
}
