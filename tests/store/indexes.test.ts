import { beforeEach, describe, expect, it } from '@jest/globals';
import { BSONRegExp, type Collection, type Document, type ObjectId } from 'mongodb';
import { duplicateOf, freshName, useDatabase } from './test-database.ts';

type Thing = Document & { _id?: number | string | ObjectId; tags?: string[] | string | null };

const database = useDatabase();
let things: Collection<Thing>;

beforeEach(() => {
  things = database.db.collection(freshName());
});

const ids = async (filter: Document, sort: Document = { _id: 1 }): Promise<unknown[]> =>
  (
    await things
      .find(filter)
      .sort(sort as never)
      .toArray()
  ).map(({ _id }) => _id);

describe('indexes: unique', () => {
  it('refuse a second value, with key pattern and value, on insert and on update', async () => {
    await things.createIndex({ code: 1, shop: 1 }, { unique: true });
    await things.insertMany([
      { _id: 1, code: 'a', shop: 1 },
      { _id: 2, code: 'a', shop: 2 },
    ]);
    const isBare = database.differs('sends a duplicate key error without the key');
    await expect(things.insertOne({ code: 'a', shop: 2 })).rejects.toMatchObject(
      duplicateOf({ code: 'a', shop: 2 }, isBare),
    );
    await expect(things.updateOne({ _id: 1 }, { $set: { shop: 2 } })).rejects.toMatchObject({ code: 11000 });
    await things.updateOne({ _id: 2 }, { $set: { shop: 3 } });
    await things.updateOne({ _id: 1 }, { $set: { shop: 2 } });
    expect(await ids({ code: 'a', shop: 2 })).toEqual([1]);
  });

  it('count a missing field once, unless they are sparse or partial', async () => {
    await things.createIndexes([
      { key: { plain: 1 }, unique: true },
      { key: { thin: 1 }, unique: true, sparse: true },
      { key: { mail: 1 }, unique: true, partialFilterExpression: { active: true } },
    ]);
    await things.insertOne({ _id: 1, mail: 'm' });
    await expect(things.insertOne({ _id: 2, mail: 'm' })).rejects.toMatchObject({ code: 11000 });
    await things.insertOne({ _id: 3, plain: 3, mail: 'm', active: true });
    await expect(things.insertOne({ _id: 4, plain: 4, mail: 'm', active: true })).rejects.toMatchObject({
      code: 11000,
    });
  });

  it('compare numbers by value, whatever their type', async () => {
    await things.createIndex({ n: 1 }, { unique: true });
    await things.insertOne({ n: 1 });
    await expect(things.insertOne({ n: 1.0 })).rejects.toMatchObject({ code: 11000 });
  });
});

describe('indexes: queries give the same as without', () => {
  const documents: Thing[] = [
    { _id: 1, a: 1, b: 'x', tags: ['r', 'g'] },
    { _id: 2, a: 2.5, b: 'y', tags: [] },
    { _id: 3, a: '2', b: 'x', tags: ['g', 'b'] },
    { _id: 4, b: 'z', tags: 'r' },
    { _id: 5, a: null, b: 'x' },
    { _id: 6, a: [1, 7], b: 'y', tags: null },
    { _id: 7, a: new Date(5), b: 'x' },
    { _id: 8, a: true, b: 'X' },
    { _id: 9, a: -3, b: 'xyz' },
    { _id: 10, a: { c: 1 }, b: 'x' },
    { _id: 11, a: [], b: 'y' },
  ];
  const filters: Document[] = [
    { a: 1 },
    { a: { $gt: 1 } },
    { a: { $gte: -3, $lt: 2.5 } },
    { a: null },
    { a: { $ne: null } },
    { a: { $in: [1, '2', null] } },
    { a: { $exists: false } },
    { a: { $type: 'number' } },
    { b: 'x' },
    { b: /^x/ },
    { b: 'x', a: { $gt: 0 } },
    { tags: 'r' },
    { tags: ['g', 'b'] },
    { tags: [] },
    { tags: { $all: ['r', 'g'] } },
    { $or: [{ a: 1 }, { b: 'y' }] },
    { a: { $lte: '3' } },
    { 'a.c': 1 },
    { a: { $elemMatch: { $gt: 5 } } },
    { a: { $elemMatch: { $gte: null } } },
    { a: { c: 1 } },
    { a: { $not: { $gt: 0 } } },
    { b: { $nin: ['x', 'y'] } },
    { a: { $gt: 0, $lt: 5 } },
    { tags: { $size: 2 } },
    { a: true },
  ];

  it.each(filters.map((filter): [string, Document] => [JSON.stringify(filter), filter]))('%s', async (_, filter) => {
    const plain = database.db.collection<Thing>(freshName());
    await plain.insertMany(documents);
    await things.createIndexes([
      { key: { a: 1 } },
      { key: { b: 1, a: -1 } },
      { key: { tags: 1 } },
      { key: { 'a.c': 1 } },
    ]);
    await things.insertMany(documents);
    const expected = (await plain.find(filter).sort({ _id: 1 }).toArray()).map(({ _id }) => _id);
    expect(await ids(filter)).toEqual(expected);
    expect(await things.countDocuments(filter)).toBe(expected.length);
  });

  it.each<[string, Document]>([
    ['a up', { a: 1, _id: 1 }],
    ['a down', { a: -1, _id: -1 }],
    ['b up, a down', { b: 1, a: -1, _id: 1 }],
    ['b down, a up', { b: -1, a: 1, _id: -1 }],
  ])('in the order of %s', async (_, sort) => {
    const plain = database.db.collection<Thing>(freshName());
    await plain.insertMany(documents);
    await things.createIndexes([{ key: { a: 1 } }, { key: { b: 1, a: -1 } }]);
    await things.insertMany(documents);
    const expected = (
      await plain
        .find()
        .sort(sort as never)
        .toArray()
    ).map(({ _id }) => _id);
    expect(await ids({}, sort)).toEqual(expected);
    expect(
      (
        await things
          .find()
          .sort(sort as never)
          .skip(3)
          .limit(4)
          .toArray()
      ).map(({ _id }) => _id),
    ).toEqual(expected.slice(3, 7));
  });

  it('for thousands of values at once', async () => {
    const all = Array.from({ length: 6000 }, (_, i) => i);
    const even = all.filter((i) => i % 2 === 0);
    await things.createIndex({ a: 1, b: 1 });
    await things.insertMany(all.map((i) => ({ _id: i, a: Math.floor(i / 100), b: i % 100 })));
    expect(await ids({ _id: { $in: even } })).toEqual(even);
    const both = { a: { $in: even.slice(0, 30) }, b: { $in: [...even.slice(0, 50), ...even.slice(100)] } };
    expect(await things.countDocuments(both)).toBe(30 * 50);
    expect((await things.deleteMany({ _id: { $in: even } })).deletedCount).toBe(3000);
    expect(await ids({})).toEqual(all.filter((i) => i % 2 === 1));
  });

  it('for values that end in the highest byte, in fields of the other direction', async () => {
    const times = [-1000, 0, 254, 255, 256, 511];
    await things.createIndexes([{ key: { a: 1, at: -1, b: 1 } }]);
    await things.insertMany(times.map((time, i) => ({ _id: i, a: 1, at: new Date(time), b: 5 - i })));
    expect(await ids({ a: 1, at: new Date(255) })).toEqual([3]);
    expect(await things.countDocuments({ a: 1, at: new Date(255) })).toBe(1);
    expect(await ids({ a: 1, at: new Date(255), b: 2 })).toEqual([3]);
    expect(await ids({ a: 1, at: { $in: [255, 511].map((time) => new Date(time)) }, b: { $gte: 0 } })).toEqual([3, 5]);
  });

  it('in order, after a text of a thousand letters', async () => {
    const text = 'x'.repeat(1000);
    await things.createIndex({ a: 1, b: 1 });
    await things.insertMany(Array.from({ length: 10 }, (_, i) => ({ _id: (i * 7) % 10, a: text, b: (i * 7) % 10 })));
    expect(await ids({ a: text }, { b: 1 })).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(await ids({ a: text, b: { $gt: 3 } }, { b: -1 })).toEqual([9, 8, 7, 6, 5, 4]);
  });

  it('for a stored regular expression with a slash', async () => {
    await things.createIndex({ a: 1 });
    await things.insertMany([
      { _id: 1, a: new BSONRegExp('^a/b') },
      { _id: 2, a: 'a/b' },
    ]);
    const textsOnly = database.differs('finds no stored regular expression by the same one');
    expect(await ids({ a: { $regex: '^a/b' } })).toEqual(textsOnly ? [2] : [1, 2]);
  });
});

describe('indexes: updates', () => {
  it('change a document once, also when others move it within the index meanwhile', async () => {
    await things.createIndex({ a: 1 });
    await things.insertMany(Array.from({ length: 6000 }, (_, i) => ({ _id: i, a: i, odd: i % 2, n: 0 })));
    let isDone = false;
    const move = async (first: number): Promise<void> => {
      for (let i = first; !isDone; i += 8) await things.updateOne({ _id: i }, { $inc: { a: 10_000 } });
    };
    const update = things.updateMany({ a: { $gte: 0 }, odd: 1 }, { $inc: { n: 1 } }).finally(() => {
      isDone = true;
    });
    await Promise.all([update, ...[1, 3, 5, 7].map(move)]);
    expect(await things.countDocuments({ n: { $gt: 1 } })).toBe(0);
  });
});

describe('indexes: specifications', () => {
  const many = (count: number): Document => Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, 1]));
  const partial = (partialFilterExpression: unknown): Document => ({
    key: { a: 1 },
    name: 'a',
    partialFilterExpression,
  });

  it.each<[string, Document, number, number?]>([
    ['no fields', { key: {}, name: 'a' }, 67],
    ['too many fields', { key: many(33), name: 'a' }, 13103, 8000],
    ['a direction of 0', { key: { a: 0 }, name: 'a' }, 67],
    ['a direction that is no number', { key: { a: true }, name: 'a' }, 67],
    ['an empty part of a path', { key: { 'a..b': 1 }, name: 'a' }, 67],
    ['an empty name', { key: { a: 1 }, name: '' }, 67],
    ['the name of all', { key: { a: 1 }, name: '*' }, 2],
    ['an unknown version', { key: { a: 1 }, name: 'a', v: 3 }, 67],
    ['an unknown option', { key: { a: 1 }, name: 'a', foo: 1 }, 197, 8000],
    ['a text for yes or no', { key: { a: 1 }, name: 'a', unique: 'x' }, 14],
    ['an _id with options', { key: { _id: 1 }, name: '_id_', unique: true }, 197, 86],
    ['a partial index of no document', partial(1), 14],
    ['a partial index by $not', partial({ a: { $not: { $gt: 1 } } }), 67],
    ['a partial index by $ne', partial({ a: { $ne: 1 } }), 67],
    ['a partial index by a regular expression', partial({ a: /x/ }), 67],
    ['a partial index of what is missing', partial({ $or: [{ a: { $exists: false } }] }), 67],
    ['a negative age', { key: { a: 1 }, name: 'a', expireAfterSeconds: -1 }, 67],
  ])('are refused with %s', async (_, spec, code, other = code) => {
    const created = database.db.command({ createIndexes: freshName(), indexes: [spec] });
    await expect(created).rejects.toMatchObject({
      code: database.differs('refuses some index specifications with other codes') ? other : code,
    });
  });

  it('hold up to 32 fields', async () => {
    await things.createIndex(many(32) as Record<string, 1>);
    await things.insertOne(many(31));
    expect(await things.countDocuments(many(31))).toBe(1);
  });
});

describe('indexes: multikey', () => {
  const both = { 'lines.sku': 1, 'lines.shop': 1 } as const;

  it('hold fields of one element together', async () => {
    await things.createIndex(both, { unique: true });
    await things.insertOne({
      _id: 1,
      lines: [
        { sku: 'a', shop: 1 },
        { sku: 'b', shop: 2 },
      ],
    });
    await things.insertOne({ _id: 2, lines: [{ sku: 'a', shop: 2 }] });
    await expect(things.insertOne({ _id: 3, lines: [{ sku: 'b', shop: 2 }] })).rejects.toMatchObject({ code: 11000 });
    // A filter without $elemMatch may mean different elements.
    expect(await ids({ 'lines.sku': 'a', 'lines.shop': 2 })).toEqual([1, 2]);
  });
  it.each([false, true])('sort by fields of one element together (index: %s)', async (indexed) => {
    if (indexed) await things.createIndex(both);
    await things.insertMany([
      {
        _id: 1,
        lines: [
          { sku: 'a', shop: 3 },
          { sku: 'b', shop: 1 },
        ],
      },
      { _id: 2, lines: [{ sku: 'a', shop: 2 }] },
      { _id: 3, lines: [] },
    ]);
    const isSmallestOfEach = database.differs('sorts by the smallest value of each field, from whichever element');
    expect(await ids({ _id: { $ne: 3 } }, both)).toEqual(isSmallestOfEach ? [1, 2] : [2, 1]);
    expect(await ids({ 'lines.sku': { $gte: 'a' } }, { 'lines.sku': -1, _id: 1 })).toEqual([1, 2]);
  });

  it('refuse two arrays in one document', async () => {
    await things.createIndex({ 'x.a': 1, 'x.b': 1 });
    await things.insertOne({ x: { a: [1], b: 1 } });
    const second = things.insertOne({ x: { a: [1], b: [1] } });
    if (database.differs('takes two arrays in one document of a compound index')) await second;
    else await expect(second).rejects.toMatchObject({ code: 171 });
  });

  it('leave out elements without the field when they are sparse', async () => {
    await things.createIndex({ 'lines.sku': 1 }, { unique: true, sparse: true });
    await things.insertMany([
      { _id: 1, lines: [{ sku: 'a' }, {}] },
      { _id: 2, lines: [{ sku: 'b' }, {}] },
    ]);
    expect(await ids({ 'lines.sku': { $exists: true } })).toEqual([1, 2]);
  });

  it.each([false, true])('sort by elements without the field, too (sparse index: %s)', async (indexed) => {
    if (indexed) await things.createIndex({ 'lines.sku': 1 }, { sparse: true });
    await things.insertMany([
      { _id: 1, lines: [{ sku: 'a' }] },
      { _id: 2, lines: [{ sku: 'b' }, {}] },
    ]);
    expect(await ids({ 'lines.sku': { $exists: true } }, { 'lines.sku': 1 })).toEqual([2, 1]);
  });

  it.each([false, true])('find elements by their position (index: %s)', async (indexed) => {
    const looksInside = database.differs('with an index on `a.0`, and only then, looks into the inner array');
    if (indexed && !looksInside) await things.createIndex({ 'a.0': 1 });
    await things.insertMany([
      { _id: 1, a: ['x', { b: 1 }] },
      { _id: 2, a: ['y'] },
      { _id: 3, a: [['x', 'z']] },
    ]);
    expect(await ids({ 'a.0': { $gte: 'x' } })).toEqual([1, 2]);
    expect(await ids({ 'a.0': ['x', 'z'] })).toEqual([3]);
    // The element at 1 has no field `0`.
    expect(await ids({ 'a.0': null })).toEqual([1]);
    expect(await ids({ 'a.0.b': null })).toEqual([1]);
  });

  it('keeps indexes in step with deletes and array updates', async () => {
    await things.createIndex({ tags: 1 });
    await things.insertMany([
      { _id: 1, tags: ['a', 'b'] },
      { _id: 2, tags: ['b'] },
    ]);
    await things.updateOne({ _id: 1 }, { $pull: { tags: 'b' } } as Document);
    await things.updateOne({ _id: 2 }, { $push: { tags: 'c' } } as Document);
    expect(await ids({ tags: 'b' })).toEqual([2]);
    expect(await ids({ tags: 'c' })).toEqual([2]);
    await things.deleteMany({ tags: 'c' });
    expect(await ids({ tags: { $in: ['a', 'b', 'c'] } })).toEqual([1]);
  });
});

describe('collections', () => {
  it('are created, listed, renamed and dropped', async () => {
    const [from, to] = [freshName(), freshName()];
    await database.db.createCollection(from);
    await database.db.collection(from).insertOne({ a: 1 });
    await database.db.renameCollection(from, to);
    expect(await database.db.collection(to).countDocuments()).toBe(1);
    expect(
      (await database.db.listCollections({ name: { $in: [from, to] } }).toArray()).map(({ name }) => name),
    ).toEqual([to]);
    expect(await database.db.dropCollection(to)).toBe(true);
    expect(await database.db.collection(to).countDocuments()).toBe(0);
  });

  it('are not renamed to what is no namespace', async () => {
    const from = freshName();
    await database.db.createCollection(from);
    const rename = { renameCollection: `${database.db.databaseName}.${from}`, to: 'nowhere' };
    await expect(database.client.db('admin').command(rename)).rejects.toMatchObject({
      code: database.differs('refuses a namespace without a dot with code 2') ? 2 : 73,
    });
    await expect(database.db.command({ ...rename, to: 'some.where' })).rejects.toThrow();
    expect(await database.db.listCollections({ name: from }).toArray()).toHaveLength(1);
  });

  it('are there once: a second one with other options is refused', async () => {
    const name = freshName();
    await database.db.createCollection(name);
    await database.db.createCollection(name);
    const other = database.db.createCollection(name, { validator: { a: 1 } });
    await expect(other).rejects.toMatchObject({ code: 48 });
  });
});
