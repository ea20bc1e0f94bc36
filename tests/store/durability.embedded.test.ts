// What only a process of its own can show: crashes, reopening, the lock of the directory, TTL timing, bad bytes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { type Document, Long, MongoClient, UUID } from 'mongodb';
import { eventually, nextEvent } from '../helpers/wait-for.ts';
import { message, replyTo } from './raw-messages.ts';
import { type StoreProcess, startStore } from './store-process.ts';
import { itDivides, itTraces } from './system-tools.ts';

const stores: StoreProcess[] = [];
const clients: MongoClient[] = [];

async function start(dir?: string, sweepMs?: number): Promise<StoreProcess> {
  const store = await startStore(dir, sweepMs);
  stores.push(store);
  return store;
}

async function connected({ uri }: StoreProcess): Promise<MongoClient> {
  const client = await new MongoClient(uri, { serverSelectionTimeoutMS: 5_000 }).connect();
  clients.push(client);
  return client;
}

afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  for (const store of stores.splice(0)) await store.remove();
});

describe('durability', () => {
  it('has every acknowledged write, and both sides of every transaction', async () => {
    const first = await start();
    const client = await connected(first);
    const db = client.db('shop');
    await db.collection('orders').createIndex({ number: 1 }, { unique: true });
    const acknowledged: number[] = [];
    const paid: number[] = [];
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let i = 0; ; i++) {
        const number = writer * 1_000_000 + i;
        if (writer < 6) {
          await db.collection<Document>('orders').insertOne({ _id: number as never, number });
          acknowledged.push(number);
        } else {
          await client.withSession((session) =>
            session.withTransaction(async () => {
              await db.collection<Document>('payments').insertOne({ _id: number as never }, { session });
              await db.collection<Document>('receipts').insertOne({ _id: number as never }, { session });
            }),
          );
          paid.push(number);
        }
      }
    });
    const ended = Promise.allSettled(writers);
    await eventually(() => acknowledged.length > 100 && paid.length > 10);
    await first.kill();
    await client.close(true);
    await ended;

    const again = (await connected(await start(first.dir))).db('shop');
    const stored = new Set((await again.collection('orders').find().toArray()).map(({ _id }) => Number(_id)));
    expect(acknowledged.filter((number) => !stored.has(number))).toEqual([]);
    expect(await again.collection('orders').countDocuments({ number: { $gte: 0 } })).toBe(stored.size);
    const payments = await again.collection('payments').distinct('_id');
    expect(await again.collection('receipts').distinct('_id')).toEqual(payments);
    expect(paid.filter((number) => !payments.includes(number as never))).toEqual([]);
  }, 40_000);

  it('can be opened again at once, with collections and indexes', async () => {
    const first = await start();
    const things = (await connected(first)).db('a').collection('things');
    await things.createIndex({ k: 1 }, { unique: true, name: 'byK' });
    await things.insertOne({ k: 1 });
    await first.kill();
    const again = (await connected(await start(first.dir))).db('a').collection('things');
    expect((await again.indexes()).map(({ name }) => name)).toEqual(['_id_', 'byK']);
    await expect(again.insertOne({ k: 1 })).rejects.toMatchObject({ code: 11000 });
  });

  it('is not kept from opening by a document that holds what looks like a later record of its log', async () => {
    const record = Buffer.alloc(33);
    record.writeInt32LE(record.length, 0);
    record.writeInt32LE(5_000_000, 8);
    record.writeInt32LE(1, 24);
    record.writeUInt32LE(crc32(record.subarray(8)), 4);
    const first = await start();
    const things = (await connected(first)).db('a').collection('things');
    // The log is written from its beginning again, over a part of what it had.
    for (let round = 0; round < 4; round++) {
      await things.insertOne({ records: Buffer.alloc(40_000 * record.length, record) });
      await things.insertOne({});
    }
    expect(await first.stop()).toBe(0);
    const again = (await connected(await start(first.dir))).db('a').collection('things');
    expect(await again.countDocuments()).toBe(8);
  }, 40_000);

  itTraces(
    'takes back what could not be flushed, also when it is stopped in order and opened again',
    async () => {
      const first = await start();
      await (await connected(first)).db('a').collection('things').insertOne({ n: 1 });
      await first.stop();
      const second = await start(first.dir);
      const things = (await connected(second)).db('a').collection('things');
      const logs = ['log-0', 'log-1'].flatMap((name) => ['-P', join(first.dir, name)]);
      const failing = ['-e', 'trace=fdatasync', '-e', 'inject=fdatasync:error=EIO'];
      const tracer = spawn('strace', ['-f', '-p', `${second.pid}`, '-o', '/dev/null', ...logs, ...failing]);
      await once(tracer.stderr, 'data');
      await expect(things.insertOne({ n: 2 })).rejects.toMatchObject({ code: 64 });
      tracer.kill('SIGINT');
      await once(tracer, 'exit');
      expect(await things.distinct('n')).toEqual([1]);
      expect(await second.stop()).toBe(0);
      const again = (await connected(await start(first.dir))).db('a').collection('things');
      expect(await again.distinct('n')).toEqual([1]);
    },
    40_000,
  );

  // The thread that loads modules may come before the store's.
  const endsItsThread =
    "let last; process.on('worker', (worker) => { last = worker }); process.on('SIGUSR2', () => last.terminate())";
  const restarts = ({ log }: StoreProcess): number => log().split('was started again').length - 1;

  it('goes on at the same address when its thread has ended', async () => {
    const store = await startStore(undefined, undefined, { preload: endsItsThread });
    stores.push(store);
    const things = (await connected(store)).db('a').collection('things');
    await things.insertOne({ n: 1 });
    process.kill(store.pid, 'SIGUSR2');
    await eventually(() => restarts(store) === 1);
    await things.insertOne({ n: 2 });
    expect(await things.countDocuments()).toBe(2);
    expect(await store.stop()).toBe(0);
  });

  it('goes on for those who are connected when its thread has ended at any moment of a large write', async () => {
    const store = await startStore(undefined, undefined, { preload: endsItsThread });
    stores.push(store);
    const things = (await connected(store)).db('a').collection('things');
    const insert = (round: number): Promise<unknown> =>
      things.insertMany(Array.from({ length: 20_000 }, (_, n) => ({ n, round })));
    await insert(0);
    const began = performance.now();
    await insert(1);
    const duration = performance.now() - began;
    const acknowledged = [0, 1];
    // In its second half what it has written goes from the log into LMDB.
    for (const [i, part] of [0.3, 0.6, 0.8, 1].entries()) {
      const inserted = insert(i + 2).then(
        () => acknowledged.push(i + 2),
        () => undefined,
      );
      await setTimeout(part * duration);
      process.kill(store.pid, 'SIGUSR2');
      await eventually(() => restarts(store) === i + 1);
      await inserted;
    }
    const counts = acknowledged.map((round) => things.countDocuments({ round }));
    expect(await Promise.all(counts)).toEqual(acknowledged.map(() => 20_000));
  });
});

describe('monitoring', () => {
  const monitored = async ({ uri }: StoreProcess, heartbeatFrequencyMS: number): Promise<MongoClient> => {
    const client = new MongoClient(uri, { heartbeatFrequencyMS });
    clients.push(client);
    const streams = nextEvent<{ awaited: boolean }>(client, 'serverHeartbeatStarted', ({ awaited }) => awaited);
    await client.connect();
    await streams;
    return client;
  };

  it('is told again and again that the store is there', async () => {
    const client = await monitored(await start(), 500);
    const failed = jest.fn();
    client.on('serverHeartbeatFailed', failed);
    for (let i = 0; i < 3; i++)
      await nextEvent<{ awaited: boolean }>(client, 'serverHeartbeatSucceeded', ({ awaited }) => awaited);
    expect(failed).not.toHaveBeenCalled();
  });

  it('notices at once that the store is gone', async () => {
    const store = await start();
    const client = await monitored(store, 60_000);
    const noticed = nextEvent(client, 'serverHeartbeatFailed');
    await store.kill();
    await noticed;
  });

  it('that waits does not keep the store from ending', async () => {
    const store = await start();
    await monitored(store, 60_000);
    expect(await store.stop()).toBe(0);
  });
});

describe('retryable writes', () => {
  it('does not apply a write twice when the driver sends it again', async () => {
    const store = await start();
    const proxy = await cuttingProxy(Number(new URL(store.uri).port));
    const client = await new MongoClient(`mongodb://127.0.0.1:${proxy.port}/?directConnection=true`).connect();
    clients.push(client);
    const counters = client.db('a').collection<Document>('counters');
    await counters.insertOne({ name: 'x', n: 0 });
    proxy.cutNextReply();
    expect(await counters.updateOne({ name: 'x' }, { $inc: { n: 1 } })).toMatchObject({ modifiedCount: 1 });
    expect(await counters.findOne({ name: 'x' })).toMatchObject({ n: 1 });
    expect(proxy.cuts()).toBe(1);
    await client.close();
    await proxy.close();
  });

  const lsid = { id: new UUID() };
  const sent = (txnNumber: number): Document => ({ $db: 'a', lsid, txnNumber: Long.fromNumber(txnNumber) });

  it('are not applied again by a store that was killed, and get the same answer', async () => {
    const first = await start();
    const counters = [
      { _id: 'x', n: 0 },
      { _id: 'y', n: 0 },
    ];
    await rawCommand(first, { insert: 'counters', documents: counters, $db: 'a' });
    const inc = { $inc: { n: 1 } };
    const bulk = { update: 'counters', updates: ['x', 'y'].map((_id) => ({ q: { _id }, u: inc })), ...sent(1) };
    const modify = { findAndModify: 'counters', query: { _id: 'x' }, update: inc, new: true, ...sent(2) };
    const answers = [await rawCommand(first, bulk), await rawCommand(first, modify)];
    expect(answers).toMatchObject([{ ok: 1, nModified: 2 }, { value: { n: 2 } }]);
    await first.kill();
    const again = await start(first.dir);
    expect(await rawCommand(again, modify)).toEqual(answers[1]);
    expect(await rawCommand(again, bulk)).toMatchObject({ ok: 0, codeName: 'TransactionTooOld' });
    const stored = (await connected(again)).db('a').collection('counters');
    expect(await stored.find().toArray()).toMatchObject([{ n: 2 }, { n: 1 }]);
  });

  it('are forgotten with their session', async () => {
    const first = await start();
    const insert = { insert: 'things', documents: [{ n: 1 }], ...sent(1) };
    await rawCommand(first, insert);
    await rawCommand(first, { endSessions: [lsid], $db: 'admin' });
    await rawCommand(first, { insert: 'others', documents: [{ n: 1 }], $db: 'a' });
    await first.kill();
    const again = await start(first.dir);
    await rawCommand(again, insert);
    expect(await (await connected(again)).db('a').collection('things').countDocuments()).toBe(2);
  });
});

describe('transactions', () => {
  it('that were committed are known as such after a crash', async () => {
    const first = await start();
    const lsid = { id: new UUID() };
    const inTransaction = (number: number): Document => ({
      lsid,
      txnNumber: Long.fromNumber(number),
      autocommit: false,
    });
    const commit = (number: number): Document => ({ commitTransaction: 1, ...inTransaction(number), $db: 'admin' });
    const insert = { insert: 'things', documents: [{ n: 1 }], startTransaction: true, $db: 'a', ...inTransaction(1) };
    expect(await rawCommand(first, insert)).toMatchObject({ ok: 1 });
    expect(await rawCommand(first, commit(1))).toMatchObject({ ok: 1 });
    await first.kill();
    const again = await start(first.dir);
    expect(await rawCommand(again, commit(1))).toMatchObject({ ok: 1 });
    expect(await rawCommand(again, commit(2))).toMatchObject({ ok: 0, codeName: 'NoSuchTransaction' });
    expect(await (await connected(again)).db('a').collection('things').countDocuments()).toBe(1);
  });
});

describe('one process for a directory', () => {
  it('belongs to one process, which the refusal names', async () => {
    const first = await start();
    await expect(startStore(first.dir)).rejects.toThrow(new RegExp(`${first.dir}.*process ${first.pid}`));
    expect(await first.stop()).toBe(0);
    await start(first.dir);
  });

  itDivides('is refused to one in another container too, until the first is gone', async () => {
    const first = await start();
    const store = [process.execPath, '--import', 'tsx', 'src/embedded-store/main.ts', first.dir];
    const second = spawn('unshare', ['-n', ...store]);
    second.stdout.once('data', () => second.kill());
    const [said] = await once(second.stderr, 'data');
    expect(String(said)).toMatch(new RegExp(`^the store directory ${first.dir} is in use by process ${first.pid}`));
    await first.kill();
    await start(first.dir);
  });

  it('ends once and in order when it is asked to end twice', async () => {
    const store = await start();
    await (await connected(store)).db('a').collection('things').insertOne({ n: 1 });
    process.kill(store.pid, 'SIGINT');
    expect(await store.stop()).toBe(0);
    expect(store.log()).toBe('');
  });
});

describe('indexes: TTL', () => {
  it('removes what has expired and nothing else', async () => {
    const store = await start(undefined, 50);
    const sessions = (await connected(store)).db('a').collection<Document>('sessions');
    await sessions.createIndex({ seen: 1 }, { expireAfterSeconds: 60 });
    await sessions.insertMany([
      { name: 'old', seen: new Date(Date.now() - 61_000) },
      { name: 'new', seen: new Date() },
      { name: 'never', seen: 'text' },
      { name: 'none' },
    ]);
    await eventually(async () => (await sessions.countDocuments()) === 3);
    expect((await sessions.find().toArray()).map(({ name }) => name)).toEqual(['new', 'never', 'none']);
  });
});

describe('limits: a clock that jumps', () => {
  it('ends no cursor, transaction or command early', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'feira-store-'));
    const jumped = join(dir, 'jumped');
    // The store's thread is two hours on as soon as there is this file.
    const clock = `{
      const { existsSync } = require('node:fs');
      const now = Date.now;
      Date.now = () => now() + (existsSync(${JSON.stringify(jumped)}) ? 7_200_000 : 0);
    }`;
    const preload = `
      import threads from 'node:worker_threads';
      import { syncBuiltinESMExports } from 'node:module';
      const { Worker } = threads;
      threads.Worker = class extends Worker {
        constructor(code, options) { super(options.eval ? ${JSON.stringify(clock)} + code : code, options); }
      };
      syncBuiltinESMExports();`;
    const store = await startStore(dir, 50, { preload });
    stores.push(store);
    const client = await connected(store);
    const db = client.db('a');
    const things = db.collection<Document>('things');
    const marks = db.collection<Document>('marks');
    await marks.createIndex({ until: 1 }, { expireAfterSeconds: 0 });
    await things.insertMany(Array.from({ length: 20_000 }, (_, i) => ({ i })));
    const cursor = things.find().batchSize(2);
    await cursor.next();
    const session = client.startSession();
    session.startTransaction();
    await things.insertOne({ i: -1 }, { session });
    const waiting = things.find({ $expr: { $eq: [{ $mod: ['$i', 7] }, 9] } }, { maxTimeMS: 60_000 }).toArray();

    await writeFile(jumped, '');
    // The second one goes when all has been looked at that is due by the first.
    for (let i = 0; i < 2; i++) {
      await marks.insertOne({ until: new Date(Date.now() + 3_600_000) });
      await eventually(async () => (await marks.countDocuments()) === 0);
    }
    expect(await waiting).toEqual([]);
    expect(await cursor.toArray()).toHaveLength(19_999);
    await session.commitTransaction();
    expect(await things.countDocuments({ i: -1 })).toBe(1);
  });
});

describe('wire protocol', () => {
  it.each<[string, Buffer]>([
    ['a length of zero', Buffer.alloc(16)],
    ['a length beyond the limit', Buffer.from([0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0])],
    ['an unknown opcode', frame(9999, Buffer.alloc(20))],
    ['a section that reaches beyond the message', frame(2013, Buffer.from([0, 0, 0, 0, 0, 0xff, 0, 0, 0, 0]))],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
  ])('close their own connection: %s', async (_, bytes) => {
    const store = await start();
    const client = await connected(store);
    const socket = connect(Number(new URL(store.uri).port), '127.0.0.1');
    await once(socket, 'connect');
    const closed = once(socket, 'close');
    socket.write(bytes);
    await closed;
    expect(await client.db('a').command({ ping: 1 })).toMatchObject({ ok: 1 });
  });
});

/** A command as it is, also with fields that drivers keep for themselves, on a connection of its own. */
function rawCommand({ uri }: StoreProcess, command: Document): Promise<Document> {
  return replyTo(uri, message(command));
}

function frame(opCode: number, rest: Buffer): Buffer {
  const head = Buffer.alloc(16);
  head.writeInt32LE(16 + rest.length, 0);
  head.writeInt32LE(opCode, 12);
  return Buffer.concat([head, rest]);
}

interface CuttingProxy {
  port: number;
  /** The next bytes from the store are thrown away with the connection. */
  cutNextReply(): void;
  cuts(): number;
  close(): Promise<void>;
}

async function cuttingProxy(target: number): Promise<CuttingProxy> {
  let cut = false;
  let cuts = 0;
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    const end = (): void => {
      client.destroy();
      upstream.destroy();
    };
    client
      .on('data', (bytes) => upstream.write(bytes))
      .on('error', end)
      .on('close', end);
    upstream.on('error', end).on('close', end);
    upstream.on('data', (bytes) => {
      if (cut) {
        cut = false;
        cuts++;
        end();
      } else client.write(bytes);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    cutNextReply() {
      cut = true;
    },
    cuts: () => cuts,
    async close() {
      const closed = once(server, 'close');
      server.close();
      await closed;
    },
  };
}
