// About the files of the embedded store, and what an earlier version of it left.
import { execFile } from 'node:child_process';
import { link, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { startStore } from './store-process.ts';
import { itLimits } from './system-tools.ts';

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
    ['of a format that is not known', () => writeFile(join(dir, 'format'), '4\n')],
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
    for (const name of ['data.mdb', 'log-0', 'log-1']) await rm(join(dir, name));
    await writeFile(join(dir, 'format'), '');
    const store = await startStore(dir);
    expect(await store.stop()).toBe(0);
  });

  itLimits('says once of each try that its file could not grow, whatever was to be added', async () => {
    const store = await startStore(dir);
    const limit = (bytes: number | 'unlimited') =>
      promisify(execFile)('prlimit', ['--pid', `${store.pid}`, `--fsize=${bytes}:unlimited`]);
    const client = await new MongoClient(store.uri).connect();
    const things = client.db('shop').collection<{ _id: number; pad: string }>('numbered');
    await limit(9_000_000);
    for (let first = 0; !store.log().includes('cannot move its log'); first += 1_000)
      await things.insertMany(Array.from({ length: 1_000 }, (_, i) => ({ _id: first + i, pad: 'x'.repeat(1_000) })));
    await limit('unlimited');
    await client.close();
    await store.stop();
    expect(store.log().split('rejected unseen')).toHaveLength(1);
  });
});

/**
 * `format-2/` is what a killed store of format 2 left, and a backup that was made of it: 401 things, 0 to 400 without 7, of
 * which the last insert and the removal are in the log alone.
 */
describe('a directory of format 2', () => {
  const left = new URL('format-2/', import.meta.url);
  const unpacked = async (name: string): Promise<Buffer> => gunzipSync(await readFile(new URL(`${name}.gz`, left)));
  const wanted = Array.from({ length: 401 }, (_, n) => n).filter((n) => n !== 7);

  beforeEach(async () => {
    await rm(dir, { recursive: true });
    await mkdir(dir);
    for (const name of ['data.mdb', 'log-0', 'log-1']) await writeFile(join(dir, name), await unpacked(name));
    await writeFile(join(dir, 'format'), '2\n');
  });

  async function expectAllThere(): Promise<void> {
    const store = await startStore(dir);
    const client = await new MongoClient(store.uri).connect();
    const things = client.db('shop').collection<{ _id: number; n: number; kind: string }>('things');
    const ids = async (hint: string): Promise<number[]> =>
      (await things.find({ n: { $gte: 0 }, kind: { $gt: '' }, code: { $gt: '' } }, { hint }).toArray()).map(
        (t) => t._id,
      );
    for (const index of ['_id_', 'code_1', 'kind_1_n_1'])
      expect((await ids(index)).toSorted((a, b) => a - b)).toEqual(wanted);
    await things.insertOne({ _id: 1_000, n: 1_000, kind: 'new' });
    await client.close();
    await store.stop();
    expect(await tool('check')).toMatchObject({ code: 0, stdout: expect.stringContaining('401 documents, 3 indexes') });
  }

  it('is brought to the present format by the first start, with what its log has', async () => {
    expect(await tool('check')).toMatchObject({ code: 2, stderr: expect.stringContaining('start it once') });
    await expectAllThere();
    expect(await readdir(dir)).not.toContain('rewrite.partial');
  });

  it('is brought there again when the first time was cut off before its end', async () => {
    await (await startStore(dir)).stop();
    await writeFile(join(dir, 'format'), '2\n');
    await mkdir(join(dir, 'rewrite.partial'));
    await expectAllThere();
  });

  it('says what its format is at any moment: the file is exchanged, not written over', async () => {
    await link(join(dir, 'format'), join(home, 'before'));
    await (await startStore(dir)).stop();
    expect(await readFile(join(home, 'before'), 'utf8')).toBe('2\n');
    expect(await readFile(join(dir, 'format'), 'utf8')).toBe('3\n');
  });

  it('has left backups that can be restored', async () => {
    const backup = join(home, 'backup');
    await writeFile(backup, await unpacked('backup'));
    await rm(dir, { recursive: true });
    expect(await tool('restore', backup)).toMatchObject({ code: 0 });
    await expectAllThere();
  });

  it('is backed up in the present format', async () => {
    const backup = join(home, 'backup');
    expect(await tool('backup', backup)).toMatchObject({ code: 0 });
    expect(await tool('restore', backup, '--force')).toMatchObject({ code: 0 });
    await expectAllThere();
  });
});
