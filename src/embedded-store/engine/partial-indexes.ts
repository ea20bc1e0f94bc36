// Sparse and partial indexes lack documents: when they hold all that a filter wants.
import type { Document } from 'bson';
import { type Conditions, collectConditions, intersect, type Range } from './bounds.ts';
import type { Index } from './indexes.ts';
import type { StringFold } from './key-encoding.ts';
import { isPlainObject } from './matcher.ts';
import { encode } from './raw-bson.ts';

/** Whether the filter wants none of the documents that the index lacks. */
export function admits(
  index: Index,
  { filter, fold }: { filter: Document; fold?: StringFold | undefined },
  conditions: Conditions,
): boolean {
  if (index.sparse && !index.fields.some((field) => excludesMissing(filter, conditions, field.path.text))) return false;
  return (
    !index.partial ||
    (index.fold === fold &&
      Object.entries(index.partial.filter).every(([name, value]) => implies(filter, conditions, name, value, fold)))
  );
}

function excludesMissing(filter: Document, conditions: Conditions, path: string): boolean {
  const condition: unknown = filter[path];
  if (isPlainObject(condition) && condition.$exists === true) return true;
  return (conditions.byPath.get(path) ?? []).some((bounds) => bounds.ranges.every((range) => range.start >= '\x11'));
}

function implies(
  filter: Document,
  conditions: Conditions,
  path: string,
  wanted: unknown,
  fold: StringFold | undefined,
): boolean {
  if (isPlainObject(wanted) && wanted.$exists === true && Object.keys(wanted).length === 1)
    return excludesMissing(filter, conditions, path);
  if (encode({ v: filter[path] }).equals(encode({ v: wanted }))) return filter[path] !== undefined;
  const needed = collectConditions({ [path]: wanted }, fold);
  const bounds = needed.byPath.get(path) ?? [];
  if (!needed.complete || bounds.length === 0) return false;
  const within = bounds.reduce(intersect);
  const isWithin = (range: Range): boolean =>
    within.ranges.some((outer) => outer.start <= range.start && range.end <= outer.end);
  return (conditions.byPath.get(path) ?? []).some((one) => one.ranges.every(isWithin));
}
