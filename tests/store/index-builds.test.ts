import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Collection, Document, ObjectId } from 'mongodb';
import { freshName, useDatabase } from './test-database.ts';

type Thing = Document & { _id?: number | string | ObjectId };

const database = useDatabase();
let things: Collection<Thing>;

beforeEach(() => {
  things = database.db.collection(freshName());
});

const ids = async (filter: Document): Promise<unknown[]> =>
  (await things.find(filter).sort({ _id: 1 }).toArray()).map(({ _id }) => _id);

const namesOfIndexes = async (): Promise<unknown[]> => (await things.indexes()).map(({ name }) => name);

describe('indexes: builds', () => {
  it('are made of what is stored, or not at all', async () => {
    await things.insertMany([
      { _id: 1, k: 1 },
      { _id: 2, k: 1 },
    ]);
    const unique = things.createIndex({ k: 1 }, { unique: true });
    const code = database.differs('builds no index on a collection that exists') ? 263 : 11000;
    await expect(unique).rejects.toMatchObject({ code });
    expect(await namesOfIndexes()).toEqual(['_id_']);
    await things.insertOne({ _id: 3, k: 1 });
    expect(await ids({ k: 1 })).toEqual([1, 2, 3]);
  });

  it('fail for everybody who asks for the same one', async () => {
    await things.insertMany(Array.from({ length: 3000 }, (_, i) => ({ _id: i, k: Math.min(i, 2998) })));
    const code = database.differs('builds no index on a collection that exists') ? 263 : 11000;
    const twice = [1, 2].map(() => things.createIndex({ k: 1 }, { unique: true }));
    for (const building of await Promise.allSettled(twice)) expect(building).toMatchObject({ reason: { code } });
    expect(await namesOfIndexes()).toEqual(['_id_']);
  });

  it('miss nothing that others write meanwhile', async () => {
    await things.insertMany(Array.from({ length: 3000 }, (_, i) => ({ _id: i, k: i % 10 })));
    const building = things.createIndex({ k: 1 });
    await Promise.all([
      database.differs('builds no index on a collection that exists')
        ? expect(building).rejects.toMatchObject({ code: 263 })
        : building,
      ...Array.from({ length: 50 }, (_, i) => things.updateOne({ _id: i }, { $set: { k: 100 } })),
    ]);
    expect(await things.countDocuments({ k: 100 })).toBe(50);
    expect(await things.countDocuments({ k: { $lt: 10 } })).toBe(2950);
  });

  it('are not taken by a hint before they are done, nor when they are hidden', async () => {
    await things.insertMany(Array.from({ length: 5000 }, (_, i) => ({ _id: i, k: i })));
    const hinted = (): Promise<unknown[]> => things.find({ k: { $gte: 0 } }, { hint: { k: 1 } }).toArray();
    const building = things.createIndex({ k: 1 });
    if (database.differs('builds no index on a collection that exists')) {
      await expect(building).rejects.toMatchObject({ code: 263 });
      return;
    }
    await expect(hinted()).rejects.toMatchObject({ code: 2 });
    await building;
    expect(await hinted()).toHaveLength(5000);
    await things.dropIndex('k_1');
    await things.createIndex({ k: 1 }, { hidden: true });
    await expect(hinted()).rejects.toMatchObject({ code: 2 });
  });

  it('wait for a transaction that changes what they read, and miss nothing', async () => {
    await things.insertMany(Array.from({ length: 5000 }, (_, i) => ({ _id: i, k: i })));
    await database.client.withSession(async (session) => {
      session.startTransaction();
      await things.findOne({ _id: 0 }, { session });
      const building = things.createIndex({ k: 1 });
      if (database.differs('builds no index on a collection that exists')) {
        await expect(building).rejects.toMatchObject({ code: 263 });
        return;
      }
      await database.db.command({ ping: 1 });
      await things.updateOne({ _id: 4990 }, { $set: { k: -1 } }, { session });
      // As many flushes as it needs to come there.
      const others = database.db.collection(freshName());
      for (let i = 0; i < 30; i++) await others.insertOne({});
      await session.commitTransaction();
      await building;
    });
    expect(await things.countDocuments({ k: { $gte: -1 } })).toBe(5000);
    expect(await ids({ k: { $gte: 4997 } })).toEqual([4997, 4998, 4999]);
  });

  it('end with an error when the index is dropped meanwhile', async () => {
    await things.insertMany(Array.from({ length: 5000 }, (_, i) => ({ _id: i, k: i })));
    const building = things.createIndex({ k: 1 });
    if (database.differs('builds no index on a collection that exists')) {
      await expect(building).rejects.toMatchObject({ code: 263 });
      return;
    }
    await Promise.all([expect(building).rejects.toMatchObject({ code: 175 }), things.dropIndex('k_1')]);
    expect(await namesOfIndexes()).toEqual(['_id_']);
  });

  it('are not missed by a transaction that began before', async () => {
    await things.insertOne({ _id: 1, k: 1 });
    await database.client.withSession(async (session) => {
      session.startTransaction();
      await database.db.collection(freshName()).findOne({}, { session });
      const building = things.createIndex({ k: 1 });
      if (database.differs('builds no index on a collection that exists')) {
        await expect(building).rejects.toMatchObject({ code: 263 });
        return;
      }
      await building;
      const error = await things.findOne({ k: 1 }, { session }).catch((failed) => failed);
      expect(error).toMatchObject({ code: 246, codeName: 'SnapshotUnavailable' });
      expect(error.hasErrorLabel('TransientTransactionError')).toBe(true);
    });
    await database.client.withSession((session) =>
      session.withTransaction(async () => {
        expect(await things.findOne({ k: 1 }, { session })).toEqual({ _id: 1, k: 1 });
      }),
    );
  });

  it('end the queries that were reading them when they are dropped', async () => {
    await things.createIndex({ k: 1 });
    await things.insertMany(Array.from({ length: 50 }, (_, k) => ({ k })));
    const cursor = things.find({ k: { $gte: 0 } }).batchSize(10);
    await cursor.next();
    await things.dropIndex('k_1');
    const rest = cursor.toArray();
    if (database.differs('goes on reading an index that was dropped')) expect(await rest).toHaveLength(49);
    else await expect(rest).rejects.toMatchObject({ code: 175, codeName: 'QueryPlanKilled' });
  });
});

describe('indexes: administration', () => {
  beforeEach(() =>
    things.createIndexes([
      { key: { a: 1 }, name: 'first' },
      { key: { b: -1 }, expireAfterSeconds: 60 },
    ]),
  );

  it('lists what was made, with its options', async () => {
    expect(await things.indexes()).toEqual([
      expect.objectContaining({ name: '_id_', key: { _id: 1 } }),
      expect.objectContaining({ name: 'first', key: { a: 1 } }),
      expect.objectContaining({ name: 'b_-1', key: { b: -1 }, expireAfterSeconds: 60 }),
    ]);
  });

  it('refuses another index of the same name, and makes the same one once', async () => {
    await things.createIndex({ a: 1 }, { name: 'first' });
    await expect(things.createIndex({ c: 1 }, { name: 'first' })).rejects.toMatchObject({ code: 86 });
    expect(await namesOfIndexes()).toEqual(['_id_', 'first', 'b_-1']);
  });

  it('drops one, all, and none that is not there', async () => {
    await expect(things.dropIndex('nobody')).rejects.toMatchObject({ code: 27 });
    await expect(things.dropIndex('_id_')).rejects.toMatchObject({ code: 72 });
    await things.dropIndex('first');
    expect(await namesOfIndexes()).toEqual(['_id_', 'b_-1']);
    await things.dropIndexes();
    expect(await namesOfIndexes()).toEqual(['_id_']);
  });
});
