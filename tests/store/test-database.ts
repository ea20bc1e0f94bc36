import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll } from '@jest/globals';
import { type Db, type Document, MongoClient, type MongoClientOptions } from 'mongodb';

/** The server that the suite was given: the embedded store, or another one that speaks the same protocol. */
export function storeUri(): string {
  const uri = process.env.FEIRA_TEST_MONGODB_URI;
  if (!uri) throw new Error('FEIRA_TEST_MONGODB_URI is not set: run through jest with the global setup.');
  return uri;
}

export interface TestDatabase {
  client: MongoClient;
  db: Db;
  /**
   * Whether the server is one that differs from MongoDB here, which is DocumentDB. How it does stands in the table of
   * src/embedded-store/README.md, word for word.
   */
  differs(how: string): boolean;
}

/** A database of its own for the test file; it is dropped at the end. */
export function useDatabase(options: MongoClientOptions = {}): TestDatabase {
  const database = {} as TestDatabase;
  let isDocumentDb = false;
  database.differs = () => isDocumentDb;
  beforeAll(async () => {
    database.client = await new MongoClient(storeUri(), options).connect();
    const { gitVersion } = await database.client.db('admin').command({ buildInfo: 1 });
    isDocumentDb = gitVersion === 'documentdb';
    database.db = database.client.db(`store_${randomBytes(6).toString('hex')}`);
  });
  afterAll(async () => {
    await database.db.dropDatabase();
    await database.client.close();
  });
  return database;
}

let last = 0;

/** A collection name that no other test of the file has. */
export function freshName(): string {
  return `c${++last}`;
}

/** What a duplicate key error shows; from some servers the code alone. */
export function duplicateOf(keyValue: Document, isBare: boolean): Document {
  const keyPattern = Object.fromEntries(Object.keys(keyValue).map((name) => [name, 1]));
  return isBare ? { code: 11000 } : { code: 11000, keyPattern, keyValue };
}
