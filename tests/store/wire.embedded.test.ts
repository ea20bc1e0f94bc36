// What connections do that no driver makes: bytes of our own, and the memory of a process of its own.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Binary, MongoClient } from 'mongodb';
import { eventually } from '../helpers/wait-for.ts';
import { message, openSocket } from './raw-messages.ts';
import { type StoreProcess, startStore } from './store-process.ts';

const MORE_TO_COME = 2;

let store: StoreProcess;
let client: MongoClient;

beforeAll(async () => {
  store = await startStore();
  client = await new MongoClient(store.uri).connect();
});

afterAll(async () => {
  await client.close();
  await store.remove();
});

const residentMegabytes = (): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${store.pid}/status`, 'utf8'))?.[1]) / 1024;

describe('wire protocol: flow', () => {
  it('does what was sent without waiting for replies, also when the client is gone by then', async () => {
    const one = message({ insert: 'unacknowledged', documents: [{ n: 1 }], $db: 'a' }, { flags: MORE_TO_COME });
    const socket = await openSocket(store.uri);
    socket.resume().end(Buffer.concat(Array.from({ length: 200 }, () => one)));
    await once(socket, 'close');
    const sent = client.db('a').collection('unacknowledged');
    await eventually(async () => (await sent.countDocuments()) === 200);
  });

  it('takes no more from a client than it has answered, and than the client has read', async () => {
    const large = client.db('a').collection('large');
    await large.insertMany(Array.from({ length: 12 }, () => ({ bytes: new Binary(Buffer.alloc(1_000_000)) })));
    const before = residentMegabytes();
    const socket = (await openSocket(store.uri)).pause();
    const find = message({ find: 'large', $db: 'a' });
    socket.write(Buffer.concat(Array.from({ length: 40 }, () => find)));
    for (let i = 0; i < 30; i++) await large.findOne();
    expect(residentMegabytes() - before).toBeLessThan(250);
    let bytes = 0;
    socket.on('data', (chunk) => {
      bytes += chunk.length;
    });
    socket.resume();
    await eventually(() => bytes > 40 * 12_000_000);
    socket.destroy();
  }, 30_000);

  it('keeps no more than a batch for a cursor that stays open', async () => {
    const wide = client.db('a').collection('wide');
    for (let i = 0; i < 101; i++) await wide.insertOne({ bytes: new Binary(Buffer.alloc(1_000_000)) });
    const before = residentMegabytes();
    const cursors = Array.from({ length: 8 }, () => wide.find());
    for (const cursor of cursors) expect(await cursor.next()).not.toBeNull();
    expect(residentMegabytes() - before).toBeLessThan(400);
    for (const cursor of cursors) await cursor.close();
  }, 30_000);

  it('keeps what comes while a command waits outside', async () => {
    const counters = client.db('a').collection<{ _id: number; n: number }>('counters');
    await counters.insertOne({ _id: 1, n: 0 });
    const session = client.startSession();
    session.startTransaction();
    await counters.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session });
    const socket = await openSocket(store.uri);
    socket.write(message({ update: 'counters', updates: [{ q: { _id: 1 }, u: { $inc: { n: 1 } } }], $db: 'a' }));
    const before = residentMegabytes();
    const ping = message({ ping: 1, comment: new Binary(Buffer.alloc(4_000_000)), $db: 'a' }, { flags: MORE_TO_COME });
    for (let i = 0; i < 60; i++) socket.write(ping);
    for (let i = 0; i < 30; i++) await counters.findOne();
    expect(residentMegabytes() - before).toBeLessThan(100);
    await session.abortTransaction();
    await session.endSession();
    await once(socket, 'data');
    socket.destroy();
    expect(await counters.findOne()).toEqual({ _id: 1, n: 1 });
  });
});
