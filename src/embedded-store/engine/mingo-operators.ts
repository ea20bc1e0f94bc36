// Operators that only make text of text, or lists of fields, run in mingo.
import { createRequire } from 'node:module';
import { MongoError } from '../errors.ts';
import { isRegex } from './matcher.ts';
import { toRegExp } from './matcher-tests.ts';
import { isNumeric, toNumber } from './numbers.ts';
import { any, type Operator, one } from './operator.ts';
import { decodeValue, toRaw } from './raw-bson.ts';
import type { Value } from './values.ts';

type Evaluate = (fields: object, expression: object) => unknown;

const require = createRequire(import.meta.url);

/** Loads mingo when it is first needed, and of it what is needed: all of it would take a third of the store's start. */
let evaluate: Evaluate = (fields, expression) => {
  evaluate = loadMingo();
  return evaluate(fields, expression);
};

function loadMingo(): Evaluate {
  const { Context, evalExpr }: typeof import('mingo/core') = require('mingo/core');
  const {
    $objectToArray,
  }: typeof import('mingo/operators/expression/object') = require('mingo/operators/expression/object');
  const strings: typeof import('mingo/operators/expression/string') = require('mingo/operators/expression/string');
  const context = Context.init({ expression: { ...strings, $objectToArray } as never });
  return (fields, expression) => evalExpr(fields, expression, { context, scriptEnabled: false } as never);
}

function inMingo(name: string, shape: Pick<Operator, 'takes' | 'fields'>): [string, Operator] {
  const names = shape.fields?.map((field) => field.replace('?', ''));
  const apply = (args: readonly Value[]): Value => {
    const given = args.map(decodeArgument);
    const references = given.map((_, i) => `$${i}`);
    const named = names && Object.fromEntries(names.flatMap((field, i) => (args[i] ? [[field, references[i]]] : [])));
    const expression = { [name]: named ?? (shape.takes === one ? references[0] : references) };
    const result = guarded(() => evaluate({ ...given }, expression));
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
