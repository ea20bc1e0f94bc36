// Operators on arrays, and on arrays as sets.
import { MongoError } from '../errors.ts';
import { arrayOf, documentOf } from './document-writer.ts';
import type { StringFold } from './key-encoding.ts';
import { any, array, type Code, fail, type Operator, one, strict, two, whole } from './operator.ts';
import { bsonType, elements, type RawValue, rawInt, rawString, textOf } from './raw-bson.ts';
import { sortByKey } from './sort.ts';
import { keyOf, rawBoolean, typeName, type Value } from './values.ts';

function slice([input, first, second]: readonly RawValue[]): Value {
  const values = array('$slice', 'Location28724', input);
  const start = whole('$slice', 'Location28725', first);
  if (second === undefined) return arrayOf(start < 0 ? values.slice(start) : values.slice(0, start));
  const count = whole('$slice', 'Location28727', second);
  if (count <= 0) fail('Location28729', `Third argument to $slice must be positive: ${count}`);
  const from = start < 0 ? Math.max(0, values.length + start) : start;
  return arrayOf(values.slice(from, from + count));
}

/** As many as MongoDB has room for. */
const MAX_RANGE = 6_553_600;

function range([from, to, by]: readonly Value[]): RawValue {
  const start = whole('$range', 'Location34444', from);
  const end = whole('$range', 'Location34446', to);
  const step = by ? whole('$range', 'Location34448', by) : 1;
  if (step === 0) fail('Location34449', '$range requires a non-zero step value');
  const count = Math.max(0, Math.ceil((end - start) / step));
  if (count > MAX_RANGE) throw new MongoError('ExceededMemoryLimit', '$range would use too much memory');
  const numbers = function* (): Generator<RawValue> {
    for (let i = 0; i < count; i++) yield rawInt(start + i * step);
  };
  return arrayOf(numbers());
}

/** Of pairs `[k, v]` or documents `{ k, v }`. */
function arrayToObject([input]: readonly RawValue[]): Value {
  const fields = new Map<string, RawValue>();
  for (const item of array('$arrayToObject', 'Location40386', input)) {
    if (item.type !== bsonType.object && item.type !== bsonType.array)
      fail('Location40398', `Unrecognised input type format for $arrayToObject: ${typeName(item)}`);
    const parts = [...elements(item.buffer, item.start)];
    const names = item.type === bsonType.array ? ['0', '1'] : ['k', 'v'];
    const [key, value] = names.map((name) => parts.find((part) => part.name === name));
    const name = textOf(key);
    if (name === undefined || !value || parts.length !== 2)
      return fail('Location40394', '$arrayToObject requires a string key and a value in each element');
    fields.set(name, value);
  }
  return documentOf(fields);
}

function objectToArray([input]: readonly RawValue[]): Value {
  if (input?.type !== bsonType.object)
    return fail('Location40390', `$objectToArray requires a document input, found: ${typeName(input)}`);
  const pairs = [...elements(input.buffer, input.start)].map((field) =>
    documentOf([
      ['k', rawString(field.name)],
      ['v', field],
    ]),
  );
  return arrayOf(pairs);
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
  return arrayOf(sortByKey([...members.values()], keyOf));
}

export const listOperators: Readonly<Record<string, Operator>> = {
  $arrayElemAt: strict(two, ([input, index]) =>
    array('$arrayElemAt', 'Location28689', input).at(whole('$arrayElemAt', 'Location28691', index)),
  ),
  $first: strict(one, ([value]) => array('$first', 'Location28689', value)[0]),
  $last: strict(one, ([value]) => array('$last', 'Location28689', value).at(-1)),
  $slice: strict([2, 3], slice),
  $range: { takes: [2, 3], apply: range },
  $size: { takes: one, apply: ([value]) => rawInt(array('$size', 'Location17124', value).length) },
  $reverseArray: strict(one, ([value]) => arrayOf(array('$reverseArray', 'Location34435', value).reverse())),
  $concatArrays: strict(any, (args) =>
    arrayOf(args.flatMap((value) => array('$concatArrays', 'Location28664', value))),
  ),
  $in: {
    takes: two,
    apply: ([wanted, input], fold) => {
      const key = keyOf(wanted, fold);
      return rawBoolean(array('$in', 'Location40081', input).some((value) => keyOf(value, fold) === key));
    },
  },
  $arrayToObject: strict(one, arrayToObject),
  $objectToArray: strict(one, objectToArray),
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
  $setIsSubset: {
    takes: two,
    apply: ofSets('$setIsSubset', 'Location17046', (first, [second]) =>
      rawBoolean([...first.keys()].every((key) => second?.has(key))),
    ),
  },
};
