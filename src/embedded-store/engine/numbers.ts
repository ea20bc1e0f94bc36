// Arithmetic over BSON's numeric types: the result has the wider type, as in MongoDB.
import { Decimal128 } from 'bson';
import { Decimal as DecimalJs } from 'decimal.js';
import { MongoError } from '../errors.ts';
import { bsonType, type RawValue, rawInt, rawLong, toRaw } from './raw-bson.ts';

const DIGITS = 34;
/** Computes as IEEE 754 decimal128 does. */
const Decimal = DecimalJs.clone({ precision: DIGITS, rounding: DecimalJs.ROUND_HALF_EVEN, minE: -6176, maxE: 6144 });
/** Holds products of two decimals. */
const Wide = DecimalJs.clone({ precision: 2 * DIGITS });

const rank: Partial<Record<number, number>> = {
  [bsonType.int]: 0,
  [bsonType.long]: 1,
  [bsonType.double]: 2,
  [bsonType.decimal]: 3,
};

export function isNumeric(value: RawValue | undefined): value is RawValue {
  return value !== undefined && rank[value.type] !== undefined;
}

export function isInteger({ type }: Pick<RawValue, 'type'>): boolean {
  return type === bsonType.int || type === bsonType.long;
}

function isDecimal({ type }: RawValue): boolean {
  return type === bsonType.decimal;
}

export function rawDouble(value: number): RawValue {
  const buffer = Buffer.allocUnsafe(8);
  buffer.writeDoubleLE(value);
  return { type: bsonType.double, buffer, start: 0, end: 8 };
}

/** The nearest JavaScript number. */
export function toNumber(value: RawValue): number {
  const { type, buffer, start } = value;
  if (type === bsonType.int) return buffer.readInt32LE(start);
  if (type === bsonType.long) return Number(buffer.readBigInt64LE(start));
  return type === bsonType.double ? buffer.readDoubleLE(start) : toDecimal(value).value.toNumber();
}

/** An int, a long or a date, exactly. */
export function toInteger({ type, buffer, start }: RawValue): bigint {
  return type === bsonType.int ? BigInt(buffer.readInt32LE(start)) : buffer.readBigInt64LE(start);
}

/** A decimal with the place of its last digit, for `1.10` is not `1.1`. */
interface Exact {
  value: DecimalJs;
  exponent: number;
}

/** Any number as a decimal; a double gives its first 15 digits. */
export function toDecimal(value: RawValue): Exact {
  const { type, buffer, start } = value;
  if (type === bsonType.decimal) {
    const text = new Decimal128(buffer.subarray(start, start + 16)).toString();
    const [, fraction = '', power = '0'] = /^-?\d+(?:\.(\d+))?(?:E(.+))?$/.exec(text) ?? [];
    return { value: new Decimal(text), exponent: Number(power) - fraction.length };
  }
  if (type !== bsonType.double) return { value: new Decimal(toInteger(value).toString()), exponent: 0 };
  const near = new Decimal(buffer.readDoubleLE(start)).toSignificantDigits(15);
  return { value: near, exponent: near.isZero() || !near.isFinite() ? 0 : near.e - 14 };
}

/** The number as a decimal128 whose last digit stands at `exponent`, as far as 34 digits allow. */
export function rawDecimal(value: DecimalJs, exponent = 0): RawValue {
  if (!value.isFinite()) return toRaw(Decimal128.fromString(String(value)));
  const rounded = value.toSignificantDigits(DIGITS);
  const digits = (rounded.toExponential().split('e')[0] ?? '').replace('.', '');
  const count = digits.replace('-', '').length;
  const last = rounded.isZero() ? exponent : rounded.e - count + 1;
  const zeros = Math.max(0, Math.min(last - exponent, DIGITS - count));
  return toRaw(Decimal128.fromStringWithRounding(`${digits}${'0'.repeat(zeros)}E${last - zeros}`));
}

/** The smallest type that holds it, but not smaller than `type`; undefined above 64 bits. */
export function rawInteger(value: bigint, type: number): RawValue | undefined {
  if (type === bsonType.int && value === BigInt.asIntN(32, value)) return rawInt(Number(value));
  return value === BigInt.asIntN(64, value) ? rawLong(value) : undefined;
}

interface Operation {
  integer: (a: bigint, b: bigint) => bigint;
  double: (a: number, b: number) => number;
  decimal: (a: DecimalJs, b: DecimalJs) => DecimalJs;
  exponent: (a: number, b: number) => number;
}

const operations = {
  add: { integer: (a, b) => a + b, double: (a, b) => a + b, decimal: (a, b) => a.plus(b), exponent: Math.min },
  subtract: { integer: (a, b) => a - b, double: (a, b) => a - b, decimal: (a, b) => a.minus(b), exponent: Math.min },
  multiply: {
    integer: (a, b) => a * b,
    double: (a, b) => a * b,
    decimal: (a, b) => a.times(b),
    exponent: (a, b) => a + b,
  },
  // Integers are divided as doubles.
  divide: { integer: (a, b) => a / b, double: (a, b) => a / b, decimal: (a, b) => a.div(b), exponent: (a, b) => a - b },
  mod: { integer: (a, b) => a % b, double: (a, b) => a % b, decimal: (a, b) => a.mod(b), exponent: Math.min },
} satisfies Record<string, Operation>;

/** Two numbers combined in the wider type; `overflow` answers for integers that do not fit 64 bits. */
export function combine(
  name: keyof typeof operations,
  left: RawValue,
  right: RawValue,
  overflow = (exact: bigint): RawValue => rawDouble(Number(exact)),
): RawValue {
  const operation: Operation = operations[name];
  const wider = (rank[left.type] ?? 0) >= (rank[right.type] ?? 0) ? left.type : right.type;
  if (wider === bsonType.decimal) {
    const [a, b] = [toDecimal(left), toDecimal(right)];
    const result = operation.decimal(a.value, b.value);
    const isExact = name !== 'divide' || new Wide(result).times(b.value).equals(a.value);
    return rawDecimal(result, isExact ? operation.exponent(a.exponent, b.exponent) : Number.NEGATIVE_INFINITY);
  }
  if (wider === bsonType.double || name === 'divide')
    return rawDouble(operation.double(toNumber(left), toNumber(right)));
  const exact = operation.integer(toInteger(left), toInteger(right));
  return rawInteger(exact, wider) ?? overflow(exact);
}

/** `$inc` and `$mul`. @throws MongoError when the result does not fit a 64-bit integer. */
export function arithmetic(operator: '$inc' | '$mul', left: RawValue, right: RawValue): RawValue {
  return combine(operator === '$inc' ? 'add' : 'multiply', left, right, () => {
    throw new MongoError('BadValue', `Failed to apply ${operator}: the result does not fit 64 bits`);
  });
}

const bitOperations = {
  and: (a: bigint, b: bigint) => a & b,
  or: (a: bigint, b: bigint) => a | b,
  xor: (a: bigint, b: bigint) => a ^ b,
};

/** @throws MongoError unless both are ints or longs. */
export function bitwise(operator: keyof typeof bitOperations, left: RawValue, right: RawValue): RawValue {
  if (!isInteger(left) || !isInteger(right))
    throw new MongoError('BadValue', 'Cannot apply $bit to a value of non-integral type');
  const type = left.type === bsonType.long ? left.type : right.type;
  return rawInteger(bitOperations[operator](toInteger(left), toInteger(right)), type) ?? left;
}

/** A sum in the widest type among its parts. Doubles carry what each addition has lost (Neumaier). */
export class Sum {
  #type: number = bsonType.int;
  #integers = 0n;
  #doubles = 0;
  #lost = 0;
  #decimals: RawValue | undefined;
  count = 0;

  add(value: RawValue): void {
    this.count++;
    if ((rank[value.type] ?? 0) > (rank[this.#type] ?? 0)) this.#type = value.type;
    if (isInteger(value)) this.#integers += toInteger(value);
    else if (value.type === bsonType.double) this.#addDouble(toNumber(value));
    else this.#decimals = this.#decimals ? combine('add', this.#decimals, value) : value;
  }

  get total(): RawValue {
    const whole = isInteger({ type: this.#type }) && rawInteger(this.#integers, this.#type);
    if (whole) return whole;
    if (!this.#decimals) {
      this.#addDouble(Number(this.#integers));
      this.#integers = 0n;
      return rawDouble(this.#double);
    }
    const rest = new Decimal(this.#double.toPrecision(DIGITS)).plus(this.#integers.toString());
    const { value, exponent } = toDecimal(this.#decimals);
    return rawDecimal(value.plus(rest), Math.min(exponent, rest.isFinite() ? -rest.decimalPlaces() : 0));
  }

  get #double(): number {
    return Number.isFinite(this.#doubles) ? this.#doubles + this.#lost : this.#doubles;
  }

  get mean(): RawValue {
    const { total } = this;
    return combine('divide', total, total.type === bsonType.decimal ? rawInt(this.count) : rawDouble(this.count));
  }

  #addDouble(value: number): void {
    const sum = this.#doubles + value;
    this.#lost +=
      Math.abs(this.#doubles) >= Math.abs(value) ? this.#doubles - sum + value : value - sum + this.#doubles;
    this.#doubles = sum;
  }
}

const roundings = {
  $round: DecimalJs.ROUND_HALF_EVEN,
  $trunc: DecimalJs.ROUND_DOWN,
  $ceil: DecimalJs.ROUND_CEIL,
  $floor: DecimalJs.ROUND_FLOOR,
} as const;

/** The number at this decimal place, in its own type. */
export function round(operator: keyof typeof roundings, value: RawValue, place = 0): RawValue {
  if (isInteger(value) && place >= 0) return value;
  // All digits of a double matter: 1.005 is a little less than that.
  const exact =
    value.type === bsonType.double ? new Decimal(toNumber(value).toPrecision(DIGITS)) : toDecimal(value).value;
  const result = exact.isFinite() ? exact.toNearest(new Decimal(10).pow(-place), roundings[operator]) : exact;
  if (value.type === bsonType.decimal) return rawDecimal(result, -place);
  if (value.type === bsonType.double) return rawDouble(result.toNumber());
  const whole = rawInteger(BigInt(result.toFixed()), value.type);
  if (!whole) throw new MongoError('Location51080', `${operator} of a long is out of its range`);
  return whole;
}

/** A decimal of a decimal, otherwise a double. @throws MongoError for a negative number. */
export function squareRoot(value: RawValue): RawValue {
  const number = toNumber(value);
  if (number < 0) throw new MongoError('Location28714', "$sqrt's argument must be greater than or equal to 0");
  return isDecimal(value) ? rawDecimal(toDecimal(value).value.sqrt()) : rawDouble(Math.sqrt(number));
}

export function absolute(value: RawValue): RawValue {
  if (value.type === bsonType.double) return rawDouble(Math.abs(toNumber(value)));
  const { value: exact, exponent } = toDecimal(value);
  if (value.type === bsonType.decimal) return rawDecimal(exact.abs(), exponent);
  const whole = rawInteger(BigInt(exact.abs().toFixed()), value.type);
  if (!whole) throw new MongoError('Location28680', "can't take $abs of long long min");
  return whole;
}

/** Integers stay integers as long as the result is one of 64 bits. */
export function power(base: RawValue, exponent: RawValue): RawValue {
  if (toNumber(base) === 0 && toNumber(exponent) < 0)
    throw new MongoError('Location28764', '$pow cannot take a base of 0 and a negative exponent');
  if (isDecimal(base) || isDecimal(exponent))
    return rawDecimal(toDecimal(base).value.pow(toDecimal(exponent).value), Number.NEGATIVE_INFINITY);
  const double = toNumber(base) ** toNumber(exponent);
  if (!isInteger(base) || !isInteger(exponent) || !Number.isInteger(double) || Math.abs(double) > 2 ** 63)
    return rawDouble(double);
  const exact = toNumber(exponent) < 0 ? BigInt(double) : toInteger(base) ** toInteger(exponent);
  return rawInteger(exact, base.type === bsonType.long ? base.type : exponent.type) ?? rawDouble(double);
}
