import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Collection, type Document, MinKey, MongoBulkWriteError, MongoServerError, ObjectId } from 'mongodb';
import { duplicateOf, freshName, useDatabase } from './test-database.ts';

type Thing = Document & { _id?: number | string | ObjectId };

const database = useDatabase();
let things: Collection<Thing>;

beforeEach(() => {
  things = database.db.collection(freshName());
});

const numbered = (count: number): Thing[] =>
  Array.from({ length: count }, (_, i) => ({ _id: i, n: i, even: i % 2 === 0 }));

describe('insert', () => {
  it('stores a document that is found by its id and by its fields', async () => {
    const { insertedId } = await things.insertOne({ name: 'lamp', tags: ['a', 'b'], size: { h: 1 } });
    expect(await things.findOne({ _id: insertedId })).toEqual({
      _id: insertedId,
      name: 'lamp',
      tags: ['a', 'b'],
      size: { h: 1 },
    });
    expect(await things.findOne({ 'size.h': 1, tags: 'b' })).toMatchObject({ name: 'lamp' });
  });

  it('refuses a second document with the same id, with key pattern and value', async () => {
    const _id = new ObjectId();
    await things.insertOne({ _id });
    const isBare = database.differs('sends a duplicate key error without the key');
    await expect(things.insertOne({ _id })).rejects.toMatchObject(duplicateOf({ _id }, isBare));
  });

  it('stops an ordered bulk at the first error, and finishes an unordered one', async () => {
    await things.insertOne({ _id: 2 });
    const ordered = await things.insertMany([{ _id: 1 }, { _id: 2 }, { _id: 3 }]).catch((error) => error);
    expect(ordered).toBeInstanceOf(MongoBulkWriteError);
    expect(ordered.insertedCount).toBe(1);
    const unordered = await things
      .insertMany([{ _id: 4 }, { _id: 2 }, { _id: 5 }], { ordered: false })
      .catch((error) => error);
    expect(unordered.writeErrors[0].index).toBe(1);
    expect((await things.find().sort({ _id: 1 }).toArray()).map(({ _id }) => _id)).toEqual([1, 2, 4, 5]);
  });

  it('inserts thousands of documents in one call', async () => {
    const { insertedCount } = await things.insertMany(Array.from({ length: 5000 }, (_, i) => ({ i })));
    expect(insertedCount).toBe(5000);
    expect(await things.countDocuments()).toBe(5000);
  });
});

describe('sort, skip, limit', () => {
  it('sorts, skips, limits and projects', async () => {
    await things.insertMany(numbered(30));
    const page = await things
      .find({ even: true }, { projection: { n: 1, _id: 0 } })
      .sort({ n: -1 })
      .skip(2)
      .limit(3)
      .toArray();
    expect(page).toEqual([{ n: 24 }, { n: 22 }, { n: 20 }]);
  });
});

describe('cursors', () => {
  it('gives everything through small batches', async () => {
    await things.insertMany(numbered(25));
    const found = await things.find({}, { batchSize: 4 }).sort({ _id: 1 }).toArray();
    expect(found.map(({ n }) => n)).toEqual(Array.from({ length: 25 }, (_, i) => i));
  });
});

describe('find: filters', () => {
  it('tells null from missing as MongoDB does', async () => {
    await things.insertMany([{ _id: 1, a: null }, { _id: 2 }, { _id: 3, a: 1 }]);
    const ids = async (filter: Document): Promise<unknown[]> =>
      (await things.find(filter).sort({ _id: 1 }).toArray()).map(({ _id }) => _id);
    expect(await ids({ a: null })).toEqual([1, 2]);
    expect(await ids({ a: { $exists: true } })).toEqual([1, 3]);
    expect(await ids({ a: { $type: 'null' } })).toEqual([1]);
    expect(await ids({ a: { $ne: null } })).toEqual([3]);
  });

  it.each<[string, Document, number[]]>([
    ['$in', { n: { $in: [1, 3, 99] } }, [1, 3]],
    ['$nin', { n: { $nin: [0, 1, 2, 3] } }, [4, 5]],
    ['a range', { n: { $gt: 1, $lte: 3 } }, [2, 3]],
    ['$or', { $or: [{ n: 0 }, { n: { $gte: 5 } }] }, [0, 5]],
    ['$and and $nor', { $and: [{ even: true }], $nor: [{ n: 0 }] }, [2, 4]],
    ['$not', { n: { $not: { $gt: 1 } } }, [0, 1]],
    ['$mod', { n: { $mod: [3, 1] } }, [1, 4]],
    ['$expr', { $expr: { $eq: ['$n', { $add: ['$_id', 0] }] }, n: 4 }, [4]],
  ])('understands %s', async (_, filter, expected) => {
    await things.insertMany(numbered(6));
    expect((await things.find(filter).sort({ _id: 1 }).toArray()).map(({ n }) => n)).toEqual(expected);
  });

  it('searches inside arrays', async () => {
    await things.insertMany([
      {
        _id: 1,
        lines: [
          { sku: 'a', qty: 1 },
          { sku: 'b', qty: 5 },
        ],
        scores: [1, 9],
      },
      { _id: 2, lines: [{ sku: 'a', qty: 5 }], scores: [4, 5] },
    ]);
    const ids = async (filter: Document): Promise<unknown[]> =>
      (await things.find(filter).sort({ _id: 1 }).toArray()).map(({ _id }) => _id);
    expect(await ids({ 'lines.sku': 'a', 'lines.qty': 5 })).toEqual([1, 2]);
    expect(await ids({ lines: { $elemMatch: { sku: 'a', qty: 5 } } })).toEqual([2]);
    expect(await ids({ scores: { $gt: 2, $lt: 6 } })).toEqual([1, 2]);
    expect(await ids({ scores: { $elemMatch: { $gt: 2, $lt: 6 } } })).toEqual([2]);
    expect(await ids({ scores: { $size: 2 } })).toEqual([1, 2]);
    expect(await ids({ scores: [4, 5] })).toEqual([2]);
    expect(await ids({ scores: { $all: [9, 1] } })).toEqual([1]);
    expect(await ids({ 'lines.1.qty': 5 })).toEqual([1]);
  });

  it('searches text by regular expressions', async () => {
    await things.insertMany([
      { _id: 1, t: 'Apple pie' },
      { _id: 2, t: 'apple' },
      { _id: 3, t: 'pear' },
    ]);
    expect(await things.countDocuments({ t: /^apple/i })).toBe(2);
    expect(await things.countDocuments({ t: { $regex: '^ap', $options: '' } })).toBe(1);
  });

  it('has every value, and a missing one, between MinKey and MaxKey', async () => {
    await things.insertMany([{ _id: 1, a: 1 }, { _id: 2 }, { _id: 3, a: new MinKey() }]);
    const ids = async (filter: Document): Promise<unknown[]> =>
      (await things.find(filter).sort({ _id: 1 }).toArray()).map(({ _id }) => _id);
    const leavesOut = database.differs('leaves missing fields out between MinKey and MaxKey');
    expect(await ids({ a: { $lt: new MinKey() } })).toEqual([]);
    expect(await ids({ a: { $gte: new MinKey() } })).toEqual(leavesOut ? [1, 3] : [1, 2, 3]);
  });
});

describe('find: refusals', () => {
  const hasOwnCodes = (): boolean => database.differs('refuses some filters and sorts with other codes');

  it.each<[string, Document, number, number?]>([
    ['an unknown operator', { a: { $foo: 1 } }, 2],
    ['$in of one', { a: { $in: 1 } }, 2],
    ['$not of nothing', { a: { $not: {} } }, 2],
    ['$ne of a regular expression', { a: { $ne: /x/ } }, 2],
    ['$gt of a regular expression', { a: { $gt: /x/ } }, 2],
    ['an unknown flag of a regular expression', { a: { $regex: 'a', $options: 'z' } }, 51108, 8000],
    ['a broken regular expression', { a: { $regex: '(' } }, 51091, 8000],
    ['$options twice', { a: { $regex: /a/i, $options: 'm' } }, 51075, 8000],
    ['$mod by text', { a: { $mod: ['2', 1] } }, 2],
    ['$size as text', { a: { $size: '1' } }, 2],
    ['$all with an operator', { a: { $all: [{ $gt: 1 }] } }, 2],
    ['$all with and without $elemMatch', { a: { $all: [{ $elemMatch: { b: 1 } }, 1] } }, 2],
    ['no type', { a: { $type: [] } }, 9],
    ['an unknown type', { a: { $type: 'binary' } }, 2],
    ['a type that is yes or no', { a: { $type: true } }, 14, 2],
    ['a bit below the first', { a: { $bitsAllSet: [-1] } }, 2],
    ['a negative mask', { a: { $bitsAllSet: -1 } }, 9],
  ])('refuses %s', async (_, filter, code, other = code) => {
    await things.insertOne({ a: 1 });
    await expect(things.findOne(filter)).rejects.toMatchObject({ code: hasOwnCodes() ? other : code });
  });

  it.each<[string, Document, number, number?]>([
    ['by 2', { a: 2 }, 15975, 8000],
    ['by text', { a: 'up' }, 15974, 8000],
    ['by true', { a: true }, 15974, 8000],
    ['by an empty path', { '': 1 }, 40352, 2],
    ['by a path with an empty part', { 'a..b': 1 }, 15998, 2],
    ['in the natural order and another', { $natural: 1, a: 1 }, 2],
  ])('refuses to sort %s', async (_, sort, code, other = code) => {
    await things.insertOne({ a: 1 });
    const found = database.db.command({ find: things.collectionName, sort });
    await expect(found).rejects.toMatchObject({ code: hasOwnCodes() ? other : code });
  });

  it('refuses to sort by two arrays of one document', async () => {
    await things.insertOne({ a: [1], b: [1] });
    const found = things.find().sort({ a: 1, b: 1 }).toArray();
    const isSmallestOfEach = database.differs('sorts by the smallest value of each field, from whichever element');
    if (isSmallestOfEach) expect(await found).toHaveLength(1);
    else await expect(found).rejects.toMatchObject({ code: 2 });
  });
});

describe('projection', () => {
  it('projects parts of documents and arrays', async () => {
    await things.insertOne({
      _id: 1,
      a: { b: 1, c: 2 },
      list: [
        { x: 1, y: 2 },
        { x: 3, y: 4 },
      ],
      nums: [1, 2, 3, 4],
    });
    const shown = (projection: Document): Promise<Document | null> => things.findOne({ _id: 1 }, { projection });
    expect(await shown({ 'a.b': 1, 'list.y': 1 })).toEqual({ _id: 1, a: { b: 1 }, list: [{ y: 2 }, { y: 4 }] });
    expect(await shown({ a: 0, 'list.x': 0 })).toEqual({ _id: 1, list: [{ y: 2 }, { y: 4 }], nums: [1, 2, 3, 4] });
    expect(await shown({ nums: { $slice: [1, 2] }, a: 0, list: 0 })).toEqual({ _id: 1, nums: [2, 3] });
    const isExclusion = database.differs('takes `$elemMatch` beside `_id: 0` as an exclusion');
    const one = { list: { $elemMatch: { x: 3 } }, ...(isExclusion && { a: 0, nums: 0 }) };
    expect(await shown({ ...one, _id: 0 })).toEqual({ list: [{ x: 3, y: 4 }] });
    expect(await things.findOne({ nums: { $gt: 2 } }, { projection: { 'nums.$': 1 } })).toEqual({ _id: 1, nums: [3] });
    expect(await shown({ _id: 0, total: { $sum: '$nums' } })).toEqual({ total: 10 });
  });

  it('projects nested expressions, and $elemMatch after the fields that are there', async () => {
    await things.insertOne({ _id: 1, list: [{ x: 1 }, { x: 2 }], a: { b: 1, c: [{ d: 1 }, 2] }, z: 5 });
    const shown = (projection: Document): Promise<Document | null> => things.findOne({}, { projection });
    expect(await shown({ a: { b: '$z', c: { e: '$z' } } })).toEqual({
      _id: 1,
      a: { b: 5, c: [{ e: 5 }, { e: 5 }] },
    });
    expect(await shown({ _id: 0, 'more.at': '$nothing', 'z.at': '$nothing', none: '$nothing' })).toEqual({
      more: {},
      z: {},
    });
    const matched = await shown({ _id: 0, list: { $elemMatch: { x: 2 } }, z: 1 });
    expect(matched).toEqual({ z: 5, list: [{ x: 2 }] });
    if (!database.differs('keeps `$elemMatch` in its place')) expect(Object.keys(matched ?? {})).toEqual(['z', 'list']);
  });

  it.each<[string, Document, number, number]>([
    ['inclusion and exclusion', { a: 1, b: 0 }, 31254, 8000],
    ['exclusion and inclusion', { a: 0, b: 1 }, 31253, 8000],
    ['a field and a part of it', { a: 1, 'a.b': 1 }, 31249, 8000],
    ['a part of a field and the field', { 'a.b': 1, a: 1 }, 31250, 8000],
    ['an expression among exclusions', { a: 0, b: { $add: [1, 1] } }, 31252, 8000],
    ['$elemMatch on an inner field', { 'a.b': { $elemMatch: { c: 1 } } }, 31275, 2],
    ['$elemMatch of a number', { a: { $elemMatch: 1 } }, 31274, 2],
    ['$slice of text', { a: { $slice: 'x' } }, 28667, 8000],
    ['$slice to a negative limit', { a: { $slice: [1, -1] } }, 28724, 8000],
    ['a position in the middle', { 'a.$.b': 1 }, 31394, 8000],
    ['an empty part of a path', { 'a..b': 1 }, 15998, 9],
    ['a path that ends with a dot', { 'a.': 1 }, 40353, 9],
    ['a name with a dollar', { $a: 1 }, 16410, 8000],
  ])('refuses to project %s', async (_, projection, code, other) => {
    await things.insertOne({ a: [1] });
    await expect(things.findOne({ a: 1 }, { projection })).rejects.toMatchObject({
      code: database.differs('refuses most wrong projections with code 8000') ? other : code,
    });
  });
});

describe('count and distinct', () => {
  it('counts and lists distinct values', async () => {
    await things.insertMany([
      { c: 'x', t: ['a', 'b'] },
      { c: 'y', t: ['b'] },
      { c: 'x', t: [] },
    ]);
    expect(await things.countDocuments({ c: 'x' })).toBe(2);
    expect(await things.estimatedDocumentCount()).toBe(3);
    expect((await things.distinct('t')).sort()).toEqual(['a', 'b']);
    expect(await things.distinct('c', { t: 'b' })).toEqual(expect.arrayContaining(['x', 'y']));
  });
});

describe('update', () => {
  it('matches, modifies and upserts with exact counts', async () => {
    await things.insertMany(numbered(4));
    expect(await things.updateMany({ even: true }, { $set: { even: true, seen: 1 } })).toMatchObject({
      matchedCount: 2,
      modifiedCount: 2,
    });
    expect(await things.updateMany({ even: true }, { $set: { seen: 1 } })).toMatchObject({
      matchedCount: 2,
      modifiedCount: 0,
    });
    const upserted = await things.updateOne(
      { _id: 9, kind: 'new' },
      { $set: { n: 9 }, $setOnInsert: { fresh: true } },
      { upsert: true },
    );
    expect(upserted).toMatchObject({ upsertedCount: 1, upsertedId: 9 });
    expect(await things.findOne({ _id: 9 })).toEqual({ _id: 9, kind: 'new', n: 9, fresh: true });
  });
});

describe('update operators', () => {
  it.each<[string, Document, Document]>([
    ['$inc and $mul', { $inc: { a: 2, 'd.x': 1 }, $mul: { b: 3 } }, { a: 3, b: 6, d: { x: 1 } }],
    ['$min and $max', { $min: { a: 0 }, $max: { b: 1 } }, { a: 0, b: 2 }],
    ['$unset and $rename', { $unset: { a: '' }, $rename: { b: 'c.d' } }, { c: { d: 2 } }],
    ['$push', { $push: { list: 3 } }, { a: 1, b: 2, list: [1, 2, 3] }],
    [
      '$push with modifiers',
      { $push: { list: { $each: [9, 0], $sort: -1, $slice: 3 } } },
      { a: 1, b: 2, list: [9, 2, 1] },
    ],
    ['$push at a position', { $push: { list: { $each: [7], $position: 0 } } }, { a: 1, b: 2, list: [7, 1, 2] }],
    ['$addToSet', { $addToSet: { list: { $each: [2, 3] } } }, { a: 1, b: 2, list: [1, 2, 3] }],
    ['$pull', { $pull: { list: { $gte: 2 } } }, { a: 1, b: 2, list: [1] }],
    ['$pullAll', { $pullAll: { list: [1, 5] } }, { a: 1, b: 2, list: [2] }],
    ['$pop', { $pop: { list: -1 } }, { a: 1, b: 2, list: [2] }],
    ['$pull in inner arrays', { $pull: { pairs: { $gt: 3 } } }, { pairs: [[1, 2]] }],
    ['$pull of documents', { $pull: { docs: { x: 1 } } }, { docs: [{ y: 1 }, 1] }],
    ['$rename over a field', { $rename: { a: 'b' } }, { b: 1, list: [1, 2] }],
    ['$set inside an array', { $set: { 'list.1': 'x' } }, { a: 1, b: 2, list: [1, 'x'] }],
    ['$bit', { $bit: { a: { or: 6 } } }, { a: 7, b: 2 }],
  ])('applies %s', async (_, update, expected) => {
    const pairs = [
      [1, 2],
      [1, 5],
    ];
    await things.insertOne({ _id: 1, a: 1, b: 2, list: [1, 2], pairs, docs: [{ x: 1 }, { y: 1 }, 1] });
    await things.updateOne({ _id: 1 }, update);
    expect(await things.findOne({ _id: 1 })).toMatchObject(expected);
  });
});

describe('array filters and positional operators', () => {
  it('updates matched elements by position and by array filters', async () => {
    await things.insertOne({
      _id: 1,
      lines: [
        { sku: 'a', qty: 1 },
        { sku: 'b', qty: 2 },
        { sku: 'c', qty: 3 },
      ],
    });
    await things.updateOne({ _id: 1, 'lines.sku': 'b' }, { $set: { 'lines.$.qty': 20 } });
    await things.updateOne(
      { _id: 1 },
      { $inc: { 'lines.$[big].qty': 100 } },
      { arrayFilters: [{ 'big.qty': { $gte: 3 } }] },
    );
    await things.updateOne({ _id: 1 }, { $set: { 'lines.$[].seen': true } });
    expect(await things.findOne({ _id: 1 })).toEqual({
      _id: 1,
      lines: [
        { sku: 'a', qty: 1, seen: true },
        { sku: 'b', qty: 120, seen: true },
        { sku: 'c', qty: 103, seen: true },
      ],
    });
  });
});

describe('upsert', () => {
  it('adds new fields in the order of their names', async () => {
    const seeded = await things.findOneAndUpdate(
      { b: 1, 'a.y': 2 },
      { $set: { 'd.10': 1, 'd.9': 1 }, $inc: { c: 1 } },
      { upsert: true, returnDocument: 'after', projection: { _id: 0 } },
    );
    expect(seeded).toEqual({ a: { y: 2 }, b: 1, c: 1, d: { 9: 1, 10: 1 } });
    const hasOwnOrder = database.differs('orders new fields in its own way');
    if (!hasOwnOrder) expect(Object.keys(seeded ?? {})).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('update by pipeline', () => {
  it('updates by a pipeline', async () => {
    await things.insertOne({ _id: 1, price: 10, qty: 3 });
    await things.updateOne({ _id: 1 }, [{ $set: { total: { $multiply: ['$price', '$qty'] } } }, { $unset: 'qty' }]);
    expect(await things.findOne({ _id: 1 })).toEqual({ _id: 1, price: 10, total: 30 });
  });
});

describe('replace', () => {
  it('replaces a whole document and keeps its id', async () => {
    await things.insertOne({ _id: 1, a: 1 });
    await things.replaceOne({ a: 1 }, { b: 2 });
    expect(await things.findOne({})).toEqual({ _id: 1, b: 2 });
    await expect(things.replaceOne({ b: 2 }, { _id: 2 })).rejects.toMatchObject({ code: 66 });
  });
});

describe('update: refusals', () => {
  it.each<[string, Document, number]>([
    ['an unknown operator', { $grow: { a: 1 } }, 9],
    ['two operators on one field', { $set: { a: 1 }, $inc: { a: 1 } }, 40],
    ['$inc of text', { $inc: { name: 1 } }, 14],
    ['a path through a scalar', { $set: { 'name.x': 1 } }, 28],
    ['a new id', { $set: { _id: 5 } }, 66],
    ['the removal of the id', { $unset: { _id: 1 } }, 66],
    ['$pop on text', { $pop: { 'name.x': 1 } }, 28],
    ['too many positions', { $set: { 'name.$.x.$': 1 } }, 2],
  ])('refuses %s', async (_, update, code) => {
    await things.insertOne({ _id: 1, name: 'x' });
    await expect(things.updateOne({ _id: 1 }, update)).rejects.toMatchObject({ code });
    expect(await things.findOne({})).toEqual({ _id: 1, name: 'x' });
  });

  const refused: [string, Document, number, number?][] = [
    ['fields of which one contains another', { $set: { a: 1, 'a-b': 1, 'a.b': 1 } }, 40],
    ['an array and a field of it', { $inc: { 'a.$[].b': 1, 'a.b': 1 } }, 40],
    ['$inc by text', { $inc: { a: 'x' } }, 14],
    ['$pop of two', { $pop: { a: 2 } }, 9],
    ['$pullAll of one', { $pullAll: { a: 1 } }, 2],
    ['an unknown $pull condition', { $pull: { a: { $foo: 1 } } }, 2],
    ['$push with an unknown clause', { $push: { a: { $each: [], $foo: 1 } } }, 2],
    ['$push of a single $each', { $push: { a: { $each: 1 } } }, 2],
    ['$push with half a $slice', { $push: { a: { $each: [], $slice: 1.5 } } }, 2],
    ['$push sorted sideways', { $push: { a: { $each: [], $sort: 2 } } }, 2],
    ['$addToSet of a single $each', { $addToSet: { a: { $each: 1 } } }, 14],
    ['$bit by a fraction', { $bit: { a: { and: 1.5 } } }, 2],
    ['an unknown $bit', { $bit: { a: { nand: 1 } } }, 2],
    ['$currentDate of a number', { $currentDate: { a: 1 } }, 2],
    ['$rename to a number', { $rename: { a: 1 } }, 2],
    ['$rename to itself', { $rename: { a: 'a' } }, 2, 40],
    ['$rename into itself', { $rename: { a: 'a.b' } }, 2, 40],
    ['$rename of an element', { $rename: { 'a.$[]': 'b' } }, 2],
    ['an empty name', { $set: { 'a..b': 1 } }, 56, 2],
    ['a position in front', { $set: { '$.a': 1 } }, 2],
    ['a name with a dollar', { $set: { $a: 1 } }, 52, 2],
    ['an identifier without a filter', { $set: { 'a.$[x]': 1 } }, 2],
    ['an operator without fields', { $set: 1 }, 9],
    ['two stages in one', [{ $set: { b: 1 }, $unset: 'a' }], 40323, 33_685_634],
  ];
  it.each(refused)('refuses %s, whatever it finds', async (_, update, code, other = code) => {
    await things.insertOne({ _id: 1, a: [1] });
    const isLate = database.differs('checks most of an update only when it has found a document, with other codes');
    await expect(things.updateOne({ _id: isLate ? 1 : 2 }, update)).rejects.toMatchObject({
      code: isLate ? other : code,
    });
  });

  it('refuses an upsert of which the filter names one field twice', async () => {
    const upsert = things.updateOne({ a: 1, 'a.b': 2 }, { $set: { c: 1 } }, { upsert: true });
    await expect(upsert).rejects.toBeInstanceOf(MongoServerError);
    expect(await things.countDocuments()).toBe(0);
  });
});

describe('delete', () => {
  it('deletes one or many', async () => {
    await things.insertMany(numbered(6));
    expect((await things.deleteOne({ even: true })).deletedCount).toBe(1);
    expect((await things.deleteMany({ even: false })).deletedCount).toBe(3);
    expect(await things.countDocuments()).toBe(2);
  });
});

describe('findAndModify', () => {
  it('returns the document before or after, in the order asked for', async () => {
    await things.insertMany(numbered(4));
    expect(await things.findOneAndUpdate({}, { $inc: { n: 100 } }, { sort: { n: -1 } })).toMatchObject({ n: 3 });
    expect(
      await things.findOneAndUpdate(
        { _id: 0 },
        { $inc: { n: 1 } },
        { returnDocument: 'after', projection: { _id: 0, n: 1 } },
      ),
    ).toEqual({ n: 1 });
    expect(await things.findOneAndDelete({ even: true }, { sort: { _id: -1 } })).toMatchObject({ _id: 2 });
    expect(
      await things.findOneAndReplace({ _id: 77 }, { made: true }, { upsert: true, returnDocument: 'after' }),
    ).toEqual({ _id: 77, made: true });
    expect(await things.findOneAndUpdate({ _id: 'nobody' }, { $set: { a: 1 } })).toBeNull();
  });

  it('never sells more than there is, however many ask at once', async () => {
    await things.insertOne({ _id: 1, stock: 7 });
    const results = await Promise.all(
      Array.from({ length: 20 }, () => things.updateOne({ _id: 1, stock: { $gte: 1 } }, { $inc: { stock: -1 } })),
    );
    expect(results.filter((result) => result.modifiedCount === 1)).toHaveLength(7);
    expect(await things.findOne({})).toMatchObject({ stock: 0 });
  });
});

describe('bulk writes', () => {
  it('runs mixed bulk writes', async () => {
    const result = await things.bulkWrite([
      { insertOne: { document: { _id: 1, n: 1 } } },
      { updateOne: { filter: { _id: 1 }, update: { $inc: { n: 1 } } } },
      { replaceOne: { filter: { _id: 2 }, replacement: { n: 5 }, upsert: true } },
      { deleteOne: { filter: { _id: 1 } } },
    ]);
    expect(result).toMatchObject({ insertedCount: 1, modifiedCount: 1, upsertedCount: 1, deletedCount: 1 });
    expect(await things.find().toArray()).toEqual([{ _id: 2, n: 5 }]);
  });
});

describe('what is not known is refused', () => {
  it('as a command', async () => {
    const refused = { code: 59, codeName: 'CommandNotFound' };
    await expect(database.db.command({ frobnicate: 1 })).rejects.toMatchObject(refused);
  });

  it('as a field of a command', async () => {
    const code = database.differs('refuses an unknown field with code 2') ? 2 : 40415;
    await expect(database.db.command({ find: 'x', fliter: {} })).rejects.toMatchObject({ code });
  });

  it('as an operator', async () => {
    await expect(things.findOne({ a: { $near2: 1 } })).rejects.toMatchObject({ code: 2 });
  });

  it('as a stage', async () => {
    const code = database.differs('refuses an unknown stage with code 8000') ? 8000 : 40324;
    await expect(things.aggregate([{ $teleport: {} }]).toArray()).rejects.toMatchObject({ code });
  });
});

describe('fields of commands', () => {
  it.each<[string, (name: string) => Document, number, (number | null)?]>([
    ['maxTimeMS that is text', (find) => ({ find, maxTimeMS: 'x' }), 2, 14],
    ['maxTimeMS with a fraction', (find) => ({ find, maxTimeMS: 60_000.5 }), 2, null],
    ['a negative maxTimeMS', (find) => ({ find, maxTimeMS: -1 }), 2, null],
    ['a filter that is text', (find) => ({ find, filter: 'x' }), 14],
    ['singleBatch that is text', (find) => ({ find, singleBatch: 'x' }), 14],
    ['let that is no document', (find) => ({ find, let: 1 }), 14],
    ['a negative skip', (find) => ({ find, skip: -1 }), 51024, 8000],
    ['an unknown field of a command to explain', (find) => ({ explain: { find, foo: 1 } }), 40415, 59],
    ['a negative skip of count', (count) => ({ count, skip: -1 }), 51024, 8000],
    ['ordered that is no boolean', (insert) => ({ insert, ordered: 1, documents: [{}] }), 14],
    ['an insert without documents', (insert) => ({ insert }), 40414, 8000],
    ['an update without q', (update) => ({ update, updates: [{ u: {} }] }), 40414, 8000],
    ['an update without u', (update) => ({ update, updates: [{ q: {} }] }), 40414, 8000],
    ['an unknown field of a statement', (update) => ({ update, updates: [{ q: {}, u: {}, foo: 1 }] }), 40415, 8000],
    ['a delete without q', (name) => ({ delete: name, deletes: [{ limit: 1 }] }), 40414, 8000],
    ['a delete without limit', (name) => ({ delete: name, deletes: [{ q: {} }] }), 40414, 8000],
    ['a delete of two', (name) => ({ delete: name, deletes: [{ q: {}, limit: 2 }] }), 9],
    ['distinct without a key', (distinct) => ({ distinct }), 40414, 2],
    ['distinct with null for the key', (distinct) => ({ distinct, key: null }), 40414, 14],
    ['killCursors with null for the cursors', (killCursors) => ({ killCursors, cursors: null }), 40414, 8000],
    ['distinct of a number', (distinct) => ({ distinct, key: 1 }), 14],
    ['distinct of a key with NUL', (distinct) => ({ distinct, key: 'a\0b' }), 31032, 8000],
    ['aggregate without a cursor', (aggregate) => ({ aggregate, pipeline: [] }), 9],
    ['aggregate without a pipeline', (aggregate) => ({ aggregate, cursor: {} }), 40414, 2],
    ['a batch size that is text', (aggregate) => ({ aggregate, pipeline: [], cursor: { batchSize: 'x' } }), 14],
    ['findAndModify with remove and new', (findAndModify) => ({ findAndModify, remove: true, new: true }), 9],
    ['remove with arrayFilters', (findAndModify) => ({ findAndModify, remove: true, arrayFilters: [] }), 9, null],
    ['an insert of a number', (insert) => ({ insert, documents: [1] }), 14],
    ['an update that is a number', (update) => ({ update, updates: [1] }), 14],
    ['a delete that is null', (name) => ({ delete: name, deletes: [null] }), 14],
    ['a cursor that is text', (killCursors) => ({ killCursors, cursors: ['x'] }), 14, null],
    ['autocommit alone', (insert) => ({ insert, documents: [{}], autocommit: false }), 72, 251],
    [
      'startTransaction alone',
      (insert) => ({ insert, documents: [{}], startTransaction: true, txnNumber: 1n }),
      72,
      null,
    ],
    [
      'autocommit in a transaction',
      (insert) => ({ insert, documents: [{}], autocommit: true, txnNumber: 1n }),
      72,
      null,
    ],
    ['a session that is a number', (endSessions) => ({ endSessions: endSessions.length }), 14, null],
    ['a collection name with $', (find) => ({ find: `${find}$x` }), 73, null],
  ])('refuses %s', async (_, command, code, other = code) => {
    const { code: received = null } = await database.db.command(command(freshName())).catch((error) => error);
    expect(received).toBe(database.differs('checks fewer fields of commands, with other codes') ? other : code);
  });

  it('takes null for a field that is absent', async () => {
    await things.insertOne({ _id: 1 });
    const absent = database.differs('refuses null for a document') ? {} : { filter: null, sort: null };
    expect((await database.db.command({ find: things.collectionName, ...absent })).cursor.firstBatch).toEqual([
      { _id: 1 },
    ]);
  });
});
