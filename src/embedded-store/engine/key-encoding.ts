// One order for everything: a value becomes a binary string, and comparing these strings byte by byte is MongoDB's
// cross-type comparison. Index keys, sorts, range filters and equality all use it, so they cannot disagree.
// No encoding is a prefix of another, so encodings can be joined (compound keys) and complemented (descending).
import { createHash } from 'node:crypto';
import { Decimal128 } from 'bson';
import { afterPrefix, type Key } from '../storage/layer.ts';
import { items } from './paths.ts';
import { bsonType, elements, type RawValue, toRaw } from './raw-bson.ts';

/** First byte of an encoding, in MongoDB's order of types. */
const order = {
  minKey: '\x08',
  undefined: '\x0c',
  null: '\x10',
  number: '\x20',
  string: '\x28',
  object: '\x30',
  array: '\x38',
  binary: '\x40',
  objectId: '\x48',
  bool: '\x50',
  date: '\x58',
  timestamp: '\x60',
  regex: '\x68',
  dbPointer: '\x6c',
  code: '\x70',
  codeWithScope: '\x78',
  maxKey: '\xf0',
} as const;

export const keys = {
  null: order.null,
  undefined: order.undefined,
  /** Where the encodings of numbers without NaN begin. */
  numberAfterNaN: `${order.number}\x00\x00\x00\x00\x00\x00\x00\x01`,
  nan: `${order.number}\x00\x00\x00\x00\x00\x00\x00\x00\x00`,
} as const;

/** What stands for a string when it is encoded; undefined keeps it. */
export type StringKey = (text: string) => string;

/** A collation: equal strings have the same key, `compare` is their order. */
export interface StringFold extends StringKey {
  readonly compare: (a: string, b: string) => number;
}

const scratch = Buffer.alloc(8);

/** Encodes a stored value. */
export function encodeKey(value: RawValue, fold?: StringKey): Key {
  const { type, buffer, start, end } = value;
  switch (type) {
    case bsonType.int:
      return encodeDouble(buffer.readInt32LE(start));
    case bsonType.double:
      return encodeDouble(buffer.readDoubleLE(start));
    case bsonType.long:
      return encodeLong(buffer.readBigInt64LE(start));
    case bsonType.decimal:
      return encodeDecimal(new Decimal128(buffer.subarray(start, start + 16)).toString());
    case bsonType.string:
    case bsonType.symbol:
      return order.string + text(buffer, start, end, fold);
    case bsonType.object:
      return order.object + encodeFields(buffer, start, fold);
    case bsonType.array:
      return order.array + encodeItems(value, fold);
    case bsonType.binary:
      return order.binary + swapLength(buffer, start) + buffer.toString('latin1', start + 4, end);
    case bsonType.objectId:
      return order.objectId + buffer.toString('latin1', start, end);
    case bsonType.bool:
      return order.bool + (buffer[start] ? '\x01' : '\x00');
    case bsonType.date:
      return order.date + signed(buffer.readBigInt64LE(start));
    case bsonType.timestamp:
      scratch.writeBigUInt64BE(buffer.readBigUInt64LE(start));
      return order.timestamp + scratch.toString('latin1');
    case bsonType.regex:
      return order.regex + buffer.toString('latin1', start, end);
    case bsonType.dbPointer:
      return order.dbPointer + buffer.toString('latin1', start, end);
    case bsonType.code:
      return order.code + text(buffer, start, end);
    case bsonType.codeWithScope:
      return order.codeWithScope + swapLength(buffer, start) + buffer.toString('latin1', start + 4, end);
    case bsonType.null:
      return order.null;
    case bsonType.undefined:
      return order.undefined;
    case bsonType.minKey:
      return order.minKey;
    default:
      return order.maxKey;
  }
}

/** Encodes a decoded value, such as an operand of a filter. */
export function encodeValue(value: unknown, fold?: StringKey): Key {
  return encodeKey(toRaw(value), fold);
}

/** Whether a value of this key is a string, or may have one inside: collation matters to it. */
export function holdsStrings(key: Key): boolean {
  return [order.string, order.object, order.array].some((first) => key.startsWith(first));
}

/** All keys of values comparable with this one: `[start, end)`. */
export function typeRange(key: Key): { start: Key; end: Key } {
  const first = key.charAt(0);
  return { start: first, end: String.fromCharCode(first.charCodeAt(0) + 1) };
}

/** Reverses the order of encodings. */
export function complement(key: Key): Key {
  const bytes = Buffer.from(key, 'latin1');
  for (let i = 0; i < bytes.length; i++) bytes[i] = 255 - (bytes[i] ?? 0);
  return bytes.toString('latin1');
}

const MAX_KEY_LENGTH = 900;
const DIGEST_LENGTH = 20;

/** LMDB's keys are limited: a longer one keeps its beginning and gets a digest, which keeps equality but not full order. */
export function limitKey(key: Key): Key {
  if (key.length <= MAX_KEY_LENGTH) return key;
  const digest = createHash('sha256').update(key, 'latin1').digest().toString('latin1', 0, DIGEST_LENGTH);
  return key.slice(0, MAX_KEY_LENGTH - DIGEST_LENGTH) + digest;
}

/** A bound of a range that is too long is cut; whoever uses it must check what it finds. */
export function limitBound(key: Key, isEnd: boolean): Key {
  if (!isCut(key)) return key;
  const cut = key.slice(0, MAX_KEY_LENGTH - DIGEST_LENGTH);
  return isEnd ? afterPrefix(cut) : cut;
}

export function isCut(key: Key): boolean {
  return key.length > MAX_KEY_LENGTH - DIGEST_LENGTH;
}

function encodeDouble(value: number): Key {
  // Integers below 2^53 and all doubles are exact here; the last byte says that nothing was rounded.
  return `${order.number}${orderedDouble(value)}\x00`;
}

function orderedDouble(value: number): Key {
  if (Number.isNaN(value)) return '\x00\x00\x00\x00\x00\x00\x00\x00';
  scratch.writeDoubleBE(value === 0 ? 0 : value);
  if (value < 0) for (let i = 0; i < 8; i++) scratch[i] = 255 - (scratch[i] ?? 0);
  else scratch[0] = (scratch[0] ?? 0) | 0x80;
  return scratch.toString('latin1');
}

function encodeLong(value: bigint): Key {
  const near = Number(value);
  if (BigInt(near) === value) return encodeDouble(near);
  return inexact(near, BigInt(near) > value, value < 0n, value.toString());
}

function encodeDecimal(text: string): Key {
  const near = Number(text === 'Infinity' || text === '-Infinity' ? text : text.replace('E', 'e'));
  if (Number.isNaN(near)) return encodeDouble(Number.NaN);
  if (/^-?Inf/.test(text)) return encodeDouble(near);
  const difference = compareDecimalToDouble(text, near);
  if (difference === 0) return encodeDouble(near);
  return inexact(near, difference < 0, text.startsWith('-'), text);
}

/** A number between two doubles: the lower double, then its own decimal digits. */
function inexact(near: number, nearIsAbove: boolean, negative: boolean, text: string): Key {
  const floor = nearIsAbove ? nextDown(near) : near;
  const { digits, exponent } = decimalParts(text);
  const first = exponent + digits.length + 20_000;
  const body = `${String.fromCharCode(first >> 8, first & 255)}${digits}\x00`;
  return `${order.number}${orderedDouble(floor)}\x01${negative ? complement(body) : body}`;
}

/** `0.0120` is digits `12`, exponent -3. */
function decimalParts(text: string): { digits: string; exponent: number } {
  const [mantissa = '0', power = '0'] = text.replace('-', '').split(/e/i);
  const [whole = '', fraction = ''] = mantissa.split('.');
  const all = (whole + fraction).replace(/^0+/, '');
  const digits = all.replace(/0+$/, '');
  return { digits, exponent: Number(power) - fraction.length + all.length - digits.length };
}

/** Sign of the exact difference; both may be of any size. */
function compareDecimalToDouble(text: string, near: number): number {
  const { digits, exponent } = decimalParts(text);
  if (digits === '') return near === 0 ? 0 : -Math.sign(near);
  if (!Number.isFinite(near)) return near > 0 ? -1 : 1;
  let left = BigInt(text.startsWith('-') ? `-${digits}` : digits);
  const { mantissa, exponent: power } = doubleParts(near);
  let right = mantissa;
  if (exponent >= 0) left *= 10n ** BigInt(exponent);
  else right *= 10n ** BigInt(-exponent);
  if (power >= 0) right <<= BigInt(power);
  else left <<= BigInt(-power);
  return left < right ? -1 : left > right ? 1 : 0;
}

function doubleParts(value: number): { mantissa: bigint; exponent: number } {
  scratch.writeDoubleBE(value);
  const bits = scratch.readBigUInt64BE();
  const biased = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const mantissa = biased === 0 ? fraction : fraction | 0x10000000000000n;
  return { mantissa: value < 0 ? -mantissa : mantissa, exponent: (biased || 1) - 1075 };
}

function nextDown(value: number): number {
  if (value === 0) return -Number.MIN_VALUE;
  if (value === Number.POSITIVE_INFINITY) return Number.MAX_VALUE;
  scratch.writeDoubleBE(value);
  scratch.writeBigUInt64BE(scratch.readBigUInt64BE() + (value > 0 ? -1n : 1n));
  return scratch.readDoubleBE();
}

function signed(value: bigint): Key {
  scratch.writeBigUInt64BE(BigInt.asUintN(64, value) ^ 0x8000000000000000n);
  return scratch.toString('latin1');
}

function swapLength(buffer: Buffer, start: number): Key {
  scratch.writeUInt32BE(buffer.readUInt32LE(start));
  return scratch.toString('latin1', 0, 4);
}

function text(buffer: Buffer, start: number, end: number, fold?: StringKey): Key {
  const plain = fold
    ? Buffer.from(fold(buffer.toString('utf8', start + 4, end - 1))).toString('latin1')
    : buffer.toString('latin1', start + 4, end - 1);
  return `${plain.includes('\0') ? plain.replaceAll('\0', '\0\xff') : plain}\0\x01`;
}

function encodeFields(buffer: Buffer, start: number, fold?: StringKey): Key {
  let key = '';
  for (const element of elements(buffer, start)) {
    const value = encodeKey(element, fold);
    key += `${value.charAt(0)}${Buffer.from(element.name).toString('latin1')}\0${value}`;
  }
  return `${key}\0`;
}

function encodeItems(array: RawValue, fold?: StringKey): Key {
  let key = '';
  for (const item of items(array)) key += encodeKey(item, fold);
  return `${key}\0`;
}
