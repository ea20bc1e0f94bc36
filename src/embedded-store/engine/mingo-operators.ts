// Operators that make new values of their arguments, and know nothing of documents, run in mingo.
import { Context, evalExpr } from 'mingo/core';
import * as mingo from 'mingo/operators/expression';
import { MongoError } from '../errors.ts';
import { isRegex } from './matcher.ts';
import { toRegExp } from './matcher-tests.ts';
import { isNumeric, toNumber } from './numbers.ts';
import { decodeValue, type RawValue, toRaw } from './raw-bson.ts';
import type { Value } from './values.ts';

const { $function, $toHashedIndexKey, ...names } = mingo;
const options = { context: Context.init({ expression: names as never }), scriptEnabled: false };

export function isMingoOperator(name: string): boolean {
  return Object.hasOwn(names, name);
}

/** The operator over arguments with these names, or in this order. */
export function mingoOperator(
  name: string,
  fields: readonly string[],
  shape: 'named' | 'list' | 'single',
): (args: readonly Value[]) => Value {
  const references = fields.map((field) => `$${field}`);
  const [first] = references;
  const named = Object.fromEntries(fields.map((field, i) => [field, references[i]]));
  const expression = { [name]: shape === 'named' ? named : shape === 'list' ? references : first };
  return (args) => {
    const document = Object.fromEntries(fields.map((field, i) => [field, decodeArgument(args[i])]));
    const result: unknown = guarded(() => evalExpr(document, expression, options as never));
    return result === undefined ? undefined : toRaw(result);
  };
}

/** Numbers for computing with; what lies within an array or a document keeps its type. */
function decodeArgument(value: Value): unknown {
  const decoded = isNumeric(value) ? toNumber(value) : value && decodeValue(value as RawValue);
  return isRegex(decoded) ? toRegExp(decoded.pattern, decoded.options) : decoded;
}

export function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof MongoError) throw error;
    throw new MongoError('BadValue', error instanceof Error ? error.message : String(error));
  }
}
