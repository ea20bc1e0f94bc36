import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { startProcess } from '../helpers/start-process.ts';

let home: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'feira-store-tools-'));
});
afterEach(() => rm(home, { recursive: true }));

/** What `npm run store` starts, called from the directory `home`. */
async function store(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { PATH: process.env.PATH, DATA_DIR: join(home, 'data'), INIT_CWD: home };
  try {
    const printed = await promisify(execFile)(process.execPath, ['.scripts/store.mjs', ...args], { env });
    return { code: 0, ...printed };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
}

describe('npm run store', () => {
  it('backs up the shop that runs, and makes it anew elsewhere', async () => {
    const env = { DATA_DIR: join(home, 'data'), UPLOADS_DIR: join(home, 'uploads'), DEMO_DATA: '1' };
    const shop = await startProcess(env);
    const { body: before } = await shop.api.get('/api/products?limit=100');
    expect(await store('backup', 'shop.backup')).toMatchObject({ code: 0 });
    expect(await store('check')).toMatchObject({ code: 2, stderr: expect.stringContaining(String(shop.process.pid)) });
    await shop.end('SIGTERM');
    expect((await stat(join(home, 'shop.backup'))).size).toBeGreaterThan(10_000);

    await rm(join(home, 'data'), { recursive: true });
    expect(await store('restore', 'shop.backup')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('no faults'),
    });
    const again = await startProcess({ ...env, DEMO_DATA: '0' });
    const { body: after } = await again.api.get('/api/products?limit=100');
    await again.end('SIGTERM');
    expect(before.items.length).toBeGreaterThan(20);
    expect(after.items).toEqual(before.items);
  }, 40_000);

  it('says what is wrong in one line', async () => {
    expect(await store('check')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^there is no store in .*\n$/),
    });
    await mkdir(join(home, 'data', 'store'), { recursive: true });
    expect(await store('restore', 'nothing')).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^.*nothing\n$/),
    });
  });
});
