import { type Document, Double } from 'bson';
import { MongoError } from '../errors.ts';
import type { Key } from '../storage/layer.ts';
import { rankStrings } from './collation.ts';
import { complement, encodeKey, keys, type StringFold, type StringKey } from './key-encoding.ts';
import { isNumber } from './matcher-tests.ts';
import { checkFieldPath, indexedRows, type Path, parsePath } from './paths.ts';
import { type RawValue, toRaw } from './raw-bson.ts';
import { checkMeta, isMeta, type TextSearch } from './text-index.ts';

export interface SortPart {
  path: Path;
  descending: boolean;
  /** Stands for what is at the path. */
  score?: TextSearch['score'];
}

const MAX_PARTS = 32;

/** @throws MongoError unless every direction is 1, -1 or the score of the text search. */
export function parseSort(spec: Document, text?: TextSearch): SortPart[] {
  const entries = Object.entries(spec);
  if (entries.length > MAX_PARTS) throw new MongoError('Location13103', 'too many compound keys');
  if ('$natural' in spec && entries.length > 1)
    throw new MongoError('BadValue', "Cannot include '$natural' in compound sort");
  return entries.map(([name, direction]) => {
    if (isMeta(direction)) {
      checkMeta(direction, text);
      return { path: parsePath('$textScore'), descending: true, ...(text && { score: text.score }) };
    }
    if (!isNumber(direction))
      throw new MongoError('Location15974', `Illegal key in $sort specification: ${name}: ${String(direction)}`);
    const number = Number(direction);
    if (number !== 1 && number !== -1)
      throw new MongoError('Location15975', '$sort key ordering must be 1 (for ascending) or -1 (for descending)');
    if (name !== '$natural') checkFieldPath(name);
    // The natural order is that of _id.
    return { path: parsePath(name === '$natural' ? '_id' : name), descending: number < 0 };
  });
}

/** The items in the order of their keys, which are made with `strings` for the strings in them; equal ones keep theirs. */
export function sortByKey<T>(
  items: readonly T[],
  keyOf: (item: T, strings?: StringKey) => Key,
  fold?: StringFold,
): T[] {
  const ranks = rankStrings(fold, (see) => {
    for (const item of items) keyOf(item, see);
  });
  return items
    .map((item) => ({ item, key: keyOf(item, ranks) }))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ item }) => item);
}

/**
 * The document's place in the order: compare these as strings. Arrays count by their smallest (largest) element.
 * @throws MongoError when two parts of the sort enter different arrays.
 */
export function sortKey(document: RawValue, parts: readonly SortPart[], fold?: StringKey): Key {
  let best: Key | undefined;
  for (const row of sortedRows(document, parts)) {
    let key = '';
    parts.forEach(({ descending, score }, i) => {
      const value = score ? toRaw(new Double(score(document))) : row[i];
      const one = value ? encodeKey(value, fold) : keys.null;
      key += descending ? complement(one) : one;
    });
    if (best === undefined || key < best) best = key;
  }
  return best ?? '';
}

function sortedRows(document: RawValue, parts: readonly SortPart[]): ReturnType<typeof indexedRows> {
  try {
    return indexedRows(
      document,
      parts.map(({ path }) => path),
    );
  } catch (error) {
    if (!(error instanceof MongoError) || error.codeName !== 'CannotIndexParallelArrays') throw error;
    throw new MongoError('BadValue', 'cannot sort with keys that are parallel arrays');
  }
}
