// Value tests of the filter operators that look at types, bits and text.
import { BSONRegExp, Decimal128, Double, Int32, Long } from 'bson';
import { MongoError } from '../errors.ts';
import { encodeKey, encodeValue } from './key-encoding.ts';
import { isInteger, isNumeric, toInteger, toNumber } from './numbers.ts';
import { bsonType, type RawValue, toRaw, typeAliases } from './raw-bson.ts';

type ValueTest = (value: RawValue | undefined) => boolean;

const numberTypes = [bsonType.int, bsonType.long, bsonType.double, bsonType.decimal];
const numberClasses = [Int32, Long, Double, Decimal128];

/** A decoded operand that is a number, of whatever type. */
export function isNumber(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'bigint' || numberClasses.some((kind) => value instanceof kind);
}

/** A decoded operand as a whole number; undefined when it is none. */
export function wholeNumber(value: unknown): number | undefined {
  const number = isNumber(value) ? Number(value) : Number.NaN;
  return Number.isInteger(number) ? number : undefined;
}

export function typeTest(operand: unknown): ValueTest {
  const wanted = new Set<number>();
  for (const item of Array.isArray(operand) ? operand : [operand]) {
    if (item === 'number') for (const type of numberTypes) wanted.add(type);
    else wanted.add(typeCode(item));
  }
  if (wanted.size === 0) throw new MongoError('FailedToParse', '$type must match at least one type');
  return (value) => value !== undefined && wanted.has(value.type);
}

function typeCode(item: unknown): number {
  if (typeof item === 'string') {
    const alias = Object.hasOwn(typeAliases, item) ? typeAliases[item] : undefined;
    if (alias === undefined) throw new MongoError('BadValue', `Unknown type name alias: ${item}`);
    return alias;
  }
  if (!isNumber(item)) throw new MongoError('TypeMismatch', 'type must be represented as a number or a string');
  const number = Number(item) === -1 ? bsonType.minKey : Number(item);
  if (!Object.values(bsonType).some((type) => type === number))
    throw new MongoError('BadValue', `Invalid numerical type code: ${String(item)}`);
  return number;
}

export function regexTest(pattern: string, options: string): ValueTest {
  const regex = toRegExp(pattern, options);
  const own = encodeValue(new BSONRegExp(pattern, options));
  return (value) => {
    if (value === undefined) return false;
    if (value.type === bsonType.string || value.type === bsonType.symbol)
      return regex.test(value.buffer.toString('utf8', value.start + 4, value.end - 1));
    return value.type === bsonType.regex && own === encodeKey(value);
  };
}

/** PCRE's `x` is expanded here; `i`, `m` and `s` are the same in both. */
export function toRegExp(pattern: string, options: string): RegExp {
  if (/[^imsxu]/.test(options)) throw new MongoError('Location51108', `invalid flag in regex options: ${options}`);
  if (pattern.includes('\0'))
    throw new MongoError('BadValue', 'Regular expression cannot contain an embedded null byte');
  const source = options.includes('x')
    ? pattern.replace(/\\.|\[(?:\\.|[^\]\\])*\]|\s+|#.*$/gm, (part) => (/^[\s#]/.test(part) ? '' : part))
    : pattern;
  let flags = options.replace(/[^ims]/g, '');
  const inline = /^\(\?([ims]+)\)/.exec(source);
  if (inline) flags = [...new Set(flags + inline[1])].join('');
  try {
    return new RegExp(inline ? source.slice(inline[0].length) : source, flags);
  } catch (error) {
    throw new MongoError('Location51091', `Regular expression is invalid: ${String(error)}`);
  }
}

/** As a 64-bit integer, if it fits one; a fraction is cut off, or refused. */
function toLong(value: RawValue, takesFraction: boolean): bigint | undefined {
  if (!isNumeric(value)) return undefined;
  if (isInteger(value)) return toInteger(value);
  const number = toNumber(value);
  if (!Number.isFinite(number) || !(takesFraction || Number.isInteger(number))) return undefined;
  const whole = BigInt(Math.trunc(number));
  return whole === BigInt.asIntN(64, whole) ? whole : undefined;
}

export function modTest(operand: unknown): ValueTest {
  if (!Array.isArray(operand)) throw new MongoError('BadValue', 'malformed mod, needs to be an array');
  if (operand.length !== 2)
    throw new MongoError('BadValue', `malformed mod, ${operand.length < 2 ? 'not enough' : 'too many'} elements`);
  const [by, rest] = operand.map((item) => (isNumber(item) ? toLong(toRaw(item), true) : undefined));
  if (by === undefined || rest === undefined)
    throw new MongoError('BadValue', 'malformed mod, divisor and remainder must be numbers');
  if (by === 0n) throw new MongoError('BadValue', 'divisor cannot be 0');
  return (value) => {
    const number = value && toLong(value, true);
    return number !== undefined && number % by === rest;
  };
}

/** Reads single bits of an integer, whose sign goes on for ever, or of bytes. */
function bitsOf(value: RawValue): ((position: number) => boolean) | undefined {
  if (value.type === bsonType.binary) {
    const bytes = value.buffer.subarray(value.start + 5, value.end);
    return (position) => (((bytes[Math.floor(position / 8)] ?? 0) >> (position % 8)) & 1) === 1;
  }
  const long = toLong(value, false);
  return long === undefined ? undefined : (position) => ((long >> BigInt(Math.min(position, 63))) & 1n) === 1n;
}

export function bitTest(operator: string, operand: unknown): ValueTest {
  const positions = bitPositions(operator, operand);
  const wanted = operator.endsWith('Set');
  const wantsAll = operator.startsWith('$bitsAll');
  return (value) => {
    const isSet = value && bitsOf(value);
    if (!isSet) return false;
    const isHit = (position: number): boolean => isSet(position) === wanted;
    return wantsAll ? positions.every(isHit) : positions.some(isHit);
  };
}

function bitPositions(operator: string, operand: unknown): number[] {
  if (Array.isArray(operand)) {
    return operand.map((item: unknown) => {
      const position = wholeNumber(item);
      if (position === undefined || position < 0 || position > 2 ** 31 - 1)
        throw new MongoError('BadValue', `bit positions must be integers >= 0 but got: ${String(item)}`);
      return position;
    });
  }
  const mask = toRaw(operand);
  const isBytes = mask.type === bsonType.binary;
  if (!isBytes && !isNumber(operand))
    throw new MongoError('BadValue', `${operator} takes an Array, a number, or a BinData`);
  const isSet = bitsOf(mask);
  if (!isSet || (!isBytes && isSet(63)))
    throw new MongoError('FailedToParse', `Expected a non-negative integer in: ${operator}: ${String(operand)}`);
  const positions: number[] = [];
  const count = isBytes ? (mask.end - mask.start - 5) * 8 : 63;
  for (let position = 0; position < count; position++) if (isSet(position)) positions.push(position);
  return positions;
}
