/** What 200,000 documents cost: a page of them, opening the store, its memory. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Collection, MongoClient } from 'mongodb';
import { type BuiltStore, type Memory, startBuiltStore } from './built-store.ts';
import { report } from './report.ts';
import { median } from './statistics.ts';
import { fill, type Product, page } from './store-goods.ts';

export const MANY = 200_000;
const FEW = 1_000;
const ROUNDS = 9;
const OPENINGS = 5;

/** Prints a line for each number; leaves nothing behind. */
export async function benchGrowth(dir: string): Promise<void> {
  const empty = join(dir, 'empty');
  const full = join(dir, 'full');
  const filled = await startBuiltStore(full);
  await withProducts(filled, async (products) => {
    await fill(products(FEW), FEW);
    await fill(products(MANY), MANY);
    await comparePages(products(FEW), products(MANY));
  });
  await filled.end('SIGTERM');
  await measureOpening('opening a store of 200,000, as built', full, empty, 'dist/embedded-store/index.js');
  await measureOpening('opening a store of 200,000, from source', full, empty, 'src/embedded-store/index.ts');
  compareMemory(await memoryInUse(empty, FEW), await memoryInUse(full, MANY));
  await rm(full, { recursive: true });
  await rm(empty, { recursive: true });
}

type Products = (count: number) => Collection<Product>;

async function withProducts<T>({ uri }: BuiltStore, work: (products: Products) => Promise<T>): Promise<T> {
  const client = await new MongoClient(uri).connect();
  try {
    return await work((count) => client.db('bench').collection<Product>(`products${count}`));
  } finally {
    await client.close();
  }
}

async function comparePages(few: Collection<Product>, many: Collection<Product>): Promise<void> {
  const ratios: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const onFew = await pages(few);
    const onMany = await pages(many);
    if (round > 0) ratios.push(onMany / onFew); // the first warms up
  }
  const slower = median(ratios);
  const spread = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
  report('page of 20 on 200,000, time to 1,000', `${slower.toFixed(2)}x`, 'at most 1.5x', slower <= 1.5, spread);
}

async function pages(products: Collection<Product>): Promise<number> {
  const began = performance.now();
  for (let i = 0; i < 500; i++) await page(products, i);
  return performance.now() - began;
}

/** As the shop opens it: its thread, the log, LMDB and the catalog. What Node itself takes to start is not in it. */
async function measureOpening(name: string, full: string, empty: string, module: string): Promise<void> {
  const { startEmbeddedStore }: typeof import('../../src/embedded-store/index.ts') = await import(
    pathToFileURL(module).href
  );
  const times: Record<string, number[]> = { [full]: [], [empty]: [] };
  for (let i = 0; i < OPENINGS; i++) {
    for (const dir of [empty, full]) {
      const began = performance.now();
      const store = await startEmbeddedStore({ dir, log: silent });
      times[dir]?.push(performance.now() - began);
      await store.close();
    }
  }
  const ms = median(times[full] ?? []);
  report(
    name,
    `${ms.toFixed(0)} ms`,
    'under 300 ms',
    ms < 300,
    `an empty one ${median(times[empty] ?? []).toFixed(0)} ms`,
  );
}

const silent = { info() {}, warn() {}, error() {} };

/** After single reads all over the collection, pages, two scans of all of it and updates. */
async function memoryInUse(dir: string, count: number): Promise<Memory> {
  const store = await startBuiltStore(dir);
  const memory = await withProducts(store, async (products) => {
    const all = products(count);
    for (let i = 0; i < 5_000; i++) await all.findOne({ _id: (i * 7919) % count });
    for (let i = 0; i < 1_000; i++) await page(all, i);
    for (let i = 0; i < 2; i++) await all.findOne({ title: 'nothing has this title' });
    for (let i = 0; i < 1_000; i++) await all.updateOne({ _id: (i * 7919) % count }, { $inc: { stock: 1 } });
    return store.memory();
  });
  await store.end('SIGTERM');
  return memory;
}

function compareMemory(empty: Memory, full: Memory): void {
  const [total, own, mapped] = (['total', 'anonymous', 'file'] as const).map((part) => full[part] - empty[part]);
  report(
    'memory in use, more than with an empty store',
    `${total?.toFixed(0)} MB`,
    'under 150 MB',
    (total ?? 0) < 150,
    `its own ${own?.toFixed(0)} MB, page cache of the data file ${mapped?.toFixed(0)} MB; empty ${empty.total.toFixed(0)} MB`,
  );
}
