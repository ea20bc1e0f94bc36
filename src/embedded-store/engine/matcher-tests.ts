// Value tests of the filter operators that look at types, bits and text.
import { MongoError } from '../errors.ts';
import { encodeValue } from './key-encoding.ts';
import { bsonType, decodeValue, type RawValue } from './raw-bson.ts';

type ValueTest = (value: RawValue | undefined) => boolean;

const typeAliases: Record<string, number> = {
  ...bsonType,
  binData: bsonType.binary,
  javascript: bsonType.code,
  javascriptWithScope: bsonType.codeWithScope,
};
const numberTypes: readonly number[] = [bsonType.int, bsonType.long, bsonType.double, bsonType.decimal];

export function typeTest(operand: unknown): ValueTest {
  const wanted = new Set<number>();
  for (const item of Array.isArray(operand) ? operand : [operand]) {
    if (item === 'number') for (const type of numberTypes) wanted.add(type);
    else wanted.add(typeCode(item));
  }
  return (value) => value !== undefined && wanted.has(value.type);
}

function typeCode(item: unknown): number {
  if (typeof item === 'string') {
    const code = Object.hasOwn(typeAliases, item) ? typeAliases[item] : undefined;
    if (code === undefined) throw new MongoError('BadValue', `Unknown type name alias: ${item}`);
    return code;
  }
  const code = Number(item) === -1 ? bsonType.minKey : Number(item);
  if (!Object.values(bsonType).some((type) => type === code))
    throw new MongoError('BadValue', `Invalid numerical type code: ${String(item)}`);
  return code;
}

export function regexTest(pattern: string, options: string): ValueTest {
  const regex = toRegExp(pattern, options);
  const own = encodeValue(new RegExp(regex.source, regex.flags.replace('u', '')));
  return (value) => {
    if (value === undefined) return false;
    if (value.type === bsonType.string || value.type === bsonType.symbol)
      return regex.test(value.buffer.toString('utf8', value.start + 4, value.end - 1));
    return value.type === bsonType.regex && own === encodeValue(decodeValue(value));
  };
}

/** PCRE's `x` is expanded here; `i`, `m` and `s` are the same in both. */
export function toRegExp(pattern: string, options: string): RegExp {
  if (/[^imsxu]/.test(options)) throw new MongoError('BadValue', `invalid flag in regex options: ${options}`);
  const source = options.includes('x')
    ? pattern.replace(/\\.|\[(?:\\.|[^\]])*\]|\s+|#.*$/gm, (part) => (/^[\s#]/.test(part) ? '' : part))
    : pattern;
  let flags = options.replace(/[^ims]/g, '');
  const inline = /^\(\?([ims]+)\)/.exec(source);
  if (inline) flags = [...new Set(flags + inline[1])].join('');
  try {
    return new RegExp(inline ? source.slice(inline[0].length) : source, flags);
  } catch (error) {
    throw new MongoError(
      'Location51091',
      `Regular expression is invalid: ${error instanceof Error ? error.message : ''}`,
    );
  }
}

function toBigInt(value: RawValue): bigint | undefined {
  if (!numberTypes.includes(value.type)) return undefined;
  if (value.type === bsonType.int) return BigInt(value.buffer.readInt32LE(value.start));
  if (value.type === bsonType.long) return value.buffer.readBigInt64LE(value.start);
  const number =
    value.type === bsonType.double ? value.buffer.readDoubleLE(value.start) : Number(String(decodeValue(value)));
  return Number.isFinite(number) ? BigInt(Math.trunc(number)) : undefined;
}

export function modTest(operand: unknown): ValueTest {
  if (!Array.isArray(operand) || operand.length !== 2) {
    throw new MongoError(
      'BadValue',
      `malformed mod, ${Array.isArray(operand) && operand.length < 2 ? 'not enough' : 'too many'} elements`,
    );
  }
  const [divisor, remainder] = operand.map((item) => Math.trunc(Number(item)));
  if (!Number.isFinite(divisor) || !Number.isFinite(remainder))
    throw new MongoError('BadValue', 'malformed mod, divisor and remainder must be numbers');
  if (divisor === 0) throw new MongoError('BadValue', 'divisor cannot be 0');
  const by = BigInt(divisor ?? 1);
  const rest = BigInt(remainder ?? 0);
  return (value) => {
    const number = value && toBigInt(value);
    return number !== undefined && number % by === rest;
  };
}

export function bitTest(operator: string, operand: unknown): ValueTest {
  const mask = bitMask(operator, operand);
  const wantSet = operator.endsWith('Set');
  const wantAll = operator.startsWith('$bitsAll');
  return (value) => {
    const bits =
      value &&
      (value.type === bsonType.binary
        ? littleEndian(value.buffer.subarray(value.start + 5, value.end))
        : toBigInt(value));
    if (bits === undefined) return false;
    const hit = (wantSet ? bits : ~bits) & mask;
    return wantAll ? hit === mask : hit !== 0n;
  };
}

function bitMask(operator: string, operand: unknown): bigint {
  if (Array.isArray(operand))
    return operand.reduce<bigint>((mask, position) => mask | (1n << BigInt(Number(position))), 0n);
  if (typeof operand === 'object' && operand !== null && 'buffer' in operand && operand.buffer instanceof Uint8Array)
    return littleEndian(operand.buffer);
  const number = Number(operand);
  if (!Number.isInteger(number) || number < 0)
    throw new MongoError(
      'BadValue',
      `${operator} takes an Array, a number, or a BinData but received: ${String(operand)}`,
    );
  return BigInt(number);
}

function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0);
  return value;
}
