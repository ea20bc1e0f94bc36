// `$convert` and its short forms.
import { Decimal128, ObjectId } from 'bson';
import { MongoError } from '../errors.ts';
import { millisecondsOf, parseDate } from './date-operators.ts';
import { getAt } from './document-paths.ts';
import { isInteger, isNumeric, rawDecimal, rawDouble, rawInteger, toDecimal, toInteger, toNumber } from './numbers.ts';
import { type Operator, one, strict } from './operator.ts';
import { bsonType, decodeValue, isNullish, type RawValue, rawLong, rawString, textOf, toRaw } from './raw-bson.ts';
import { isTrue, NULL, rawBoolean, typeName, type Value } from './values.ts';

type Target = 'double' | 'string' | 'objectId' | 'bool' | 'date' | 'int' | 'long' | 'decimal';

const converters: Record<Target, (value: RawValue) => RawValue> = {
  bool: (value) => rawBoolean(isTrue(value)),
  int: (value) => toWhole(value, bsonType.int),
  long: (value) => toWhole(value, bsonType.long),
  double: (value) => rawDouble(toNumber(toNumeric(value, 'double'))),
  decimal: (value) => {
    const number = toNumeric(value, 'decimal');
    if (number.type === bsonType.decimal) return number;
    const { value: exact, exponent } = toDecimal(number);
    return rawDecimal(exact, exponent);
  },
  date: (value) => {
    const moment = millisecondsOf(value);
    if (moment !== undefined) return toRaw(new Date(moment));
    if (isNumeric(value) && value.type !== bsonType.int)
      return { ...toWhole(value, bsonType.long), type: bsonType.date };
    return toRaw(parseDate(textOf(value) ?? unsupported(value, 'date')));
  },
  objectId: (value) => {
    if (value.type === bsonType.objectId) return value;
    const text = textOf(value) ?? unsupported(value, 'objectId');
    if (!/^[0-9a-f]{24}$/i.test(text)) return failed(`Failed to parse objectId '${text}'`);
    return toRaw(new ObjectId(text));
  },
  string: (value) => (value.type === bsonType.string ? value : rawString(toText(value))),
};

function toNumeric(value: RawValue, to: 'int' | 'long' | 'double' | 'decimal'): RawValue {
  const { type } = value;
  if (type === bsonType.bool) return toRaw(isTrue(value) ? 1 : 0);
  if (type === bsonType.date && to !== 'int') return rawLong(toInteger(value));
  if (isNumeric(value)) return value;
  const text = textOf(value) ?? unsupported(value, to);
  const isWhole = to === 'int' || to === 'long';
  const form = isWhole ? /^[+-]?\d+$/ : /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?|nan)$/i;
  if (!form.test(text)) return failed(`Failed to parse number '${text}'`);
  if (!isWhole) return toRaw(Decimal128.fromStringWithRounding(text));
  return (
    rawInteger(BigInt(text.replace('+', '')), bsonType.int) ?? failed(`Failed to parse number '${text}': overflow`)
  );
}

function toWhole(value: RawValue, type: number): RawValue {
  const whole = truncated(toNumeric(value, type === bsonType.int ? 'int' : 'long'));
  const result = rawInteger(whole, type);
  return result?.type === type ? result : failed(`Conversion would overflow target type: ${whole}`);
}

function truncated(value: RawValue): bigint {
  if (isInteger(value)) return toInteger(value);
  const number = toNumber(value);
  if (!Number.isFinite(number)) return failed(`Attempt to convert ${number} to an integer type`);
  return BigInt(value.type === bsonType.decimal ? toDecimal(value).value.trunc().toFixed() : Math.trunc(number));
}

/** @throws MongoError ConversionFailure */
export function toText(value: RawValue): string {
  switch (value.type) {
    case bsonType.bool:
      return String(isTrue(value));
    case bsonType.date:
      return new Date(Number(toInteger(value))).toISOString();
    case bsonType.double:
      // The exponent has two digits at least.
      return (Object.is(toNumber(value), -0) ? '-0' : String(toNumber(value))).replace(/e([+-])(\d)$/, 'e$10$2');
    case bsonType.int:
    case bsonType.long:
    case bsonType.decimal:
    case bsonType.objectId:
      return String(decodeValue(value));
    default:
      return unsupported(value, 'string');
  }
}

function unsupported(value: RawValue, to: string): never {
  return failed(`Unsupported conversion from ${typeName(value)} to ${to}`);
}

function failed(message: string): never {
  throw new MongoError('ConversionFailure', `${message} in $convert with no onError value`);
}

function targetOf(to: RawValue): Target {
  const wanted = to.type === bsonType.object ? getAt(to, ['type']) : to;
  const name = textOf(wanted);
  const code = isNumeric(wanted) ? toNumber(wanted) : undefined;
  const target = Object.keys(converters).find((known) => known === name || bsonType[known as Target] === code);
  if (!target) throw new MongoError('BadValue', `Unknown type name: ${name ?? String(code)}`);
  return target as Target;
}

function convert([input, to, onError, onNull]: readonly Value[]): Value {
  if (isNullish(input)) return onNull ?? NULL;
  if (isNullish(to)) return NULL;
  const target = targetOf(to);
  try {
    return converters[target](input);
  } catch (error) {
    if (onError && error instanceof MongoError && error.codeName === 'ConversionFailure') return onError;
    throw error;
  }
}

function shortForm(target: Target): [string, Operator] {
  const name = `$to${target.charAt(0).toUpperCase()}${target.slice(1)}`;
  return [name, strict(one, ([input]) => input && converters[target](input))];
}

export const conversions: Readonly<Record<string, Operator>> = {
  $convert: { fields: ['input', 'to', 'onError?', 'onNull?'], apply: convert },
  ...Object.fromEntries((Object.keys(converters) as Target[]).map(shortForm)),
};
