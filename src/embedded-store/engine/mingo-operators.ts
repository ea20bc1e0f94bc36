// Operators that only make text of text, or lists of fields, run in mingo.
import { Context, evalExpr } from 'mingo/core';
// Not all of mingo/operators/expression: all of its files take a third of the time in which the store starts.
import { $objectToArray } from 'mingo/operators/expression/object';
import * as strings from 'mingo/operators/expression/string';
import { MongoError } from '../errors.ts';
import { isRegex } from './matcher.ts';
import { toRegExp } from './matcher-tests.ts';
import { isNumeric, toNumber } from './numbers.ts';
import { any, type Operator, one } from './operator.ts';
import { decodeValue, toRaw } from './raw-bson.ts';
import type { Value } from './values.ts';

const options = {
  context: Context.init({ expression: { ...strings, $objectToArray } as never }),
  scriptEnabled: false,
};

function inMingo(name: string, shape: Pick<Operator, 'takes' | 'fields'>): [string, Operator] {
  const names = shape.fields?.map((field) => field.replace('?', ''));
  const apply = (args: readonly Value[]): Value => {
    const given = args.map(decodeArgument);
    const references = given.map((_, i) => `$${i}`);
    const named = names && Object.fromEntries(names.flatMap((field, i) => (args[i] ? [[field, references[i]]] : [])));
    const expression = { [name]: named ?? (shape.takes === one ? references[0] : references) };
    const result: unknown = guarded(() => evalExpr({ ...given }, expression, options as never));
    return result === undefined ? undefined : toRaw(result);
  };
  return [name, { ...shape, apply }];
}

/** Numbers for computing with; what lies within an array or a document keeps its type. */
function decodeArgument(value: Value): unknown {
  const decoded = isNumeric(value) ? toNumber(value) : value && decodeValue(value);
  return isRegex(decoded) ? toRegExp(decoded.pattern, decoded.options) : decoded;
}

function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof MongoError) throw error;
    throw new MongoError('BadValue', error instanceof Error ? error.message : String(error));
  }
}

const TRIM = ['input', 'chars?'];
const SEARCH = ['input', 'regex', 'options?'];
const REPLACE = ['input', 'find', 'replacement'];

export const mingoOperators: Readonly<Record<string, Operator>> = Object.fromEntries([
  inMingo('$concat', { takes: any }),
  inMingo('$strLenBytes', { takes: one }),
  inMingo('$strLenCP', { takes: one }),
  inMingo('$substrCP', { takes: [3, 3] }),
  inMingo('$objectToArray', { takes: one }),
  ...['$trim', '$ltrim', '$rtrim'].map((name) => inMingo(name, { fields: TRIM })),
  ...['$regexMatch', '$regexFind', '$regexFindAll'].map((name) => inMingo(name, { fields: SEARCH })),
  ...['$replaceOne', '$replaceAll'].map((name) => inMingo(name, { fields: REPLACE })),
]);
