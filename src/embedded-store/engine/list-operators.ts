// Operators on arrays, and on arrays as sets.
import { MIDDLE, percentiles } from './accumulators.ts';
import { wholeDocument } from './indexes.ts';
import type { StringFold } from './key-encoding.ts';
import { isPlainObject } from './matcher.ts';
import { any, array, type Code, fail, type Operator, one, position, strict, two, whole } from './operator.ts';
import {
  arrayOf,
  bsonType,
  DocumentWriter,
  decodeValue,
  elements,
  type RawElement,
  type RawValue,
  rawInt,
  toRaw,
} from './raw-bson.ts';
import { parseSort, sortBy } from './sort.ts';
import {
  isNullish,
  isTrue,
  itemsOf,
  keyOf,
  NULL,
  rawBoolean,
  sortValues,
  textOf,
  typeName,
  type Value,
} from './values.ts';

const EMPTY = toRaw({});

function sortArray([input, order]: readonly Value[], fold: StringFold | undefined): Value {
  if (isNullish(input)) return NULL;
  const values = array('$sortArray', 'Location2942504', input);
  const spec: unknown = order && decodeValue(order);
  if (!isPlainObject(spec)) return arrayOf(sortValues(values, Number(spec), fold));
  return arrayOf(sortBy(values, (value) => (value.type === bsonType.object ? value : EMPTY), parseSort(spec), fold));
}

/** `$firstN` and `$lastN`, and with `byValue` `$minN` and `$maxN`. */
function several(name: string, direction: 1 | -1, byValue: boolean): Operator {
  return {
    fields: ['n', 'input'],
    apply: ([n, input], fold) => {
      const count = whole(name, 'Location5787902', n);
      if (count < 1) fail('Location5787908', `'n' must be greater than 0, found ${count}`);
      const values = array(name, 'Location5788200', input);
      if (!byValue) return arrayOf(direction > 0 ? values.slice(0, count) : values.slice(-count));
      const present = values.filter((value) => !isNullish(value));
      return arrayOf(sortValues(present, direction, fold).slice(0, count));
    },
  };
}

function slice([input, first, second]: readonly RawValue[]): Value {
  const values = array('$slice', 'Location28724', input);
  const start = whole('$slice', 'Location28725', first);
  if (second === undefined) return arrayOf(start < 0 ? values.slice(start) : values.slice(0, start));
  const count = whole('$slice', 'Location28727', second);
  if (count <= 0) fail('Location28729', `Third argument to $slice must be positive: ${count}`);
  const from = start < 0 ? Math.max(0, values.length + start) : start;
  return arrayOf(values.slice(from, from + count));
}

function range([from, to, by]: readonly Value[]): RawValue {
  const start = whole('$range', 'Location34444', from);
  const end = whole('$range', 'Location34446', to);
  const step = by ? whole('$range', 'Location34448', by) : 1;
  if (step === 0) fail('Location34449', '$range requires a non-zero step value');
  const count = Math.max(0, Math.ceil((end - start) / step));
  return arrayOf(Array.from({ length: count }, (_, i) => rawInt(start + i * step)));
}

function indexOfArray([input, wanted, ...range]: readonly Value[], fold: StringFold | undefined): Value {
  if (isNullish(input)) return NULL;
  const values = array('$indexOfArray', 'Location40090', input);
  const [from, to = values.length] = range.map((value) => value && whole('$indexOfArray', 'Location40096', value));
  const key = keyOf(wanted, fold);
  return position(Math.min(to, values.length), from, (i) => keyOf(values[i], fold) === key);
}

function zip([inputs, useLongest, defaults]: readonly Value[]): Value {
  const given = array('$zip', 'Location34461', inputs);
  if (given.some(isNullish)) return NULL;
  const lists = given.map((value) => array('$zip', 'Location34468', value));
  const others = itemsOf(defaults) ?? [];
  const lengths = lists.map(({ length }) => length);
  const count = isTrue(useLongest) ? Math.max(...lengths) : Math.min(...lengths);
  return arrayOf(
    Array.from({ length: count }, (_, i) => arrayOf(lists.map((list, j) => list[i] ?? others[j] ?? NULL))),
  );
}

/** Of pairs `[k, v]` or documents `{ k, v }`. */
function arrayToObject([input]: readonly RawValue[]): Value {
  const fields = new Map<string, RawValue>();
  for (const item of array('$arrayToObject', 'Location40386', input)) {
    const { k, v, length } =
      item.type === bsonType.object || item.type === bsonType.array
        ? pairOf([...elements(item.buffer, item.start)], item.type)
        : fail('Location40398', `Unrecognised input type format for $arrayToObject: ${typeName(item)}`);
    const name = textOf(k);
    if (name === undefined || !v || length !== 2)
      return fail('Location40394', '$arrayToObject requires a string key and a value in each element');
    fields.set(name, v);
  }
  const writer = new DocumentWriter();
  for (const [name, value] of fields) writer.add(name, value);
  return wholeDocument(writer.finish());
}

function pairOf(parts: readonly RawElement[], type: number): { k: Value; v: Value; length: number } {
  const [k, v] = type === bsonType.array ? parts : ['k', 'v'].map((name) => parts.find((part) => part.name === name));
  return { k, v, length: parts.length };
}

type Members = Map<string, RawValue>;

/** Values by their order, each once. */
function setOf(values: readonly RawValue[], fold: StringFold | undefined): Members {
  const found: Members = new Map();
  for (const value of values) {
    const key = keyOf(value, fold);
    if (!found.has(key)) found.set(key, value);
  }
  return found;
}

function ofSets(
  name: string,
  code: Code,
  apply: (first: Members, others: readonly Members[]) => Value,
): Operator['apply'] {
  return (args, fold) => {
    const [first = new Map(), ...others] = args.map((value) => setOf(array(name, code, value), fold));
    return apply(first, others);
  };
}

function sorted(members: Members): RawValue {
  return arrayOf(sortValues([...members.values()], 1));
}

function numbersOf(input: Value): RawValue[] {
  return itemsOf(input) ?? (input ? [input] : []);
}

export const listOperators: Readonly<Record<string, Operator>> = {
  $arrayElemAt: strict(two, ([input, index]) =>
    array('$arrayElemAt', 'Location28689', input).at(whole('$arrayElemAt', 'Location28691', index)),
  ),
  $first: strict(one, ([value]) => array('$first', 'Location28689', value)[0]),
  $last: strict(one, ([value]) => array('$last', 'Location28689', value).at(-1)),
  $firstN: several('$firstN', 1, false),
  $lastN: several('$lastN', -1, false),
  $minN: several('$minN', 1, true),
  $maxN: several('$maxN', -1, true),
  $slice: strict([2, 3], slice),
  $range: { takes: [2, 3], apply: range },
  $size: { takes: one, apply: ([value]) => rawInt(array('$size', 'Location17124', value).length) },
  $reverseArray: strict(one, ([value]) => arrayOf(array('$reverseArray', 'Location34435', value).reverse())),
  $concatArrays: strict(any, (args) =>
    arrayOf(args.flatMap((value) => array('$concatArrays', 'Location28664', value))),
  ),
  $in: {
    takes: two,
    apply: ([wanted, input], fold) =>
      rawBoolean(setOf(array('$in', 'Location40081', input), fold).has(keyOf(wanted, fold))),
  },
  $indexOfArray: { takes: [2, 4], apply: indexOfArray },
  $sortArray: { fields: ['input', 'sortBy'], apply: sortArray },
  $zip: { fields: ['inputs', 'useLongestLength?', 'defaults?'], apply: zip },
  $arrayToObject: strict(one, arrayToObject),
  $setUnion: strict(any, (args, fold) =>
    sorted(
      setOf(
        args.flatMap((value) => array('$setUnion', 'Location17043', value)),
        fold,
      ),
    ),
  ),
  $setIntersection: strict(
    any,
    ofSets('$setIntersection', 'Location17047', (first, others) =>
      sorted(new Map([...first].filter(([key]) => others.every((set) => set.has(key))))),
    ),
  ),
  $setDifference: strict(
    two,
    ofSets('$setDifference', 'Location17048', (first, [second]) =>
      arrayOf([...first].filter(([key]) => !second?.has(key)).map(([, value]) => value)),
    ),
  ),
  $setEquals: {
    takes: [2, Number.POSITIVE_INFINITY],
    apply: ofSets('$setEquals', 'Location17044', (first, others) =>
      rawBoolean(others.every((set) => set.size === first.size && [...set.keys()].every((key) => first.has(key)))),
    ),
  },
  $setIsSubset: {
    takes: two,
    apply: ofSets('$setIsSubset', 'Location17046', (first, [second]) =>
      rawBoolean([...first.keys()].every((key) => second?.has(key))),
    ),
  },
  $anyElementTrue: {
    takes: one,
    apply: ([value]) => rawBoolean(array('$anyElementTrue', 'Location17041', value).some(isTrue)),
  },
  $allElementsTrue: {
    takes: one,
    apply: ([value]) => rawBoolean(array('$allElementsTrue', 'Location17040', value).every(isTrue)),
  },
  $median: { fields: ['input', 'method'], apply: ([input]) => percentiles(numbersOf(input), MIDDLE)[0] },
  $percentile: { fields: ['input', 'p', 'method'], apply: ([input, p]) => arrayOf(percentiles(numbersOf(input), p)) },
};
