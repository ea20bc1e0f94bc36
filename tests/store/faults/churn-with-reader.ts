/**
 * Updates documents at random while clients hold a transaction and a cursor open and are stopped (SIGSTOP), a new one
 * every few seconds: `node --import tsx tests/store/faults/churn-with-reader.ts [updates] [documents]`. The data file must
 * stay smaller than twice the documents and 64 MB. A million updates is an hour of 280 a second.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { startStore } from '../store-process.ts';
import { withDatabase } from './recorded-load.ts';

const updates = Number(process.argv[2] ?? 1_000_000);
const documents = Number(process.argv[3] ?? 100_000);
const BATCH = 100;
const WRITERS = 8;
const READER_EVERY_MS = 5_000;
const PAD = 'x'.repeat(400);

if (process.argv[2] === 'reader') await read(process.argv[3] ?? '');

/** A client that reads within a transaction and with a cursor, says so, and is never heard of again. */
async function read(uri: string): Promise<never> {
  const client = await new MongoClient(uri).connect();
  const things = client.db('faults').collection('churn');
  const session = client.startSession();
  session.startTransaction();
  await things.findOne({}, { session });
  await things.find({}, { batchSize: 10 }).next();
  process.stdout.write('reading\n');
  return new Promise(() => setInterval(() => {}, 1_000));
}

async function stoppedReader(uri: string): Promise<() => void> {
  const child = spawn(process.execPath, ['--import', 'tsx', import.meta.filename, 'reader', uri]);
  await once(child.stdout, 'data');
  child.kill('SIGSTOP');
  return () => child.kill('SIGKILL');
}

const store = await startStore();
const start = Date.now();
const ends: (() => void)[] = [];
let lastReader = 0;
let done = 0;
let faults = 0;

await withDatabase(store.uri, async (db) => {
  const things = db.collection<{ _id: number; n: number; pad: string }>('churn');
  for (let first = 0; first < documents; first += 5_000) {
    const length = Math.min(5_000, documents - first);
    await things.insertMany(Array.from({ length }, (_, i) => ({ _id: first + i, n: 0, pad: PAD })));
  }
  await things.createIndex({ n: 1 });
  const write = async (): Promise<void> => {
    while (done < updates) {
      done += BATCH;
      const someDocument = (): number => Math.floor(Math.random() * documents);
      await things.bulkWrite(
        Array.from({ length: BATCH }, () => ({
          updateOne: { filter: { _id: someDocument() }, update: { $set: { n: someDocument() } } },
        })),
        { ordered: false },
      );
      if (Date.now() - lastReader > READER_EVERY_MS) {
        lastReader = Date.now();
        ends.push(await stoppedReader(store.uri));
      }
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
  if ((await things.countDocuments()) !== documents) faults++;
});

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MB`;
const live = documents * (PAD.length + 40);
const bound = 2 * live + 64 * 2 ** 20;
const file = statSync(join(store.dir, 'data.mdb')).size;
if (file > bound) faults++;
for (const end of ends) end();
await store.remove();
console.log(
  `${updates} updates in ${Math.round((Date.now() - start) / 1_000)} s beside ${ends.length} stopped readers: ` +
    `file ${megabytes(file)}, documents ${megabytes(live)}, bound ${megabytes(bound)}, ${faults} faults`,
);
process.exit(faults === 0 ? 0 : 1);
