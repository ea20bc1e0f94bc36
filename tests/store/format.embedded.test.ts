// About the files of the embedded store, and what an earlier version of it left.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { startStore } from './store-process.ts';

// Each test starts several processes.
jest.setTimeout(60_000);

const REFUSED = /is in the format of another version/;
let home: string;
let dir: string;

/** A store with one document, stopped. */
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'feira-format-'));
  dir = join(home, 'store');
  const store = await startStore(dir);
  const client = await new MongoClient(store.uri).connect();
  await client.db('shop').collection('things').insertOne({ n: 1 });
  await client.close();
  await store.stop();
});
afterEach(() => rm(home, { recursive: true }));

async function tool(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const command = ['--import', 'tsx', 'src/embedded-store/tools.ts', dir, ...args];
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, command)) };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
}

describe('format of the files', () => {
  for (const [what, leave] of [
    ['that says nothing of its format', () => rm(join(dir, 'format'))],
    ['of a format that is not known', () => writeFile(join(dir, 'format'), '3\n')],
  ] as const)
    it(`refuses a directory ${what}, changes nothing there, and says what helps`, async () => {
      await leave();
      const before = await readFile(join(dir, 'data.mdb'));
      await expect(startStore(dir)).rejects.toThrow(REFUSED);
      for (const args of [['check'], ['compact'], ['backup', join(home, 'backup')]])
        expect(await tool(...args)).toMatchObject({
          code: 2,
          stdout: '',
          stderr: expect.stringMatching(/^.*is in the format of another version.*DATA_DIR.*\n$/),
        });
      expect((await readFile(join(dir, 'data.mdb'))).equals(before)).toBe(true);
    });

  it('makes the directory anew from a backup', async () => {
    const backup = join(home, 'backup');
    expect(await tool('backup', backup)).toMatchObject({ code: 0 });
    await rm(join(dir, 'format'));
    expect(await tool('restore', backup, '--force')).toMatchObject({ code: 0 });
    expect(await tool('check')).toMatchObject({ code: 0, stdout: expect.stringContaining('1 documents') });
  });

  it('goes on where the first start was ended before there was a file', async () => {
    await rm(join(dir, 'data.mdb'));
    await writeFile(join(dir, 'format'), '');
    const store = await startStore(dir);
    expect(await store.stop()).toBe(0);
  });
});
