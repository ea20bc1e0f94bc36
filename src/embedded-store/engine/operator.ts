// What operators of expressions are made of.
import type { Document } from 'bson';
import { MongoError } from '../errors.ts';
import type { StringFold } from './key-encoding.ts';
import { isPlainObject } from './matcher.ts';
import { isNumeric, toNumber } from './numbers.ts';
import { isNullish, type RawValue, textOf } from './raw-bson.ts';
import { itemsOf, NULL, typeName, type Value } from './values.ts';

export interface Operator {
  /** How many arguments it takes as a list. */
  takes?: readonly [least: number, most: number];
  /** The names of its arguments, when it has them; what ends in `?` may be left out. */
  fields?: readonly string[];
  /** Named arguments stand in the order of `fields`. @throws MongoError */
  apply(args: readonly Value[], fold: StringFold | undefined): Value;
}

export type Code = `Location${number}` | 'TypeMismatch' | 'BadValue' | 'FailedToParse' | 'ConversionFailure';

export const one = [1, 1] as const;
export const two = [2, 2] as const;
export const any = [0, Number.POSITIVE_INFINITY] as const;

export function fail(code: Code, message: string): never {
  throw new MongoError(code, message);
}

/** An operator that is null when one of its arguments is null or missing; a list is looked at only up to there. */
export function strict(
  takes: readonly [number, number],
  apply: (args: readonly RawValue[], fold: StringFold | undefined) => Value,
): Operator {
  return {
    takes,
    apply: (args, fold) => {
      const present = args.filter((value): value is RawValue => !isNullish(value));
      if (present.length === args.length) return apply(present, fold);
      if (takes === any) apply(present.slice(0, args.findIndex(isNullish)), fold);
      return NULL;
    },
  };
}

export function numeric(name: string, code: Code, value: Value): RawValue {
  return isNumeric(value) ? value : fail(code, `${name} only supports numeric types, not ${typeName(value)}`);
}

/** An operand whose fields are arguments; what ends in `?` may be left out. @throws MongoError for others and missing ones. */
export function namedOperand(name: string, operand: unknown, fields: readonly string[]): Document {
  if (!isPlainObject(operand)) return fail('FailedToParse', `${name} only supports an object as its argument`);
  const unknown = Object.keys(operand).find((field) => !fields.includes(field) && !fields.includes(`${field}?`));
  if (unknown !== undefined) fail('FailedToParse', `${name} found an unknown argument: ${unknown}`);
  const missing = fields.find((field) => !field.endsWith('?') && operand[field] === undefined);
  if (missing) fail('FailedToParse', `Missing '${missing}' parameter to ${name}`);
  return operand;
}

/** @throws MongoError for another number of arguments. */
export function checkCount(name: string, count: number, [least, most]: readonly [number, number]): void {
  if (count >= least && count <= most) return;
  if (least === most)
    fail('Location16020', `Expression ${name} takes exactly ${least} arguments. ${count} were passed in.`);
  fail(
    'Location28667',
    `Expression ${name} takes at least ${least} arguments, and at most ${most}, but ${count} were passed in.`,
  );
}

export function string(name: string, code: Code, value: Value): string {
  return textOf(value) ?? fail(code, `${name} requires a string, found: ${typeName(value)}`);
}

/** A whole number of 32 bits, of any numeric type. */
export function whole(name: string, code: Code, value: Value): number {
  const number = isNumeric(value) ? toNumber(value) : Number.NaN;
  if (number !== Math.trunc(number) || Math.abs(number) > 0x7fffffff)
    fail(code, `${name} requires a whole number of 32 bits, found a value of type ${typeName(value)}`);
  return number;
}

export function array(name: string, code: Code, value: Value): RawValue[] {
  return itemsOf(value) ?? fail(code, `${name} requires an array, but it was given a value of type ${typeName(value)}`);
}
