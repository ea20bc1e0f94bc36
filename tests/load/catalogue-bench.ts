/**
 * `npm run bench:catalogue`: lists with facets from 50,000 products on the embedded store, as built: uncached over many
 * filters, words, orders and pages; cached beside a bare node:http server; and what the index in memory costs.
 * CATALOGUE_PRODUCTS sets another number. Linux only: memory is read from /proc.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProcess } from '../helpers/start-process.ts';
import { besideBare } from './beside-bare.ts';
import { fillLargeCatalogue, largeProduct } from './large-catalogue.ts';
import { pin, stopChildren } from './processes.ts';
import { report } from './report.ts';
import { percentile } from './statistics.ts';

const PRODUCTS = Number(process.env.CATALOGUE_PRODUCTS ?? 50_000);
const REQUESTS = 1000;
/** The most that a list may take for 99 of 100, in milliseconds. */
const LIMIT_MS = 60;

const sorts = ['-createdAt', 'price', '-price', 'title', 'createdAt', '-stock'];
const someWord = (n: number) => largeProduct((n * 31) % PRODUCTS).title.split(' ')[n % 4] ?? '';

/** Kinds of lists; `n` makes each request another one. */
const kinds: Record<string, (n: number) => Record<string, string | number>> = {
  'in any order, any page': (n) => ({ page: 1 + ((n * 97) % Math.floor(PRODUCTS / 20)) }),
  'of a category': (n) => ({ category: ['kitchen', 'garden/garden-1', 'tools', 'lamps/lamps-3'][n % 4] ?? '' }),
  'for a price, in stock': (n) => ({ minPrice: 200 + (n % 50) * 10, maxPrice: 3000 + n, inStock: 'true' }),
  'for a word': (n) => ({ q: someWord(n) }),
  'for two beginnings': (n) => ({ q: `${someWord(n).slice(0, 2)} ${someWord(n + 1).slice(0, 2)}` }),
  'for a word with an error': (n) => ({ q: someWord(n).replace(/.$/, 'x') }),
};

/** Milliseconds of each request; `atOnce` of them run at any time. @param before done before each, and not measured */
async function timesOf(
  url: string,
  kind: (n: number) => object,
  atOnce: number,
  before?: (n: number) => Promise<unknown>,
): Promise<number[]> {
  const times: number[] = [];
  let next = 0;
  const visitor = async () => {
    while (next < REQUESTS) {
      const n = next++;
      const query = { facets: true, status: true, sort: sorts[n % sorts.length], ...kind(n) };
      const address = `${url}/api/products?${new URLSearchParams(Object.entries(query).map(([k, v]) => [k, String(v)]))}`;
      await before?.(n);
      const began = performance.now();
      // A cookie goes past the public cache.
      const answer = await fetch(address, { headers: { cookie: 'past=cache' } });
      await answer.arrayBuffer();
      times.push(performance.now() - began);
      if (!answer.ok) throw new Error(`${address}: ${answer.status}`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, visitor));
  return times;
}

/** Prints a line for requests. The time of the processor says more than the clock while others work on the machine. */
async function reportTimes(name: string, pid: number, work: () => Promise<number[]>, limit = LIMIT_MS): Promise<void> {
  const before = await cpuMs(pid);
  const times = await work();
  const cpu = ((await cpuMs(pid)) - before) / times.length;
  const p99 = percentile(times, 0.99);
  const detail = `p50 ${percentile(times, 0.5).toFixed(1)} ms, processor ${cpu.toFixed(1)} ms`;
  report(
    `${name}, p99`,
    `${p99.toFixed(1)} ms`,
    Number.isFinite(limit) ? `under ${limit} ms` : '',
    p99 < limit,
    detail,
  );
}

/** Of all threads of a process; the kernel counts in hundredths of a second. */
async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const [user, system] = stat.slice(stat.lastIndexOf(')')).split(' ').slice(12, 14);
  return (Number(user) + Number(system)) * 10;
}

/** Without the data file, which the kernel takes back at need. */
async function megabytesOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/RssAnon:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

const dir = await mkdtemp(join(tmpdir(), 'feira-bench-'));
const env = {
  DATA_DIR: join(dir, 'data'),
  UPLOADS_DIR: join(dir, 'uploads'),
  LOG_LEVEL: 'error',
  FEIRA_API_KEY: 'key-of-the-benchmark',
  WRITES_PER_MINUTE: '1000000',
};
try {
  // An empty shop makes the indexes.
  await (await startProcess(env)).end('SIGTERM');
  await fillLargeCatalogue(join(dir, 'data', 'store'), PRODUCTS);
  const feira = await startProcess(env);
  const pid = feira.process.pid ?? 0;
  pin(pid, '0');
  pin(process.pid, '1');

  const before = await megabytesOf(pid);
  const began = performance.now();
  await (await fetch(`${feira.url}/api/products?facets=true`)).arrayBuffer();
  report(`the first list of ${PRODUCTS}`, `${((performance.now() - began) / 1000).toFixed(2)} s`, '');
  report('memory of the process for it', `${((await megabytesOf(pid)) - before).toFixed(0)} MB`, '');
  for (const [name, kind] of Object.entries(kinds))
    await reportTimes(`uncached ${name}`, pid, () => timesOf(feira.url, kind, 1));
  const { items } = (await (await fetch(`${feira.url}/api/products`)).json()) as { items: { id: string }[] };
  const change = async (n: number) => {
    const body = JSON.stringify({ price: 1000 + ((n * 7919) % 20_000) });
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${env.FEIRA_API_KEY}` };
    await fetch(`${feira.url}/api/products/${items[n % items.length]?.id}`, { method: 'PATCH', headers, body });
  };
  await reportTimes('each after a change, which is not measured', pid, () => timesOf(feira.url, () => ({}), 1, change));
  const mixed = Object.values(kinds);
  const any = (n: number) => mixed[n % mixed.length]?.(n) ?? {};
  await reportTimes('all of them, 8 at once', pid, () => timesOf(feira.url, any, 8), Number.POSITIVE_INFINITY);
  for (const [path, wanted] of [
    ['/api/products?facets=true', 0.5],
    ['/', 0.4],
  ] as const) {
    const { ratio } = await besideBare(feira.url, [{ path, headers: { accept: path === '/' ? 'text/html' : '*/*' } }]);
    report(`cached, to bare node:http: ${path}`, ratio.toFixed(3), `over ${wanted}`, ratio > wanted);
  }
  await feira.end('SIGTERM');
} finally {
  stopChildren();
  await rm(dir, { recursive: true, force: true });
}
