// Where an update operator applies: `$`, `$[]` and `$[name]` become positions of the document at hand.
import { MongoError } from '../errors.ts';
import { documentOf } from './document-writer.ts';
import { compileFilter, isPlainObject, type MatchContext, type Predicate, rootNames } from './matcher.ts';
import { fieldsOf, getPath, type Node, rawOf } from './mutable-document.ts';
import { bsonType } from './raw-bson.ts';

export type ArrayFilters = Map<string, Predicate>;

/** @throws MongoError unless each filter speaks about one identifier, used once. */
export function parseArrayFilters(filters: readonly unknown[], context: MatchContext): ArrayFilters {
  const parsed: ArrayFilters = new Map();
  for (const filter of filters) {
    if (!isPlainObject(filter)) throw new MongoError('TypeMismatch', 'arrayFilters must be an array of objects');
    if (Object.keys(filter).length === 0) {
      throw new MongoError('FailedToParse', 'Cannot use an expression without a top-level field name in arrayFilters');
    }
    const identifiers = new Set(rootNames(filter));
    const [identifier] = identifiers;
    if (identifiers.size !== 1 || !identifier)
      throw new MongoError('FailedToParse', 'Error parsing array filter: Expected a single top-level field name');
    if (!/^[a-z][a-zA-Z0-9]*$/.test(identifier))
      throw new MongoError('BadValue', `Error parsing array filter: invalid field name '${identifier}'`);
    if (parsed.has(identifier)) throw new MongoError('FailedToParse', `Found multiple array filters for ${identifier}`);
    parsed.set(identifier, compileFilter(filter, context));
  }
  return parsed;
}

export interface PathContext {
  filters: ArrayFilters;
  /** Index of the element of this array that matched the filter of the update, or -1. */
  matchedItem: (arrayPath: string) => number;
}

/** @throws MongoError for a path that no document can have. */
export function checkPath(path: string, filters: ArrayFilters): void {
  const parts = path.split('.');
  if (parts.includes(''))
    throw new MongoError('EmptyFieldName', `The update path '${path}' contains an empty field name`);
  if (/^\$(\[.*\])?$/.test(parts[0] ?? ''))
    throw new MongoError('BadValue', `Cannot have positional element first in path '${path}'`);
  if (parts[0]?.startsWith('$') && !['$id', '$ref', '$db'].includes(parts[0]))
    throw new MongoError('DollarPrefixedFieldName', `The dollar prefixed field in '${path}' is not allowed`);
  if (parts.filter((part) => part === '$').length > 1)
    throw new MongoError('BadValue', `Too many positional (i.e. '$') elements found in path '${path}'`);
  for (const part of parts) {
    const name = /^\$\[(.+)\]$/.exec(part)?.[1];
    if (name && !filters.has(name))
      throw new MongoError('BadValue', `No array filter found for identifier '${name}' in path '${path}'`);
  }
}

/** All concrete paths that a path of an update means in this document. */
export function concretePaths(root: Node, path: string, context: PathContext): string[][] {
  let paths: string[][] = [[]];
  for (const part of path.split('.')) {
    paths = /^\$(\[.*\])?$/.test(part)
      ? paths.flatMap((base) => expand(root, base, part, context))
      : paths.map((base) => [...base, part]);
  }
  return paths;
}

function expand(root: Node, base: string[], part: string, context: PathContext): string[][] {
  if (part === '$') {
    const index = context.matchedItem(base.join('.'));
    if (index < 0)
      throw new MongoError('BadValue', 'The positional operator did not find the match needed from the query.');
    return [[...base, String(index)]];
  }
  const array = getPath(root, base);
  if (array?.type !== bsonType.array) {
    throw new MongoError('BadValue', `The path '${base.join('.')}' must exist to apply array updates.`);
  }
  const name = part.slice(2, -1);
  const predicate = context.filters.get(name);
  return fieldsOf(array).flatMap((field, index) => {
    if (!predicate) return [[...base, String(index)]];
    return predicate(documentOf([[name, rawOf(field.node)]])) ? [[...base, String(index)]] : [];
  });
}
