import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  Binary,
  BSON,
  BSONRegExp,
  Code,
  type Collection,
  Decimal128,
  type Document,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  ObjectId,
  Timestamp,
  UUID,
} from 'mongodb';
import { freshName, useDatabase } from './test-database.ts';

type Thing = Document & { _id?: number | string | ObjectId };

const database = useDatabase();
let things: Collection<Thing>;

beforeEach(() => {
  things = database.db.collection(freshName());
});

describe('values: exact round trips', () => {
  const everything: Document = {
    double: new Double(1),
    int: new Int32(1),
    long: Long.fromNumber(1),
    bigLong: Long.fromString('9007199254740993'),
    decimal: Decimal128.fromString('1.10'),
    text: 'ä\u0000ö',
    document: { b: 1, a: [1, [2], {}] },
    binary: new Binary(Buffer.from([1, 2, 3]), 0),
    uuid: new UUID('aaaaaaaa-aaaa-4aaa-aaaa-aaaaaaaaaaaa'),
    id: new ObjectId('0123456789abcdef01234567'),
    yes: true,
    date: new Date(-1),
    nothing: null,
    regex: new BSONRegExp('a.b', 'i'),
    code: new Code('x'),
    timestamp: new Timestamp({ t: 5, i: 6 }),
    min: new MinKey(),
    max: new MaxKey(),
  };

  const rawBytes = async (): Promise<string> => {
    const raw = await things.findOne({}, { raw: true, projection: { _id: 0, touched: 0 } });
    return Buffer.from(raw as unknown as Uint8Array).toString('hex');
  };
  const expected = Buffer.from(BSON.serialize(everything)).toString('hex');

  it('come back as the bytes they were', async () => {
    await things.insertOne({ _id: 1, ...everything });
    expect(await rawBytes()).toBe(expected);
  });

  it('keep their types when other fields change', async () => {
    await things.insertOne({ _id: 1, ...everything });
    await things.updateOne({ _id: 1 }, { $set: { touched: 1 } });
    await things.updateOne({ _id: 1 }, [{ $set: { touched: { $add: ['$touched', 1] } } }]);
    expect(await rawBytes()).toBe(expected);
    expect(await things.findOne({})).toMatchObject({ touched: 2 });
  });
});

describe('values: arithmetic', () => {
  it('add up in the wider type', async () => {
    await things.insertOne({
      _id: 1,
      int: new Int32(2147483647),
      double: new Double(1),
      decimal: Decimal128.fromString('0.1'),
      long: Long.fromNumber(5),
    });
    await things.updateOne({ _id: 1 }, { $inc: { int: 1, double: 1, decimal: Decimal128.fromString('0.2'), long: 1 } });
    const found = await things.findOne({}, { promoteValues: false });
    expect(found?.int).toEqual(Long.fromString('2147483648'));
    expect(found?.double).toEqual(new Double(2));
    expect(String(found?.decimal)).toBe('0.3');
    expect(found?.long).toEqual(Long.fromNumber(6));
  });
});

describe('values: comparison and order', () => {
  it.each([false, true])('are equal as numbers across types (index: %s)', async (indexed) => {
    if (indexed) await things.createIndex({ n: 1 });
    await things.insertMany([
      { _id: 1, n: new Int32(2) },
      { _id: 2, n: new Double(2) },
      { _id: 3, n: Long.fromNumber(2) },
      { _id: 4, n: Decimal128.fromString('2.0') },
    ]);
    for (const n of [2, new Double(2), Long.fromNumber(2), Decimal128.fromString('2')])
      expect(await things.countDocuments({ n })).toBe(4);
    expect(await things.countDocuments({ n: { $gte: 2, $lte: 2 } })).toBe(4);
    expect(await things.countDocuments({ n: { $gt: 1.9999 } })).toBe(4);
  });

  it.each([false, true])('are sorted in the order of their types (index: %s)', async (indexed) => {
    const ascending = [
      new MinKey(),
      null,
      -5,
      Long.fromNumber(-1),
      0.5,
      Decimal128.fromString('0.75'),
      3,
      'A',
      'a',
      { a: 1 },
      { a: 2 },
      new Binary(Buffer.from([1])),
      new ObjectId('0123456789abcdef01234567'),
      false,
      true,
      new Date(1),
      new Timestamp({ t: 1, i: 1 }),
      new BSONRegExp('a'),
      new MaxKey(),
    ];
    if (indexed) await things.createIndex({ v: 1 });
    await things.insertMany(ascending.map((v, i) => ({ _id: i, v })).reverse());
    expect((await things.find().sort({ v: 1 }).toArray()).map(({ _id }) => _id)).toEqual(ascending.map((_, i) => i));
    expect((await things.find().sort({ v: -1 }).limit(2).toArray()).map(({ _id }) => _id)).toEqual([
      ascending.length - 1,
      ascending.length - 2,
    ]);
  });

  it('are compared only with their own kind in ranges', async () => {
    await things.insertMany([
      { _id: 1, v: 5 },
      { _id: 2, v: '5' },
      { _id: 3, v: new Date(5) },
      { _id: 4, v: null },
      { _id: 5 },
    ]);
    const ids = async (filter: Document): Promise<unknown[]> =>
      (await things.find(filter).sort({ _id: 1 }).toArray()).map(({ _id }) => _id);
    expect(await ids({ v: { $gt: 0 } })).toEqual([1]);
    expect(await ids({ v: { $lt: 'z' } })).toEqual([2]);
    expect(await ids({ v: { $gte: new Date(0) } })).toEqual([3]);
    expect(await ids({ v: { $gte: null } })).toEqual([4, 5]);
  });
});

describe('limits', () => {
  it('let documents be nested 180 levels deep', async () => {
    const nested = (depth: number): Document => (depth === 1 ? { x: 1 } : { x: nested(depth - 1) });
    await things.insertOne({ _id: 1, ...nested(180) });
    const deeper = [
      () => things.insertOne({ _id: 2, ...nested(181) }),
      () => things.updateOne({ _id: 1 }, { $set: { a: nested(180) } }),
      () => things.replaceOne({ _id: 1 }, nested(181)),
    ];
    for (const write of deeper) {
      if (database.differs('takes as many levels as fit its own stack')) await write();
      else await expect(write()).rejects.toMatchObject({ code: 15 });
    }
  });
});

describe('values: _id', () => {
  it('may be ids of any type but arrays', async () => {
    const ids = [1, 'one', new ObjectId(), { a: 1, b: 2 }, new UUID(), new Date(7), true];
    await things.insertMany(ids.map((_id) => ({ _id: _id as never })));
    for (const _id of ids) expect(await things.countDocuments({ _id: _id as never })).toBe(1);
    await expect(things.insertOne({ _id: [1] as never })).rejects.toMatchObject({
      code: database.differs('refuses an array as `_id` with code 2') ? 2 : 53,
    });
  });
});
