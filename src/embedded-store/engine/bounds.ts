// What a filter says about one path, as ranges of encoded keys. Ranges may be too wide, never too narrow:
// whatever they find is checked against the filter, unless they are `exact`.
import { BSONRegExp, type Document } from 'bson';
import { afterPrefix, type Key } from '../storage/layer.ts';
import { encodeValue, holdsStrings, keys, type StringFold, typeRange } from './key-encoding.ts';
import { isKeyBound, isOperatorObject, isPlainObject, isRegex } from './matcher.ts';

export interface Range {
  start: Key;
  end: Key;
}

export interface Bounds {
  ranges: Range[];
  /** Every range is one value. */
  points: boolean;
  /** The ranges say all that the condition says, when no array is indexed. */
  exact: boolean;
}

/** Conditions of a filter by path; `complete` when the filter says nothing else. */
export interface Conditions {
  byPath: Map<string, Bounds[]>;
  complete: boolean;
}

export function collectConditions(filter: Document, fold?: StringFold): Conditions {
  const conditions: Conditions = { byPath: new Map(), complete: true };
  collect(filter, '', conditions, fold);
  return conditions;
}

function collect(filter: Document, prefix: string, conditions: Conditions, fold?: StringFold): void {
  for (const [name, value] of Object.entries(filter)) {
    if (name === '$and' && Array.isArray(value))
      for (const part of value) collect(part as Document, prefix, conditions, fold);
    else if (prefix !== '' && /^\d/.test(name)) continue;
    else if (name.startsWith('$')) conditions.complete &&= name === '$comment';
    else collectField(prefix + name, value, conditions, fold);
  }
}

function collectField(path: string, value: unknown, conditions: Conditions, fold?: StringFold): void {
  const { all, complete } = boundsOf(value, fold);
  if (!complete || all.some((bounds) => !bounds.exact)) conditions.complete = false;
  if (all.length > 0) conditions.byPath.set(path, [...(conditions.byPath.get(path) ?? []), ...all]);
  const inner = isOperatorObject(value) ? value.$elemMatch : undefined;
  if (isPlainObject(inner) && !isOperatorObject(inner)) {
    collect(inner, `${path}.`, { byPath: conditions.byPath, complete: false }, fold);
  }
}

/** One Bounds for each condition that can be one; `complete` when all can. */
function boundsOf(value: unknown, fold?: StringFold): { all: Bounds[]; complete: boolean } {
  if (!isOperatorObject(value)) {
    const all = isRegex(value) ? regexBounds(value.pattern, value.options, fold) : [equal(value, fold)];
    return { all: all ?? [], complete: all !== undefined };
  }
  const each = Object.entries(value).map(([operator, operand]) => operatorBounds(operator, operand, value, fold));
  return { all: each.flatMap((bounds) => bounds ?? []), complete: each.every((bounds) => bounds !== undefined) };
}

function operatorBounds(operator: string, operand: unknown, all: Document, fold?: StringFold): Bounds[] | undefined {
  switch (operator) {
    case '$eq':
      return [equal(operand, fold)];
    case '$in':
      return Array.isArray(operand) && !operand.some(isRegex)
        ? [union(operand.map((item) => equal(item, fold)))]
        : undefined;
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      return comparison(operator, operand, fold);
    case '$regex':
      return isRegex(operand)
        ? regexBounds(operand.pattern, operand.options || String(all.$options ?? ''), fold)
        : regexBounds(String(operand), String(all.$options ?? ''), fold);
    case '$options':
      return [];
    case '$elemMatch': {
      // Nested ones look into arrays that the index holds whole.
      const { $elemMatch: _, ...own } = isOperatorObject(operand) ? operand : {};
      const inner = isOperatorObject(own) ? boundsOf(own, fold).all : [];
      return inner.length > 0 ? inner.map((bounds) => ({ ...bounds, exact: false })) : undefined;
    }
    case '$all':
      return Array.isArray(operand) &&
        operand.length > 0 &&
        !operand.some((item) => isRegex(item) || isOperatorObject(item))
        ? operand.map((item) => ({ ...equal(item, fold), exact: false }))
        : undefined;
    default:
      return undefined;
  }
}

function point(key: Key): Range {
  return { start: key, end: afterPrefix(key) };
}

function equal(value: unknown, fold?: StringFold): Bounds {
  if (value === null || value === undefined)
    return { ranges: [point(keys.undefined), point(keys.null)], points: true, exact: false };
  if (Array.isArray(value)) {
    // An index holds the elements of an array, and arrays only as elements of arrays.
    const first = value.length === 0 ? keys.undefined : encodeValue(value[0], fold);
    return union([
      { ranges: [point(first)], points: true, exact: false },
      { ranges: [point(encodeValue(value, fold))], points: true, exact: false },
    ]);
  }
  return { ranges: [point(encodeValue(value, fold))], points: true, exact: true };
}

function comparison(operator: string, operand: unknown, fold?: StringFold): Bounds[] | undefined {
  if (operand === null || operand === undefined || Array.isArray(operand) || isKeyBound(operand)) return undefined;
  const key = encodeValue(operand, fold);
  // Keys of a collation say what is equal, not what is less.
  if (key === keys.nan || (fold && holdsStrings(key))) return undefined;
  const type = typeRange(key);
  // NaN is the smallest number in the order, but not smaller than any.
  const lowest = key.charAt(0) === keys.nan.charAt(0) ? keys.numberAfterNaN : type.start;
  const above = operator.startsWith('$gt');
  const orEqual = operator.endsWith('e');
  const range = above
    ? { start: orEqual ? key : afterPrefix(key), end: type.end }
    : { start: lowest, end: orEqual ? afterPrefix(key) : key };
  return [{ ranges: range.start < range.end ? [range] : [], points: false, exact: true }];
}

/** A regular expression looks at the text itself, which the keys of a collation do not show. */
function regexBounds(pattern: string, options: string, fold?: StringFold): Bounds[] | undefined {
  const literal = options === '' && !fold ? /^\^([\w \-@/:]+)/.exec(pattern) : null;
  let prefix = literal?.[1];
  if (!prefix || pattern.includes('|')) return undefined;
  // The last character may be optional or repeated.
  if (/^[*?+{]/.test(pattern.slice(prefix.length + 1))) prefix = prefix.slice(0, -1);
  if (prefix === '') return undefined;
  const start = encodeValue(prefix).slice(0, -2);
  return [
    {
      ranges: [{ start, end: afterPrefix(start) }, point(encodeValue(new BSONRegExp(pattern)))],
      points: false,
      exact: false,
    },
  ];
}

function union(all: Bounds[]): Bounds {
  const ranges = all.flatMap((bounds) => bounds.ranges).sort((a, b) => (a.start < b.start ? -1 : 1));
  const merged: Range[] = [];
  for (const range of ranges) {
    const last = merged.at(-1);
    if (last && range.start < last.end) last.end = larger(range.end, last.end);
    else merged.push({ ...range });
  }
  return { ranges: merged, points: all.every((bounds) => bounds.points), exact: all.every((bounds) => bounds.exact) };
}

export function intersect(a: Bounds, b: Bounds): Bounds {
  const ranges: Range[] = [];
  for (const left of a.ranges) {
    for (const right of b.ranges) {
      const start = larger(left.start, right.start);
      const end = left.end === larger(left.end, right.end) ? right.end : left.end;
      if (start < end) ranges.push({ start, end });
    }
  }
  return { ranges, points: a.points || b.points, exact: a.exact && b.exact };
}

function larger(a: Key, b: Key): Key {
  return a < b ? b : a;
}
