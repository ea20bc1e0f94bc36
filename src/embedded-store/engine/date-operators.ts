// Operators on dates, in time zones.
import type { ObjectId, Timestamp } from 'bson';
import { DateTime, type DurationUnit, FixedOffsetZone, IANAZone, type Zone } from 'luxon';
import { isNumeric, toInteger, toNumber } from './numbers.ts';
import { fail, type Operator } from './operator.ts';
import {
  bsonType,
  decodeValue,
  isNullish,
  type RawValue,
  rawInt,
  rawLong,
  rawString,
  textOf,
  toRaw,
} from './raw-bson.ts';
import { NULL, typeName, type Value } from './values.ts';

/** The moment that a date, a timestamp or an ObjectId stands for; undefined for other values. */
export function millisecondsOf(value: RawValue): number | undefined {
  if (value.type === bsonType.date) return Number(toInteger(value));
  if (value.type === bsonType.timestamp) return (decodeValue(value) as Timestamp).getHighBitsUnsigned() * 1000;
  if (value.type === bsonType.objectId) return (decodeValue(value) as ObjectId).getTimestamp().getTime();
  return undefined;
}

function zoneOf(timezone: Value): Zone {
  if (timezone === undefined) return FixedOffsetZone.utcInstance;
  const text = textOf(timezone) ?? fail('Location40517', `timezone must be a string, found ${typeName(timezone)}`);
  const offset = /^([+-])(\d\d):?(\d\d)?$/.exec(text);
  if (offset) {
    const minutes = Number(offset[2]) * 60 + Number(offset[3] ?? 0);
    return FixedOffsetZone.instance(offset[1] === '-' ? -minutes : minutes);
  }
  const zone = IANAZone.create(text);
  return zone.isValid ? zone : fail('Location40485', `unrecognized time zone identifier: "${text}"`);
}

function dateTime(date: RawValue, timezone: Value): DateTime {
  const milliseconds =
    millisecondsOf(date) ?? fail('Location16006', `can't convert from BSON type ${typeName(date)} to Date`);
  return DateTime.fromMillis(milliseconds, { zone: zoneOf(timezone), locale: 'en-US' });
}

function rawDate(date: DateTime): RawValue {
  if (!date.isValid) fail('Location5166406', 'the date overflowed');
  return { ...rawLong(BigInt(date.toMillis())), type: bsonType.date };
}

/** An argument that was given, but has no value: the result is null then. */
function anyNull(...args: readonly Value[]): boolean {
  return args.some((value) => value !== undefined && isNullish(value));
}

const parts = {
  $year: ({ year }) => year,
  $month: ({ month }) => month,
  $dayOfMonth: ({ day }) => day,
  $hour: ({ hour }) => hour,
  $minute: ({ minute }) => minute,
  $second: ({ second }) => second,
  $millisecond: ({ millisecond }) => millisecond,
  $dayOfYear: ({ ordinal }) => ordinal,
  $dayOfWeek: ({ weekday }) => (weekday % 7) + 1,
  $week: ({ ordinal, weekday }) => Math.floor((ordinal + 6 - (weekday % 7)) / 7),
  $isoWeek: ({ weekNumber }) => weekNumber,
  $isoWeekYear: ({ weekYear }) => weekYear,
  $isoDayOfWeek: ({ weekday }) => weekday,
} satisfies Record<string, (date: DateTime) => number>;

/** `$year: <date>` or `$year: { date, timezone }`. */
function part(name: string, read: (date: DateTime) => number): Operator {
  return {
    takes: [1, 1],
    fields: ['date', 'timezone?'],
    apply: ([date, timezone]) => {
      if (isNullish(date) || anyNull(timezone)) return NULL;
      const number = read(dateTime(date, timezone));
      return name === '$isoWeekYear' ? rawLong(BigInt(number)) : rawInt(number);
    },
  };
}

/** The letters of formats as luxon's tokens, and what luxon does not have. */
const formats: Readonly<Record<string, string | ((date: DateTime) => string)>> = {
  Y: 'yyyy',
  m: 'LL',
  d: 'dd',
  H: 'HH',
  M: 'mm',
  S: 'ss',
  L: 'SSS',
  j: 'ooo',
  G: 'kkkk',
  V: 'WW',
  u: 'E',
  z: 'ZZZ',
  b: 'LLL',
  B: 'LLLL',
  w: (date) => String(parts.$dayOfWeek(date)),
  U: (date) => String(parts.$week(date)).padStart(2, '0'),
  Z: ({ offset }) => String(offset),
  '%': () => '%',
};

function toText([date, pattern, timezone, onNull]: readonly Value[]): Value {
  if (isNullish(date)) return onNull ?? NULL;
  if (anyNull(timezone, pattern)) return NULL;
  const local = dateTime(date, timezone);
  const text = pattern ? textOf(pattern) : `%Y-%m-%dT%H:%M:%S.%L${local.zoneName === 'UTC' ? 'Z' : ''}`;
  if (text === undefined) return fail('Location18533', '$dateToString requires that format be a string');
  const shown = text.replace(/%(.?)/gs, (_, letter: string) => {
    const format = formats[letter] ?? fail('Location18536', `Invalid format character '%${letter}' in format string`);
    return typeof format === 'string' ? local.toFormat(format) : format(local);
  });
  return rawString(shown);
}

/** What ISO 8601 says. @throws MongoError ConversionFailure */
export function parseDate(text: string): Date {
  const parsed = DateTime.fromISO(text.trim().replace(/^(\d{4}-\d\d-\d\d) +/, '$1T'), { zone: 'utc' });
  return parsed.isValid ? parsed.toJSDate() : fail('ConversionFailure', `Error parsing date string '${text}'`);
}

const unitLengths: Readonly<Record<string, number>> = { hour: 3_600_000, minute: 60_000, second: 1000, millisecond: 1 };
const monthsOf: Readonly<Record<string, number>> = { year: 12, quarter: 3, month: 1 };
const weekdays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

function unitOf(unit: Value): string {
  const name = textOf(unit) ?? '';
  if (!['week', 'day', ...Object.keys(unitLengths), ...Object.keys(monthsOf)].includes(name))
    fail('FailedToParse', `unknown time unit value: ${name}`);
  return name;
}

/** In which bin of so many units, counted from the year 2000 by the clock of a zone, a date lies; and where bins start. */
function binsOf(zone: Zone, unit: string, size: number, startOfWeek: Value): Bins {
  const origin = DateTime.fromObject({ year: 2000 }, { zone });
  const from = origin.toMillis();
  const months = (monthsOf[unit] ?? 0) * size;
  if (months) {
    return {
      bin: ({ year, month }) => Math.floor(((year - 2000) * 12 + month - 1) / months),
      start: (bin) => origin.plus({ months: bin * months }).toMillis(),
    };
  }
  const length = (unitLengths[unit] ?? 0) * size;
  if (length)
    return { bin: (date) => Math.floor((date.toMillis() - from) / length), start: (bin) => from + bin * length };
  // The first of January 2000 is a Saturday; weeks are counted from the first that starts in that year.
  const weekday = weekdays.indexOf((textOf(startOfWeek) ?? 'sunday').toLowerCase().slice(0, 3));
  const first = unit === 'week' ? (weekday + 2) % 7 : 0;
  const days = unit === 'week' ? size * 7 : size;
  return {
    bin: ({ year, month, day }) => Math.floor((Date.UTC(year, month - 1, day) / 86_400_000 - 10_957 - first) / days),
    start: (bin) => origin.plus({ days: first + bin * days }).toMillis(),
  };
}

interface Bins {
  bin: (date: DateTime) => number;
  /** In milliseconds. */
  start: (bin: number) => number;
}

function truncate([date, unit, binSize, timezone, startOfWeek]: readonly Value[]): Value {
  if (isNullish(date) || isNullish(unit) || anyNull(binSize, timezone, startOfWeek)) return NULL;
  const local = dateTime(date, timezone);
  const size = isNumeric(binSize) ? toNumber(binSize) : 1;
  if (!(size >= 1)) fail('Location5439017', '$dateTrunc requires binSize to be greater than 0');
  const { bin, start } = binsOf(local.zone, unitOf(unit), size, startOfWeek);
  return toRaw(new Date(start(bin(local))));
}

function difference([from, to, unit, timezone, startOfWeek]: readonly Value[]): Value {
  if (isNullish(from) || isNullish(to) || isNullish(unit) || anyNull(timezone, startOfWeek)) return NULL;
  const [start, end] = [dateTime(from, timezone), dateTime(to, timezone)];
  const { bin } = binsOf(start.zone, unitOf(unit), 1, startOfWeek);
  return rawLong(BigInt(bin(end) - bin(start)));
}

function shift(sign: 1 | -1): Operator {
  return {
    fields: ['startDate', 'unit', 'amount', 'timezone?'],
    apply: ([date, unit, amount, timezone]) => {
      if (isNullish(date) || isNullish(unit) || isNullish(amount) || anyNull(timezone)) return NULL;
      const count = isNumeric(amount) ? toNumber(amount) : Number.NaN;
      if (!Number.isInteger(count)) fail('Location5166405', 'expected integer value for argument amount');
      return rawDate(dateTime(date, timezone).plus({ [unitOf(unit) as DurationUnit]: sign * count }));
    },
  };
}

export const dateOperators: Readonly<Record<string, Operator>> = {
  ...Object.fromEntries(Object.entries(parts).map(([name, read]) => [name, part(name, read)])),
  $dateToString: { fields: ['date', 'format?', 'timezone?', 'onNull?'], apply: toText },
  $dateAdd: shift(1),
  $dateSubtract: shift(-1),
  $dateTrunc: { fields: ['date', 'unit', 'binSize?', 'timezone?', 'startOfWeek?'], apply: truncate },
  $dateDiff: { fields: ['startDate', 'endDate', 'unit', 'timezone?', 'startOfWeek?'], apply: difference },
};
