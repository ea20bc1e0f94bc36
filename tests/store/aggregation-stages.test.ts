import { beforeAll, describe, expect, it } from '@jest/globals';
import { type Collection, Decimal128, type Document, Double, Long } from 'mongodb';
import { freshName, useDatabase } from './test-database.ts';

type Thing = Document & { _id?: number | string };

const database = useDatabase();
let things: Collection<Thing>;
let people: Collection<Thing>;

beforeAll(async () => {
  things = database.db.collection(freshName());
  people = database.db.collection(freshName());
  await people.insertMany([
    { _id: 'ann', city: 'Rio', boss: 'bob' },
    { _id: 'bob', city: 'Oslo', boss: 'cat' },
    { _id: 'cat', city: 'Rio' },
    { _id: 'dan', city: 'Rio', boss: ['ann', 'cat'] },
  ]);
  await things.insertMany([
    { _id: 1, k: 'a', n: 1, at: new Date('2024-01-01'), tags: ['x', 'y'], o: { q: 1, l: [{ z: 1 }, { z: 2 }, 3] } },
    { _id: 2, k: 'b', n: 2.5, at: new Date('2024-01-03'), tags: [], o: { q: 2 } },
    { _id: 3, k: 'a', n: null, at: new Date('2024-01-07'), tags: null, o: 5 },
    { _id: 4, k: 'b', n: 4, at: new Date('2024-01-08'), tags: 'solo' },
  ]);
});

const run = (...stages: Document[]): Promise<Document[]> => things.aggregate(stages).toArray();
const inOrder = { $sort: { _id: 1 } };

describe('aggregation: stages that shape documents', () => {
  it('sets fields within documents and arrays, and removes them', async () => {
    const set = { $set: { 'o.new': '$n', k: '$$REMOVE', 'o.l.z': { $add: ['$_id', 10] } } };
    const found = await run(inOrder, set, { $project: { k: 1, o: 1 } });
    expect(found.slice(0, 3)).toEqual([
      { _id: 1, o: { q: 1, l: [{ z: 11 }, { z: 11 }, { z: 11 }], new: 1 } },
      { _id: 2, o: { q: 2, new: 2.5, l: { z: 12 } } },
      { _id: 3, o: { new: null, l: { z: 13 } } },
    ]);
    await expect(run({ $addFields: { a: 1, 'a.b': 2 } })).rejects.toThrow();
  });

  it('computes fields of a projection', async () => {
    expect(
      await run(inOrder, { $limit: 1 }, { $project: { 'o.q': 1, 'o.sum': { $sum: '$o.l.z' }, x: ['$n', '$no'] } }),
    ).toEqual([{ _id: 1, o: { q: 1, sum: 3 }, x: [1, null] }]);
    expect(await run(inOrder, { $limit: 1 }, { $unset: ['k', 'n', 'at', 'tags', 'o.l.z'] })).toEqual([
      { _id: 1, o: { q: 1, l: [{}, {}, 3] } },
    ]);
  });

  it('unwinds arrays with their positions, and keeps what has none', async () => {
    const path = { path: '$tags', includeArrayIndex: 'i', preserveNullAndEmptyArrays: true };
    expect(await run(inOrder, { $unwind: path }, { $project: { tags: 1, i: 1 } })).toEqual([
      { _id: 1, tags: 'x', i: 0 },
      { _id: 1, tags: 'y', i: 1 },
      { _id: 2, i: null },
      { _id: 3, tags: null, i: null },
      { _id: 4, tags: 'solo', i: null },
    ]);
    expect(await run({ $unwind: '$tags' }, { $count: 'n' })).toEqual([{ n: 3 }]);
  });
});

describe('aggregation: stages that group', () => {
  it('has accumulators of first, last, least and most', async () => {
    const [found] = await run(inOrder, {
      $group: {
        _id: null,
        first: { $first: '$no' },
        least: { $min: '$n' },
        most: { $max: '$n' },
        pushed: { $push: '$no' },
        count: { $count: {} },
        merged: { $mergeObjects: { $cond: [{ $eq: ['$k', 'b'] }, { last: '$_id' }, null] } },
      },
    });
    expect(found).toEqual({
      _id: null,
      first: null,
      least: 1,
      most: 4,
      pushed: [],
      count: 4,
      merged: { last: 4 },
    });
  });

  it('counts the values of a field', async () => {
    expect(await run({ $sortByCount: '$k' }, { $sort: { _id: 1 } })).toEqual([
      { _id: 'a', count: 2 },
      { _id: 'b', count: 2 },
    ]);
  });

  it('sorts groups in the order of their types', async () => {
    const mixed = database.db.collection(freshName());
    const values = ['a', null, 5, new Date(1), { a: 1 }, [[1]], true, Decimal128.fromString('4.5')];
    await mixed.insertMany(values.map((v) => ({ v })));
    const found = await mixed
      .aggregate([{ $unwind: { path: '$v', preserveNullAndEmptyArrays: true } }, { $group: { _id: '$v' } }, inOrder])
      .toArray();
    expect(found.map(({ _id }) => (_id instanceof Decimal128 ? Number(_id) : _id))).toEqual([
      null,
      [1],
      4.5,
      5,
      'a',
      { a: 1 },
      true,
      new Date(1),
    ]);
  });
});

describe('aggregation: stages over other collections', () => {
  it('looks up by fields and by a pipeline at once, with variables', async () => {
    const stage = {
      from: people.collectionName,
      localField: 'k',
      foreignField: 'letter',
      let: { n: '$n' },
      pipeline: [{ $match: { city: 'Oslo' } }, { $project: { _id: 1, n: '$$n' } }],
      as: 'found',
    };
    await people.updateOne({ _id: 'bob' }, { $set: { letter: 'b' } });
    const found = await run(inOrder, { $lookup: stage }, { $project: { found: 1 } });
    expect(found.map((each) => each.found)).toEqual([[], [{ _id: 'bob', n: 2.5 }], [], [{ _id: 'bob', n: 4 }]]);
  });

  it.each([
    ['nothing', {}, ['none', 'null']],
    ['null', { v: null }, ['none', 'null']],
    ['an empty array', { v: [] }, ['none', 'null']],
    ['arrays that are empty or have no such field', { v: [{ w: [] }, { x: 1 }] }, ['none', 'null'], 'v.w'],
    ['an array that has such a field in one place', { v: [{ x: 1 }, { w: 1 }] }, ['one'], 'v.w'],
    ['an array with null', { v: [null, 1] }, ['none', 'null', 'one']],
    ['an array in an array', { v: [[]] }, ['empty']],
  ])('looks up %s', async (_, local, ids, localField = 'v') => {
    const others = database.db.collection<Thing>(freshName());
    await others.insertMany([{ _id: 'null', f: null }, { _id: 'none' }, { _id: 'one', f: 1 }, { _id: 'empty', f: [] }]);
    const lookup = { from: others.collectionName, localField, foreignField: 'f', as: 'found' };
    const [found] = await run({ $limit: 1 }, { $replaceWith: { $literal: local } }, { $lookup: lookup });
    expect(found?.found.map(({ _id }: Document) => _id).sort()).toEqual(ids);
  });

  it('looks up a regular expression as a value, not as a search', async () => {
    await people.updateOne({ _id: 'bob' }, { $set: { letter: 'bc' } });
    const lookup = { from: people.collectionName, localField: 'k', foreignField: 'letter', as: 'found' };
    const found = await run({ $match: { _id: 1 } }, { $set: { k: [/b/, 'x'] } }, { $lookup: lookup });
    const isSearch = database.differs('looks up what a regular expression in an array matches');
    expect(found).toMatchObject([{ found: isSearch ? [{ _id: 'bob' }] : [] }]);
  });

  it('appends another collection', async () => {
    const stage = { coll: people.collectionName, pipeline: [inOrder, { $project: { city: 1 } }, { $limit: 1 }] };
    expect(await run({ $match: { _id: 1 } }, { $project: { k: 1 } }, { $unionWith: stage })).toEqual([
      { _id: 1, k: 'a' },
      { _id: 'ann', city: 'Rio' },
    ]);
  });

  it('reads documents that are given', async () => {
    const documents = [{ a: new Double(1) }, { a: Long.fromNumber(2) }];
    expect(
      await database.db.aggregate([{ $documents: documents }, { $project: { a: { $add: ['$a', 1] } } }]).toArray(),
    ).toEqual([{ a: 2 }, { a: 3 }]);
  });

  it('takes samples', async () => {
    expect(await run({ $sample: { size: 2 } })).toHaveLength(2);
    expect(new Set((await run({ $sample: { size: 9 } })).map(({ _id }) => _id)).size).toBe(4);
  });
});

describe('aggregation: expressions elsewhere', () => {
  it('filter documents', async () => {
    const ids = async (expression: Document): Promise<unknown[]> =>
      (
        await things
          .find({ $expr: expression } as Document)
          .sort({ _id: 1 })
          .toArray()
      ).map(({ _id }) => _id);
    expect(await ids({ $eq: ['$n', Decimal128.fromString('2.5')] })).toEqual([2]);
    expect(await ids({ $gt: ['$n', 'text'] })).toEqual([]);
    expect(await ids({ $lt: ['$n', 1] })).toEqual([3]);
    expect(await ids({ $eq: ['$o.l.z', [1, 2]] })).toEqual([1]);
  });

  it('update documents and keep types', async () => {
    const typed = database.db.collection(freshName());
    await typed.insertOne({ double: new Double(2), long: Long.fromNumber(3), decimal: Decimal128.fromString('1.10') });
    await typed.updateOne({}, [
      { $set: { double: { $add: ['$double', 1] }, long: { $multiply: ['$long', 2] }, sum: { $sum: ['$decimal', 1] } } },
      { $set: { moved: '$double', now: { $type: '$$NOW' } } },
    ]);
    const found = await typed.findOne({}, { promoteValues: false, projection: { _id: 0 } });
    expect(found).toEqual({
      double: new Double(3),
      long: Long.fromNumber(6),
      decimal: Decimal128.fromString('1.10'),
      sum: Decimal128.fromString('2.10'),
      moved: new Double(3),
      now: 'date',
    });
  });
});
