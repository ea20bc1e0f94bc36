/**
 * Kills the store with SIGKILL at random moments under 32 writers and compares what it has after each start with what
 * was acknowledged: `node --import tsx tests/store/faults/kill-rounds.ts [rounds]`.
 */
import { rm } from 'node:fs/promises';
import { type Document, MongoClient } from 'mongodb';
import { type StoreProcess, startStore } from '../store-process.ts';

const rounds = Number(process.argv[2] ?? 20);
const WRITERS = 32;

interface Acknowledged {
  single: string[];
  paired: string[];
  /** Lower bound of the counter: increments that were answered. */
  increments: number;
}

const acknowledged: Acknowledged = { single: [], paired: [], increments: 0 };
let attempted = 0;

async function write(client: MongoClient, name: string): Promise<void> {
  const db = client.db('faults');
  for (let i = 0; ; i++) {
    const id = `${name}-${i}` as never;
    if (i % 10 === 9) {
      await client.withSession((session) =>
        session.withTransaction(async () => {
          await db.collection<Document>('left').insertOne({ _id: id }, { session });
          await db.collection<Document>('right').insertOne({ _id: id, pad: 'x'.repeat(500) }, { session });
        }),
      );
      acknowledged.paired.push(id);
    } else if (i % 10 === 5) {
      attempted++;
      await db.collection<Document>('counter').updateOne({ _id: 1 as never }, { $inc: { n: 1 } }, { upsert: true });
      acknowledged.increments++;
    } else {
      await db.collection<Document>('single').insertOne({ _id: id, key: `k-${id}`, pad: 'x'.repeat(200) });
      acknowledged.single.push(id);
    }
  }
}

async function round(number: number, store: StoreProcess): Promise<void> {
  const client = await new MongoClient(store.uri, { maxPoolSize: WRITERS, serverSelectionTimeoutMS: 500 }).connect();
  const writers = Array.from({ length: WRITERS }, (_, i) => write(client, `${number}-${i}`));
  const ended = Promise.allSettled(writers);
  await new Promise((resolve) => setTimeout(resolve, 200 + Math.random() * 1_000));
  await store.kill();
  await client.close(true);
  await ended;
}

async function check(store: StoreProcess): Promise<string[]> {
  const client = await new MongoClient(store.uri).connect();
  const db = client.db('faults');
  const ids = async (name: string): Promise<Set<string>> =>
    new Set(
      (
        await db
          .collection(name)
          .find({}, { projection: { _id: 1 } })
          .toArray()
      ).map(({ _id }) => String(_id)),
    );
  const [single, left, right] = await Promise.all([ids('single'), ids('left'), ids('right')]);
  const counter = Number((await db.collection<Document>('counter').findOne({ _id: 1 as never }))?.n ?? 0);
  const indexed = await db.collection('single').countDocuments({ key: { $gte: 'k' } }, { hint: { key: 1 } });
  await client.close();
  return [
    ...acknowledged.single.filter((id) => !single.has(id)).map((id) => `lost insert ${id}`),
    ...acknowledged.paired.filter((id) => !left.has(id)).map((id) => `lost transaction ${id}`),
    ...[...left].filter((id) => !right.has(id)).map((id) => `torn transaction ${id}`),
    ...[...right].filter((id) => !left.has(id)).map((id) => `torn transaction ${id}`),
    ...(counter < acknowledged.increments || counter > attempted
      ? [`counter ${counter} of ${acknowledged.increments}`]
      : []),
    ...(indexed === single.size ? [] : [`index has ${indexed} of ${single.size}`]),
  ];
}

let store = await startStore();
const setUp = await new MongoClient(store.uri).connect();
await setUp.db('faults').collection('single').createIndex({ key: 1 }, { unique: true });
await setUp.close();
let faults = 0;
for (let number = 1; number <= rounds; number++) {
  await round(number, store);
  store = await startStore(store.dir);
  const found = await check(store);
  faults += found.length;
  for (const fault of found.slice(0, 5)) console.log(`round ${number}: ${fault}`);
}
const { single, paired, increments } = acknowledged;
console.log(`${rounds} kills, ${single.length + paired.length + increments} acknowledged writes, ${faults} faults`);
await store.stop();
await rm(store.dir, { recursive: true });
process.exit(faults === 0 ? 0 : 1);
