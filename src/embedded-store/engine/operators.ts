// Operators of expressions that look at their arguments and nothing else.
import type { Timestamp } from 'bson';
import { MongoError } from '../errors.ts';
import { MIDDLE, percentiles } from './accumulators.ts';
import { conversions } from './conversions.ts';
import { dateOperators } from './date-operators.ts';
import { wholeDocument } from './indexes.ts';
import type { StringFold } from './key-encoding.ts';
import { isPlainObject } from './matcher.ts';
import {
  absolute,
  bitwise,
  combine,
  compute,
  functionNames,
  isInteger,
  isNumeric,
  logarithm,
  power,
  rawInteger,
  round,
  scaleByPi,
  toInteger,
  toNumber,
} from './numbers.ts';
import {
  arrayOf,
  bsonType,
  DocumentWriter,
  decodeValue,
  elements,
  type RawElement,
  type RawValue,
  rawInt,
  rawLong,
  rawString,
  toRaw,
} from './raw-bson.ts';
import { parseSort, sortBy } from './sort.ts';
import { stringOperators } from './string-operators.ts';
import {
  compare,
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

export interface Operator {
  /** How many arguments it takes as a list. */
  takes?: readonly [least: number, most: number];
  /** The names of its arguments, when it has them; what ends in `?` may be left out. */
  fields?: readonly string[];
  /** Named arguments stand in the order of `fields`. @throws MongoError */
  apply(args: readonly Value[], fold: StringFold | undefined): Value;
}

type Code = `Location${number}` | 'TypeMismatch' | 'BadValue';

const one = [1, 1] as const;
const two = [2, 2] as const;
const any = [0, Number.POSITIVE_INFINITY] as const;

function fail(code: Code, message: string): never {
  throw new MongoError(code, message);
}

/** An operator that is null as soon as one of its arguments is null or missing. */
function strict(
  takes: readonly [number, number],
  apply: (args: readonly RawValue[], fold: StringFold | undefined) => Value,
): Operator {
  return {
    takes,
    apply: (args, fold) => {
      const present = args.filter((value): value is RawValue => !isNullish(value));
      return present.length === args.length ? apply(present, fold) : NULL;
    },
  };
}

/** A strict operator on one number. */
function ofNumber(name: string, apply: (value: RawValue) => RawValue): [string, Operator] {
  return [name, strict(one, ([value]) => apply(numeric(name, 'Location28765', value)))];
}

function numeric(name: string, code: Code, value: Value): RawValue {
  return isNumeric(value) ? value : fail(code, `${name} only supports numeric types, not ${typeName(value)}`);
}

/** A whole number of 32 bits, of any numeric type. */
function whole(name: string, code: Code, value: Value): number {
  const number = isNumeric(value) ? toNumber(value) : Number.NaN;
  if (number !== Math.trunc(number) || Math.abs(number) > 0x7fffffff)
    fail(code, `${name} requires a whole number of 32 bits, found a value of type ${typeName(value)}`);
  return number;
}

function array(name: string, code: Code, value: Value): RawValue[] {
  return itemsOf(value) ?? fail(code, `${name} requires an array, but it was given a value of type ${typeName(value)}`);
}

function comparison(test: (order: number) => boolean): Operator {
  return { takes: two, apply: ([a, b], fold) => rawBoolean(test(compare(a, b, fold))) };
}

/** Numbers, and one date among them. */
function add(args: readonly RawValue[]): RawValue {
  const [date, ...more] = args.filter(({ type }) => type === bsonType.date);
  if (more.length > 0) fail('Location16612', 'only one date allowed in an $add expression');
  const sum = args
    .filter((value) => value !== date)
    .reduce((left, right) => combine('add', left, numeric('$add', 'TypeMismatch', right)), rawInt(0));
  return date ? shiftDate(date, toNumber(sum)) : sum;
}

function shiftDate(date: RawValue, milliseconds: number): RawValue {
  return { ...rawLong(toInteger(date) + BigInt(Math.round(milliseconds))), type: bsonType.date };
}

function subtract([left, right]: readonly RawValue[]): Value {
  if (isNumeric(left) && isNumeric(right)) return combine('subtract', left, right);
  if (left?.type !== bsonType.date || !right)
    return fail('TypeMismatch', `can't $subtract ${typeName(right)} from ${typeName(left)}`);
  if (right.type === bsonType.date) return rawLong(toInteger(left) - toInteger(right));
  return shiftDate(left, -toNumber(numeric('$subtract', 'TypeMismatch', right)));
}

function multiply(args: readonly RawValue[]): RawValue {
  const [first = rawInt(1), ...others] = args.map((value) => numeric('$multiply', 'TypeMismatch', value));
  return others.reduce((left, right) => combine('multiply', left, right), first);
}

function quotient(name: 'divide' | 'mod', type: Code, code: Code): Operator {
  return strict(two, ([left, right]) => {
    const by = numeric(`$${name}`, type, right);
    if (toNumber(by) === 0) fail(code, `can't $${name} by zero`);
    return combine(name, numeric(`$${name}`, type, left), by);
  });
}

function rounding(name: '$round' | '$trunc'): Operator {
  return strict([1, 2], ([value, place]) => {
    const digits = place ? whole(name, 'Location51082', place) : 0;
    if (digits < -20 || digits > 100)
      fail('Location51083', `cannot apply ${name} with precision value ${digits} value must be in [-20, 100]`);
    return round(name, numeric(name, 'Location51081', value), digits);
  });
}

function bits(name: 'and' | 'or' | 'xor'): Operator {
  return strict(any, (args) => {
    if (!args.every(isInteger)) fail('TypeMismatch', 'bit operators only support int and long');
    return args.reduce((left, right) => bitwise(name, left, right), rawInt(name === 'and' ? -1 : 0));
  });
}

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

/** The first place between two at which something holds. */
function position(end: number, from = 0, holds: (index: number) => boolean): RawValue {
  for (let i = from; i < end; i++) if (holds(i)) return rawInt(i);
  return rawInt(-1);
}

function indexOfArray([input, wanted, ...range]: readonly Value[], fold: StringFold | undefined): Value {
  if (isNullish(input)) return NULL;
  const values = array('$indexOfArray', 'Location40090', input);
  const [from, to = values.length] = range.map((value) => value && whole('$indexOfArray', 'Location40096', value));
  const key = keyOf(wanted, fold);
  return position(Math.min(to, values.length), from, (i) => keyOf(values[i], fold) === key);
}

/** `$indexOfCP` and `$indexOfBytes`. */
function indexOfText(name: string, unitsOf: (text: string) => readonly unknown[]): Operator {
  return {
    takes: [2, 4],
    apply: ([input, wanted, ...range]) => {
      if (isNullish(input)) return NULL;
      const [text = [], sought = []] = [input, wanted].map((value) =>
        unitsOf(textOf(value) ?? fail('Location40093', `${name} requires strings, found: ${typeName(value)}`)),
      );
      const [from, to = text.length] = range.map((value) => value && whole(name, 'Location40096', value));
      const last = Math.min(to, text.length) - sought.length;
      return position(last + 1, from, (i) => sought.every((unit, j) => text[i + j] === unit));
    },
  };
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

/** Without a value the field goes. */
function setField([name, input, value]: readonly Value[]): Value {
  const text = textOf(name) ?? fail('Location4161107', "$setField requires 'field' to evaluate to a string");
  if (isNullish(input)) return NULL;
  if (input.type !== bsonType.object)
    return fail('Location4161105', "$setField requires 'input' to evaluate to an object");
  const writer = new DocumentWriter();
  let isSet = false;
  for (const element of elements(input.buffer, input.start)) {
    const isField = element.name === text;
    isSet ||= isField;
    if (!isField) writer.add(element.name, element);
    else if (value) writer.add(text, value);
  }
  if (value && !isSet) writer.add(text, value);
  return wholeDocument(writer.finish());
}

function binarySize([value]: readonly RawValue[]): Value {
  const text = textOf(value);
  if (text !== undefined) return rawInt(Buffer.byteLength(text));
  if (value?.type !== bsonType.binary)
    return fail('Location51276', '$binarySize requires a string or BinData argument');
  return rawInt(value.buffer.readInt32LE(value.start));
}

function ofTimestamp(name: string, read: (timestamp: Timestamp) => number): [string, Operator] {
  const apply = ([value]: readonly RawValue[]): Value =>
    value?.type === bsonType.timestamp
      ? rawLong(BigInt(read(decodeValue(value) as Timestamp)))
      : fail('Location5687301', `${name} requires a timestamp`);
  return [name, strict(one, apply)];
}

export const operators: Readonly<Record<string, Operator>> = {
  ...conversions,
  ...stringOperators,
  ...dateOperators,
  ...Object.fromEntries([
    ...functionNames.map((name) => ofNumber(`$${name}`, (value) => compute(name, value))),
    ofNumber('$abs', absolute),
    ofNumber('$degreesToRadians', (value) => scaleByPi(value, 180)),
    ofNumber('$radiansToDegrees', (value) => scaleByPi(value, -180)),
    ofNumber('$ceil', (value) => round('$ceil', value)),
    ofNumber('$floor', (value) => round('$floor', value)),
    ofTimestamp('$tsSecond', (timestamp) => timestamp.getHighBitsUnsigned()),
    ofTimestamp('$tsIncrement', (timestamp) => timestamp.getLowBitsUnsigned()),
  ]),
  $cmp: { takes: two, apply: ([a, b], fold) => rawInt(compare(a, b, fold)) },
  $eq: comparison((order) => order === 0),
  $ne: comparison((order) => order !== 0),
  $gt: comparison((order) => order > 0),
  $gte: comparison((order) => order >= 0),
  $lt: comparison((order) => order < 0),
  $lte: comparison((order) => order <= 0),
  $not: { takes: one, apply: ([value]) => rawBoolean(!isTrue(value)) },
  $type: { takes: one, apply: ([value]) => rawString(typeName(value)) },
  $isNumber: { takes: one, apply: ([value]) => rawBoolean(isNumeric(value)) },
  $isArray: { takes: one, apply: ([value]) => rawBoolean(value?.type === bsonType.array) },
  $add: strict(any, add),
  $subtract: strict(two, subtract),
  $multiply: strict(any, multiply),
  $divide: quotient('divide', 'TypeMismatch', 'BadValue'),
  $mod: quotient('mod', 'Location16611', 'Location16610'),
  $round: rounding('$round'),
  $trunc: rounding('$trunc'),
  $pow: strict(two, ([a, b]) => power(numeric('$pow', 'Location28762', a), numeric('$pow', 'Location28763', b))),
  $log: strict(two, ([a, b]) => logarithm(numeric('$log', 'Location28756', a), numeric('$log', 'Location28757', b))),
  $bitAnd: bits('and'),
  $bitOr: bits('or'),
  $bitXor: bits('xor'),
  $bitNot: strict(one, ([value]) => {
    if (!value || !isInteger(value)) return fail('TypeMismatch', '$bitNot only supports int and long');
    return rawInteger(~toInteger(value), value.type);
  }),
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
  $indexOfCP: indexOfText('$indexOfCP', (text) => Array.from(text)),
  $indexOfBytes: indexOfText('$indexOfBytes', (text) => Array.from(Buffer.from(text))),
  $zip: { fields: ['inputs', 'useLongestLength?', 'defaults?'], apply: zip },
  $arrayToObject: strict(one, arrayToObject),
  $sortArray: { fields: ['input', 'sortBy'], apply: sortArray },
  $setField: { fields: ['field', 'input', 'value'], apply: setField },
  $unsetField: { fields: ['field', 'input'], apply: setField },
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
  $binarySize: strict(one, binarySize),
  $bsonSize: strict(one, ([value]) =>
    value?.type === bsonType.object
      ? rawInt(value.end - value.start)
      : fail('Location31393', '$bsonSize requires a document input'),
  ),
};

function numbersOf(input: Value): RawValue[] {
  return itemsOf(input) ?? (input ? [input] : []);
}
