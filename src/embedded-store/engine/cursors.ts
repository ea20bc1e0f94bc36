import { randomBytes } from 'node:crypto';
import { MongoError } from '../errors.ts';
import type { Projection } from './projection.ts';
import type { DocumentSource } from './query.ts';
import type { Match } from './scan.ts';
import type { Transaction } from './transactions.ts';

export interface Cursor {
  id: bigint;
  namespace: string;
  source: DocumentSource;
  /** Taken from the source, but too large for the last batch. */
  ahead: Match[];
  projection: Projection | undefined;
  /** The id of the session that opened it, which alone may read on. */
  session: string | null;
  transaction: Transaction | null;
  /** Results still allowed by the limit of the query. */
  remaining: number;
  lastUsed: number;
  noTimeout: boolean;
  /** A batch is being read from it. */
  inUse: boolean;
}

const IDLE_LIMIT_MS = 10 * 60_000;

export class Cursors {
  readonly #open = new Map<bigint, Cursor>();

  add(cursor: Omit<Cursor, 'id' | 'lastUsed' | 'inUse'>): Cursor {
    const id = randomBytes(8).readBigInt64LE() & 0x7fffffffffffffffn;
    const added = { ...cursor, id, lastUsed: performance.now(), inUse: false };
    this.#open.set(id, added);
    return added;
  }

  /** @throws MongoError CursorNotFound */
  get(id: bigint): Cursor {
    const cursor = this.#open.get(id);
    if (!cursor) throw new MongoError('CursorNotFound', `cursor id ${id} not found`);
    cursor.lastUsed = performance.now();
    return cursor;
  }

  close(id: bigint): boolean {
    return this.#open.delete(id);
  }

  closeAllOf(namespace: string): void {
    for (const [id, cursor] of this.#open) if (cursor.namespace === namespace) this.#open.delete(id);
  }

  closeAllIn(session: string): void {
    for (const [id, cursor] of this.#open) if (cursor.session === session) this.#open.delete(id);
  }

  closeIdle(): void {
    for (const [id, cursor] of this.#open) {
      if (!cursor.noTimeout && performance.now() - cursor.lastUsed > IDLE_LIMIT_MS) this.#open.delete(id);
    }
  }
}
