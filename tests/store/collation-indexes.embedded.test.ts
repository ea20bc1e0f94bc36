// DocumentDB has no collation for indexes and collections.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { type Collection, type Document, MongoClient, type ObjectId } from 'mongodb';
import { eventually } from '../helpers/wait-for.ts';
import { startStore } from './store-process.ts';
import { duplicateOf, freshName, useDatabase } from './test-database.ts';

const database = useDatabase();
type Person = Document & { _id?: number | string | ObjectId };

let people: Collection<Person>;

beforeEach(() => {
  people = database.db.collection(freshName());
});

const insensitive = { locale: 'en', strength: 2 };

async function plan(filter: Document, sort: Document = {}, collation: Document | undefined = insensitive) {
  const { queryPlanner, executionStats } = await people
    .find(filter, { ...(collation && { collation: collation as never }) })
    .sort(sort as never)
    .explain();
  const { winningPlan } = queryPlanner;
  return { stage: winningPlan.inputStage?.stage, sorts: winningPlan.stage === 'SORT', ...executionStats };
}

describe('collation: indexes', () => {
  it('unique: take an address once, in any case, and finds it by the index', async () => {
    await people.createIndex({ email: 1 }, { unique: true, collation: insensitive });
    await people.insertMany(Array.from({ length: 300 }, (_, i) => ({ _id: i, email: `User${i}@Example.com` })));
    for (const email of ['USER7@example.COM', 'user7@example.com', 'User7@Example.com', 'ｕser7@example.com'])
      await expect(people.insertOne({ email })).rejects.toMatchObject({ code: 11000 });
    await people.insertMany([{ email: 'usér7@example.com' }, { email: 'user-7@example.com' }]);
    await expect(people.updateOne({ _id: 8 }, { $set: { email: 'uSER9@example.com' } })).rejects.toMatchObject(
      duplicateOf({ email: 'uSER9@example.com' }, false),
    );
    expect(await people.findOne({ email: 'user250@EXAMPLE.com' }, { collation: insensitive })).toMatchObject({
      _id: 250,
    });
    expect(await plan({ email: 'user250@example.com' })).toMatchObject({ stage: 'IXSCAN', totalDocsExamined: 1 });
    expect(await plan({ email: { $in: ['USER1@example.com', 'user2@EXAMPLE.com'] } })).toMatchObject({
      stage: 'IXSCAN',
      nReturned: 2,
      totalDocsExamined: 2,
    });
  });

  it('are not used by other collations, for order, for ranges of strings or for regular expressions', async () => {
    await people.createIndex({ name: 1 }, { collation: insensitive });
    await people.insertMany(['anna', 'Bob', 'carl', 'Ängel'].map((name, _id) => ({ _id, name })));
    expect(await plan({ name: 'bob' }, {}, { locale: 'de', strength: 2 })).toMatchObject({ stage: 'COLLSCAN' });
    expect(await people.findOne({ name: 'bob' })).toBeNull();
    expect(await plan({ name: { $gt: 'b' } })).toMatchObject({ stage: 'COLLSCAN', nReturned: 2 });
    expect(await plan({ name: /^B/ })).toMatchObject({ stage: 'COLLSCAN', nReturned: 1 });
    expect(await plan({}, { name: 1 })).toMatchObject({ stage: 'COLLSCAN', sorts: true });
    const sorted = await people.find({}, { collation: insensitive }).sort({ name: 1 }).toArray();
    expect(sorted.map(({ name }) => name)).toEqual(['Ängel', 'anna', 'Bob', 'carl']);
  });

  it('are those of their language in what is not given', async () => {
    await people.createIndex({ name: 1 }, { collation: { locale: 'da' } });
    expect((await people.indexes())[1]).toMatchObject({ collation: { locale: 'da', strength: 3, caseFirst: 'upper' } });
    await people.insertMany(['abe', 'Abe'].map((name, _id) => ({ _id, name })));
    const sorted = await people
      .find({}, { collation: { locale: 'da' } })
      .sort({ name: 1 })
      .toArray();
    expect(sorted.map(({ name }) => name)).toEqual(['Abe', 'abe']);
    expect(await plan({ name: 'abe' }, {}, { locale: 'da' })).toMatchObject({ stage: 'IXSCAN', nReturned: 1 });
    await people.createIndex({ word: 1 }, { collation: { locale: 'th', strength: 2 } });
    expect((await people.indexes())[2]).toMatchObject({ collation: { alternate: 'shifted', caseFirst: 'off' } });
  });

  it('serve numbers whatever the collation of the query', async () => {
    await people.createIndex({ age: 1 });
    await people.insertMany([30, 40, 50].map((age, _id) => ({ _id, age })));
    expect(await plan({ age: { $gt: 30 } })).toMatchObject({ stage: 'IXSCAN', totalDocsExamined: 2 });
  });

  it('with a partial filter take it in their own collation', async () => {
    await people.createIndex(
      { email: 1 },
      { unique: true, collation: insensitive, partialFilterExpression: { kind: 'user' } },
    );
    await people.insertMany([
      { email: 'a', kind: 'USER' },
      { email: 'A', kind: 'guest' },
    ]);
    await expect(people.insertOne({ email: 'A', kind: 'User' })).rejects.toMatchObject({ code: 11000 });
    expect(await plan({ email: 'a', kind: 'usER' })).toMatchObject({ stage: 'IXSCAN', nReturned: 1 });
    expect(await plan({ email: 'a', kind: 'user' }, {}, { locale: 'simple' })).toMatchObject({ stage: 'COLLSCAN' });
  });
});

describe('collation: update operators', () => {
  it('compare and sort by it', async () => {
    await people.insertOne({ _id: 1, name: 'b', tags: ['A'], low: 'Ä', list: ['c', 'B', 'ä', 'a'] });
    const update = {
      $addToSet: { tags: { $each: ['a', 'B', 'b'] } },
      $min: { low: 'b' },
      $push: { list: { $each: [], $sort: 1 } },
    } as Document;
    await people.updateOne({ name: 'B' }, update, { collation: insensitive });
    expect(await people.findOne()).toMatchObject({ tags: ['A', 'B'], low: 'Ä', list: ['a', 'ä', 'B', 'c'] });
    await people.updateOne({ name: 'B' }, { $pull: { list: 'A' } } as Document, { collation: insensitive });
    expect(await people.findOne()).toMatchObject({ list: ['ä', 'B', 'c'] });
  });
});

describe('collation: indexes against scans', () => {
  const letters = [...'aAáäæåoöøœsßcçhlnñzeEéi1203 -', 'ſ', 'e\u0301', '٣', 'ﬁ', '\u00ad', '’', "'"];
  const random = (i: number, length: number): string =>
    Array.from({ length }, (_, k) => letters[((i * 2_654_435_761 * (k + 3)) % 97) % letters.length]).join('');
  const samples = Array.from({ length: 700 }, (_, i) => random(i, 1 + (i % 4)));

  it.each(
    ['de', 'de@collation=phonebook', 'sv', 'es', 'es@collation=traditional', 'da', 'pt', 'en', 'fr', 'fr_CA'].flatMap(
      (locale) => [1, 2, 3].map((strength): [string, number] => [locale, strength]),
    ),
  )('%s, strength %i', async (locale, strength) => {
    const collation = { locale, strength };
    await people.createIndex({ w: 1 }, { collation });
    await people.insertMany(samples.map((w, _id) => ({ _id, w })));
    const tag = locale
      .replace('_', '-')
      .replace('@collation=phonebook', '-u-co-phonebk')
      .replace('@collation=traditional', '-u-co-trad');
    const { compare } = new Intl.Collator(tag, { sensitivity: (['base', 'accent', 'variant'] as const)[strength - 1] });
    await Promise.all(
      samples.slice(0, 40).map(async (w) => {
        const found = await people.find({ w }, { collation }).sort({ _id: 1 }).toArray();
        expect(found.map((document) => document.w)).toEqual(samples.filter((sample) => compare(sample, w) === 0));
      }),
    );
  });
});

describe('collation: of a collection', () => {
  beforeEach(async () => {
    people = await database.db.createCollection<Person>(freshName(), { collation: insensitive });
  });

  it('is that of its operations, of its indexes and of _id', async () => {
    await people.createIndex({ name: 1 });
    await people.createIndex({ city: 1 }, { collation: { locale: 'simple' } });
    await people.insertOne({ _id: 'Key', name: 'Ann', city: 'Rome' });
    expect(await people.findOne({ _id: 'KEY' })).toMatchObject({ name: 'Ann' });
    await expect(people.insertOne({ _id: 'kEY' })).rejects.toMatchObject({ code: 11000 });
    expect(await plan({ name: 'ANN' }, {}, undefined)).toMatchObject({ stage: 'IXSCAN', nReturned: 1 });
    expect(await plan({ city: 'rome' }, {}, undefined)).toMatchObject({ stage: 'COLLSCAN', nReturned: 1 });
    expect(await people.findOne({ name: 'ANN' }, { collation: { locale: 'simple' } })).toBeNull();
    expect(await people.aggregate([{ $match: { name: 'ann' } }]).toArray()).toHaveLength(1);
    expect(await people.updateOne({ name: 'aNN' }, { $set: { seen: true } })).toMatchObject({
      matchedCount: 1,
    });
    expect(await people.deleteOne({ _id: 'key' })).toMatchObject({ deletedCount: 1 });
  });

  it('is shown with all of its fields', async () => {
    await people.createIndex({ name: 1 });
    const shown = expect.objectContaining({ locale: 'en', strength: 2, caseLevel: false, alternate: 'non-ignorable' });
    expect(await people.indexes()).toEqual([
      expect.objectContaining({ name: '_id_', collation: shown }),
      expect.objectContaining({ name: 'name_1', collation: shown }),
    ]);
    const [listed] = await database.db.listCollections({ name: people.collectionName }).toArray();
    expect(listed).toMatchObject({ options: { collation: { locale: 'en', strength: 2 } } });
    // The index is there already, also when its collation is given in short.
    expect(await people.createIndex({ name: 1 }, { collation: insensitive })).toBe('name_1');
  });
});

describe('collation: indexes', () => {
  it('TTL: remove what a partial index holds, in any case', async () => {
    const store = await startStore(undefined, 50);
    const client = await new MongoClient(store.uri).connect();
    try {
      const visits = client.db('a').collection<Person>('visits');
      const partial = { partialFilterExpression: { kind: 'short' }, collation: insensitive };
      await visits.createIndex({ at: 1 }, { expireAfterSeconds: 60, ...partial });
      await visits.insertMany(['long', 'Short', 'short'].map((kind) => ({ _id: kind, kind, at: new Date(0) })));
      await eventually(async () => (await visits.countDocuments()) === 1);
      expect(await visits.distinct('_id')).toEqual(['long']);
    } finally {
      await client.close();
      await store.remove();
    }
  });
});

describe('collation: refusals', () => {
  it.each([
    [{ strength: 2 }, 40414],
    [{ locale: 'en', strength: 4 }, 2],
    [{ locale: 'en', backwards: true }, 2],
    [{ locale: 'en', maxVariable: 'space' }, 2],
    [{ locale: 'en', strength: 2, caseFirst: 'upper' }, 2],
    [{ locale: 'en', strength: '2' }, 14],
    [{ locale: 'en', color: 1 }, 40415],
    [{ locale: 'en_ZZ' }, 2],
    [{ locale: 'en', version: '57.1' }, 161],
  ])('%j', async (collation, code) => {
    await expect(people.createIndex({ a: 1 }, { collation: collation as never })).rejects.toMatchObject({ code });
  });
});
