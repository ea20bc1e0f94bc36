/** Operations per second through the stock driver, beside another MongoDB-compatible server, in turn. */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Collection, type Db, MongoClient } from 'mongodb';
import { report } from './report.ts';
import { median } from './statistics.ts';
import { fill, type Product, page, product } from './store-goods.ts';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 15);
const ROUND_MS = 250;
const PING_MS = 60;
const WARM_MS = 800;
const STORED = 10_000;
const WANTED = 3;

type Run = (products: Collection<Product>, i: number) => Promise<unknown>;

interface Operation {
  connections: number;
  run: Run;
}

/** Connections that work at the same time: one shows how long an operation takes, many how much a server can do. */
const CONNECTIONS = [1, 32];

const ping: Operation = { connections: 1, run: ({ db }) => db.command({ ping: 1 }) };
const operations: Record<string, Run> = {
  'findOne by _id': (products, i) => products.findOne({ _id: i % STORED }),
  'findOne by index': (products, i) => products.findOne({ code: `c${i % STORED}` }),
  'insertOne, flushed': (products) => products.insertOne(newProduct()),
  'updateOne $inc': (products, i) => products.updateOne({ _id: i % STORED }, { $inc: { stock: 1 } }),
  'page of 20, filter and sort': page,
};
const newProduct = (): Product => ({ ...product(0, 'new') });

interface Server {
  products: Collection<Product>;
  close(): Promise<void>;
}

/** Prints a line for each operation. Without another server there are no ratios. */
export async function benchRates(uri: string, otherUri: string | undefined, dir: string): Promise<void> {
  const servers = [await connect(uri)];
  if (otherUri) servers.push(await connect(otherUri));
  console.log(
    `\nwriting 600 bytes and flushing them takes ${us(flushMicroseconds(dir))} here, which both servers wait for\n`,
  );
  for (const [operation, run] of Object.entries(operations)) {
    for (const connections of CONNECTIONS) {
      const name = `${operation}, ${connections} connection${connections > 1 ? 's' : ''}`;
      const [ours, theirs] = await measure({ run, connections }, servers);
      if (ours && theirs) compare(name, ours, theirs);
      else if (ours) report(name, `${median(ours.rates).toFixed(0)}/s`, '');
    }
  }
  for (const server of servers) await server.close();
}

/** The ratio counts, round by round; where the machine has other work, the best rounds say more. */
function compare(name: string, ours: Measured, theirs: Measured): void {
  const ratio = median(ours.rates.map((rate, round) => rate / (theirs.rates[round] ?? Number.NaN)));
  const [best, otherBest] = [Math.max(...ours.rates), Math.max(...theirs.rates)];
  const pings = `a ping ${us(1e6 / Math.max(...ours.pings))} and ${us(1e6 / Math.max(...theirs.pings))}`;
  const each = `one takes ${us(1e6 / best)} to ${us(1e6 / otherBest)}, ${pings}`;
  report(
    name,
    `${ratio.toFixed(2)}x`,
    `${WANTED}x`,
    ratio >= WANTED,
    `best rounds ${(best / otherBest).toFixed(2)}x: ${best.toFixed(0)}/s to ${otherBest.toFixed(0)}/s; ${each}`,
  );
}

const us = (value: number): string => `${value.toFixed(0)} us`;

async function connect(uri: string): Promise<Server> {
  const client = await new MongoClient(uri, { maxPoolSize: 32 }).connect();
  const db: Db = client.db(`bench_${process.pid}`);
  const products = db.collection<Product>('products');
  await fill(products, STORED);
  return {
    products,
    async close() {
      await db.dropDatabase();
      await client.close();
    },
  };
}

/** Operations per second of each round, and pings beside them: what the driver and the socket take by themselves. */
interface Measured {
  rates: number[];
  pings: number[];
}

/** All servers are warmed up first: the driver's code is compiled while it runs, and the first would pay for it. */
async function measure(operation: Operation, servers: readonly Server[]): Promise<Measured[]> {
  const measured = servers.map((): Measured => ({ rates: [], pings: [] }));
  for (const { products } of servers) await rate(operation, products, WARM_MS);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, { products }] of servers.entries()) {
      measured[i]?.rates.push(await rate(operation, products, ROUND_MS));
      measured[i]?.pings.push(await rate(ping, products, PING_MS));
    }
  }
  return measured;
}

async function rate({ connections, run }: Operation, products: Collection<Product>, ms: number): Promise<number> {
  const began = performance.now();
  let done = 0;
  const client = async (offset: number): Promise<void> => {
    for (let i = offset; performance.now() < began + ms; i += 7) {
      await run(products, i);
      done++;
    }
  };
  await Promise.all(Array.from({ length: connections }, (_, i) => client(i * 101)));
  return (done * 1000) / (performance.now() - began);
}

/** The median for a write and its flush into space that is already written, with nothing around it. */
function flushMicroseconds(dir: string): number {
  const file = openSync(join(dir, 'flush-probe'), 'w');
  writeSync(file, Buffer.alloc(1024 * 1024, 1));
  fdatasyncSync(file);
  const times = Array.from({ length: 500 }, (_, i) => {
    const began = performance.now();
    writeSync(file, Buffer.alloc(600, 2), 0, 600, i * 600);
    fdatasyncSync(file);
    return (performance.now() - began) * 1000;
  });
  closeSync(file);
  return median(times);
}
