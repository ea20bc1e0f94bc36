/** Operations per second through the stock driver, beside another MongoDB-compatible server, in turn. */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { type Collection, type Db, MongoClient } from 'mongodb';
import { report } from './report.ts';
import { median } from './statistics.ts';
import { fill, type Product, page, product } from './store-goods.ts';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 9);
const ROUND_MS = 400;
const WARM_MS = 800;
const STORED = 10_000;
const WANTED = 3;

interface Operation {
  name: string;
  connections: number;
  run(products: Collection<Product>, i: number): Promise<unknown>;
}

const ping: Operation = { name: 'ping', connections: 1, run: ({ db }) => db.command({ ping: 1 }) };
const operations: Operation[] = [
  { name: 'findOne by _id', connections: 1, run: (products, i) => products.findOne({ _id: i % STORED }) },
  { name: 'findOne by index', connections: 1, run: (products, i) => products.findOne({ code: `c${i % STORED}` }) },
  { name: 'insertOne, flushed', connections: 1, run: (products) => products.insertOne(newProduct()) },
  { name: 'insertOne, flushed', connections: 32, run: (products) => products.insertOne(newProduct()) },
  {
    name: 'updateOne $inc',
    connections: 1,
    run: (products, i) => products.updateOne({ _id: i % STORED }, { $inc: { stock: 1 } }),
  },
  { name: 'page of 20, filter and sort', connections: 1, run: page },
];
const newProduct = (): Product => ({ ...product(0, 'new') });

interface Server {
  products: Collection<Product>;
  close(): Promise<void>;
}

/** Prints a line for each operation. Without another server there are no ratios. */
export async function benchRates(uri: string, otherUri: string | undefined, dir: string): Promise<void> {
  const own = await connect(uri);
  const other = otherUri ? await connect(otherUri) : undefined;
  const servers = other ? [own, other] : [own];
  console.log(
    `\nflushing 600 bytes takes ${flushMicroseconds(dir).toFixed(0)} us on this disk; both servers wait for it`,
  );
  const pings = await measure(ping, servers);
  console.log(`a ping through the driver takes ${pings.map(({ each }) => us(each)).join(' here, ')} there\n`);
  for (const operation of operations) {
    const name = `${operation.name}, ${operation.connections} connection${operation.connections > 1 ? 's' : ''}`;
    const [ours, theirs] = await measure(operation, servers);
    if (!ours) continue;
    if (!theirs) {
      report(name, `${ours.perSecond.toFixed(0)}/s`, '');
      continue;
    }
    const ratios = ours.rounds.map((rate, round) => rate / (theirs.rounds[round] ?? Number.NaN));
    const spread = `${Math.min(...ratios).toFixed(1)} to ${Math.max(...ratios).toFixed(1)}`;
    const beyond = [ours, theirs].map(({ each }, i) => Math.max(1, each - (pings[i]?.each ?? 0)));
    report(
      name,
      `${median(ratios).toFixed(2)}x`,
      `${WANTED}x`,
      median(ratios) >= WANTED,
      `${spread}; ${ours.perSecond.toFixed(0)}/s to ${theirs.perSecond.toFixed(0)}/s${
        operation.connections > 1 ? '' : `; beyond the ping ${beyond.map(us).join(' to ')}`
      }`,
    );
  }
  for (const server of servers) await server.close();
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

interface Measured {
  /** Operations per second of each round. */
  rounds: number[];
  perSecond: number;
  /** Microseconds for one, where there is one connection. */
  each: number;
}

/** All servers are warmed up first: the driver's code is compiled while it runs, and the first would pay for it. */
async function measure(operation: Operation, servers: readonly Server[]): Promise<Measured[]> {
  const rounds = servers.map((): number[] => []);
  for (const { products } of servers) await rate(operation, products, WARM_MS);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [i, { products }] of servers.entries()) rounds[i]?.push(await rate(operation, products, ROUND_MS));
  }
  return rounds.map((rates) => ({ rounds: rates, perSecond: median(rates), each: 1e6 / median(rates) }));
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
