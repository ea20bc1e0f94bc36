import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Collection, type Document, ObjectId } from 'mongodb';
import { freshName, useDatabase } from './test-database.ts';

type Thing = Document & { _id?: number | string | ObjectId };

const database = useDatabase();
let orders: Collection<Thing>;
let people: Collection<Thing>;

beforeEach(async () => {
  orders = database.db.collection(freshName());
  people = database.db.collection(freshName());
  await people.insertMany([
    { _id: 'ann', city: 'Rio' },
    { _id: 'bob', city: 'Oslo' },
  ]);
  await orders.insertMany([
    {
      _id: 1,
      who: 'ann',
      total: 10,
      lines: [
        { sku: 'a', qty: 1 },
        { sku: 'b', qty: 2 },
      ],
    },
    { _id: 2, who: 'bob', total: 5, lines: [{ sku: 'a', qty: 3 }] },
    { _id: 3, who: 'ann', total: 7, lines: [] },
  ]);
});

const run = (stages: Document[]): Promise<Document[]> => orders.aggregate(stages).toArray();

describe('aggregation stages', () => {
  it('filters, sorts, skips and limits', async () => {
    expect(
      await run([
        { $match: { total: { $gt: 5 } } },
        { $sort: { total: 1 } },
        { $limit: 1 },
        { $project: { total: 1 } },
      ]),
    ).toEqual([{ _id: 3, total: 7 }]);
    expect(await run([{ $sort: { _id: -1 } }, { $skip: 1 }, { $limit: 1 }, { $project: { _id: 1 } }])).toEqual([
      { _id: 2 },
    ]);
    expect(await run([{ $limit: 2 }, { $skip: 1 }, { $count: 'n' }])).toEqual([{ n: 1 }]);
  });

  it('groups', async () => {
    const groups = await run([
      { $group: { _id: '$who', sum: { $sum: '$total' }, max: { $max: '$total' }, n: { $sum: 1 } } },
      { $sort: { _id: 1 } },
    ]);
    expect(groups).toEqual([
      { _id: 'ann', sum: 17, max: 10, n: 2 },
      { _id: 'bob', sum: 5, max: 5, n: 1 },
    ]);
  });

  it('unwinds and computes', async () => {
    const skus = await run([
      { $unwind: '$lines' },
      { $group: { _id: '$lines.sku', qty: { $sum: '$lines.qty' } } },
      { $sort: { qty: -1 } },
    ]);
    expect(skus).toEqual([
      { _id: 'a', qty: 4 },
      { _id: 'b', qty: 2 },
    ]);
    expect(
      await run([
        { $match: { _id: 1 } },
        { $addFields: { double: { $multiply: ['$total', 2] } } },
        { $project: { _id: 0, double: 1 } },
      ]),
    ).toEqual([{ double: 20 }]);
  });

  it('looks up another collection by fields and by pipeline', async () => {
    const byField = await run([
      { $match: { _id: 2 } },
      { $lookup: { from: people.collectionName, localField: 'who', foreignField: '_id', as: 'person' } },
    ]);
    expect(byField[0]?.person).toEqual([{ _id: 'bob', city: 'Oslo' }]);
    const byPipeline = await run([
      { $match: { _id: 1 } },
      {
        $lookup: {
          from: people.collectionName,
          let: { name: '$who' },
          pipeline: [{ $match: { $expr: { $eq: ['$_id', '$$name'] } } }, { $project: { _id: 0, city: 1 } }],
          as: 'person',
        },
      },
    ]);
    expect(byPipeline[0]?.person).toEqual([{ city: 'Rio' }]);
  });

  it('answers several questions at once with $facet', async () => {
    const [facets] = await run([
      {
        $facet: {
          count: [{ $count: 'n' }],
          top: [{ $sort: { total: -1 } }, { $limit: 1 }, { $project: { total: 1 } }],
        },
      },
    ]);
    expect(facets).toEqual({ count: [{ n: 3 }], top: [{ _id: 1, total: 10 }] });
  });

  it('groups by ObjectId and by date', async () => {
    const id = new ObjectId();
    await orders.insertMany([
      { ref: id, at: new Date(5) },
      { ref: id, at: new Date(5) },
    ]);
    expect(
      await run([{ $match: { ref: id } }, { $group: { _id: { ref: '$ref', at: '$at' }, n: { $sum: 1 } } }]),
    ).toEqual([{ _id: { ref: id, at: new Date(5) }, n: 2 }]);
  });
});

describe('aggregation: $out and $merge', () => {
  it('writes with $merge and $out', async () => {
    const target = freshName();
    const merged = run([{ $group: { _id: '$who', sum: { $sum: '$total' } } }, { $merge: { into: target } }]);
    if (database.differs('runs every aggregate in a transaction, where neither is allowed'))
      return expect(merged).rejects.toThrow('$merge');
    await merged;
    expect(await database.db.collection<Thing>(target).findOne({ _id: 'ann' })).toEqual({ _id: 'ann', sum: 17 });
    await run([{ $match: { _id: 2 } }, { $project: { who: 1 } }, { $out: target }]);
    expect(await database.db.collection(target).find().toArray()).toEqual([{ _id: 2, who: 'bob' }]);
  });
});

describe('cursors', () => {
  it('goes on through batches', async () => {
    await orders.insertMany(Array.from({ length: 300 }, (_, i) => ({ batch: i })));
    const found = await orders
      .aggregate([{ $match: { batch: { $gte: 0 } } }, { $addFields: { twice: { $multiply: ['$batch', 2] } } }], {
        batchSize: 50,
      })
      .toArray();
    expect(found).toHaveLength(300);
  });

  it('send no batch that is larger than a message', async () => {
    const rows = database.db.collection<{ _id: number }>(freshName());
    for (let _id = 0; _id < 5; _id++) await rows.insertOne({ _id, text: 'x'.repeat(15_000_000) } as { _id: number });
    for (const found of [rows.find(), rows.aggregate<{ _id: number }>([{ $match: {} }, { $addFields: { more: 1 } }])])
      expect((await found.toArray()).map(({ _id }) => _id)).toEqual([0, 1, 2, 3, 4]);
  });

  it('are closed early without harm, and unknown ones are refused', async () => {
    await orders.insertMany(Array.from({ length: 300 }, (_, i) => ({ i })));
    const cursor = orders.find({}, { batchSize: 10 });
    expect(await cursor.next()).not.toBeNull();
    await cursor.close();
    await expect(
      database.db.command({ getMore: 12345n as never, collection: orders.collectionName }),
    ).rejects.toMatchObject({ code: 43 });
  });
});
