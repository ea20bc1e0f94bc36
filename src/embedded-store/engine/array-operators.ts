// $push, $addToSet, $pop, $pull and $pullAll: an operand, once checked, turns the items of an array into others.
import type { Document } from 'bson';
import { type ErrorName, MongoError } from '../errors.ts';
import { documentOf } from './document-writer.ts';
import { encodeKey, type StringFold } from './key-encoding.ts';
import { compileFilter, isOperatorObject, isPlainObject, isRegex, type MatchContext } from './matcher.ts';
import { wholeNumber } from './matcher-tests.ts';
import { bsonType, type RawValue, toRaw } from './raw-bson.ts';
import { parseSort, sortByKey, sortKey } from './sort.ts';

type Items = readonly RawValue[];

interface ArrayOperator {
  /** Makes the array where there is none. */
  creates?: boolean;
  /** What MongoDB answers when something else is there. */
  otherwise: ErrorName;
  /** @throws MongoError for an operand that is not valid. */
  compile(operand: unknown, context: MatchContext): (items: Items) => Items;
}

export const arrayOperators: Readonly<Record<string, ArrayOperator>> = {
  $push: { creates: true, otherwise: 'BadValue', compile: push },
  $addToSet: { creates: true, otherwise: 'BadValue', compile: addToSet },
  $pop: { otherwise: 'TypeMismatch', compile: pop },
  $pull: { otherwise: 'BadValue', compile: pull },
  $pullAll: { otherwise: 'BadValue', compile: pullAll },
};

/** The clauses beside `$each`; undefined when the operand is one value. */
function clausesOf(operator: string, operand: unknown, allowed: readonly string[]): Document | undefined {
  if (!isPlainObject(operand) || !('$each' in operand)) return undefined;
  for (const name of Object.keys(operand)) {
    if (!allowed.includes(name)) throw new MongoError('BadValue', `Unrecognized clause in ${operator}: ${name}`);
  }
  if (!Array.isArray(operand.$each))
    throw new MongoError(
      operator === '$push' ? 'BadValue' : 'TypeMismatch',
      `The argument to $each in ${operator} must be an array`,
    );
  return operand;
}

function integerClause(clauses: Document, name: string, fallback: number): number {
  if (clauses[name] === undefined) return fallback;
  const number = wholeNumber(clauses[name]);
  if (number === undefined) throw new MongoError('BadValue', `The value for ${name} must be an integer value`);
  return number;
}

function push(operand: unknown, { fold }: MatchContext): (items: Items) => Items {
  const clauses = clausesOf('$push', operand, ['$each', '$position', '$slice', '$sort']);
  if (!clauses) {
    const value = toRaw(operand);
    return (items) => [...items, value];
  }
  const added = (clauses.$each as unknown[]).map(toRaw);
  const position = integerClause(clauses, '$position', Number.POSITIVE_INFINITY);
  const slice = integerClause(clauses, '$slice', Number.POSITIVE_INFINITY);
  const sort = clauses.$sort === undefined ? undefined : sorter(clauses.$sort, fold);
  return (items) => {
    const at = position < 0 ? Math.max(0, items.length + position) : position;
    const all = [...items.slice(0, at), ...added, ...items.slice(at)];
    const inOrder = sort ? sort(all) : all;
    if (slice < 0) return inOrder.slice(slice);
    return inOrder.slice(0, slice);
  };
}

function sorter(spec: unknown, fold: StringFold | undefined): (items: Items) => Items {
  const entries = isPlainObject(spec) ? Object.entries(spec) : [['', spec] as const];
  for (const [name, direction] of entries) {
    if (Math.abs(wholeNumber(direction) ?? 0) !== 1)
      throw new MongoError('BadValue', 'The $sort element value must be either 1 or -1');
    if (isPlainObject(spec) && name.split('.').includes(''))
      throw new MongoError('BadValue', `The $sort field '${name}' has an empty part`);
  }
  if (entries.length === 0)
    throw new MongoError('BadValue', 'The $sort pattern is empty when it should be a set of fields.');
  const parts = parseSort(
    Object.fromEntries(entries.map(([name, direction]) => [name ? `v.${name}` : 'v', direction])),
  );
  return (items) => sortByKey(items, (item, strings) => sortKey(wrapped(item), parts, strings), fold);
}

/** The value as the field `v` of a document, for everything that speaks paths. */
function wrapped(item: RawValue): RawValue {
  return documentOf([['v', item]]);
}

function addToSet(operand: unknown, { fold }: MatchContext): (items: Items) => Items {
  const clauses = clausesOf('$addToSet', operand, ['$each']);
  const values = (clauses ? (clauses.$each as unknown[]) : [operand]).map(toRaw);
  return (items) => {
    const present = new Set(items.map((item) => encodeKey(item, fold)));
    const isNew = (value: RawValue): boolean => present.size < present.add(encodeKey(value, fold)).size;
    return [...items, ...values.filter(isNew)];
  };
}

function pop(operand: unknown): (items: Items) => Items {
  const end = wholeNumber(operand);
  if (end !== 1 && end !== -1) throw new MongoError('FailedToParse', `$pop expects 1 or -1, found: ${String(operand)}`);
  return (items) => (end === 1 ? items.slice(0, -1) : items.slice(1));
}

function pull(operand: unknown, context: MatchContext): (items: Items) => Items {
  if (isPlainObject(operand) && !isOperatorObject(operand)) {
    const predicate = compileFilter(operand, context);
    return (items) => items.filter((item) => item.type !== bsonType.object || !predicate(item));
  }
  if (!isOperatorObject(operand) && !isRegex(operand)) return pullAll([operand], context);
  const predicate = compileFilter({ v: operand }, context);
  return (items) => items.filter((item) => !predicate(wrapped(item)));
}

function pullAll(operand: unknown, { fold }: MatchContext): (items: Items) => Items {
  if (!Array.isArray(operand)) throw new MongoError('BadValue', '$pullAll requires an array argument');
  const unwanted = new Set(operand.map((value) => encodeKey(toRaw(value), fold)));
  return (items) => items.filter((item) => !unwanted.has(encodeKey(item, fold)));
}
