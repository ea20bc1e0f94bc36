/**
 * `npm run bench`: Feira as built, beside a bare node:http server that answers the same bytes and a bare ws server,
 * in turn within one run. Only the ratios mean anything: absolute figures change from machine to machine.
 * `npm run bench -- list 304` runs the cases whose names contain one of the words; BENCH_SECONDS and BENCH_ROUNDS
 * set how long. With REFERENCE_MONGODB_URI a plain Express and Mongoose server on that database is measured too.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess } from '../helpers/start-process.ts';
import { besideBare, type Measured, measure, type Requests, ROUNDS } from './beside-bare.ts';
import { benchBroadcast } from './broadcast.ts';
import { benchIdentity, benchLogins } from './identity.ts';
import { nextMessage, pin, startChild, stopChildren } from './processes.ts';
import { fillShop, type Shop } from './shop.ts';
import { measureStart } from './start.ts';
import { median } from './statistics.ts';

interface Case {
  name: string;
  /** The ratio to bare node:http that is wanted. */
  wanted?: number;
  requests: (shop: Shop) => Requests;
  /** Whose answer the bare server gives, where it is not that of the first request. */
  bare?: (shop: Shop) => Requests;
}

const unchangedList = ({ listEtag }: Shop) => [{ path: '/api/products', headers: { 'if-none-match': listEtag } }];

const cases: Case[] = [
  { name: 'home page, guest', wanted: 0.4, requests: () => [{ path: '/', headers: { accept: 'text/html' } }] },
  { name: 'product list', wanted: 0.5, requests: () => [{ path: '/api/products' }] },
  { name: 'one product', wanted: 0.5, requests: ({ productIds }) => [{ path: `/api/products/${productIds[0]}` }] },
  { name: '304, to the page from bare', wanted: 0.9, requests: unchangedList, bare: () => [{ path: '/api/products' }] },
  { name: '304, to a 304 from bare', requests: unchangedList },
  {
    name: 'uncached list of 20 from 10,000',
    // A cookie goes past the public cache.
    requests: () => [{ path: '/api/products', headers: { cookie: 'past=cache' } }],
  },
  { name: 'add to cart', requests: (shop) => shop.additions },
];

async function benchCase(
  url: string,
  shop: Shop,
  { name, wanted, requests, bare: like = requests }: Case,
): Promise<void> {
  const { ratio, feira } = await besideBare(url, requests(shop), like(shop));
  print(name, ratio, wanted, ...summary(feira));
}

const summary = (runs: readonly Measured[]) =>
  [
    median(runs.map((r) => r.requestsPerSecond)),
    median(runs.map((r) => r.p50)),
    median(runs.map((r) => r.p99)),
  ] as const;

function print(name: string, ratio: number, wanted: number | undefined, rate: number, p50: number, p99: number): void {
  const cells = [
    name.padEnd(34),
    ratio.toFixed(3).padStart(8),
    (wanted === undefined ? '' : String(wanted)).padStart(8),
    (Number.isNaN(rate) ? '' : rate.toFixed(0)).padStart(12),
    p50.toFixed(1).padStart(9),
    p99.toFixed(1).padStart(9),
  ];
  console.log(cells.join(' '));
}

/** The uncached list beside a plain Express and Mongoose server on another database. */
async function benchReference(url: string, uri: string): Promise<void> {
  const target = new URL(uri);
  target.pathname = `/feira_bench_${process.pid}`;
  const child = await startChild('./express-mongoose.ts', [target.href]);
  const { port } = await nextMessage<{ port: number }>(child);
  pin(child.pid ?? 0, '0');
  const requests = [{ path: '/api/products', headers: { cookie: 'past=cache' } }];
  const feira: Measured[] = [];
  const ratios: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const reference = await measure(`http://127.0.0.1:${port}`, requests);
    const ours = await measure(url, requests);
    feira.push(ours);
    ratios.push(ours.requestsPerSecond / reference.requestsPerSecond);
  }
  child.send('stop');
  await once(child, 'exit');
  print('the same, to Express + Mongoose', median(ratios), 3, ...summary(feira));
}

async function benchStart(dir: string): Promise<void> {
  const first = await measureStart(join(dir, 'new-data'), join(dir, 'uploads'));
  console.log(`first start with demo data: ${first.seconds.toFixed(2)} s (at most 6)`);
  const again = await measureStart(join(dir, 'new-data'), join(dir, 'uploads'));
  console.log(`start on an existing store: ${again.seconds.toFixed(2)} s (at most 2)`);
  console.log(`idle memory: ${again.idleMegabytes.toFixed(0)} MB (at most 200)\n`);
}

async function main(): Promise<void> {
  const words = process.argv.slice(2);
  const isWanted = (name: string) => words.length === 0 || words.some((word) => name.includes(word));
  const dir = await mkdtemp(join(tmpdir(), 'feira-bench-'));
  if (isWanted('start and memory')) await benchStart(dir);
  const key = 'key-of-the-benchmark';
  const feira = await startProcess({
    DATA_DIR: join(dir, 'data'),
    UPLOADS_DIR: join(dir, 'uploads'),
    FEIRA_API_KEY: key,
    LOG_LEVEL: 'warn',
    WRITES_PER_MINUTE: '1000000',
    ...(process.env.BENCH_MONGODB_URI ? { MONGODB_URI: process.env.BENCH_MONGODB_URI } : {}),
  });
  try {
    const shop = await fillShop(feira.url, key);
    pin(feira.process.pid ?? 0, '0');
    pin(process.pid, '1');
    console.log(`${''.padEnd(34)}    ratio   wanted   requests/s   p50 ms    p99 ms`);
    for (const one of cases) if (isWanted(one.name)) await benchCase(feira.url, shop, one);
    const outboxDir = join(dir, 'data', 'outbox');
    const path = `/api/products/${shop.productIds[0]}`;
    if (isWanted('cookie, token and key')) await benchIdentity({ feira, outboxDir, key, path });
    if (isWanted('logins')) {
      // Passwords are hashed beside the event loop, so on the other cores.
      pin(feira.process.pid ?? 0, `0-${availableParallelism() - 1}`);
      await benchLogins(feira, outboxDir);
      pin(feira.process.pid ?? 0, '0');
    }
    const reference = process.env.REFERENCE_MONGODB_URI;
    if (reference && isWanted('Express + Mongoose')) await benchReference(feira.url, reference);
    for (const clients of [200, 1000]) {
      const name = `broadcast to ${clients}`;
      if (!isWanted(name)) continue;
      const { times, ratio, p99 } = await benchBroadcast(clients);
      print(`${name} (time, at most)`, ratio, 1.5, Number.NaN, median(times.feira), p99);
    }
  } finally {
    await feira.end('SIGTERM');
    stopChildren();
    await rm(dir, { recursive: true, force: true });
  }
}

await main();
