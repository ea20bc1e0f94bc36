/** How long a scan of 200,000 documents keeps a request for /healthz of the same process waiting. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { startProcess } from '../helpers/start-process.ts';
import { report } from './report.ts';
import { percentile } from './statistics.ts';
import { fill, type Product } from './store-goods.ts';
import { MANY } from './store-growth.ts';

const IDLE_MS = 2_000;

/** Runs the built shop on a store of its own and prints a line for each scan. */
export async function benchHealthz(dir: string): Promise<void> {
  const feira = await startProcess({
    DATA_DIR: join(dir, 'shop'),
    UPLOADS_DIR: join(dir, 'uploads'),
    LOG_LEVEL: 'error',
  });
  const port = await otherPort(feira.process.pid ?? 0, Number(new URL(feira.url).port));
  const client = await new MongoClient(`mongodb://127.0.0.1:${port}/?directConnection=true`).connect();
  const products = client.db('bench').collection<Product>('products');
  await fill(products, MANY);
  const idle = await whileWaiting(feira.url, new Promise((resolve) => setTimeout(resolve, IDLE_MS)));
  const scans = {
    'a query': () => products.findOne({ title: 'nothing has this title' }),
    'an aggregation': () => products.aggregate([{ $group: { _id: '$category', stock: { $sum: '$stock' } } }]).toArray(),
  };
  for (const [name, scan] of Object.entries(scans)) {
    const began = performance.now();
    const waits = await whileWaiting(feira.url, scan());
    const delay = Math.max(...waits) - percentile(idle, 0.5);
    const took = `the scan took ${(performance.now() - began).toFixed(0)} ms`;
    const usual = `99 of 100 waited under ${percentile(waits, 0.99).toFixed(0)} ms; idle at most ${Math.max(...idle).toFixed(0)} ms`;
    report(
      `GET /healthz during ${name} over 200,000`,
      `${delay.toFixed(0)} ms`,
      'under 50 ms',
      delay < 50,
      `${took}, ${usual}`,
    );
  }
  await client.close();
  await feira.end('SIGTERM');
}

/** Milliseconds of every request that was made, one after the other, until the work was done. */
export async function whileWaiting(url: string, work: Promise<unknown>): Promise<number[]> {
  let done = false;
  const finished = work.finally(() => {
    done = true;
  });
  const waits: number[] = [];
  while (!done) {
    const began = performance.now();
    await (await fetch(`${url}/healthz`)).text();
    waits.push(performance.now() - began);
  }
  await finished;
  return waits;
}

/** The port of the store in the process: the shop tells it to nobody, so /proc is asked. */
async function otherPort(pid: number, known: number): Promise<number> {
  const files = await readdir(`/proc/${pid}/fd`);
  const links = await Promise.all(files.map((file) => readlink(`/proc/${pid}/fd/${file}`).catch(() => '')));
  const own = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  const listening = (await readFile('/proc/net/tcp', 'utf8')).split('\n').flatMap((line) => {
    const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
    return state === '0A' && own.has(inode) ? [Number.parseInt(local.split(':')[1] ?? '', 16)] : [];
  });
  const port = listening.find((other) => other !== known);
  if (port === undefined) throw new Error('the shop has no embedded store');
  return port;
}
