/**
 * A URI in, a connected mongoose and close() out. The only place that knows which database runs: the one of
 * MONGODB_URI, or the embedded store in the data directory. With a URI the embedded store is never loaded.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { IndexDescription } from 'mongodb';
import mongoose, { type ConnectOptions } from 'mongoose';
import type { Logger } from 'pino';
import type { Config } from '../config.ts';
import { StartError } from '../errors.ts';
import { models } from '../models/index.ts';

const STILL_WAITING_MS = 10_000;
const PING_LIMIT_MS = 2000;

/**
 * How long somebody waits for a database that is away, that is connected and says nothing, that leaves one question
 * without an answer, or that is too slow for all who ask. What the URI says about any of these goes before.
 */
const LIMITS = {
  ...{ serverSelectionTimeoutMS: 5000, connectTimeoutMS: 10_000 },
  ...{ socketTimeoutMS: 30_000, waitQueueTimeoutMS: 15_000, maxPoolSize: 50 },
} satisfies ConnectOptions;

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
  const connect = () =>
    mongoose.connect(uri ?? embedded?.uri ?? '', {
      autoIndex: false,
      autoCreate: false,
      // Otherwise Mongoose keeps what is asked while the connection is lost, and refuses it in words of its own.
      bufferCommands: false,
      ...Object.fromEntries(Object.entries(LIMITS).filter(([name]) => !uri?.includes(`${name}=`))),
    });
  try {
    // One that starts at the same moment may take longer than anybody would wait later.
    await connect().catch(connect);
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
      const limit = new AbortController();
      const late = delay(PING_LIMIT_MS, undefined, { signal: limit.signal }).then(() => {
        throw new Error(`The database has not answered within ${PING_LIMIT_MS} ms.`);
      });
      const answer = mongoose.connection.db?.admin().command({ ping: 1 });
      await Promise.race([answer, late]).finally(() => limit.abort());
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
  // An index on much data takes its time. The driver knows this option, its types do not.
  const patient: object = { socketTimeoutMS: 0 };
  if (indexes.length > 0) await model.collection.createIndexes(indexes, patient);
  else await model.createCollection();
}

async function startEmbedded(dir: string, log: Logger) {
  const { startEmbeddedStore } = await import('../embedded-store/index.ts');
  return startEmbeddedStore({ dir, log: log.child({ part: 'store' }) }).catch((error: Error) => {
    throw new StartError(`The embedded store cannot be opened: ${error.message}`, { cause: error });
  });
}
