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

/** Milliseconds of each request; `atOnce` of them run at any time. */
async function timesOf(url: string, kind: (n: number) => object, atOnce: number): Promise<number[]> {
  const times: number[] = [];
  let next = 0;
  const visitor = async () => {
    while (next < REQUESTS) {
      const n = next++;
      const query = { facets: true, status: true, sort: sorts[n % sorts.length], ...kind(n) };
      const address = `${url}/api/products?${new URLSearchParams(Object.entries(query).map(([k, v]) => [k, String(v)]))}`;
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

const line = (times: number[]) => `p50 ${percentile(times, 0.5).toFixed(1)} ms, ${times.length} requests`;

/** Without the data file, which the kernel takes back at need. */
async function megabytesOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/RssAnon:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

const dir = await mkdtemp(join(tmpdir(), 'feira-bench-'));
const env = { DATA_DIR: join(dir, 'data'), UPLOADS_DIR: join(dir, 'uploads'), LOG_LEVEL: 'error' };
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
  for (const [name, kind] of Object.entries(kinds)) {
    const times = await timesOf(feira.url, kind, 1);
    const p99 = percentile(times, 0.99);
    report(`uncached, p99, ${name}`, `${p99.toFixed(1)} ms`, `under ${LIMIT_MS} ms`, p99 < LIMIT_MS, line(times));
  }
  const mixed = Object.values(kinds);
  const times = await timesOf(feira.url, (n) => mixed[n % mixed.length]?.(n) ?? {}, 8);
  report('all of them, 8 at once, p99', `${percentile(times, 0.99).toFixed(1)} ms`, '', true, line(times));
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
