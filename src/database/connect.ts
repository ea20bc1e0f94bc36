/**
 * A URI in, a connected mongoose and close() out. The only place that knows which database runs: the one of
 * MONGODB_URI, or the embedded store in the data directory. With a URI the embedded store is never loaded.
 */
import type { IndexDescription } from 'mongodb';
import mongoose from 'mongoose';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { StartError } from '../errors.ts';
import { models } from '../models/index.ts';

const STILL_WAITING_MS = 10_000;

export interface Database {
  /** False while other processes may write to the same database. */
  readonly exclusive: boolean;
  /** Rejects when the database does not answer within two seconds. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Connects and makes sure that every index exists before anything is served: uniqueness depends on them.
 * @throws StartError when the database cannot be reached within ten seconds, or another process has the directory open.
 */
export async function connectDatabase({ uri, dir }: Config['database'], log: Logger): Promise<Database> {
  const embedded = uri ? null : await startEmbedded(dir, log);
  // An index on much data takes its time; a server that does not answer, too.
  const waiting = setInterval(() => log.warn('still waiting for the database to have all indexes'), STILL_WAITING_MS);
  try {
    await mongoose.connect(uri ?? embedded?.uri ?? '', {
      autoIndex: false,
      autoCreate: false,
      serverSelectionTimeoutMS: 10_000,
      ...(!uri?.includes('maxPoolSize=') && { maxPoolSize: 50 }),
    });
    await Promise.all(models.map(ensureIndexes));
  } catch (error) {
    await mongoose.disconnect();
    await embedded?.close();
    throw new StartError(`The database cannot be used: ${(error as Error).message}`, { cause: error });
  } finally {
    clearInterval(waiting);
  }
  return {
    exclusive: embedded !== null,
    async ping() {
      await mongoose.connection.db?.admin().command({ ping: 1 }, { timeoutMS: 2000 });
    },
    async close() {
      await mongoose.disconnect();
      await embedded?.close();
    },
  };
}

/** All indexes of a collection in one command: some MongoDB-compatible servers take none once it exists. */
async function ensureIndexes(model: (typeof models)[number]): Promise<void> {
  const indexes = model.schema.indexes().map(([key, options]) => ({ ...options, key })) as IndexDescription[];
  if (indexes.length > 0) await model.collection.createIndexes(indexes);
  else await model.createCollection();
}

async function startEmbedded(dir: string, log: Logger) {
  const { startEmbeddedStore } = await import('../embedded-store/index.ts');
  return startEmbeddedStore({ dir, log: log.child({ part: 'store' }) }).catch((error: Error) => {
    throw new StartError(`The embedded store cannot be opened: ${error.message}`, { cause: error });
  });
}
