import type { Document } from 'bson';
import { MongoError } from '../errors.ts';
import type { Key } from '../storage/layer.ts';
import { complement, encodeKey, keys, type StringFold } from './key-encoding.ts';
import { isPlainObject } from './matcher.ts';
import { indexedValues, type Path, parsePath } from './paths.ts';
import type { RawValue } from './raw-bson.ts';

export interface SortPart {
  path: Path;
  descending: boolean;
}

/** @throws MongoError unless every direction is 1 or -1. */
export function parseSort(spec: Document): SortPart[] {
  return Object.entries(spec).map(([name, direction]) => {
    if (isPlainObject(direction)) throw new MongoError('BadValue', `$meta sort on '${name}' is not supported`);
    const number = Number(direction);
    if (number !== 1 && number !== -1)
      throw new MongoError('BadValue', '$sort key ordering must be 1 (for ascending) or -1 (for descending)');
    if (name === '' || (name.startsWith('$') && name !== '$natural'))
      throw new MongoError('BadValue', `FieldPath '${name}' is not valid`);
    // The natural order is that of _id.
    return { path: parsePath(name === '$natural' ? '_id' : name), descending: number < 0 };
  });
}

/** The document's place in the order: compare these as strings. Arrays count by their smallest (largest) element. */
export function sortKey(document: RawValue, parts: readonly SortPart[], fold?: StringFold): Key {
  let key = '';
  for (const { path, descending } of parts) {
    let best: Key | undefined;
    for (const value of indexedValues(document, path).values) {
      const one = value ? encodeKey(value, fold) : keys.null;
      if (best === undefined || (descending ? one > best : one < best)) best = one;
    }
    key += descending ? complement(best ?? keys.null) : (best ?? keys.null);
  }
  return key;
}
