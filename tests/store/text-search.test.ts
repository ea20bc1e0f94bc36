import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Collection, Document } from 'mongodb';
import { freshName, useDatabase } from './test-database.ts';

interface Offer extends Document {
  _id: number;
}

const database = useDatabase();
let offers: Collection<Offer>;

const documents: Offer[] = [
  { _id: 1, title: 'Coffee shop', description: 'the best coffee in town', tags: ['drink', 'food'] },
  { _id: 2, title: 'Tea house', tags: ['drink', 'coffee'] },
  { _id: 3, title: 'COFFEE' },
  { _id: 4, title: 'Shop of old books', description: 'paper, ink and 1984' },
  { _id: 5, price: 5 },
];
const score = { $meta: 'textScore' } as const;

beforeEach(async () => {
  offers = database.db.collection(freshName());
  await offers.createIndex(
    { title: 'text', description: 'text', tags: 'text' },
    { weights: { title: 10 }, default_language: 'none', name: 'search' },
  );
  await offers.insertMany(documents);
});

async function found($search: string, filter: Document = {}): Promise<number[]> {
  const matches = await offers
    .find({ $text: { $search }, ...filter })
    .sort({ _id: 1 })
    .toArray();
  return matches.map(({ _id }) => _id);
}

describe('text search', () => {
  it.each([
    ['coffee', [1, 2, 3]],
    ['COFFEE', [1, 2, 3]],
    ['books tea', [2, 4]],
    ['coffee -shop', [2, 3]],
    ['coffee - shop', [1, 2, 3, 4]],
    ['"coffee shop"', [1]],
    ['"best coffee"', [1]],
    ['coffee -"best coffee"', [2, 3]],
    ['1984', [4]],
    ['coff', []],
    ['', []],
    ['!?', []],
  ])('%j', async (search, expected) => {
    const keepsShop = search === 'coffee - shop' && database.differs('takes a minus alone for a negation');
    expect(await found(search)).toEqual(keepsShop ? [2, 3] : expected);
  });

  it('stands beside other conditions, and in the branches of $or', async () => {
    expect(await found('coffee', { _id: { $gt: 1 } })).toEqual([2, 3]);
    const filter = { $or: [{ $text: { $search: 'tea' } }, { _id: 5 }] };
    expect((await offers.find(filter).sort({ _id: 1 }).toArray()).map(({ _id }) => _id)).toEqual([2, 5]);
    expect(
      (await offers.find({ $and: [{ $text: { $search: 'shop' } }, { _id: 4 }] }).toArray()).map(({ _id }) => _id),
    ).toEqual([4]);
  });

  it('works for counts, distinct values, aggregates, updates and deletes', async () => {
    const filter = { $text: { $search: 'coffee' } };
    expect(await offers.countDocuments(filter)).toBe(3);
    expect((await offers.distinct('title', filter)).sort()).toEqual(['COFFEE', 'Coffee shop', 'Tea house']);
    expect(await offers.aggregate([{ $match: filter }, { $count: 'n' }]).toArray()).toEqual([{ n: 3 }]);
    expect(await offers.updateMany(filter, { $set: { hot: true } })).toMatchObject({ modifiedCount: 3 });
    expect(await offers.findOneAndUpdate({ $text: { $search: 'tea' } }, { $set: { title: 'Juice' } })).toMatchObject({
      _id: 2,
    });
    expect([await found('tea'), await found('juice')]).toEqual([[], [2]]);
    expect(await offers.deleteMany({ $text: { $search: 'drink' } })).toMatchObject({ deletedCount: 2 });
    expect(await found('coffee')).toEqual([3]);
    await offers.updateOne({ _id: 3 }, { $unset: { title: 1 } });
    expect(await found('coffee')).toEqual([]);
  });

  it('gives the best match first', async () => {
    const filter = { $text: { $search: 'coffee' } };
    const byScore = await offers.find(filter).project({ _id: 1, score }).sort({ score }).toArray();
    expect(byScore.at(-1)).toMatchObject({ _id: 2 });
    expect(byScore[0]?.score).toBeGreaterThan(byScore[2]?.score);
    expect(Object.keys(byScore[0] ?? {})).toEqual(['_id', 'score']);
    const stages = [{ $match: filter }, { $sort: { by: score } }, { $project: { _id: 1, score } }];
    expect(await offers.aggregate(stages).toArray()).toEqual(byScore);
    const [best] = await offers
      .aggregate([{ $match: filter }, { $group: { _id: null, best: { $max: score } } }])
      .toArray();
    expect(best).toEqual({ _id: null, best: byScore[0]?.score });
  });
});

describe('text search: refusals', () => {
  it.each<[string, Document, number]>([
    ['no search', { $text: {} }, 2],
    ['a search that is no string', { $text: { $search: 1 } }, 14],
    ['an unknown language', { $text: { $search: 'a', $language: 'klingon' } }, 2],
    ['two searches', { $and: [{ $text: { $search: 'a' } }, { $text: { $search: 'b' } }] }, 2],
    ['a search in $elemMatch', { tags: { $elemMatch: { $text: { $search: 'a' } } } }, 2],
  ])('%s', async (_, filter, code) => {
    await expect(offers.find(filter).toArray()).rejects.toMatchObject({ code });
  });

  it('a search with a hint', async () => {
    const filter = { $text: { $search: 'coffee' } };
    await expect(offers.find(filter).hint({ _id: 1 }).toArray()).rejects.toMatchObject({ code: 2 });
  });

  it('a search without a text index, and a score without a search', async () => {
    const other = database.db.collection(freshName());
    await other.insertOne({ a: 'b' });
    await expect(other.find({ $text: { $search: 'b' } }).toArray()).rejects.toMatchObject({ code: 27 });
    const code = database.differs('refuses a score without a search with code 8000') ? 8000 : 40218;
    await expect(other.find().project({ score }).toArray()).rejects.toMatchObject({ code });
    await expect(other.find().sort({ score }).toArray()).rejects.toMatchObject({ code });
    await expect(other.aggregate([{ $addFields: { score } }]).toArray()).rejects.toMatchObject({ code });
  });
});
