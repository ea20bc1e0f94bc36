// Values during the evaluation of expressions: raw BSON, or undefined for a field that is missing.
import { encodeKey, keys, type StringKey } from './key-encoding.ts';
import { isNumeric, toNumber } from './numbers.ts';
import { items } from './paths.ts';
import { bsonType, isNullish, type RawValue, toRaw, typeAliases } from './raw-bson.ts';

export type Value = RawValue | undefined;

export const NULL = toRaw(null);
const TRUE = toRaw(true);
const FALSE = toRaw(false);

export function rawBoolean(value: boolean): RawValue {
  return value ? TRUE : FALSE;
}

export function isTrue(value: Value): boolean {
  if (isNullish(value)) return false;
  if (value.type === bsonType.bool) return value.buffer[value.start] !== 0;
  return !isNumeric(value) || toNumber(value) !== 0;
}

/** The same text for values that are equal; without a collation also their place in MongoDB's order of all values. */
export function keyOf(value: Value, fold?: StringKey): string {
  return value ? encodeKey(value, fold) : keys.undefined;
}

/** The elements, if it is an array. */
export function itemsOf(value: Value): RawValue[] | undefined {
  return value?.type === bsonType.array ? [...items(value)] : undefined;
}

const typeNames = new Map(Object.entries(typeAliases).map(([name, code]) => [code, name]));

/** The name of its type, as `$type` gives it. */
export function typeName(value: Value): string {
  return value ? (typeNames.get(value.type) ?? 'unknown') : 'missing';
}
