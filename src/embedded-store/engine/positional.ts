// The positional operator `$`, of updates and projections: which element of an array made a document match.
import type { Document } from 'bson';
import { arrayOf, documentOf } from './document-writer.ts';
import { compileFilter, type MatchContext } from './matcher.ts';
import { documentNode, getPath, rawOf } from './mutable-document.ts';
import { items } from './paths.ts';
import { bsonType, type RawValue } from './raw-bson.ts';

/**
 * The first element of an array for which the filter still holds when the array has only that element; -1 when there is
 * none, undefined when there is no array.
 */
export function matchedItem(
  document: Buffer,
  arrayPath: string,
  filter: Document,
  context: MatchContext,
): number | undefined {
  const onArray = conditionsOn(filter, arrayPath);
  const path = arrayPath.split('.');
  const array = getPath(documentNode(document), path);
  if (array?.type !== bsonType.array) return undefined;
  if (onArray.length === 0) return -1;
  const predicate = compileFilter({ $and: onArray }, context);
  let index = 0;
  for (const item of items(rawOf(array))) {
    const alone = path.reduceRight<RawValue>((value, name) => documentOf([[name, value]]), arrayOf([item]));
    if (predicate(alone)) return index;
    index++;
  }
  return -1;
}

function conditionsOn(filter: Document, arrayPath: string): Document[] {
  return Object.entries(filter).flatMap(([name, value]): Document[] => {
    if (name === '$and' && Array.isArray(value))
      return value.flatMap((part) => conditionsOn(part as Document, arrayPath));
    if (name === '$or' && Array.isArray(value)) {
      const branches = value.flatMap((part) => conditionsOn(part as Document, arrayPath));
      return branches.length > 0 ? [{ $or: branches }] : [];
    }
    // A position in the filter says nothing about the other elements.
    const isInside = name.startsWith(`${arrayPath}.`) && !/^\d/.test(name.slice(arrayPath.length + 1));
    return name === arrayPath || isInside ? [{ [name]: value }] : [];
  });
}
