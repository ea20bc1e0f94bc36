/**
 * `STORE_BENCH_URI=mongodb://... npm run bench:store`: the embedded store as built, beside another MongoDB-compatible
 * server where one is named, in turn within one run: absolute figures change from machine to machine, ratios less.
 * `npm run bench:store -- rates` runs one part: rates, growth or healthz. Linux only: memory is read from /proc.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBuiltStore } from './built-store.ts';
import { benchGrowth } from './store-growth.ts';
import { benchHealthz } from './store-healthz.ts';
import { benchRates } from './store-rates.ts';

const parts: Record<string, (dir: string) => Promise<void>> = {
  async rates(dir) {
    const store = await startBuiltStore(join(dir, 'rates'));
    await benchRates(store.uri, process.env.STORE_BENCH_URI, dir);
    await store.end('SIGTERM');
  },
  growth: benchGrowth,
  healthz: benchHealthz,
};

const chosen = process.argv.slice(2);
const dir = await mkdtemp(join(tmpdir(), 'feira-bench-'));
try {
  for (const [name, run] of Object.entries(parts)) if (chosen.length === 0 || chosen.includes(name)) await run(dir);
} finally {
  await rm(dir, { recursive: true });
}
