import { beforeEach, describe, expect, it } from '@jest/globals';
import { type ClientSession, type Collection, type Document, MongoServerError } from 'mongodb';
import mongoose from 'mongoose';
import { freshName, storeUri, useDatabase } from './test-database.ts';

type Row = Document & { _id?: number | string };

const database = useDatabase();
let rows: Collection<Row>;
let others: Collection<Row>;

beforeEach(async () => {
  rows = database.db.collection(freshName());
  others = database.db.collection(freshName());
  await rows.insertOne({ _id: 'a', n: 1 });
  await others.insertOne({ _id: 'x', n: 1 });
});

async function inSession<T>(work: (session: ClientSession) => Promise<T>): Promise<T> {
  const session = database.client.startSession();
  try {
    return await work(session);
  } finally {
    await session.endSession();
  }
}

describe('transactions', () => {
  it('is seen by nobody before its commit and by everybody after', async () => {
    await inSession(async (session) => {
      session.startTransaction();
      await rows.updateOne({ _id: 'a' }, { $inc: { n: 1 } }, { session });
      await others.insertOne({ _id: 'y', n: 2 }, { session });
      expect(await rows.findOne({ _id: 'a' }, { session })).toMatchObject({ n: 2 });
      expect(await others.countDocuments({}, { session })).toBe(2);
      expect(await rows.findOne({ _id: 'a' })).toMatchObject({ n: 1 });
      expect(await others.countDocuments({})).toBe(1);
      await session.commitTransaction();
      expect(await rows.findOne({ _id: 'a' })).toMatchObject({ n: 2 });
      expect(await others.countDocuments({})).toBe(2);
    });
  });

  it('leaves nothing when it is aborted', async () => {
    await inSession(async (session) => {
      session.startTransaction();
      await rows.deleteOne({ _id: 'a' }, { session });
      await rows.insertOne({ _id: 'b' }, { session });
      await session.abortTransaction();
    });
    expect(await rows.find().toArray()).toEqual([{ _id: 'a', n: 1 }]);
  });

  it('reads one state, however others write meanwhile', async () => {
    await inSession(async (session) => {
      session.startTransaction();
      await rows.findOne({ _id: 'a' }, { session });
      await others.updateOne({ _id: 'x' }, { $set: { n: 99 } });
      await others.insertOne({ _id: 'z' });
      expect(await others.find({}, { session }).toArray()).toEqual([{ _id: 'x', n: 1 }]);
      await session.commitTransaction();
    });
  });

  it('sorts and finds its own writes by an index', async () => {
    rows = database.db.collection(freshName());
    await rows.createIndex({ n: 1 });
    await rows.insertOne({ _id: 'a', n: 1 });
    await inSession(async (session) => {
      session.startTransaction();
      await rows.insertMany(
        [
          { _id: 'd', n: 4 },
          { _id: 'c', n: 3 },
        ],
        { session },
      );
      await rows.updateOne({ _id: 'a' }, { $set: { n: 9 } }, { session });
      const found = await rows
        .find({ n: { $gt: 0 } }, { session })
        .sort({ n: -1 })
        .toArray();
      expect(found.map(({ _id }) => _id)).toEqual(['a', 'd', 'c']);
      expect(await rows.findOne({ n: 1 }, { session })).toBeNull();
      await session.abortTransaction();
    });
  });

  it('conflicts at the write with a change made after its start', async () => {
    await inSession(async (session) => {
      session.startTransaction();
      await rows.findOne({ _id: 'a' }, { session });
      await rows.updateOne({ _id: 'a' }, { $inc: { n: 10 } });
      const error = await rows.updateOne({ _id: 'a' }, { $inc: { n: 1 } }, { session }).catch((failure) => failure);
      expect(error).toBeInstanceOf(MongoServerError);
      expect(error.code).toBe(112);
      expect(error.hasErrorLabel('TransientTransactionError')).toBe(true);
      await session.abortTransaction();
    });
    expect(await rows.findOne({ _id: 'a' })).toMatchObject({ n: 11 });
  });

  it('conflicts with another open transaction on the same document', async () => {
    await inSession((first) =>
      inSession(async (second) => {
        first.startTransaction();
        second.startTransaction();
        await rows.updateOne({ _id: 'a' }, { $inc: { n: 1 } }, { session: first });
        await expect(rows.updateOne({ _id: 'a' }, { $inc: { n: 1 } }, { session: second })).rejects.toMatchObject({
          code: 112,
        });
        await first.commitTransaction();
        await second.abortTransaction();
      }),
    );
    expect(await rows.findOne({ _id: 'a' })).toMatchObject({ n: 2 });
  });

  it('keeps a unique index whole', async () => {
    rows = database.db.collection(freshName());
    await rows.createIndex({ code: 1 }, { unique: true, partialFilterExpression: { code: { $exists: true } } });
    await rows.insertMany([{ _id: 'a' }, { _id: 'b', code: 7 }]);
    await inSession(async (session) => {
      session.startTransaction();
      await expect(rows.insertOne({ _id: 'c', code: 7 }, { session })).rejects.toMatchObject({ code: 11000 });
      await session.abortTransaction();
    });
    expect(await rows.countDocuments()).toBe(2);
  });

  it('makes a plain write wait until it ends', async () => {
    await inSession(async (session) => {
      session.startTransaction();
      await rows.updateOne({ _id: 'a' }, { $set: { n: 5 } }, { session });
      const plain = rows.updateOne({ _id: 'a' }, { $inc: { n: 1 } });
      await session.commitTransaction();
      expect((await plain).modifiedCount).toBe(1);
    });
    expect(await rows.findOne({ _id: 'a' })).toMatchObject({ n: 6 });
  });

  it('finds what was inserted while an upsert waited', async () => {
    await inSession(async (session) => {
      session.startTransaction();
      await rows.insertOne({ _id: 'b', n: 2 }, { session });
      const upserted = rows.updateOne({ _id: 'b' }, { $inc: { n: 1 } }, { upsert: true });
      await rows.findOne({ _id: 'b' }, { session });
      await session.commitTransaction();
      expect(await upserted).toMatchObject({ acknowledged: true });
      expect(await rows.findOne({ _id: 'b' })).toEqual({ _id: 'b', n: 3 });
    });
  });

  it('makes an index on what it has created itself, before it writes there', async () => {
    const [fresh, name] = [database.db.collection(freshName()), freshName()];
    await inSession(async (session) => {
      session.startTransaction();
      await database.db.createCollection(name, { session });
      await database.db.collection(name).createIndex({ n: 1 }, { session });
      await fresh.insertOne({ n: 1 }, { session });
      const late = fresh.createIndex({ n: 1 }, { session });
      if (database.differs('makes an index in a transaction also where it has written')) await late;
      else await expect(late).rejects.toMatchObject({ code: 263 });
    });
    expect(await database.db.listCollections({ name }).toArray()).toEqual([]);
  });

  it('sells each unit once when many transactions compete', async () => {
    await rows.insertOne({ _id: 'stock', n: 5 });
    const buy = (): Promise<boolean> =>
      database.client.withSession((session) =>
        session.withTransaction(async () => {
          const taken = await rows.updateOne({ _id: 'stock', n: { $gte: 1 } }, { $inc: { n: -1 } }, { session });
          if (taken.modifiedCount === 0) return false;
          await others.insertOne({ order: true }, { session });
          return true;
        }),
      );
    const sold = await Promise.all(Array.from({ length: 15 }, buy));
    expect(sold.filter(Boolean)).toHaveLength(5);
    expect(await others.countDocuments({ order: true })).toBe(5);
    expect(await rows.findOne({ _id: 'stock' })).toMatchObject({ n: 0 });
  });

  it('may be committed again', async () => {
    await inSession(async (session) => {
      session.startTransaction();
      await rows.insertOne({ _id: 'b' }, { session });
      await session.commitTransaction();
      await session.commitTransaction();
    });
    expect(await rows.countDocuments()).toBe(2);
  });
});

describe('transactions: cursors', () => {
  it('ends with it', async () => {
    await rows.insertMany(Array.from({ length: 30 }, (_, i) => ({ _id: i })));
    await inSession(async (session) => {
      session.startTransaction();
      const cursor = rows.find({}, { session, batchSize: 5 });
      expect(await cursor.next()).not.toBeNull();
      await session.commitTransaction();
      const rest = cursor.toArray();
      if (database.differs('goes on with the cursor of a transaction that has ended'))
        expect(await rest).toHaveLength(30);
      else await expect(rest).rejects.toBeInstanceOf(MongoServerError);
      await cursor.close();
    });
  });
});

describe('mongoose', () => {
  it('runs a transaction with models', async () => {
    const connection = await mongoose.createConnection(storeUri(), { dbName: database.db.databaseName }).asPromise();
    const Account = connection.model(
      'Account',
      new mongoose.Schema({ name: { type: String, unique: true }, balance: Number }, { autoCreate: false }),
    );
    await Account.init();
    await Account.create([
      { name: 'ann', balance: 10 },
      { name: 'bob', balance: 0 },
    ]);
    await connection.transaction(async (session) => {
      const ann = await Account.findOne({ name: 'ann' }).session(session).orFail();
      ann.balance = (ann.balance ?? 0) - 4;
      await ann.save();
      await Account.updateOne({ name: 'bob' }, { $inc: { balance: 4 } }, { session });
    });
    expect(await Account.find().sort({ name: 1 }).lean()).toMatchObject([{ balance: 6 }, { balance: 4 }]);
    await connection.close();
  });
});
