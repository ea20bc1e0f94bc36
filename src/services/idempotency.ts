/** Changes that are done once, however often they are asked for with one key. */
import type { ClientSession } from 'mongoose';
import { inTransaction, isDuplicateKey } from '../database/transaction.ts';
import type { Writes } from '../database/writes.ts';
import { AppError } from '../errors.ts';
import { IdempotencyKey } from '../models/idempotency-key.model.ts';
import { Turns } from './turns.ts';

/** What makes two requests one. */
export interface OnceKey {
  /** Hash of who asks, what for, and the key that they have chosen. */
  readonly id: string;
  /** Hash of the body. */
  readonly fingerprint: string;
}

export interface Once<T> {
  result: T;
  /** It was done before: `result` is what it answered then. */
  replayed: boolean;
}

const turns = new Turns();

/**
 * Runs `work` in a transaction that keeps its result, which is plain data, for a day. What is refused changed nothing
 * and is not kept. Equal requests at the same moment wait for each other, in other processes too.
 * @throws AppError IDEMPOTENCY_KEY_REUSED for another body under the same key, and whatever `work` throws
 */
export function inTransactionOnce<T>(
  once: OnceKey | null,
  work: (session: ClientSession, writes: Writes) => Promise<T>,
): Promise<Once<T>> {
  if (!once) return inTransaction(work).then((result) => ({ result, replayed: false }));
  return turns.take(once.id, async () => {
    const before = await replayOf<T>(once);
    if (before) return before;
    try {
      const result = await inTransaction(async (session, writes) => {
        const result = await work(session, writes);
        keep(once, result, writes);
        return result;
      });
      return { result, replayed: false };
    } catch (error) {
      // Another process may have been faster, which then was the reason for the refusal.
      const meanwhile = await replayOf<T>(once);
      if (meanwhile) return meanwhile;
      throw error;
    }
  });
}

/**
 * The same for work that reaches beyond one transaction: it keeps what it has answered after it is done. When the process
 * dies in between, a repeat runs `work` again, which must stand that.
 * @throws AppError IDEMPOTENCY_KEY_REUSED, and whatever `work` throws
 */
export function onceDone<T>(once: OnceKey | null, work: () => Promise<T>): Promise<Once<T>> {
  if (!once) return work().then((result) => ({ result, replayed: false }));
  return turns.take(once.id, async () => {
    const before = await replayOf<T>(once);
    if (before) return before;
    const result = await work();
    await inTransaction(async (_session, writes) => keep(once, result, writes)).catch((error) => {
      if (!isDuplicateKey(error)) throw error;
    });
    return { result, replayed: false };
  });
}

/** What a request with this key has answered; null when there was none. @throws AppError IDEMPOTENCY_KEY_REUSED */
export async function replayOf<T>(once: OnceKey): Promise<{ result: T; replayed: true } | null> {
  const stored = await IdempotencyKey.findById(once.id).lean();
  if (!stored) return null;
  if (stored.fingerprint !== once.fingerprint)
    throw new AppError('IDEMPOTENCY_KEY_REUSED', 'This Idempotency-Key was used for a request with another body.');
  return { result: stored.result as T, replayed: true };
}

function keep(once: OnceKey, result: unknown, writes: Writes): void {
  const record = { _id: once.id, fingerprint: once.fingerprint, result, at: new Date() };
  writes.insert(IdempotencyKey, [record]);
}
