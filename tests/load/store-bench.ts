/**
 * Measures the embedded store through the stock driver, interleaved with another MongoDB-compatible server when
 * STORE_BENCH_URI names one, and prints operations per second and their ratio:
 * `STORE_BENCH_URI=mongodb://... npm run bench:store`.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Collection, type Document, MongoClient } from 'mongodb';
import { median } from './statistics.ts';

const ROUNDS = 3;
const ROUND_MS = 1_500;
const STORED = 10_000;
const reference = process.env.STORE_BENCH_URI;

interface Measured {
  name: string;
  connections: number;
  run(things: Collection<Document>, i: number): Promise<unknown>;
}

const operations: Measured[] = [
  { name: 'findOne by _id', connections: 1, run: (things, i) => things.findOne({ _id: (i % STORED) as never }) },
  { name: 'findOne by index', connections: 1, run: (things, i) => things.findOne({ code: `c${i % STORED}` }) },
  { name: 'insertOne, flushed', connections: 1, run: (things) => things.insertOne(product(0, 'new')) },
  { name: 'insertOne, flushed', connections: 32, run: (things) => things.insertOne(product(0, 'new')) },
  {
    name: 'updateOne $inc',
    connections: 1,
    run: (things, i) => things.updateOne({ _id: (i % STORED) as never }, { $inc: { stock: 1 } }),
  },
  {
    name: 'page of 20, filter and sort',
    connections: 1,
    run: (things, i) =>
      things
        .find({ category: `k${i % 5}` })
        .sort({ price: 1, _id: 1 })
        .limit(20)
        .toArray(),
  },
];

function product(i: number, category = `k${i % 5}`): Document {
  const text = 'A sturdy thing of good make, sold on the market since the days of old. '.repeat(3);
  return { title: `Thing ${i}`, category, price: (i * 37) % 9973, stock: 5, description: text, tags: ['a', 'b'] };
}

async function prepare(uri: string): Promise<{ client: MongoClient; things: Collection<Document> }> {
  const client = await new MongoClient(uri, { maxPoolSize: 32 }).connect();
  const things = client.db(`bench_${process.pid}`).collection<Document>('things');
  await things.createIndexes([{ key: { code: 1 } }, { key: { category: 1, price: 1, _id: 1 } }]);
  for (let from = 0; from < STORED; from += 1_000) {
    const batch = Array.from({ length: 1_000 }, (_, i) => ({
      _id: (from + i) as never,
      code: `c${from + i}`,
      ...product(from + i),
    }));
    await things.insertMany(batch);
  }
  return { client, things };
}

async function rate({ connections, run }: Measured, things: Collection<Document>): Promise<number> {
  const end = performance.now() + ROUND_MS;
  let done = 0;
  const worker = async (offset: number): Promise<void> => {
    for (let i = offset; performance.now() < end; i += 7) {
      await run(things, i);
      done++;
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: connections }, (_, i) => worker(i * 101)));
  return (done * 1000) / (performance.now() - start);
}

const dir = await mkdtemp(join(tmpdir(), 'feira-bench-'));
const child = spawn(process.execPath, ['--import', 'tsx', 'src/embedded-store/main.ts', dir], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
const [line] = await new Promise<string[]>((resolve) =>
  createInterface({ input: child.stdout }).once('line', (text) => resolve([text])),
);
const own = await prepare(String(line).replace('MONGODB_URI=', ''));
const other = reference ? await prepare(reference) : undefined;

console.log(`operations per second, median of ${ROUNDS} interleaved rounds, ${STORED} documents stored`);
for (const operation of operations) {
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(await rate(operation, own.things));
    if (other) theirs.push(await rate(operation, other.things));
  }
  const name = `${operation.name} (${operation.connections} connection${operation.connections > 1 ? 's' : ''})`;
  const compared = other
    ? ` | other ${Math.round(median(theirs))} | ratio ${(median(ours) / median(theirs)).toFixed(2)}`
    : '';
  console.log(`${name.padEnd(46)} | embedded ${Math.round(median(ours))}${compared}`);
}
for (const { client, things } of other ? [own, other] : [own]) {
  await client.db(things.dbName).dropDatabase();
  await client.close();
}
child.stdin.end();
await new Promise((resolve) => child.once('exit', resolve));
await rm(dir, { recursive: true });
