/**
 * One database server for the whole run: the one of TEST_MONGODB_URI, or the embedded store in a folder of its own.
 * Each test file uses databases with names of its own on it.
 */
import { type StoreProcess, startStore } from '../store/store-process.ts';

export type WithTestStore = typeof globalThis & { testStore?: StoreProcess };

export default async function globalSetup(): Promise<void> {
  const given = process.env.TEST_MONGODB_URI;
  const store = given ? undefined : await startStore();
  process.env.FEIRA_TEST_MONGODB_URI = given ?? store?.uri;
  (globalThis as WithTestStore).testStore = store;
}
