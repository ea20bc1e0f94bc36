/** Transactions over the connection of this process. */
import mongoose, { type ClientSession, mongo } from 'mongoose';
import pLimit, { type LimitFunction } from 'p-limit';
import { AppError } from '../errors.ts';
import { Writes } from './writes.ts';

/** After so long nothing is begun or tried once more. */
const LIMIT_MS = 15_000;

const turns = new WeakMap<mongo.MongoClient, LimitFunction>();

/**
 * As many transactions at once as there are connections. More would only wait for each other: those that are open, and
 * hold what others want, for a connection, and those that have one for a place at the server.
 */
function turn(): LimitFunction {
  const client = mongoose.connection.getClient();
  const known = turns.get(client) ?? pLimit(client.options.maxPoolSize);
  turns.set(client, known);
  return known;
}

/**
 * Runs `work` in one transaction and commits it; everything in it happens, or nothing does. `work` runs again when the
 * database reports a write conflict, so it must have no effect outside of `session`. What it adds to `writes` is sent when
 * it is done, together. There is no transaction within `work`: it could wait for its own.
 * @throws AppError UNAVAILABLE when too many are waiting, what `work` throws, and MongoError: then it is not always
 * known whether it has happened
 */
export function inTransaction<T>(work: (session: ClientSession, writes: Writes) => Promise<T>): Promise<T> {
  const until = performance.now() + LIMIT_MS;
  const attempt = async (session: ClientSession) => {
    const writes = new Writes(session);
    try {
      const result = await work(session, writes);
      await writes.send();
      await commit(session, until);
      return result;
    } catch (error) {
      // Some servers tell of a conflict as of a fault of one write, without saying that the transaction may run again.
      if (isWriteConflict(error)) error.addErrorLabel('TransientTransactionError');
      throw mayRunAgain(error) && performance.now() > until ? tooLate(error) : error;
    }
  };
  return turn()(() => {
    if (performance.now() > until) throw new AppError('UNAVAILABLE', 'Too many changes are waiting for the database.');
    return mongoose.connection.transaction(attempt);
  });
}

/** Here and not by the driver, which asks for two minutes whether a commit has come about. */
async function commit(session: ClientSession, until: number): Promise<void> {
  for (;;) {
    try {
      return await session.commitTransaction();
    } catch (error) {
      // Of a socket that has ended before, the driver tells by an error that is none of its own.
      const isUnknown = !(error instanceof mongo.MongoError) || error.hasErrorLabel('UnknownTransactionCommitResult');
      if (!isUnknown) throw error;
      if (performance.now() > until) throw tooLate(error);
    }
  }
}

const mayRunAgain = (error: unknown) =>
  error instanceof mongo.MongoError && error.hasErrorLabel('TransientTransactionError');

const tooLate = (cause: unknown) =>
  new mongo.MongoNetworkTimeoutError('The transaction has not come about in time.', { cause: cause as Error });

/** Is this the database's refusal of a second document with the same unique key? */
export function isDuplicateKey(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 11_000;
}

/** Another writer was there in the same moment, and nothing was written. In transactions that is tried again by itself. */
export function isWriteConflict(error: unknown): error is mongo.MongoServerError {
  return error instanceof mongo.MongoServerError && error.code === 112;
}

/**
 * For `catch` in a transaction, where somebody else has made the same in this moment: the transaction runs once more, and
 * finds it. @throws the same error
 */
export function runAgain(error: unknown): never {
  if (error instanceof mongo.MongoServerError && isDuplicateKey(error))
    error.addErrorLabel('TransientTransactionError');
  throw error;
}

/**
 * Runs an upsert by a unique key, once more when another one has made the document in the same moment: the second time
 * it is there to be updated.
 */
export async function upserting<T>(upsert: () => Promise<T>): Promise<T> {
  try {
    return await upsert();
  } catch (error) {
    if (isDuplicateKey(error)) return upsert();
    throw error;
  }
}
