// Arithmetic over BSON's numeric types: the result has the wider type, as in MongoDB.
import { Decimal128, Double, Int32, Long } from 'bson';
import { MongoError } from '../errors.ts';
import { bsonType, decodeValue, type RawValue, toRaw } from './raw-bson.ts';

const rank: Partial<Record<number, number>> = {
  [bsonType.int]: 0,
  [bsonType.long]: 1,
  [bsonType.double]: 2,
  [bsonType.decimal]: 3,
};

export function isNumeric(value: RawValue): boolean {
  return rank[value.type] !== undefined;
}

/** @throws MongoError when the result does not fit a 64-bit integer. */
export function arithmetic(operator: '$inc' | '$mul', left: RawValue, right: RawValue): RawValue {
  const wider = Math.max(rank[left.type] ?? 0, rank[right.type] ?? 0);
  if (wider === 3) return toRaw(decimalArithmetic(operator, text(left), text(right)));
  if (wider === 2) {
    const [a, b] = [Number(text(left)), Number(text(right))];
    return toRaw(new Double(operator === '$inc' ? a + b : a * b));
  }
  const [a, b] = [BigInt(text(left)), BigInt(text(right))];
  const result = operator === '$inc' ? a + b : a * b;
  if (wider === 0 && result === BigInt.asIntN(32, result)) return toRaw(new Int32(Number(result)));
  if (result !== BigInt.asIntN(64, result)) {
    throw new MongoError(
      'BadValue',
      `Failed to apply ${operator} operations to current value: the result does not fit a 64-bit integer`,
    );
  }
  return toRaw(Long.fromBigInt(result));
}

export function bitwise(operator: string, left: RawValue, right: RawValue): RawValue {
  const isInteger = (value: RawValue): boolean => value.type === bsonType.int || value.type === bsonType.long;
  if (!isInteger(left) || !isInteger(right))
    throw new MongoError('BadValue', 'Cannot apply $bit to a value of non-integral type');
  const [a, b] = [BigInt(text(left)), BigInt(text(right))];
  const result = operator === 'and' ? a & b : operator === 'or' ? a | b : a ^ b;
  return toRaw(
    left.type === bsonType.long || right.type === bsonType.long ? Long.fromBigInt(result) : new Int32(Number(result)),
  );
}

function text(value: RawValue): string {
  return String(decodeValue(value));
}

function decimalArithmetic(operator: '$inc' | '$mul', left: string, right: string): Decimal128 {
  const a = parts(left);
  const b = parts(right);
  if (!a || !b)
    return Decimal128.fromString(
      String(operator === '$inc' ? Number(left) + Number(right) : Number(left) * Number(right)),
    );
  if (operator === '$mul') return decimal(a.digits * b.digits, a.exponent + b.exponent);
  const exponent = Math.min(a.exponent, b.exponent);
  return decimal(
    a.digits * 10n ** BigInt(a.exponent - exponent) + b.digits * 10n ** BigInt(b.exponent - exponent),
    exponent,
  );
}

function parts(value: string): { digits: bigint; exponent: number } | undefined {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(value);
  if (!match) return undefined;
  const [, sign = '', whole = '', fraction = '', power = '0'] = match;
  return { digits: BigInt(sign + whole + fraction), exponent: Number(power) - fraction.length };
}

function decimal(digits: bigint, exponent: number): Decimal128 {
  return Decimal128.fromStringWithRounding(`${digits}E${exponent}`);
}
