import { beforeAll, describe, expect, test } from '@jest/globals';
import { freshName, useDatabase } from './test-database.ts';

interface Thing {
  _id: number;
  n: number;
  kind: string;
}

const database = useDatabase();

describe('views', () => {
  const base = freshName();
  const view = freshName();

  beforeAll(async () => {
    const { db } = database;
    await db.collection<Thing>(base).insertMany([1, 2, 3, 4].map((n) => ({ _id: n, n, kind: n % 2 ? 'odd' : 'even' })));
    await db.createCollection(view, { viewOn: base, pipeline: [{ $match: { n: { $gt: 1 } } }] });
  });

  test('is read like a collection', async () => {
    const found = database.db.collection(view);
    expect(await found.find({ kind: 'even' }, { sort: { n: -1 }, projection: { _id: 0, n: 1 } }).toArray()).toEqual([
      { n: 4 },
      { n: 2 },
    ]);
    expect(await found.find().sort({ n: 1 }).skip(1).limit(1).toArray()).toMatchObject([{ n: 3 }]);
    expect(await found.findOne({ n: 1 })).toBeNull();
    expect(await found.countDocuments()).toBe(3);
    expect(await found.estimatedDocumentCount()).toBe(3);
    expect((await found.distinct('kind')).sort()).toEqual(['even', 'odd']);
    expect(
      await found.aggregate([{ $group: { _id: '$kind', n: { $sum: '$n' } } }, { $sort: { _id: 1 } }]).toArray(),
    ).toEqual([
      { _id: 'even', n: 6 },
      { _id: 'odd', n: 3 },
    ]);
  });

  test('lies on another view, and is joined', async () => {
    const upper = freshName();
    await database.db.createCollection(upper, { viewOn: view, pipeline: [{ $match: { kind: 'even' } }] });
    expect(await database.db.collection(upper).countDocuments()).toBe(2);
    const joined = await database.db
      .collection<Thing>(base)
      .aggregate([
        { $match: { _id: 1 } },
        { $lookup: { from: upper, pipeline: [], as: 'all' } },
        { $project: { count: { $size: '$all' } } },
      ])
      .toArray();
    expect(joined).toEqual([{ _id: 1, count: 2 }]);
  });

  test('is listed as a view, and refuses writes', async () => {
    expect(await database.db.listCollections({ name: view }).toArray()).toMatchObject([
      { name: view, type: 'view', options: { viewOn: base, pipeline: [{ $match: { n: { $gt: 1 } } }] } },
    ]);
    const refused = { code: database.differs('refuses writes to a view with code 8000') ? 8000 : 166 };
    await expect(database.db.collection(view).insertOne({ n: 9 })).rejects.toMatchObject(refused);
    await expect(database.db.collection(view).updateOne({ n: 2 }, { $set: { n: 9 } })).rejects.toMatchObject(refused);
    await expect(database.db.collection(view).deleteOne({ n: 2 })).rejects.toMatchObject(refused);
    await expect(database.db.collection(view).createIndex({ n: 1 })).rejects.toMatchObject(refused);
  });

  test('is not where a pipeline writes', async () => {
    const isOther = database.differs('refuses `$out` and `$merge` into a view with other codes');
    const code = isOther ? expect.any(Number) : 166;
    for (const stage of [{ $out: view }, { $merge: view }])
      await expect(database.db.collection(base).aggregate([stage]).toArray()).rejects.toMatchObject({ code });
    expect(await database.db.collection(view).countDocuments()).toBe(3);
  });

  test('changes with collMod and goes with drop', async () => {
    const name = freshName();
    await database.db.createCollection(name, { viewOn: base, pipeline: [] });
    await database.db.command({ collMod: name, viewOn: base, pipeline: [{ $match: { n: 4 } }] });
    expect(await database.db.collection(name).countDocuments()).toBe(1);
    await database.db.dropCollection(name);
    expect(await database.db.listCollections({ name }).toArray()).toEqual([]);
    expect(await database.db.collection(base).countDocuments()).toBe(4);
  });
});
