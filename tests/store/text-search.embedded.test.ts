// DocumentDB keeps accents, has no case-sensitive search, scores of its own and no explain.
import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Collection, Document } from 'mongodb';
import { freshName, useDatabase } from './test-database.ts';

interface Offer extends Document {
  _id: number;
}

const database = useDatabase();
let offers: Collection<Offer>;

beforeEach(() => {
  offers = database.db.collection(freshName());
});

const idsOf = (found: readonly Document[]): unknown[] => found.map(({ _id }) => _id);
const search = async ($search: string, options: Document = {}): Promise<unknown[]> =>
  idsOf(
    await offers
      .find({ $text: { $search, ...options } })
      .sort({ _id: 1 })
      .toArray(),
  );

describe('text search: letters', () => {
  it('folds case and accents unless it is told not to', async () => {
    await offers.createIndex({ title: 'text' });
    const titles = ['Café com leite', 'cafe CREME', 'CAFÉ', 'Ångström', 'ﬁne', 'naïve'];
    await offers.insertMany(titles.map((title, _id) => ({ _id, title })));
    expect(await search('cafe')).toEqual([0, 1, 2]);
    expect(await search('CAFÉ')).toEqual([0, 1, 2]);
    expect(await search('café', { $diacriticSensitive: true })).toEqual([0, 2]);
    expect(await search('Café', { $caseSensitive: true })).toEqual([0]);
    expect(await search('CAFÉ', { $caseSensitive: true, $diacriticSensitive: true })).toEqual([2]);
    expect(await search('"cafe com"')).toEqual([0]);
    expect(await search('"cafe com"', { $diacriticSensitive: true })).toEqual([]);
    expect(await search('cafe -leite')).toEqual([1, 2]);
    expect(await search('cafe -LEITE', { $caseSensitive: true })).toEqual([1]);
    expect([await search('angstrom'), await search('fine'), await search('naive')]).toEqual([[3], [4], [5]]);
  });

  it('needs a phrase beside its other words, and a word beside its negations', async () => {
    await offers.createIndex({ title: 'text' });
    await offers.insertMany(['red wine', 'red old wine', 'white wine'].map((title, _id) => ({ _id, title })));
    expect(await search('"red wine" white')).toEqual([0]);
    expect(await search('-white')).toEqual([]);
    expect(await search('wine -"red wine" -white')).toEqual([1]);
    expect(await search('red-wine')).toEqual([0, 1, 2]);
    expect(await search('"white')).toEqual([2]);
  });
});

describe('text search: scores', () => {
  const score = { $meta: 'textScore' } as const;

  it('are those of MongoDB', async () => {
    await offers.createIndex({ subject: 'text', body: 'text' }, { default_language: 'none', weights: { body: 2 } });
    await offers.insertMany([
      { _id: 1, subject: 'coffee' },
      { _id: 2, subject: 'Coffee Shopping' },
      { _id: 3, subject: 'coffee and coffee' },
      { _id: 4, body: 'Coffee Shopping' },
    ]);
    const found = await offers.find({ $text: { $search: 'coffee' } }, { projection: { _id: 1, score } }).toArray();
    const scores = Object.fromEntries(found.map((document) => [document._id, document.score]));
    expect(scores).toEqual({ 1: 1.1, 2: 0.75, 3: expect.closeTo(1.25), 4: 1.5 });
  });

  it('reach every stage of a pipeline, and are gone at its end', async () => {
    await offers.createIndex({ title: 'text' }, { default_language: 'none' });
    await offers.insertMany([
      { _id: 1, title: 'tea', n: 1 },
      { _id: 2, title: 'green tea', n: 1 },
      { _id: 3, title: 'milk', n: 2 },
    ]);
    const $match = { $text: { $search: 'tea' } };
    expect(
      await offers
        .aggregate([{ $match }, { $project: { _id: 1 } }, { $sort: { x: score } }, { $set: { s: score } }])
        .toArray(),
    ).toEqual([
      { _id: 1, s: 1.1 },
      { _id: 2, s: 0.75 },
    ]);
    expect(
      await offers.aggregate([{ $match }, { $set: { s: score } }, { $match: { s: { $gt: 1 } } }]).toArray(),
    ).toEqual([{ _id: 1, title: 'tea', n: 1, s: 1.1 }]);
    expect(await offers.findOne({ ...$match, _id: 2 }, { projection: { s: score } })).toEqual({
      _id: 2,
      title: 'green tea',
      n: 1,
      s: 0.75,
    });
    await expect(offers.aggregate([{ $match: { n: 1 } }, { $match }]).toArray()).rejects.toMatchObject({ code: 17313 });
    await expect(
      offers
        .find()
        .project({ s: { $meta: 'colour' } })
        .toArray(),
    ).rejects.toMatchObject({ code: 17308 });
  });
});

describe('indexes: text', () => {
  it('is listed as MongoDB lists it, and there is one', async () => {
    const options = { weights: { title: 10 }, default_language: 'none', name: 'search' };
    await offers.createIndex({ title: 'text', about: 'text' }, options);
    expect((await offers.indexes())[1]).toEqual({
      v: 2,
      key: { _fts: 'text', _ftsx: 1 },
      name: 'search',
      weights: { about: 1, title: 10 },
      default_language: 'none',
      language_override: 'language',
      textIndexVersion: 3,
    });
    expect(await offers.createIndex({ title: 'text', about: 'text' }, options)).toBe('search');
    await expect(offers.createIndex({ other: 'text' })).rejects.toMatchObject({ code: 85 });
    await expect(offers.createIndex({ title: 'text' }, { name: 'search' })).rejects.toMatchObject({ code: 85 });
  });

  it('reads only documents that have a word of the search', async () => {
    await offers.createIndex({ title: 'text' }, { name: 'search' });
    await offers.insertMany(Array.from({ length: 300 }, (_, _id) => ({ _id, title: `item ${_id % 100} of many` })));
    const { queryPlanner, executionStats } = await offers.find({ $text: { $search: '7 -8' } }).explain();
    expect(queryPlanner.winningPlan.inputStage).toMatchObject({ stage: 'TEXT_MATCH', indexName: 'search' });
    expect(executionStats).toMatchObject({ nReturned: 3, totalDocsExamined: 3, totalKeysExamined: 3 });
    await expect(offers.find().hint('search').toArray()).rejects.toMatchObject({ code: 2 });
  });

  it('is built on documents that are there, and dropped by its name', async () => {
    await offers.insertMany(['tea', 'milk'].map((title, _id) => ({ _id, title })));
    await offers.createIndex({ title: 'text' });
    expect(await search('milk')).toEqual([1]);
    await offers.dropIndex('title_text');
    await expect(search('milk')).rejects.toMatchObject({ code: 27 });
  });

  it('belongs to the transaction of its document', async () => {
    await offers.createIndex({ title: 'text' });
    await offers.insertOne({ _id: 1, title: 'old' });
    const session = database.client.startSession();
    session.startTransaction();
    await offers.updateOne({ _id: 1 }, { $set: { title: 'new' } }, { session });
    const inside = await offers.find({ $text: { $search: 'new' } }, { session }).toArray();
    expect([idsOf(inside), await search('new'), await search('old')]).toEqual([[1], [], [1]]);
    await session.commitTransaction();
    await session.endSession();
    expect([await search('new'), await search('old')]).toEqual([[1], []]);
  });

  it('may be partial, and reads arrays and nested fields', async () => {
    await offers.createIndex({ 'parts.name': 'text' }, { partialFilterExpression: { live: true } });
    await offers.insertMany([
      { _id: 1, live: true, parts: [{ name: 'wheel' }, { name: ['bell', 7] }] },
      { _id: 2, live: false, parts: [{ name: 'wheel' }] },
    ]);
    expect([await search('wheel'), await search('bell'), await search('7')]).toEqual([[1], [1], []]);
  });

  it.each<[string, Document, Document, number]>([
    ['beside other fields', { kind: 1, title: 'text' }, {}, 67],
    ['on all fields', { '$**': 'text' }, {}, 67],
    ['unique', { title: 'text' }, { unique: true }, 67],
    ['with a collation', { title: 'text' }, { collation: { locale: 'en' } }, 67],
    ['of an unknown language', { title: 'text' }, { default_language: 'klingon' }, 67],
    ['with a weight of 0', { title: 'text' }, { weights: { title: 0 } }, 67],
  ])('is refused %s', async (_, key, options, code) => {
    await expect(offers.createIndex(key as never, options)).rejects.toMatchObject({ code });
  });
});
