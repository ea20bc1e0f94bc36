// The other server runs every aggregate in a transaction, where $out and $merge are not allowed; time, memory and what is
// refused are ours.
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Collection, type Document, Double } from 'mongodb';
import { freshName, useDatabase } from './test-database.ts';

type Thing = Document & { _id?: number | string };

const database = useDatabase();
let source: Collection<Thing>;
let target: Collection<Thing>;

beforeEach(async () => {
  source = database.db.collection(freshName());
  target = database.db.collection(freshName());
  await source.insertMany([
    { _id: 1, key: 'a', n: 1, double: new Double(1) },
    { _id: 2, key: 'b', n: 2 },
  ]);
  await target.insertMany([
    { _id: 1, key: 'a', kept: true, n: 10 },
    { _id: 3, key: 'c' },
  ]);
});

const merge = async (options: Document = {}, before: Document[] = []): Promise<Document[]> => {
  await source.aggregate([...before, { $merge: { into: target.collectionName, ...options } }]).toArray();
  return target
    .find({}, { promoteValues: false })
    .sort({ _id: 1 })
    .toArray()
    .then((found) => found.map(plain));
};

/** Doubles are shown as such. */
const plain = (document: Document): Document =>
  Object.fromEntries(
    Object.entries(document).map(([name, value]) => [
      name,
      value instanceof Double ? `double ${value}` : typeof value === 'object' && value ? Number(value) : value,
    ]),
  );

describe('aggregation: $out and $merge', () => {
  it('merges, replaces, keeps and inserts', async () => {
    const inserted = { _id: 2, key: 'b', n: 2 };
    const other = { _id: 3, key: 'c' };
    expect(await merge()).toEqual([{ _id: 1, key: 'a', kept: true, n: 1, double: 'double 1' }, inserted, other]);
    await target.updateOne({ _id: 1 }, { $set: { kept: 1 } });
    expect((await merge({ whenMatched: 'keepExisting' }))[0]).toMatchObject({ kept: 1 });
    expect((await merge({ whenMatched: 'replace' }))[0]).toEqual({ _id: 1, key: 'a', n: 1, double: 'double 1' });
  });

  it('runs a pipeline over what is there, with what is new', async () => {
    const stages = [{ $set: { n: { $add: ['$n', '$$new.n'] } } }];
    expect((await merge({ whenMatched: stages, whenNotMatched: 'discard' })).map(({ n }) => n)).toEqual([
      11,
      undefined,
    ]);
    const withLet = { let: { by: '$n' }, whenMatched: [{ $set: { n: { $multiply: ['$n', '$$by', 2] } } }] };
    expect((await merge(withLet))[0]).toMatchObject({ n: 22 });
  });

  it('fails when it is told to', async () => {
    await expect(merge({ whenMatched: 'fail' })).rejects.toMatchObject({ code: 11000 });
    await expect(merge({ whenNotMatched: 'fail' })).rejects.toMatchObject({ code: 13113 });
    await expect(merge({ whenMatched: 'nothing' })).rejects.toMatchObject({ code: 2 });
    await expect(merge({ other: 1 })).rejects.toMatchObject({ code: 40415 });
  });

  it('finds documents by fields of a unique index alone', async () => {
    const byKey = { on: 'key', whenMatched: 'merge' };
    const withoutId = [{ $unset: '_id' }];
    await expect(merge(byKey, withoutId)).rejects.toMatchObject({ code: 51183 });
    await target.createIndex({ key: 1 }, { unique: true });
    expect((await merge(byKey, withoutId)).map(({ key, n }) => [key, n])).toEqual(
      [
        ['a', 1],
        ['c', undefined],
        ['b', 2],
      ].toSorted(([a], [b]) => (a === 'b' ? 1 : b === 'b' ? -1 : 0)),
    );
    await expect(merge(byKey, [{ $unset: ['_id', 'key'] }])).rejects.toMatchObject({ code: 51132 });
    await expect(merge(byKey, [{ $set: { _id: 9 } }])).rejects.toMatchObject({ code: 66 });
  });

  it('replaces a collection as a whole, and keeps its indexes', async () => {
    await target.createIndex({ key: 1 }, { unique: true });
    await source.aggregate([{ $match: { _id: 2 } }, { $out: target.collectionName }]).toArray();
    expect(await target.find().toArray()).toEqual([{ _id: 2, key: 'b', n: 2 }]);
    expect((await target.indexes()).map(({ name }) => name)).toEqual(['_id_', 'key_1']);
    const twice = [{ $set: { key: 'same' } }, { $out: target.collectionName }];
    await expect(source.aggregate(twice).toArray()).rejects.toMatchObject({ code: 11000 });
    expect(await target.countDocuments()).toBe(1);
  });
});

describe('aggregation: what is not there', () => {
  it.each([
    ...['$setWindowFields', '$fill', '$densify', '$geoNear', '$nope'],
    ...['$graphLookup', '$bucket', '$bucketAuto', '$redact'],
  ])('refuses %s', async (stage) => {
    await expect(source.aggregate([{ [stage]: {} }]).toArray()).rejects.toMatchObject({ code: 40324 });
  });

  it.each(['$topN', '$stdDevPop', '$median'])('refuses the accumulator %s', async (name) => {
    const stage = { $group: { _id: null, v: { [name]: '$n' } } };
    await expect(source.aggregate([stage]).toArray()).rejects.toMatchObject({ code: 15952 });
  });

  it.each([
    ...['$median', '$tsSecond', '$function', '$dateFromParts', '$dateToParts', '$dateFromString'],
    ...['$sin', '$log', '$bitAnd', '$stdDevPop', '$maxN', '$zip', '$sortArray', '$indexOfArray', '$indexOfCP'],
  ])('refuses %s', async (name) => {
    await expect(source.aggregate([{ $project: { v: { [name]: '$n' } } }]).toArray()).rejects.toMatchObject({
      code: 168,
    });
  });
});

describe('aggregation: time and memory', () => {
  const many = (count: number): Document[] => [
    { $documents: [{ i: { $range: [0, count] } }] },
    { $unwind: '$i' },
    { $group: { _id: { $mod: ['$i', 1000] }, n: { $sum: 1 } } },
  ];
  let large: Collection;

  beforeAll(async () => {
    large = database.db.collection(freshName());
    for (let i = 0; i < 110; i++) await large.insertOne({ text: 'x'.repeat(1_000_000) });
  });

  it('lets other commands run', async () => {
    let isDone = false;
    let answers = 0;
    const groups = database.db
      .aggregate(many(100_000))
      .toArray()
      .finally(() => {
        isDone = true;
      });
    while (!isDone) {
      await database.db.command({ ping: 1 });
      answers++;
    }
    expect(await groups).toHaveLength(1000);
    expect(answers).toBeGreaterThan(5);
  });

  it('ends at maxTimeMS', async () => {
    await expect(database.db.aggregate(many(2_000_000), { maxTimeMS: 100 }).toArray()).rejects.toMatchObject({
      code: 50,
    });
  });

  it('refuses what does not fit into 100 MB', async () => {
    for (const stages of [
      [{ $group: { _id: null, all: { $push: '$text' } } }],
      [{ $sort: { text: 1 } }],
      [{ $facet: { all: [] } }],
    ])
      await expect(large.aggregate(stages).toArray()).rejects.toMatchObject({ code: 292 });
    const nearly = [{ $limit: 20 }, { $group: { _id: null, all: { $push: '$text' } } }];
    await expect(large.aggregate(nearly).toArray()).rejects.toMatchObject({ code: 10334 });
    expect(await large.aggregate([...nearly, { $project: { n: { $size: '$all' } } }]).toArray()).toEqual([
      { _id: null, n: 20 },
    ]);
    expect(
      await large
        .aggregate([{ $sort: { _id: -1 } }, { $limit: 2 }, { $project: { _id: 0, n: { $strLenCP: '$text' } } }])
        .toArray(),
    ).toEqual([{ n: 1_000_000 }, { n: 1_000_000 }]);
  });
});
