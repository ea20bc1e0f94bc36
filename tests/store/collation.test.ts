import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Collection, Document } from 'mongodb';
import { freshName, useDatabase } from './test-database.ts';

interface Word extends Document {
  _id: number;
  w: unknown;
}

const database = useDatabase();
let words: Collection<Word>;

beforeEach(() => {
  words = database.db.collection(freshName());
});

const wordsOf: Record<string, string[]> = {
  de: ['Straße', 'Strasse', 'strasse', 'Äpfel', 'Apfel', 'apfel', 'Öl', 'Ol', 'öde', 'Zebra', 'über', 'uber', 'Maß'],
  sv: ['ål', 'Ål', 'ärm', 'arm', 'öl', 'ol', 'zon', 'Ärm', 'æra', 'wok', 'vak'],
  es: ['ñu', 'nu', 'ñandú', 'nz', 'Ñu', 'llama', 'luz', 'chico', 'cuña', 'cuna', 'mañana', 'manana'],
  da: ['Aarhus', 'Århus', 'århus', 'aarhus', 'zebra', 'ærø', 'øl', 'ål', 'abe', 'Zebra', 'Abe', 'aalborg'],
  pt: ['pão', 'pao', 'Pão', 'avô', 'avó', 'avo', 'ação', 'acao', 'maçã', 'maca', 'macã'],
  en: ['résumé', 'resume', 'Resume', 'RESUME', 'café', 'cafe', "o'neil", 'oneil', 'co-op', 'coop', 'Zoë', 'zoe', ''],
  fr: ['cote', 'côte', 'coté', 'côté', 'Cote', 'œuf', 'oeuf', 'été', 'ete', 'ÉTÉ', 'naïve', 'naive'],
};
const sensitivities = ['base', 'accent', 'variant'] as const;
const cases = Object.keys(wordsOf).flatMap((locale) => [1, 2, 3].map((strength) => ({ locale, strength })));

async function insertWords(locale: string): Promise<Word[]> {
  const documents = (wordsOf[locale] ?? []).map((w, _id) => ({ _id, w }));
  await words.insertMany(documents);
  return documents;
}

const idsOf = (documents: readonly Word[]): number[] => documents.map(({ _id }) => _id);

describe('collation: languages', () => {
  describe.each(cases)('$locale, strength $strength', (collation) => {
    const { compare } = new Intl.Collator(collation.locale, { sensitivity: sensitivities[collation.strength - 1] });

    it('sorts as the language does', async () => {
      const documents = await insertWords(collation.locale);
      const expected = documents.toSorted((a, b) => compare(String(a.w), String(b.w)) || a._id - b._id);
      expect(idsOf(await words.find({}, { collation }).sort({ w: 1, _id: 1 }).toArray())).toEqual(idsOf(expected));
      const down = documents.toSorted((a, b) => compare(String(b.w), String(a.w)) || a._id - b._id);
      expect(idsOf(await words.find({}, { collation }).sort({ w: -1, _id: 1 }).limit(5).toArray())).toEqual(
        idsOf(down).slice(0, 5),
      );
    });

    it('finds what is equal, less and greater', async () => {
      const documents = await insertWords(collation.locale);
      await Promise.all(
        documents.map(async ({ w }) => {
          const expectFound = async (condition: unknown, test: (order: number) => boolean): Promise<void> => {
            const filter = { w: condition } as Document;
            const found = await words.find(filter, { collation }).sort({ _id: 1 }).toArray();
            expect(idsOf(found)).toEqual(idsOf(documents.filter((other) => test(compare(String(other.w), String(w))))));
          };
          await expectFound(w, (order) => order === 0);
          await expectFound({ $in: [w, 7] }, (order) => order === 0);
          await expectFound({ $gt: w }, (order) => order > 0);
          await expectFound({ $lte: w }, (order) => order <= 0);
          await expectFound({ $ne: w }, (order) => order !== 0);
        }),
      );
    });
  });
});

const insensitive = { locale: 'en', strength: 2 };

describe('collation', () => {
  it('orders numbers in strings by their value', async () => {
    await words.insertMany(['a10', 'a9', 'a010', 'A9', 'b1'].map((w, _id) => ({ _id, w })));
    const collation = { locale: 'en', numericOrdering: true, strength: 2 };
    expect(idsOf(await words.find({}, { collation }).sort({ w: 1, _id: 1 }).toArray())).toEqual([1, 3, 0, 2, 4]);
    expect(await words.countDocuments({ w: 'A10' }, { collation })).toBe(2);
  });

  it('can put capitals first, and ignore punctuation', async () => {
    await words.insertMany(['a', 'A', 'b'].map((w, _id) => ({ _id, w })));
    const capitals = { locale: 'en', caseFirst: 'upper' };
    expect(idsOf(await words.find({}, { collation: capitals }).sort({ w: 1 }).toArray())).toEqual([1, 0, 2]);
    await words.insertOne({ _id: 3, w: 'a-b' });
    const shifted = { locale: 'en', alternate: 'shifted' as const };
    expect(idsOf(await words.find({ w: 'ab' }, { collation: shifted }).toArray())).toEqual([3]);
  });

  it('does not reach regular expressions', async () => {
    await words.insertMany(['Anna', 'anna'].map((w, _id) => ({ _id, w })));
    expect(idsOf(await words.find({ w: /^an/ }, { collation: insensitive }).toArray())).toEqual([1]);
  });

  it('holds inside arrays and documents', async () => {
    await words.insertMany([
      { _id: 1, w: ['Red', 'x'] },
      { _id: 2, w: { c: 'RED' } },
      { _id: 3, w: 'blue' },
    ]);
    const found = async (filter: Document): Promise<number[]> =>
      idsOf(await words.find(filter, { collation: insensitive }).toArray());
    expect(await found({ w: 'red' })).toEqual([1]);
    expect(await found({ w: { c: 'red' } })).toEqual([2]);
    expect(await found({ w: { $elemMatch: { $eq: 'RED' } } })).toEqual([1]);
  });

  it('holds for distinct, count, aggregate, update, findAndModify and delete', async () => {
    await words.insertMany(['Tom', 'tom', 'TOM', 'Ann'].map((w, _id) => ({ _id, w })));
    const options = { collation: insensitive };
    const distinct = words.distinct('w', {}, options);
    if (database.differs('has no collation for `distinct`'))
      await expect(distinct).rejects.toMatchObject({ code: 8000 });
    else expect(await distinct).toHaveLength(2);
    expect(await words.countDocuments({ w: 'tom' }, options)).toBe(3);
    expect(await words.aggregate([{ $match: { w: 'TOM' } }, { $sort: { w: 1 } }], options).toArray()).toHaveLength(3);
    if (!database.differs('has no collation for update and findAndModify')) {
      expect(await words.updateMany({ w: 'tom' }, { $set: { seen: 1 } }, options)).toMatchObject({ modifiedCount: 3 });
      expect(await words.findOneAndUpdate({ w: 'ANN' }, { $set: { seen: 2 } }, options)).toMatchObject({ _id: 3 });
    } else await expect(words.updateMany({}, { $set: { a: 1 } }, options)).rejects.toMatchObject({ code: 115 });
    expect(await words.deleteMany({ w: 'tOm' }, options)).toMatchObject({ deletedCount: 3 });
  });

  it('of an unknown language or strength is refused', async () => {
    await words.insertOne({ _id: 1, w: 'a' });
    const search = (collation: { locale: string; strength?: number }) => words.find({}, { collation }).toArray();
    await expect(search({ locale: 'xx' })).rejects.toMatchObject({ code: 2 });
    const code = database.differs('refuses an unknown strength with code 8000') ? 8000 : 51024;
    await expect(search({ locale: 'en', strength: 6 })).rejects.toMatchObject({ code });
  });
});
