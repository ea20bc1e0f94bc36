import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import mongoose from 'mongoose';
import { expireOrders } from '../../src/jobs/expire-orders.job.ts';
import { JobRunner } from '../../src/jobs/index.ts';
import { OrderExpiry } from '../../src/services/order-expiry.ts';
import { admin } from '../helpers/accounts.ts';
import { createProduct } from '../helpers/factories.ts';
import { aBuyer, anOrder, letExpire, movedOf, stockOf } from '../helpers/orders.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { eventually } from '../helpers/wait-for.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira({ BANK_DETAILS: 'IBAN PT50 0000', PAYMENT_CAPTURE: 'later' });
});
afterAll(() => feira.stop());

/** The job over the shop's database, with payments that the test decides about. */
function theJob(
  payments: { settle?: (id: string) => Promise<'authorized' | null>; void?: (id: string) => Promise<void> } = {},
) {
  const none = async () => {};
  const expiry = new OrderExpiry({
    outbox: { add: none },
    payments: { settle: async () => null, void: none, ...payments },
    log: { error: none },
  });
  return expireOrders({ expiry });
}

const declined = { payment: { outcome: 'decline' } };

describe('expire-orders', () => {
  it('gives the units of what was not paid in time back, once, however many run it', async () => {
    const product = await createProduct(feira, { stock: 3 });
    const [late, waiting] = [
      await anOrder(feira, declined, [{ product, quantity: 2 }]),
      await anOrder(feira, declined, [{ product }]),
    ];
    await letExpire(late.id);
    await Promise.all([theJob().run(), theJob().run(), theJob().run()]);
    const { body } = await late.asGuest('get');
    expect(body).toMatchObject({ status: 'cancelled', holdUntil: null, moves: [] });
    expect(body.timeline.at(-1)).toMatchObject({ event: 'cancelled', by: 'shop', detail: expect.any(String) });
    expect((await waiting.asGuest('get')).body.status).toBe('pending_payment');
    expect([await stockOf(product), await movedOf(product)]).toEqual([2, 2]);
  });

  it('asks the provider first, and keeps the order while nobody knows', async () => {
    const product = await createProduct(feira, { stock: 1 });
    const late = await anOrder(feira, declined, [{ product }]);
    await letExpire(late.id);
    const settle = async (id: string) => {
      if (id === late.id) throw new Error('The provider does not answer.');
      return null;
    };
    await theJob({ settle }).run();
    expect((await late.asGuest('get')).body.status).toBe('pending_payment');
    const longAgo = new Date(Date.now() - 2 * 3_600_000);
    const _id = new mongoose.Types.ObjectId(late.id);
    await mongoose.connection.collection('orders').updateOne({ _id }, { $set: { holdUntil: longAgo } });
    await theJob({ settle }).run();
    expect((await late.asGuest('get')).body.status).toBe('cancelled');
    expect(await stockOf(product)).toBe(1);
  });

  it('leaves what is authorized alone; staff capture it, or cancel and void it', async () => {
    const [kept, given] = [await anOrder(feira), await anOrder(feira)];
    expect(kept.order).toMatchObject({
      status: 'pending_payment',
      paymentStatus: 'authorized',
      holdUntil: null,
      payment: { state: 'authorized' },
      moves: ['cancel'],
    });
    await theJob().run();
    const boss = await admin(feira);
    const captured = await boss.as('post', kept.path('/capture')).send({});
    expect(captured.body).toMatchObject({ status: 'paid', captured: kept.order.totals.total });
    const cancelled = await given.asGuest('post', '/cancel').send({});
    expect(cancelled.body).toMatchObject({ status: 'cancelled', paymentStatus: 'voided', captured: 0 });
    expect(await stockOf(given.product)).toBe(10);
  });

  it('does not give up what the buyer turns out to have promised in time', async () => {
    const late = await anOrder(feira, declined);
    await letExpire(late.id);
    const voided: string[] = [];
    const settle = async (id: string) => (id === late.id ? ('authorized' as const) : null);
    await theJob({ settle, void: async (id) => void voided.push(id) }).run();
    expect(voided).not.toContain(late.id);
  });

  it('gives up money that was promised for an order that is cancelled', async () => {
    const left = await anOrder(feira);
    const _id = new mongoose.Types.ObjectId(left.id);
    const $set = { status: 'cancelled', cancelledAt: new Date(), stock: 'returned' };
    await mongoose.connection.collection('orders').updateOne({ _id }, { $set });
    const asked: string[] = [];
    await theJob({ void: async (id) => void asked.push(id) }).run();
    expect(asked).toEqual([left.id]);
  });

  it('goes on with the others while a provider hangs', async () => {
    const product = await createProduct(feira, { stock: 9 });
    const late = await Promise.all(Array.from({ length: 8 }, () => anOrder(feira, declined, [{ product }])));
    for (const { id } of late) await letExpire(id);
    const hanging = late[0]!;
    let answer = () => {};
    const settle = (id: string) =>
      id === hanging.id ? new Promise<null>((resolve) => (answer = () => resolve(null))) : Promise.resolve(null);
    const run = theJob({ settle }).run();
    await eventually(async () => (await stockOf(product)) === 8);
    expect((await hanging.asGuest('get')).body.status).toBe('pending_payment');
    answer();
    await run;
    expect((await hanging.asGuest('get')).body.status).toBe('cancelled');
    expect([await stockOf(product), await movedOf(product)]).toEqual([9, 9]);
  });

  it('comes to every order, also behind a hundred whose money nobody takes back', async () => {
    const left = await anOrder(feira);
    const orders = mongoose.connection.collection('orders');
    const order = (await orders.findOne({ _id: new mongoose.Types.ObjectId(left.id) }))!;
    const gone = { ...order, status: 'cancelled', cancelledAt: new Date(), stock: 'returned' };
    const copies = Array.from({ length: 130 }, (_, i) => {
      const [_id, cart] = [new mongoose.Types.ObjectId(), new mongoose.Types.ObjectId()];
      return { ...gone, _id, cart, number: `F-COPY-${i}` };
    });
    await orders.insertMany(copies);
    const asked: string[] = [];
    const refuse = async (id: string) => {
      asked.push(id);
      throw new Error('The provider does not answer.');
    };
    await theJob({ void: refuse }).run();
    const ids = copies.map(({ _id }) => _id.toHexString());
    expect(asked.filter((id) => ids.includes(id)).sort()).toEqual(ids.sort());
    await orders.deleteMany({ _id: { $in: copies.map(({ _id }) => _id) } });
  });
});

describe('a checkout whose process has died after its first transaction', () => {
  it('goes on when the buyer asks again', async () => {
    const { checkOut, product } = await aBuyer(feira);
    const made = await checkOut({ paymentMethod: 'manual', payment: {} });
    expect(made.status).toBe(201);
    const order = new mongoose.Types.ObjectId(String(made.body.id));
    // Nobody has been asked for money yet.
    await mongoose.connection.collection('payment_attempts').deleteMany({ order });
    const again = await checkOut({ paymentMethod: 'manual', payment: {} });
    expect([again.status, again.body.id, again.body.payment]).toEqual([
      200,
      made.body.id,
      { state: 'pending', instructions: `IBAN PT50 0000\n${made.body.number}` },
    ]);
    expect(await stockOf(product)).toBe(9);
  });
});

describe('the runner of jobs', () => {
  it('repeats a job that fails, one run at a time, and stops when the run has ended', async () => {
    let [runs, atOnce, most] = [0, 0, 0];
    const error = jest.fn();
    const runner = new JobRunner({ log: { error } });
    const run = async () => {
      atOnce += 1;
      most = Math.max(most, atOnce);
      await new Promise((resolve) => setImmediate(resolve));
      atOnce -= 1;
      if (++runs === 1) throw new Error('for once');
    };
    runner.start([{ name: 'try', everyMs: 1, run }]);
    await eventually(() => runs >= 3);
    await runner.stop();
    const before = runs;
    expect([atOnce, most, error.mock.calls.length]).toEqual([0, 1, 1]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(runs).toBe(before);
  });
});
