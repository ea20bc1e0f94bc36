// About the files of the embedded store.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, watch } from 'node:fs';
import { cp, lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { type Collection, type Document, MongoClient } from 'mongodb';
import { type StoreProcess, startStore } from './store-process.ts';
import { itLimits, itTraces } from './system-tools.ts';

// Each test starts several processes.
jest.setTimeout(60_000);

interface Ended {
  code: number | null;
  printed: string;
}

/** A store of 2,000 documents that was stopped; each test gets a copy. */
let sound: string;
let home: string;
let dir: string;
let running: StoreProcess | undefined;

beforeAll(async () => {
  const store = await startStore();
  await withThings(store, async (things) => {
    await things.createIndex({ k: 1 }, { unique: true });
    await things.createIndex({ tags: 1 });
    await things.insertMany(
      Array.from({ length: 2000 }, (_, i) => ({
        _id: i as never,
        k: `needle-${i}`,
        tags: ['a', i],
        pad: 'x'.repeat(1000),
      })),
    );
  });
  await store.stop();
  sound = store.dir;
});

afterAll(() => rm(sound, { recursive: true }));

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'feira-tools-'));
  dir = join(home, 'store');
  await cp(sound, dir, { recursive: true });
});

afterEach(async () => {
  await running?.stop();
  running = undefined;
  await rm(home, { recursive: true });
});

async function start(): Promise<StoreProcess> {
  running = await startStore(dir);
  return running;
}

async function withThings<T>({ uri }: StoreProcess, work: (things: Collection<Document>) => Promise<T>): Promise<T> {
  const client = await new MongoClient(uri, { serverSelectionTimeoutMS: 5000 }).connect();
  try {
    return await work(client.db('shop').collection<Document>('things'));
  } finally {
    await client.close(true);
  }
}

function launch(args: string[]): ChildProcess {
  return spawn(process.execPath, ['--import', 'tsx', 'src/embedded-store/tools.ts', dir, ...args]);
}

function tool(...args: string[]): Promise<Ended> {
  return ended(launch(args));
}

async function ended(child: ChildProcess): Promise<Ended> {
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (printed += chunk));
  const [code] = await once(child, 'close');
  return { code, printed };
}

/** Changes bytes wherever they are in a file. */
async function damage(file: string, from: Buffer, to: Buffer): Promise<void> {
  const bytes = await readFile(file);
  const places: number[] = [];
  for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at + 1)) places.push(at);
  expect(places).not.toEqual([]);
  for (const at of places) to.copy(bytes, at);
  await writeFile(file, bytes);
}

const field = (text: string): Buffer => Buffer.from(`\u0002k\0${String.fromCharCode(text.length + 1)}\0\0\0${text}\0`);

function idOf(number: number): Buffer {
  const bytes = Buffer.from('\u0010_id\0....');
  bytes.writeInt32LE(number, 5);
  return bytes;
}

describe('tools: check', () => {
  it('finds no fault in a sound store, and changes nothing', async () => {
    const before = await readFile(join(dir, 'data.mdb'));
    const { code, printed } = await tool('check');
    expect(printed).toBe('shop.things: 2,000 documents, 3 indexes, 2.1 MB\nno faults\n');
    expect(code).toBe(0);
    expect((await readFile(join(dir, 'data.mdb'))).equals(before)).toBe(true);
  });

  it('finds none after an index was dropped beside a transaction that wrote to it', async () => {
    const store = await start();
    await withThings(store, async (things) => {
      await things.createIndex({ pad: 1 });
      await things.db.client.withSession(async (session) => {
        session.startTransaction();
        await things.insertOne({ _id: 'last' as never, k: 'last', pad: 'y' }, { session });
        const dropped = things.dropIndex('pad_1');
        // As many flushes as it would need to remove what it held.
        for (let i = 0; i < 30; i++) await things.db.collection('others').insertOne({});
        await session.commitTransaction();
        await dropped;
      });
    });
    await store.stop();
    expect(await tool('check')).toMatchObject({
      code: 0,
      printed: expect.stringContaining('2,001 documents, 3 indexes'),
    });
  });

  it('knows what is in the log alone', async () => {
    const store = await start();
    await withThings(store, (things) => things.insertOne({ _id: 'last' as never, k: 'last' }));
    await store.kill();
    expect(await tool('check')).toMatchObject({ code: 0, printed: expect.stringContaining('2,001 documents') });
  });

  it('names every fault, at most twenty of a kind', async () => {
    const data = join(dir, 'data.mdb');
    await damage(data, field('needle-1001'), field('needle-x001'));
    await damage(data, field('needle-1002'), field('needle-1003'));
    await damage(data, field('needle-1004'), Buffer.from([0x99]));
    await damage(data, idOf(1005), idOf(2 ** 24));
    const flag = 'multikey\0\u0009\0\0\0\u00080\0';
    await damage(data, Buffer.from(`${flag}\u0001`), Buffer.from(`${flag}\0`));
    const { code, printed } = await tool('check');
    expect(code).toBe(1);
    const lines = printed.split('\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        'missing entry: shop.things 1001: it is not in index k_1',
        'stray entry: shop.things: index k_1 has an entry of 1001, which has no such value',
        'duplicate: shop.things 1002: another document has its place in the unique index k_1',
        expect.stringMatching(/^document: shop.things \(unreadable\): .*type/),
        'document: shop.things 16777216: it does not lie under its _id',
        'multikey: shop.things 0: index tags_1 does not know of the array in tags',
        'multikey: 1998 in all',
      ]),
    );
    expect(lines.filter((line) => line.startsWith('multikey: shop.things'))).toHaveLength(20);
    expect(lines.at(-2)).toMatch(/^\d+ faults$/);
  });

  it('tells a damaged log from one that a crash cut off', async () => {
    const store = await start();
    await withThings(store, async (things) => {
      for (const name of ['first', 'second', 'third']) await things.insertOne({ k: name });
    });
    await store.kill();
    const log = join(dir, (await readFile(join(dir, 'log-0'))).includes('second') ? 'log-0' : 'log-1');
    const bytes = await readFile(log);
    await writeFile(log, bytes.fill(0, bytes.indexOf('third')));
    expect(await tool('check')).toMatchObject({ code: 0, printed: expect.stringContaining('2,002 documents') });
    await damage(log, Buffer.from('first'), Buffer.from('FIRST'));
    const { code, printed } = await tool('check');
    expect(printed.split('\n')).toContain('log: a record cannot be read, and there are later ones');
    expect(code).toBe(1);

    const damaged = await readFile(log);
    await expect(start()).rejects.toThrow(/log .* is damaged: .* Restore a backup, or remove log-0 and log-1/);
    expect((await readFile(log)).equals(damaged)).toBe(true);
    for (const name of ['log-0', 'log-1']) await rm(join(dir, name));
    expect(await withThings(await start(), (things) => things.countDocuments())).toBeGreaterThanOrEqual(2000);
  });

  it('finds the later record also when it ends in the zeros of the rest of the log', async () => {
    const store = await start();
    const client = await new MongoClient(store.uri, { retryWrites: false }).connect();
    const others = client.db('shop').collection<Document>('others');
    await others.insertOne({ _id: 'first' as never });
    await others.insertOne({ _id: 'last' as never, zeros: Buffer.alloc(500_000) });
    await store.kill();
    await client.close(true);
    const logs = ['log-0', 'log-1'].map((name) => join(dir, name));
    const [log] = logs.filter((path) => readFileSync(path).includes('first'));
    await damage(log!, Buffer.from('first'), Buffer.from('FIRST'));
    expect(await tool('check')).toMatchObject({ code: 1, printed: expect.stringMatching(/^log: .* later ones$/m) });
    await expect(start()).rejects.toThrow(/log .* is damaged/);
  });
});

describe('tools: backup and restore', () => {
  it('back up a store that is being written to, with all that was acknowledged before', async () => {
    const store = await start();
    const acknowledged: number[] = [];
    let enough = false;
    const file = join(home, 'shop.backup');
    const client = await new MongoClient(store.uri).connect();
    const things = client.db('shop').collection<Document>('things');
    const writer = async (first: number): Promise<void> => {
      for (let i = first; !enough; i += 4) {
        await things.insertOne({ _id: i as never, k: i });
        acknowledged.push(i);
      }
    };
    const writers = [10_000, 10_001, 10_002, 10_003].map(writer);
    await things.insertOne({ _id: 'before' as never });
    const before = [...acknowledged];
    expect(await tool('backup', file)).toMatchObject({ code: 0, printed: expect.stringContaining(file) });
    enough = true;
    await Promise.all(writers);
    await client.close();
    await store.stop();
    expect((await stat(file)).mode & 0o077).toBe(0);

    expect(await tool('restore', file, '--force')).toMatchObject({ code: 0 });
    expect(await tool('check')).toMatchObject({ code: 0 });
    await withThings(await start(), async (restored) => {
      const ids = new Set((await restored.find({}, { projection: { _id: 1 } }).toArray()).map(({ _id }) => _id));
      expect(['before', 0, 1999, ...before].filter((id) => !ids.has(id as never))).toEqual([]);
      await expect(restored.insertOne({ k: 'needle-7' })).rejects.toMatchObject({ code: 11000 });
    });
  });

  itTraces('takes nothing from a store that writes while its file is being opened, however slowly', async () => {
    const store = await start();
    const acknowledged: number[] = [];
    const client = await new MongoClient(store.uri, { retryWrites: false }).connect();
    const things = client.db('shop').collection<Document>('things');
    let enough = false;
    // So many that some of them are always on their way into LMDB.
    const writing = (async () => {
      for (let i = 10_000; !enough; i += 500) {
        const ids = Array.from({ length: 500 }, (_, n) => i + n);
        await things.insertMany(ids.map((n) => ({ _id: n as never, k: n })));
        acknowledged.push(...ids);
      }
    })();
    const slowly = ['-f', '-qq', '-o', join(home, 'trace'), '-P', join(dir, 'data.mdb')];
    const inject = ['-e', 'trace=pread64,mmap', '-e', 'inject=pread64,mmap:delay_exit=200000'];
    const backup = [process.execPath, '--import', 'tsx', 'src/embedded-store/tools.ts', dir, 'backup', join(home, 'b')];
    const ended = once(spawn('strace', [...slowly, ...inject, ...backup]), 'exit');
    expect(await ended).toEqual([0, null]);
    enough = true;
    await writing;
    await store.kill();
    await client.close(true);
    const stored = await withThings(await start(), (again) => again.distinct('k', { k: { $gte: 10_000 } }));
    const kept = new Set(stored);
    expect(acknowledged.filter((n) => !kept.has(n))).toEqual([]);
  });

  itTraces('back up a store whose last write could not be flushed', async () => {
    const store = await start();
    const logs = ['log-0', 'log-1'].flatMap((name) => ['-P', join(dir, name)]);
    const failing = ['-e', 'trace=fdatasync', '-e', 'inject=fdatasync:error=EIO'];
    const tracer = spawn('strace', ['-f', '-p', `${store.pid}`, '-o', '/dev/null', ...logs, ...failing]);
    await once(tracer.stderr, 'data');
    await withThings(store, (things) => expect(things.insertOne({ k: 'lost' })).rejects.toMatchObject({ code: 64 }));
    tracer.kill('SIGINT');
    await once(tracer, 'exit');
    const file = join(home, 'shop.backup');
    expect(await tool('backup', file)).toMatchObject({ code: 0 });
    expect(await tool('check', file)).toMatchObject({ code: 0, printed: expect.stringContaining('2,000 documents') });
  });

  it('keep what is there, unless --force is given', async () => {
    const file = join(home, 'shop.backup');
    await writeFile(file, 'precious');
    expect(await tool('backup', file)).toMatchObject({ code: 2, printed: expect.stringContaining('exists') });
    expect(await readFile(file, 'utf8')).toBe('precious');
    expect(await tool('backup', file, '--force')).toMatchObject({ code: 0 });
    expect(await tool('restore', file)).toMatchObject({ code: 2, printed: expect.stringContaining('is not empty') });
    expect(await tool('restore', file, '--force')).toMatchObject({ code: 0 });
    const [aside, ...others] = (await readdir(home)).filter((name) => name.startsWith('store.'));
    expect(aside).toMatch(/^store\.before-/);
    expect(others).toEqual([]);
    expect(existsSync(join(home, aside!, 'data.mdb'))).toBe(true);
    dir = `${dir}/`;
    expect(await tool('restore', file, '--force')).toMatchObject({ code: 0 });
    await rm(dir, { recursive: true });
    expect(await tool('restore', file)).toMatchObject({ code: 0 });
    expect(await tool('check', file)).toMatchObject({ code: 0, printed: expect.stringContaining('2,000 documents') });
  });

  itTraces('leave the old store or the new one when restore is killed, also where a link leads to it', async () => {
    const file = join(home, 'shop.backup');
    await tool('backup', file);
    const target = dir;
    dir = join(home, 'link');
    await symlink(target, dir);
    const store = await start();
    await withThings(store, (things) => things.insertOne({ _id: 'last' as never, k: 'last' }));
    await store.kill();
    const restore = ['--import', 'tsx', 'src/embedded-store/tools.ts', dir, 'restore', file, '--force'];
    const counts: number[] = [];
    for (const kill of ['rename:signal=KILL:when=2', 'rename:signal=KILL:when=3', 'rename:delay_exit=0']) {
      const tracing = ['-f', '-o', '/dev/null', '-e', 'trace=rename', '-e', `inject=${kill}`];
      await once(spawn('strace', [...tracing, process.execPath, ...restore], { stdio: 'ignore' }), 'exit');
      counts.push(await withThings(await start(), (things) => things.countDocuments()));
      await running?.stop();
    }
    expect(counts).toEqual([2001, 2000, 2000]);
    expect((await lstat(dir)).isSymbolicLink()).toBe(true);
    expect(await tool('check')).toMatchObject({ code: 0 });
  });

  it('refuse a file that is cut or changed, and change nothing', async () => {
    const file = join(home, 'shop.backup');
    await tool('backup', file);
    const whole = await readFile(file);
    const flipped = Buffer.from(whole).fill((whole[50_000] ?? 0) ^ 1, 50_000, 50_001);
    for (const spoilt of [whole.subarray(0, -1), Buffer.alloc(0), flipped]) {
      await writeFile(file, spoilt);
      const { code, printed } = await tool('restore', file, '--force');
      expect(code).toBe(1);
      expect(printed).toMatch(/^\S+shop\.backup is (damaged|not a backup).*\n$/);
    }
    expect((await readdir(home)).sort()).toEqual(['shop.backup', 'store']);
    expect(await tool('check')).toMatchObject({ code: 0 });
  });
});

describe('tools: compact', () => {
  it('gives free space back and keeps the rest', async () => {
    await withThings(await start(), (things) => things.deleteMany({ _id: { $gte: 100 as never } }));
    await running?.stop();
    const before = (await stat(join(dir, 'data.mdb'))).size;
    expect(await tool('compact')).toMatchObject({ code: 0, printed: expect.stringMatching(/MB before, \d/) });
    expect((await stat(join(dir, 'data.mdb'))).size).toBeLessThan(before / 4);
    await withThings(await start(), async (things) => {
      await things.insertOne({ k: 'new' });
      expect(await things.countDocuments()).toBe(101);
    });
  });

  it('leaves the store whole when it is killed on the way', async () => {
    const codes: (number | null)[] = [];
    for (const delay of [0, 5, 15]) {
      const child = launch(['compact']);
      const watcher = watch(dir, (_, name) => {
        if (name === 'rewrite.partial') setTimeout(() => child.kill('SIGKILL'), delay);
      });
      codes.push((await ended(child)).code);
      watcher.close();
      expect(await tool('check')).toMatchObject({ code: 0, printed: expect.stringContaining('2,000 documents') });
    }
    expect(codes).toContain(null);
    expect(await tool('compact')).toMatchObject({ code: 0 });
    expect(await readdir(dir)).not.toContain('rewrite.partial');
  });

  itLimits('leaves the store as it was, and nothing beside it, when the copy cannot be written', async () => {
    const child = launch(['compact']);
    execFileSync('prlimit', ['--pid', `${child.pid}`, '--fsize=1000000']);
    expect(await ended(child)).toMatchObject({ code: 1 });
    expect(await readdir(dir)).not.toContain('rewrite.partial');
    expect(await tool('check')).toMatchObject({ code: 0, printed: expect.stringContaining('2,000 documents') });
  });
});

describe('tools: the command line', () => {
  it('names the process that has the store', async () => {
    const file = join(home, 'shop.backup');
    await tool('backup', file);
    const { pid } = await start();
    const refused = `the store directory ${dir} is in use by process ${pid}; stop it first\n`;
    for (const args of [['check'], ['compact'], ['restore', file, '--force']])
      expect(await tool(...args)).toEqual({ code: 2, printed: refused });
  });

  it('explains itself when it is given something else', async () => {
    const wrong = [[], ['compress'], ['backup'], ['check', '--deep'], ['restore', 'a', 'b']];
    for (const ended of await Promise.all(wrong.map((args) => tool(...args))))
      expect(ended).toEqual({ code: 2, printed: expect.stringMatching(/^usage: store check/) });
  });

  it('says in one line what is not there', async () => {
    expect(await tool('restore', join(home, 'none'))).toEqual({ code: 2, printed: expect.stringMatching(/^\S.*\n$/) });
    await rm(dir, { recursive: true });
    expect(await tool('check')).toEqual({ code: 2, printed: `there is no store in ${dir}\n` });
  });
});
