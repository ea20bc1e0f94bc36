// The update operators: each checks its operand once, and says what it then does at a path of a document.
import { Timestamp } from 'bson';
import { MongoError } from '../errors.ts';
import { arrayOperators } from './array-operators.ts';
import { compareValues } from './collation.ts';
import { isPlainObject, type MatchContext } from './matcher.ts';
import {
  checkViable,
  fieldsOf,
  getPath,
  markChanged,
  type Node,
  nodeOf,
  openFields,
  rawOf,
  setPath,
  unsetPath,
} from './mutable-document.ts';
import { arithmetic, bitwise, isNumeric } from './numbers.ts';
import { bsonType, type RawValue, toRaw } from './raw-bson.ts';

export type Apply = (root: Node, path: readonly string[]) => void;

type Operator = (operand: unknown, path: string, context: MatchContext) => Apply;

const fieldOperators: Readonly<Record<string, Operator>> = {
  $set: set,
  $setOnInsert: set,
  $unset: () => unsetPath,
  $inc: (operand, path) => compute('$inc', operand, path),
  $mul: (operand, path) => compute('$mul', operand, path),
  $min: (operand, _, { fold }) => keepExtreme(operand, (next, now) => compareValues(next, now, fold) < 0),
  $max: (operand, _, { fold }) => keepExtreme(operand, (next, now) => compareValues(next, now, fold) > 0),
  $rename: (_, path) => rename(path),
  $currentDate: currentDate,
  $bit: bit,
};

/** @throws MongoError for an unknown operator or an operand that is not valid. */
export function compileOperator(operator: string, operand: unknown, path: string, context: MatchContext): Apply {
  const onField = Object.hasOwn(fieldOperators, operator) ? fieldOperators[operator] : undefined;
  return onField ? onField(operand, path, context) : onArray(operator, operand, context);
}

export function isUpdateOperator(name: string): boolean {
  return Object.hasOwn(fieldOperators, name) || Object.hasOwn(arrayOperators, name);
}

function set(operand: unknown): Apply {
  const value = toRaw(operand);
  return (root, path) => setPath(root, path, nodeOf(value));
}

function onArray(operator: string, operand: unknown, context: MatchContext): Apply {
  const { compile, creates, otherwise = 'BadValue' } = arrayOperators[operator] ?? {};
  const change = compile?.(operand, context) ?? ((items) => items);
  const fields = (items: readonly RawValue[]): { name: string; node: Node }[] =>
    items.map((item) => ({ name: '', node: nodeOf(item) }));
  return (root, path) => {
    const array = getPath(root, path);
    if (!array) {
      if (creates) setPath(root, path, { type: bsonType.array, raw: null, fields: fields(change([])) });
      else checkViable(root, path);
      return;
    }
    if (array.type !== bsonType.array)
      throw new MongoError(otherwise, `Cannot apply ${operator} to the non-array field '${path.join('.')}'`);
    const next = fields(change(fieldsOf(array).map((field) => rawOf(field.node))));
    markChanged(root, path);
    openFields(array);
    array.fields = next;
  };
}

function compute(operator: '$inc' | '$mul', operand: unknown, name: string): Apply {
  const by = toRaw(operand);
  if (!isNumeric(by))
    throw new MongoError(
      'TypeMismatch',
      `Cannot ${operator === '$inc' ? 'increment' : 'multiply'} with non-numeric argument: {${name}: ${JSON.stringify(operand)}}`,
    );
  return (root, path) => {
    const node = getPath(root, path);
    const now = node ? rawOf(node) : toRaw(0);
    if (!isNumeric(now))
      throw new MongoError(
        'TypeMismatch',
        `Cannot apply ${operator} to a value of non-numeric type. The field '${path.join('.')}' has non-numeric type`,
      );
    setPath(root, path, nodeOf(!node && operator === '$inc' ? by : arithmetic(operator, now, by)));
  };
}

function keepExtreme(operand: unknown, wins: (next: RawValue, now: RawValue) => boolean): Apply {
  const next = toRaw(operand);
  return (root, path) => {
    const node = getPath(root, path);
    if (!node || wins(next, rawOf(node))) setPath(root, path, nodeOf(next));
  };
}

/** Stands at the path of the new name. */
function rename(from: string): Apply {
  const source = from.split('.');
  const noArray = (root: Node, path: readonly string[], which: string): void => {
    path.forEach((_, depth) => {
      if (getPath(root, path.slice(0, depth))?.type === bsonType.array)
        throw new MongoError('BadValue', `The ${which} field cannot be an array element, '${path.join('.')}'`);
    });
  };
  return (root, path) => {
    checkViable(root, source);
    const moved = getPath(root, source);
    if (!moved) return;
    noArray(root, source, 'source');
    noArray(root, path, 'destination');
    unsetPath(root, source);
    setPath(root, path, moved);
  };
}

function currentDate(operand: unknown): Apply {
  const type: unknown = typeof operand === 'boolean' ? 'date' : isPlainObject(operand) ? operand.$type : undefined;
  if (type !== 'date' && type !== 'timestamp')
    throw new MongoError('BadValue', "$currentDate takes true, or a document with the '$type' 'date' or 'timestamp'");
  return (root, path) => {
    const now = type === 'date' ? new Date() : new Timestamp({ t: Math.floor(Date.now() / 1000), i: 1 });
    setPath(root, path, nodeOf(toRaw(now)));
  };
}

const bitOperators = ['and', 'or', 'xor'] as const;

function bit(operand: unknown): Apply {
  if (!isPlainObject(operand) || Object.keys(operand).length === 0)
    throw new MongoError('BadValue', 'The $bit modifier needs a document with and, or, xor');
  const masks = Object.entries(operand).map(([name, mask]) => {
    const operator = bitOperators.find((known) => known === name);
    const value = toRaw(mask);
    if (!operator)
      throw new MongoError('BadValue', `The $bit modifier only supports 'and', 'or', and 'xor', not '${name}'`);
    if (value.type !== bsonType.int && value.type !== bsonType.long)
      throw new MongoError('BadValue', 'The $bit modifier field must be an Integer(32/64 bit)');
    return { operator, value };
  });
  return (root, path) => {
    const node = getPath(root, path);
    let now = node ? rawOf(node) : toRaw(0);
    for (const { operator, value } of masks) now = bitwise(operator, now, value);
    setPath(root, path, nodeOf(now));
  };
}
