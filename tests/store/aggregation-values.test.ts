import { beforeAll, describe, expect, it } from '@jest/globals';
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

const { EJSON } = BSON;
const database = useDatabase();
const double = (value: number): Double => new Double(value);
const long = (value: string): Long => Long.fromString(value);
const decimal = (value: string): Decimal128 => Decimal128.fromString(value);

const values: Document = {
  int: new Int32(3),
  double: double(3),
  half: double(2.5),
  long: long('3'),
  decimal: decimal('3.00'),
  largest: long('9223372036854775807'),
  inexact: long('9007199254740993'),
  largestInt: new Int32(2147483647),
  nan: double(Number.NaN),
  text: 'héllo',
  nothing: null,
  yes: true,
  date: new Date('2024-02-29T13:14:15.167Z'),
  endOfMonth: new Date('2024-01-31T23:30:00Z'),
  timestamp: new Timestamp({ t: 5, i: 6 }),
  binary: new Binary(Buffer.from([1, 2, 3]), 0),
  uuid: new UUID('aaaaaaaa-aaaa-4aaa-aaaa-aaaaaaaaaaaa'),
  id: new ObjectId('0123456789abcdef01234567'),
  regex: new BSONRegExp('a.b', 'i'),
  code: new Code('x'),
  min: new MinKey(),
  max: new MaxKey(),
  numbers: [double(1), new Int32(5), long('3'), decimal('2.5')],
  mixed: ['b', new Int32(2), null, double(1.5), true],
  nested: { x: double(1), list: [{ z: long('2') }, { z: double(1) }, 3] },
  empty: [],
};

let one: Collection;

beforeAll(async () => {
  one = database.db.collection(freshName());
  await one.insertOne({ _id: 1 as never, ...values });
});

/** What an expression gives, as canonical extended JSON, so that types count. */
const evaluate = async (expression: unknown): Promise<unknown> => {
  const [result] = await one
    .aggregate([{ $replaceWith: { v: expression } }], { promoteValues: false, bsonRegExp: true })
    .toArray();
  return exactly(result?.v);
};

/** What `$regexFindAll` tells of a match without groups. */
const found = (match: string, idx: number): Document => ({ match, idx: new Int32(idx), captures: [] });

const exactly = (value: unknown): unknown => JSON.parse(EJSON.stringify({ v: value }, { relaxed: false })).v;

describe('aggregation: values', () => {
  it.each([
    ['$addFields', [{ $addFields: { more: '$$ROOT.nothing' } }, { $unset: 'more' }]],
    ['$project', [{ $project: Object.fromEntries(Object.keys(values).map((name) => [name, `$${name}`])) }]],
    ['$replaceWith', [{ $replaceWith: { $mergeObjects: ['$$ROOT', {}] } }]],
    ['$facet and $unwind', [{ $facet: { all: [{ $match: {} }] } }, { $unwind: '$all' }, { $replaceWith: '$all' }]],
    ['$group', [{ $group: { _id: null, all: { $push: '$$ROOT' } } }, { $replaceWith: { $first: '$all' } }]],
    ['$first and $last', [{ $group: { _id: 1, f: { $first: '$$ROOT' } } }, { $replaceWith: '$f' }]],
    ['$map and $filter', [{ $replaceWith: { $first: { $map: { input: ['$$ROOT'], in: '$$this' } } } }]],
  ])('come through %s as they were', async (_, stages) => {
    const [found] = await one.aggregate(stages, { promoteValues: false, bsonRegExp: true }).toArray();
    const { _id, ...rest } = found as Document;
    expect(exactly(rest)).toEqual(exactly(values));
  });

  it('come through $lookup as they were', async () => {
    const [found] = await one
      .aggregate([{ $lookup: { from: one.collectionName, localField: '_id', foreignField: '_id', as: 'same' } }], {
        promoteValues: false,
        bsonRegExp: true,
      })
      .toArray();
    expect(exactly(found?.same[0])).toEqual(exactly({ _id: new Int32(1), ...values }));
  });

  it.each<[expression: Document, result: unknown]>([
    [{ $add: ['$int', 1] }, new Int32(4)],
    [{ $add: ['$largestInt', 1] }, long('2147483648')],
    [{ $add: ['$largest', 1] }, double(2 ** 63)],
    [{ $add: ['$int', '$double'] }, double(6)],
    [{ $add: ['$int', '$long'] }, long('6')],
    [{ $add: ['$inexact', 1] }, long('9007199254740994')],
    [{ $add: [decimal('0.10'), decimal('0.20')] }, decimal('0.30')],
    [{ $add: ['$decimal', '$int'] }, decimal('6.00')],
    [{ $add: ['$date', 1000] }, new Date('2024-02-29T13:14:16.167Z')],
    [{ $add: ['$nothing', 1] }, null],
    [{ $add: ['$missing', 1] }, null],
    [{ $subtract: ['$date', '$endOfMonth'] }, long('2468655167')],
    [{ $multiply: ['$int', 2] }, new Int32(6)],
    [{ $multiply: ['$int', double(2)] }, double(6)],
    [{ $multiply: [decimal('1.10'), decimal('2.0')] }, decimal('2.200')],
    [{ $divide: ['$int', 3] }, double(1)],
    [{ $divide: [decimal('1'), decimal('3')] }, decimal('0.3333333333333333333333333333333333')],
    [{ $mod: [new Int32(-7), 3] }, new Int32(-1)],
    [{ $mod: [double(5.5), 2] }, double(1.5)],
    [{ $abs: new Int32(-7) }, new Int32(7)],
    [{ $ceil: '$half' }, double(3)],
    [{ $floor: '$int' }, new Int32(3)],
    [{ $round: ['$half'] }, double(2)],
    [{ $round: [decimal('2.345'), 2] }, decimal('2.34')],
    [{ $trunc: [new Int32(129), -1] }, new Int32(120)],
    [{ $pow: [2, 40] }, long('1099511627776')],
    [{ $sqrt: '$int' }, double(Math.sqrt(3))],
    [{ $sum: ['$int', '$long', '$text'] }, long('6')],
    [{ $avg: ['$int', 4] }, double(3.5)],
    [{ $max: '$numbers' }, new Int32(5)],
    [{ $min: ['$text', '$int', '$nothing'] }, new Int32(3)],
    [{ $size: '$numbers' }, new Int32(4)],
    [{ $type: '$binary' }, 'binData'],
    [{ $type: '$missing' }, 'missing'],
  ])('%j has its type', async (expression, result) => {
    expect(await evaluate(expression)).toEqual(exactly(result));
  });

  it.each<[expression: Document, result: unknown]>([
    [{ $toInt: '12' }, new Int32(12)],
    [{ $toInt: double(2.9) }, new Int32(2)],
    [{ $toLong: '$decimal' }, long('3')],
    [{ $toLong: '$date' }, long('1709212455167')],
    [{ $toDouble: '1e3' }, double(1000)],
    [{ $toDecimal: '1.10' }, decimal('1.10')],
    [{ $toDecimal: double(0.1) }, decimal('0.100000000000000')],
    [{ $toString: decimal('1.10') }, '1.10'],
    [{ $toString: '$date' }, '2024-02-29T13:14:15.167Z'],
    [{ $toDate: '2024-02-29T10:00:00+02:00' }, new Date('2024-02-29T08:00:00Z')],
    [{ $toBool: decimal('0') }, false],
    [{ $convert: { input: 'x', to: 'int', onError: 'bad' } }, 'bad'],
    [{ $convert: { input: '$missing', to: 'int', onNull: 'none' } }, 'none'],
    [{ $convert: { input: '5', to: 18 } }, long('5')],
  ])('%j converts', async (expression, result) => {
    expect(await evaluate(expression)).toEqual(exactly(result));
  });

  it.each<Document>([
    { $toInt: 'x' },
    { $toInt: double(3e9) },
    { $toLong: '$nan' },
    { $toObjectId: 'x' },
    { $toInt: '$binary' },
  ])('%j is refused', async (expression) => {
    // The code is a BSON number too here.
    expect(await evaluate(expression).catch(({ code }) => Number(code))).toBe(241);
  });

  it.each<[expression: Document, code: number]>([
    [{ $add: ['$text', '$nothing'] }, 14],
    [{ $multiply: ['$yes', '$missing'] }, 14],
    [{ $concat: ['$int', '$nothing'] }, 16702],
    [{ $concatArrays: ['$int', '$nothing'] }, 28664],
    [{ $setUnion: ['$int', '$nothing'] }, 17043],
    [{ $toUpper: '$yes' }, 16007],
    [{ $substrCP: ['$id', 0, 1] }, 16007],
    [{ $strLenCP: '$nothing' }, 34471],
    [{ $trim: { input: '$int' } }, 50699],
    [{ $regexMatch: { input: '$int', regex: '3' } }, 51104],
    [{ $regexFindAll: { input: '$nested', regex: '3' } }, 51104],
    [{ $replaceAll: { input: '$int', find: '$nothing', replacement: '' } }, 51746],
    [{ $regexFind: { input: '$text', regex: '$int' } }, 51105],
    [{ $regexFind: { input: '$text', regex: 'l', options: '$int' } }, 51106],
    [{ $replaceOne: { input: '$nothing', find: 'a', replacement: '$int' } }, 51744],
    [{ $objectToArray: '$numbers' }, 40390],
  ])('%j is of the wrong type', async (expression, code) => {
    const isBare = code > 100 && database.differs('refuses most values of a wrong type with code 8000');
    expect(await evaluate(expression).catch((error) => Number(error.code))).toBe(isBare ? 8000 : code);
  });

  it.each<[expression: Document, result: unknown]>([
    [{ $eq: ['$int', '$decimal'] }, true],
    [{ $eq: ['$inexact', double(9007199254740992)] }, false],
    [{ $eq: ['$nothing', '$missing'] }, false],
    [{ $lt: ['$missing', '$nothing'] }, true],
    [{ $lt: ['$int', '$text'] }, true],
    [{ $gt: ['$date', '$yes'] }, true],
    [{ $cmp: ['$nan', '$int'] }, new Int32(-1)],
    [{ $in: [long('5'), '$numbers'] }, true],
    [{ $setUnion: [[1, double(1), long('1')], [decimal('1')]] }, [new Int32(1)]],
    [{ $setIsSubset: [[double(5)], '$numbers'] }, true],
    [{ $ifNull: ['$missing', '$nothing', '$double'] }, double(3)],
    [{ $cond: [long('0'), 1, '$half'] }, double(2.5)],
    [{ $filter: { input: [0, long('0'), decimal('0'), double(1), null], cond: '$$this' } }, [double(1)]],
  ])('%j compares as MongoDB does', async (expression, result) => {
    expect(await evaluate(expression)).toEqual(exactly(result));
  });

  it.each<[expression: unknown, result: unknown]>([
    ['$nested.list.z', [long('2'), double(1)]],
    ['$numbers.0', []],
    ['$double.value', undefined],
    [
      ['$missing', '$int'],
      [null, new Int32(3)],
    ],
    [{ a: '$missing', b: '$int' }, { b: new Int32(3) }],
    [{ $getField: { field: 'x', input: '$nested' } }, double(1)],
    [{ $arrayToObject: [[['a', '$double']]] }, { a: double(3) }],
    [{ $toUpper: '$text' }, 'HéLLO'],
    [{ $substrBytes: ['$text', 0, 3] }, 'hé'],
    [{ $substrCP: ['$text', 1, 2] }, 'él'],
    [{ $substrCP: ['$decimal', 0, 3] }, '3.0'],
    [{ $substrCP: ['$nothing', 0, 3] }, ''],
    [{ $concat: ['$text', '!'] }, 'héllo!'],
    [{ $concat: ['$text', '$missing'] }, null],
    [{ $strLenCP: '$text' }, new Int32(5)],
    [{ $strLenBytes: '$text' }, new Int32(6)],
    [{ $trim: { input: '$text', chars: 'ho' } }, 'éll'],
    [{ $regexFind: { input: '$text', regex: 'l(x)?' } }, { match: 'l', idx: new Int32(2), captures: [null] }],
    [{ $regexMatch: { input: '$nothing', regex: 'l' } }, false],
    [{ $regexFindAll: { input: 'ab', regex: '' } }, [found('', 0), found('', 1)]],
    [{ $regexFindAll: { input: '$missing', regex: 'l' } }, []],
    [{ $regexFindAll: { input: '😀 aBc', regex: /B/i } }, [found('B', 3)]],
    [{ $regexFindAll: { input: 'bab', regex: 'b*' } }, [found('b', 0), found('', 1), found('b', 2)]],
    [{ $replaceAll: { input: '$text', find: 'l', replacement: 'L' } }, 'héLLo'],
    [{ $replaceAll: { input: 'ab', find: '', replacement: '-' } }, '-a-b-'],
    [{ $replaceOne: { input: 'a.b.c', find: '.', replacement: { $literal: '$&' } } }, 'a$&b.c'],
    [{ $ltrim: { input: ' \n x ' } }, 'x '],
    [{ $rtrim: { input: 'xx', chars: 'x' } }, ''],
    [
      { $objectToArray: '$nested' },
      [
        { k: 'x', v: double(1) },
        { k: 'list', v: [{ z: long('2') }, { z: double(1) }, new Int32(3)] },
      ],
    ],
  ])('%j finds what is there', async (expression, result) => {
    expect(await evaluate(expression)).toEqual(exactly(result));
  });

  it.each<[expression: Document, result: unknown]>([
    [{ $year: '$date' }, new Int32(2024)],
    [{ $hour: { date: '$date', timezone: 'America/Sao_Paulo' } }, new Int32(10)],
    [{ $week: new Date('2017-01-01') }, new Int32(1)],
    [{ $isoWeekYear: new Date('2017-01-01') }, long('2016')],
    [{ $dateAdd: { startDate: '$endOfMonth', unit: 'month', amount: 1 } }, new Date('2024-02-29T23:30:00Z')],
    [
      {
        $dateAdd: { startDate: new Date('2024-03-09T20:00:00Z'), unit: 'day', amount: 1, timezone: 'America/New_York' },
      },
      new Date('2024-03-10T19:00:00Z'),
    ],
    [
      { $dateTrunc: { date: '$date', unit: 'week', startOfWeek: 'monday', timezone: 'Asia/Kolkata' } },
      new Date('2024-02-25T18:30:00Z'),
    ],
    [{ $dateTrunc: { date: '$date', unit: 'month', binSize: 3 } }, new Date('2024-01-01T00:00:00Z')],
    [{ $dateDiff: { startDate: '$endOfMonth', endDate: '$date', unit: 'day' } }, long('29')],
    [
      { $dateToString: { date: '$date', format: '%Y-%m-%dT%H:%M:%S.%L%z', timezone: 'America/New_York' } },
      '2024-02-29T08:14:15.167-0500',
    ],
    [{ $year: '$nothing' }, null],
  ])('%j knows the calendar', async (expression, result) => {
    expect(await evaluate(expression)).toEqual(exactly(result));
  });

  it('refuses expressions before it reads anything', async () => {
    const nothing = database.db.collection(freshName());
    await nothing.createIndex({ a: 1 });
    const read = database.differs('expressions are checked when there is a document for them') ? one : nothing;
    for (const expression of [{ $nope: 1 }, { $cond: [1, 2] }, '$$nope', { a: { $nope: 1 } }])
      await expect(read.aggregate([{ $project: { v: expression } }]).toArray()).rejects.toThrow();
  });
});

describe('aggregation: sums', () => {
  it('have the widest type among their parts', async () => {
    const parts = database.db.collection(freshName());
    await parts.insertMany([
      { g: 'ints', v: new Int32(2147483647) },
      { g: 'ints', v: new Int32(1) },
      { g: 'longs', v: long('1') },
      { g: 'longs', v: new Int32(1) },
      { g: 'doubles', v: double(1) },
      { g: 'doubles', v: long('2') },
      { g: 'decimals', v: decimal('1.10') },
      { g: 'decimals', v: new Int32(2) },
      { g: 'none', v: 'text' },
    ]);
    const found = await parts
      .aggregate([{ $group: { _id: '$g', sum: { $sum: '$v' }, avg: { $avg: '$v' } } }, { $sort: { _id: 1 } }], {
        promoteValues: false,
      })
      .toArray();
    const sums = Object.fromEntries(found.map(({ _id, sum }) => [_id, exactly(sum)]));
    expect(sums).toEqual({
      ints: exactly(long('2147483648')),
      longs: exactly(long('2')),
      doubles: exactly(double(3)),
      decimals: exactly(decimal('3.10')),
      none: exactly(new Int32(0)),
    });
    const averages = Object.fromEntries(found.map(({ _id, avg }) => [_id, exactly(avg)]));
    const ofDecimals = database.differs('every average is a double') ? double(1.55) : decimal('1.55');
    expect(averages).toMatchObject({ longs: exactly(double(1)), decimals: exactly(ofDecimals), none: null });
  });

  it('group what is equal, whatever its type', async () => {
    const parts = database.db.collection(freshName());
    await parts.insertMany([
      { v: 1 },
      { v: double(1) },
      { v: long('1') },
      { v: decimal('1.0') },
      { v: '1' },
      { v: null },
    ]);
    const found = await parts.aggregate([{ $group: { _id: '$v', n: { $sum: 1 } } }, { $sort: { _id: 1 } }]).toArray();
    expect(found.map(({ n }) => n)).toEqual([1, 4, 1]);
  });
});
