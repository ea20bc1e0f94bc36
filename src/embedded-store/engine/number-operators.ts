// Operators on numbers, and the sums of dates and numbers.
import { absolute, combine, isNumeric, power, round, squareRoot, toInteger, toNumber } from './numbers.ts';
import { any, type Code, fail, numeric, type Operator, one, strict, two, whole } from './operator.ts';
import { bsonType, type RawValue, rawInt, rawLong } from './raw-bson.ts';
import { typeName, type Value } from './values.ts';

/** A strict operator on one number. */
function ofNumber(name: string, apply: (value: RawValue) => RawValue): [string, Operator] {
  return [name, strict(one, ([value]) => apply(numeric(name, 'Location28765', value)))];
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

export const numberOperators: Readonly<Record<string, Operator>> = {
  ...Object.fromEntries([
    ofNumber('$sqrt', squareRoot),
    ofNumber('$abs', absolute),
    ofNumber('$ceil', (value) => round('$ceil', value)),
    ofNumber('$floor', (value) => round('$floor', value)),
  ]),
  $add: strict(any, add),
  $subtract: strict(two, subtract),
  $multiply: strict(any, multiply),
  $divide: quotient('divide', 'TypeMismatch', 'BadValue'),
  $mod: quotient('mod', 'Location16611', 'Location16610'),
  $round: rounding('$round'),
  $trunc: rounding('$trunc'),
  $pow: strict(two, ([a, b]) => power(numeric('$pow', 'Location28762', a), numeric('$pow', 'Location28763', b))),
};
