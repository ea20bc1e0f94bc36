import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import mongoose, { Types } from 'mongoose';
import { inTransaction, isDuplicateKey } from '../../src/database/transaction.ts';
import { Counter } from '../../src/models/counter.model.ts';
import { IdempotencyKey } from '../../src/models/idempotency-key.model.ts';
import { StockMovement } from '../../src/models/stock-movement.model.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

/** As DocumentDB tells of a lock that could not be had in time: a fault of one write, without a label. */
const conflict = () =>
  new mongoose.mongo.MongoServerError({ message: 'canceling statement due to lock timeout', code: 112 });

it('a transaction runs again after a conflict that the server tells of as of a fault of one write', async () => {
  const notes = mongoose.connection.collection('notes');
  let runs = 0;
  const made = await inTransaction(async (session) => {
    await notes.insertOne({ run: ++runs }, { session });
    if (runs === 1) throw conflict();
    return runs;
  });
  expect(made).toBe(2);
  expect((await notes.find().toArray()).map(({ run }) => run)).toEqual([2]);
});

it('anything else that goes wrong is told at once, and nothing is written', async () => {
  let runs = 0;
  const failing = inTransaction(async (session) => {
    runs += 1;
    await mongoose.connection.collection('others').insertOne({}, { session });
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect([runs, await mongoose.connection.collection('others').countDocuments()]).toEqual([1, 0]);
});

it('no more are open than there are connections, and all of them come to an end', async () => {
  const { maxPoolSize } = mongoose.connection.getClient().options;
  await mongoose.connection.createCollection('many');
  let [open, most] = [0, 0];
  const one = async (session: mongoose.ClientSession) => {
    most = Math.max(most, ++open);
    await mongoose.connection.collection('many').insertOne({}, { session });
    // Others have their statements in between.
    await mongoose.connection.collection('many').countDocuments();
    open -= 1;
  };
  await Promise.all(Array.from({ length: 4 * maxPoolSize }, () => inTransaction(one)));
  expect(await mongoose.connection.collection('many').countDocuments()).toBe(4 * maxPoolSize);
  expect(most).toBe(maxPoolSize);
});

describe('writes of a transaction', () => {
  const aKey = (_id: string) => ({ _id, fingerprint: 'f', result: null, at: new Date() });
  const counting = (_id: string) => ({ filter: { _id }, update: { $inc: { value: 1 } } });
  const keys = async () => (await IdempotencyKey.find().sort('_id').lean()).map(({ _id }) => _id);
  const counts = async () => (await Counter.find().sort('_id').lean()).map(({ _id, value }) => [_id, value]);

  beforeEach(async () => {
    await Promise.all([IdempotencyKey.deleteMany(), Counter.deleteMany()]);
    await Counter.insertMany([{ _id: 'a' }, { _id: 'b' }]);
  });

  it('reach several collections, and are seen after the commit', async () => {
    await inTransaction(async (_session, writes) => {
      writes.update(Counter, [counting('a'), counting('b'), counting('a')]);
      writes.insert(IdempotencyKey, [aKey('one'), aKey('two')]);
      writes.update(Counter, [counting('nobody')]);
      expect(await keys()).toEqual([]);
    });
    expect([await keys(), await counts()]).toEqual([
      ['one', 'two'],
      [
        ['a', 2],
        ['b', 1],
      ],
    ]);
  });

  it('are refused as their caller says when an update finds nothing, and none is kept', async () => {
    const failing = inTransaction(async (_session, writes) => {
      writes.update(Counter, [counting('a')], () => new Error('not a'));
      writes.insert(IdempotencyKey, [aKey('one')]);
      writes.update(Counter, [counting('a'), counting('nobody')], async () => new Error('nobody is there'));
    });
    await expect(failing).rejects.toThrow('nobody is there');
    expect([await keys(), await counts()]).toEqual([
      [],
      [
        ['a', 0],
        ['b', 0],
      ],
    ]);
  });

  it('tell of a document that is there already', async () => {
    await IdempotencyKey.insertMany([aKey('one')]);
    const failing = inTransaction(async (_session, writes) => {
      writes.update(Counter, [counting('a')]);
      writes.insert(IdempotencyKey, [aKey('one')]);
    });
    await expect(failing.catch(isDuplicateKey)).resolves.toBe(true);
    expect(await counts()).toEqual([
      ['a', 0],
      ['b', 0],
    ]);
  });

  it('run again, from the beginning, when others write the same', async () => {
    const adding = Array.from({ length: 10 }, (_, i) =>
      inTransaction(async (_session, writes) => {
        writes.update(Counter, [counting('a')]);
        writes.insert(IdempotencyKey, [aKey(`key-${i}`)]);
      }),
    );
    await Promise.all(adding);
    expect([(await keys()).length, await counts()]).toEqual([
      10,
      [
        ['a', 10],
        ['b', 0],
      ],
    ]);
  });

  it('leave out what is not defined, and give an id to what has none', async () => {
    await inTransaction(async (_session, writes) => {
      writes.insert(StockMovement, [{ ...aMovement(), reason: undefined }]);
      writes.update(Counter, [{ filter: { _id: 'a' }, update: { $set: { value: 5 } } }]);
    });
    const stored = await StockMovement.collection.findOne({ unit: 'unit' });
    expect(Object.keys(stored ?? {}).sort()).toEqual(['_id', 'at', 'cause', 'change', 'productId', 'unit']);
    expect(stored?._id).toBeInstanceOf(Types.ObjectId);
  });
});

const aMovement = () => ({ unit: 'unit', productId: new Types.ObjectId(), change: 1, cause: 'test', at: new Date() });
