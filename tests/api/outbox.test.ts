import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import pLimit from 'p-limit';
import { inTransaction } from '../../src/database/transaction.ts';
import { OutboxEvent } from '../../src/models/outbox-event.model.ts';
import { type Consumer, Outbox, type ShopEvent, type StoredEvent } from '../../src/services/outbox.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { eventually } from '../helpers/wait-for.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

const open: Outbox[] = [];
afterEach(async () => {
  for (const outbox of open.splice(0)) await outbox.stop();
});

const silent = { error: () => {}, warn: () => {} };

/** A relay of its own; that of the shop does not know these consumers. */
function relay(consumers: readonly Consumer[], options: { pollMs?: number; leaseMs?: number } = {}): Outbox {
  const outbox = new Outbox({ log: silent, ...options });
  open.push(outbox);
  outbox.start(consumers);
  return outbox;
}

/** A consumer that remembers what it got. */
function recorder(name: string, overrides: Partial<Consumer> = {}) {
  const calls: StoredEvent[][] = [];
  const consumer: Consumer = {
    name,
    types: ['order.paid'],
    handle: async (events) => {
      calls.push([...events]);
    },
    ...overrides,
  };
  return { consumer, calls, events: () => calls.flat() };
}

const paid = (orderId: string): ShopEvent => ({ type: 'order.paid', data: { orderId } });
const add = (outbox: Outbox, ...events: ShopEvent[]) =>
  inTransaction(async (_session, writes) => outbox.add(writes, ...events));
const ordersOf = (events: readonly StoredEvent[]) => events.map(({ data }) => (data as { orderId: string }).orderId);
const NEVER = 60_000;

/** A promise that a test resolves. */
function aGate() {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

describe('an event', () => {
  it('reaches every consumer that wants it, with the same id, right after the commit', async () => {
    const [one, two, other] = [recorder('one'), recorder('two'), recorder('other', { types: ['order.placed'] })];
    const outbox = relay([one.consumer, two.consumer, other.consumer], { pollMs: NEVER });
    await add(outbox, paid('a'));
    await eventually(() => one.calls.length === 1 && two.calls.length === 1);
    expect(one.events()[0]).toEqual({
      id: expect.stringMatching(/^[\da-f]{24}$/),
      type: 'order.paid',
      data: { orderId: 'a' },
      at: expect.any(Date),
    });
    expect(two.events()[0]?.id).toBe(one.events()[0]?.id);
    expect(other.calls).toEqual([]);
  });

  it('is not told before its transaction has committed', async () => {
    const one = recorder('patient');
    const outbox = relay([one.consumer], { pollMs: 5 });
    await inTransaction(async (_session, writes) => {
      outbox.add(writes, paid('a'));
      await writes.send();
      const marker = recorder('marker');
      await add(relay([marker.consumer], { pollMs: 5 }), paid('b'));
      await eventually(() => marker.calls.length === 1);
      expect(one.calls).toEqual([]);
    });
    await eventually(() => one.calls.length === 1);
  });

  it('of a transaction that was given up is never seen', async () => {
    const one = recorder('never');
    const outbox = relay([one.consumer], { pollMs: 5 });
    const failed = inTransaction(async (_session, writes) => {
      outbox.add(writes, paid('a'));
      await writes.send();
      throw new Error('changed my mind');
    });
    await expect(failed).rejects.toThrow('changed my mind');
    await add(outbox, paid('b'));
    await eventually(() => one.calls.length > 0);
    expect(ordersOf(one.events())).toEqual(['b']);
    expect(await OutboxEvent.countDocuments({ consumer: 'never' })).toBe(1);
  });

  it('of another process is found by the poll', async () => {
    const [writer, reader] = [recorder('shared'), recorder('shared')];
    const elsewhere = new Outbox({ log: silent, pollMs: NEVER });
    elsewhere.start([writer.consumer]);
    await elsewhere.stop();
    await add(elsewhere, paid('left'));
    relay([reader.consumer], { pollMs: 20 });
    await eventually(() => reader.calls.length === 1);
    expect(ordersOf(reader.events())).toEqual(['left']);
    expect(writer.calls).toEqual([]);
  });

  it('is kept for a week when it is done, and is not told again', async () => {
    const one = recorder('once');
    await add(relay([one.consumer]), paid('a'));
    await eventually(
      async () => (await OutboxEvent.countDocuments({ consumer: 'once', doneAt: { $exists: true } })) > 0,
    );
    expect(await OutboxEvent.findOne({ consumer: 'once' }).lean()).not.toHaveProperty('dueAt');
    const indexes = await OutboxEvent.collection.listIndexes().toArray();
    expect(indexes).toContainEqual(expect.objectContaining({ key: { doneAt: 1 }, expireAfterSeconds: 604_800 }));
    const again = recorder('once');
    await add(relay([again.consumer]), paid('b'));
    const told = () => ordersOf([...one.events(), ...again.events()]);
    await eventually(() => told().includes('b'));
    expect(told()).toEqual(['a', 'b']);
  });
});

describe('a consumer', () => {
  it('gets what is waiting in batches, oldest first, and at most as many calls at once as it takes', async () => {
    let running = 0;
    let most = 0;
    const calls: number[] = [];
    const gate = aGate();
    const { consumer } = recorder('batches', {
      batch: 4,
      atOnce: 2,
      handle: async (events) => {
        most = Math.max(most, ++running);
        calls.push(events.length);
        if (calls.length === 1) await gate.promise;
        running--;
      },
    });
    const outbox = relay([consumer]);
    await add(outbox, ...Array.from({ length: 10 }, (_, i) => paid(String(i))));
    await eventually(() => calls.length === 3);
    gate.resolve();
    expect(calls).toEqual([4, 4, 2]);
    expect(most).toBe(2);
  });

  it('that fails gets the event again after growing waits, until it is given up and stays to be seen', async () => {
    const times: number[] = [];
    const failing = recorder('failing', {
      retryAfterMs: [40, 400],
      handle: async () => {
        times.push(Date.now());
        throw new Error('no mail server');
      },
    });
    await add(relay([failing.consumer], { pollMs: 5 }), paid('a'));
    const stored = () => OutboxEvent.findOne({ consumer: 'failing' }).lean();
    await eventually(async () => (await stored())?.givenUpAt !== undefined);
    const [first = 0, second = 0, third = 0, ...more] = times;
    expect(more).toEqual([]);
    expect(second - first).toBeGreaterThanOrEqual(20);
    expect(third - second).toBeGreaterThanOrEqual(200);
    expect(await stored()).toMatchObject({ tries: 3, fault: 'no mail server' });
    expect(await stored()).not.toHaveProperty('dueAt');
  });

  it('that fails for one event of a batch gets the others once more and is done with them', async () => {
    const done: string[] = [];
    const { consumer } = recorder('picky', {
      batch: 10,
      retryAfterMs: [NEVER],
      handle: async (events) => {
        const orders = ordersOf(events);
        if (orders.includes('bad')) throw new Error('a bad one');
        done.push(...orders);
      },
    });
    await add(relay([consumer]), paid('1'), paid('bad'), paid('2'));
    await eventually(() => done.length === 2);
    expect(done).toEqual(['1', '2']);
    await eventually(async () => (await OutboxEvent.countDocuments({ consumer: 'picky', fault: 'a bad one' })) === 1);
    await eventually(
      async () => (await OutboxEvent.countDocuments({ consumer: 'picky', doneAt: { $exists: true } })) === 2,
    );
  });

  it('that fails or hangs does not stop the others', async () => {
    const quick = recorder('quick', { batch: 50 });
    const failing = recorder('broken', { retryAfterMs: [NEVER], handle: () => Promise.reject(new Error('broken')) });
    const gate = aGate();
    const slow = recorder('slow', { handle: () => gate.promise });
    const outbox = relay([slow.consumer, failing.consumer, quick.consumer], { pollMs: 10 });
    // More than one look can take: those of the slow one come first.
    await add(outbox, ...Array.from({ length: 250 }, (_, i) => paid(String(i))));
    await eventually(() => quick.events().length === 250);
    gate.resolve();
  });

  it('that is quick and has much to do does not let the others wait', async () => {
    const [many, few] = [recorder('many'), recorder('few', { types: ['order.placed'] })];
    const outbox = relay([many.consumer, few.consumer], { pollMs: NEVER });
    await add(outbox, ...Array.from({ length: 500 }, (_, i) => paid(String(i))));
    await add(outbox, { type: 'order.placed', data: { orderId: 'now' } });
    await eventually(() => few.calls.length === 1);
    expect(many.calls.length).toBeLessThan(50);
  });

  it('that dies in the middle of its work has it done by another process when its claim has run out', async () => {
    const child = relayProcess();
    try {
      const survivor = recorder('mortal');
      // Written by somebody who relays nothing: the child has it first.
      const writer = new Outbox({ log: silent, pollMs: NEVER });
      writer.start([survivor.consumer]);
      await writer.stop();
      const printed = once(child.stdout!, 'data');
      await add(writer, paid('a'));
      const id = String((await printed)[0]).trim();
      relay([survivor.consumer], { pollMs: 20 });
      // It holds on to its claim for as long as it lives.
      const held = await OutboxEvent.findOne({ consumer: 'mortal' }).lean();
      await eventually(async () => {
        const now = await OutboxEvent.findOne({ consumer: 'mortal' }).lean();
        return now!.dueAt! > held!.dueAt! && now!.claim === held!.claim;
      });
      expect(survivor.calls).toEqual([]);
      child.kill('SIGKILL');
      await eventually(() => survivor.calls.length === 1);
      expect(survivor.events()[0]).toMatchObject({ id, data: { orderId: 'a' } });
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('gets nothing new when the shop stops', async () => {
    const one = recorder('stopping');
    const outbox = relay([one.consumer], { pollMs: NEVER });
    await add(outbox, paid('a'));
    await outbox.stop();
    expect(one.calls).toEqual([]);
    expect(await OutboxEvent.findOne({ consumer: 'stopping' }).lean()).toMatchObject({ tries: 0 });
  });

  it('that does not end in time loses its claim when the shop stops', async () => {
    const stuck = recorder('stuck', { handle: () => new Promise(() => {}) });
    const outbox = relay([stuck.consumer], { pollMs: 20 });
    await add(outbox, paid('a'));
    await eventually(async () => (await OutboxEvent.countDocuments({ consumer: 'stuck', tries: 1 })) === 1);
    open.splice(0);
    await outbox.stop();
    const next = recorder('stuck');
    relay([next.consumer], { pollMs: 20 });
    await eventually(() => next.calls.length === 1);
  });
});

describe('two relays on one database', () => {
  it('do each event once', async () => {
    const [left, right] = [recorder('pair', { atOnce: 5 }), recorder('pair', { atOnce: 5 })];
    const [first, second] = [relay([left.consumer], { pollMs: 5 }), relay([right.consumer], { pollMs: 5 })];
    const names = Array.from({ length: 120 }, (_, i) => String(i));
    const limit = pLimit(10);
    await Promise.all(names.map((name, i) => limit(() => add(i % 2 ? first : second, paid(name)))));
    await eventually(() => left.calls.length + right.calls.length >= names.length);
    await eventually(
      async () => (await OutboxEvent.countDocuments({ consumer: 'pair', doneAt: { $exists: true } })) === names.length,
    );
    expect(ordersOf([...left.events(), ...right.events()]).sort()).toEqual([...names].sort());
    expect(await OutboxEvent.countDocuments({ consumer: 'pair', tries: { $ne: 1 } })).toBe(0);
  });
});

describe('a relay that has nothing to do', () => {
  it('reads once in each round, and writes nothing', async () => {
    const commands: string[] = [];
    mongoose.set('debug', (collection: string, method: string) => {
      if (collection === 'outbox_events') commands.push(method);
    });
    try {
      relay([recorder('idle').consumer, recorder('idler').consumer], { pollMs: 50 });
      await eventually(() => commands.length >= 6);
    } finally {
      mongoose.set('debug', false);
    }
    expect(new Set(commands)).toEqual(new Set(['find']));
  });
});

/** Another process that relays. */
const relayProcess = (): ChildProcess =>
  spawn(process.execPath, ['--import', 'tsx', 'tests/helpers/relay-process.ts', feira.config.database.uri!], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
