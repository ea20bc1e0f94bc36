// What a client cannot do to the store. DocumentDB has other limits.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { Binary, type Collection, type Document } from 'mongodb';
import { freshName, useDatabase } from './test-database.ts';

const database = useDatabase();
let things: Collection<Document & { _id?: number }>;

beforeEach(async () => {
  things = database.db.collection(freshName());
  await things.insertOne({ _id: 1, a: 1, bytes: new Binary(Buffer.from([5])) });
});

const computed = (expression: Document): Promise<Document[]> =>
  things.aggregate([{ $project: { value: expression } }]).toArray();

const growing = (initialValue: unknown, step: Document): Promise<Document[]> =>
  computed({ $size: { $split: [{ $reduce: { input: { $range: [0, 40] }, initialValue, in: step } }, ','] } });

describe('limits: memory and time', () => {
  it('keep values of expressions below 64 MB', async () => {
    await expect(computed({ $size: { $range: [0, 2_000_000_000] } })).rejects.toMatchObject({ code: 146 });
    const twice = ['$$value', '$$value'];
    await expect(growing('12345678', { $concat: twice })).rejects.toMatchObject({ code: 13548 });
    await expect(growing(['x'.repeat(100_000)], { $concatArrays: twice })).rejects.toMatchObject({ code: 13548 });
  });

  it('end commands at maxTimeMS, also when all that they read matches', async () => {
    await things.insertMany(Array.from({ length: 20_000 }, (_, n) => ({ n })));
    const expired = { code: 50, codeName: 'MaxTimeMSExpired' };
    await expect(things.find().sort({ n: -1 }).limit(1).maxTimeMS(5).toArray()).rejects.toMatchObject(expired);
    await expect(things.distinct('n', {}, { maxTimeMS: 5 })).rejects.toMatchObject(expired);
  });

  it('keep paths to 200 names', async () => {
    const long = 'a.'.repeat(1_000_000);
    await expect(things.findOne({ [`${long}a`]: 1 })).rejects.toMatchObject({ code: 15 });
    await expect(things.find().sort(`${long}a`).toArray()).rejects.toMatchObject({ code: 15 });
    await expect(things.updateOne({}, { $set: { [`${long}a`]: 1 } })).rejects.toMatchObject({ code: 15 });
  });

  it('keep updates, renames and pipelines from nesting deeper and deeper', async () => {
    const deep = Array.from({ length: 150 }, () => 'a').join('.');
    await things.updateOne({}, { $rename: { a: `x.${deep}` } });
    await things.updateOne({}, { $rename: { x: 'a' } });
    const deeper = [
      () => things.updateOne({}, { $rename: { a: `x.${deep}` } }),
      () => things.updateOne({}, [{ $set: { [deep]: '$$ROOT' } }]),
      () => things.aggregate([{ $project: { [deep]: '$$ROOT' } }, { $out: freshName() }]).toArray(),
    ];
    for (const write of deeper) await expect(write()).rejects.toMatchObject({ code: 15 });
  });

  it('keep an update from filling arrays up', async () => {
    const names = Array.from({ length: 8 }, (_, i) => `f${i}`);
    await things.updateOne({}, { $set: Object.fromEntries(names.map((name) => [name, []])) });
    const far = Object.fromEntries(names.map((name) => [`${name}.1400000`, 1]));
    await expect(things.updateOne({}, { $set: far })).rejects.toMatchObject({ code: 13548 });
  });

  it('read a pattern with comments soon', async () => {
    const pattern = { $regex: '[\\'.repeat(30_000), $options: 'x' };
    await expect(things.findOne({ a: pattern })).rejects.toMatchObject({ code: 51091 });
  });

  it('index a long array, and change a document that has one', async () => {
    await things.createIndex({ list: 1 });
    await things.updateOne({}, { $set: { list: Array.from({ length: 150_000 }, (_, i) => i) } });
    await things.updateOne({}, { $push: { list: -1 }, $set: { b: 1 } } as Document);
    expect(await things.countDocuments({ list: { $in: [-1, 149_999] } })).toBe(1);
    await things.updateOne({ list: 149_998 }, { $set: { 'list.$': -2 } });
    expect(await things.findOne({ list: -2 }, { projection: { 'list.$': 1 } })).toEqual({ _id: 1, list: [-2] });
  });

  it('answer a long bit mask soon', async () => {
    const mask = new Binary(Buffer.alloc(500_000, 255));
    expect(await things.findOne({ bytes: { $bitsAllSet: mask } })).toBeNull();
    expect(await things.findOne({ bytes: { $bitsAnySet: mask, $bitsAllClear: [1, 3, 4_000_000] } })).toMatchObject({
      a: 1,
    });
  });

  it('end a view that reads itself', async () => {
    const [view, joined] = [freshName(), freshName()];
    const pipeline = [{ $unionWith: view }];
    await database.db.createCollection(view, { viewOn: things.collectionName, pipeline });
    await expect(database.db.collection(view).find().toArray()).rejects.toMatchObject({ code: 232 });
    const lookup = [{ $lookup: { from: joined, pipeline: [], as: 'all' } }];
    await database.db.createCollection(joined, { viewOn: things.collectionName, pipeline: lookup });
    await expect(database.db.collection(joined).find().toArray()).rejects.toMatchObject({ code: 232 });
  });

  it('keep a collection to 64 indexes', async () => {
    const keys = Array.from({ length: 64 }, (_, i) => ({ key: { [`f${i}`]: 1 } }));
    await expect(things.createIndexes(keys)).rejects.toMatchObject({ code: 67 });
    expect(await things.indexes()).toHaveLength(64);
  });
});

describe('limits: names that objects of JavaScript have', () => {
  const names = ['constructor', 'toString', '__proto__', 'valueOf', 'hasOwnProperty'];
  const named = (name: string, value: unknown): Document => Object.fromEntries([[name, value]]);

  it('are no stages, accumulators or options', async () => {
    for (const name of names) {
      const stage = { pipeline: [{ $match: {} }, new Map([[name, 1]])], cursor: {} };
      await expect(database.db.command({ aggregate: things.collectionName, ...stage })).rejects.toMatchObject({
        code: 40324,
      });
      const group = { _id: null, n: new Map([[name, 1]]) };
      await expect(things.aggregate([{ $group: group }]).toArray()).rejects.toMatchObject({ code: 40234 });
      const collation = new Map<string, unknown>([
        ['locale', 'en'],
        [name, 1],
      ]);
      await expect(database.db.command({ find: things.collectionName, collation })).rejects.toMatchObject({
        code: 40415,
      });
    }
  });

  it('are fields as others are', async () => {
    for (const name of names) {
      await things.updateOne({ _id: 1 }, { $set: named(`${name}.x`, 1) });
      expect(await things.countDocuments(named(`${name}.x`, 1))).toBe(1);
      await things.createIndex(named(name, 1));
      expect(await things.countDocuments(named(name, new Map([['x', 1]])))).toBe(1);
    }
    expect(({} as Document).x).toBeUndefined();
  });
});
