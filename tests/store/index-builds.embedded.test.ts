// On the embedded store alone: DocumentDB takes no index on a collection that exists, nor does it refuse parallel arrays.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Collection, type Db, type Document, MongoClient, type ObjectId } from 'mongodb';
import { type StoreProcess, startStore } from './store-process.ts';
import { freshName } from './test-database.ts';

type Thing = Document & { _id?: number | string | ObjectId };

let store: StoreProcess;
let client: MongoClient;
let db: Db;
let things: Collection<Thing>;

beforeAll(async () => {
  store = await startStore();
  client = await new MongoClient(store.uri).connect();
  db = client.db('builds');
});

afterAll(async () => {
  await client.close();
  await store.remove();
});

beforeEach(() => {
  things = db.collection(freshName());
});

const ids = async (filter: Document): Promise<unknown[]> =>
  (await things.find(filter).sort({ _id: 1 }).toArray()).map(({ _id }) => _id);

describe('indexes: builds', () => {
  it('are built on what is stored, or not at all', async () => {
    await things.insertMany([
      { _id: 1, k: 1 },
      { _id: 2, k: 1 },
    ]);
    await expect(things.createIndex({ k: 1 }, { unique: true })).rejects.toMatchObject({ code: 11000 });
    expect((await things.indexes()).map(({ name }) => name)).toEqual(['_id_']);
    await things.insertOne({ _id: 3, k: 1 });
    await things.createIndex({ k: 1 });
    expect(await ids({ k: 1 })).toEqual([1, 2, 3]);
  });
});

describe('indexes: administration', () => {
  it('lists, drops and refuses as MongoDB does', async () => {
    await things.insertOne({ a: 1 });
    await things.createIndex({ a: 1 }, { name: 'first' });
    await things.createIndex({ b: -1 }, { expireAfterSeconds: 60 });
    expect(await things.indexes()).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: '_id_' }),
        expect.objectContaining({ key: { a: 1 }, name: 'first' }),
        expect.objectContaining({ expireAfterSeconds: 60 }),
      ]),
    );
    await expect(things.createIndex({ c: 1 }, { name: 'first' })).rejects.toMatchObject({ code: 86 });
    await expect(things.dropIndex('nobody')).rejects.toMatchObject({ code: 27 });
    await things.dropIndex('first');
    await things.dropIndexes();
    expect((await things.indexes()).map(({ name }) => name)).toEqual(['_id_']);
  });

  it('refuses two arrays in one compound index', async () => {
    await things.createIndex({ a: 1, b: 1 });
    await expect(things.insertOne({ a: [1], b: [2] })).rejects.toMatchObject({ code: 171 });
  });

  it('builds an index while others write', async () => {
    await things.insertMany(Array.from({ length: 3000 }, (_, i) => ({ _id: i, k: i % 10 })));
    const building = things.createIndex({ k: 1 });
    await Promise.all(Array.from({ length: 50 }, (_, i) => things.updateOne({ _id: i }, { $set: { k: 100 } })));
    await building;
    expect(await things.countDocuments({ k: 100 })).toBe(50);
    expect(await things.countDocuments({ k: { $lt: 10 } })).toBe(2950);
  });

  it('refuses a second collection of the same name', async () => {
    await db.createCollection('twice');
    await expect(db.createCollection('twice')).rejects.toMatchObject({ code: 48 });
  });
});
