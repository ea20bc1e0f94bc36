// $push, $addToSet, $pop, $pull and $pullAll on the unfolded array of an update.
import type { Document } from 'bson';
import { MongoError } from '../errors.ts';
import { encodeKey } from './key-encoding.ts';
import { compileFilter, isOperatorObject, isPlainObject, isRegex, type MatchContext } from './matcher.ts';
import { type Field, nodeFrom, rawOf } from './mutable-document.ts';
import { DocumentWriter, type RawValue } from './raw-bson.ts';
import { parseSort, sortKey } from './sort.ts';

type ArrayOperator = (fields: Field[], operand: unknown, context: MatchContext) => Field[];

export const arrayOperators: Record<string, ArrayOperator> = {
  $push: push,
  $addToSet: addToSet,
  $pop: pop,
  $pull: pull,
  $pullAll: pullAll,
};

function item(value: unknown): Field {
  return { name: '', node: nodeFrom(value) };
}

function modifiers(operator: string, operand: unknown, allowed: readonly string[]): Document | undefined {
  if (!isPlainObject(operand) || !('$each' in operand)) return undefined;
  for (const name of Object.keys(operand)) {
    if (!allowed.includes(name)) throw new MongoError('BadValue', `Unrecognized clause in ${operator}: ${name}`);
  }
  if (!Array.isArray(operand.$each))
    throw new MongoError('TypeMismatch', `The argument to $each in ${operator} must be an array`);
  return operand;
}

function push(fields: Field[], operand: unknown): Field[] {
  const clauses = modifiers('$push', operand, ['$each', '$position', '$slice', '$sort']);
  if (!clauses) return [...fields, item(operand)];
  const each: unknown[] = clauses.$each;
  const at = clauses.$position === undefined ? fields.length : Number(clauses.$position);
  const position = at < 0 ? Math.max(0, fields.length + at) : Math.min(at, fields.length);
  let result = [...fields.slice(0, position), ...each.map(item), ...fields.slice(position)];
  if (clauses.$sort !== undefined) result = sorted(result, clauses.$sort);
  if (clauses.$slice === undefined) return result;
  const slice = Number(clauses.$slice);
  return slice === 0 ? [] : slice < 0 ? result.slice(slice) : result.slice(0, slice);
}

function sorted(fields: Field[], spec: unknown): Field[] {
  const parts = isPlainObject(spec)
    ? parseSort(Object.fromEntries(Object.entries(spec).map(([name, direction]) => [`v.${name}`, direction])))
    : parseSort({ v: spec });
  const keyed = fields.map((field) => ({ field, key: sortKey(wrapped(field), parts) }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ field }) => field);
}

/** The value as the field `v` of a document, for everything that speaks paths. */
function wrapped(field: Field): RawValue {
  const buffer = new DocumentWriter().add('v', rawOf(field.node)).finish();
  return { type: 3, buffer, start: 0, end: buffer.length };
}

function addToSet(fields: Field[], operand: unknown): Field[] {
  const clauses = modifiers('$addToSet', operand, ['$each']);
  const present = new Set(fields.map((field) => encodeKey(rawOf(field.node))));
  const result = [...fields];
  for (const value of clauses ? (clauses.$each as unknown[]) : [operand]) {
    const field = item(value);
    const key = encodeKey(rawOf(field.node));
    if (present.has(key)) continue;
    present.add(key);
    result.push(field);
  }
  return result;
}

function pop(fields: Field[], operand: unknown): Field[] {
  const end = Number(operand);
  if (end !== 1 && end !== -1) throw new MongoError('FailedToParse', `$pop expects 1 or -1, found: ${String(operand)}`);
  return end === 1 ? fields.slice(0, -1) : fields.slice(1);
}

function pull(fields: Field[], operand: unknown, context: MatchContext): Field[] {
  if (isPlainObject(operand) && !isOperatorObject(operand)) {
    const predicate = compileFilter(operand, context);
    return fields.filter((field) => field.node.type !== 3 || !predicate(rawOf(field.node)));
  }
  const byValue =
    isOperatorObject(operand) || isRegex(operand)
      ? { v: { $elemMatch: isRegex(operand) ? { $regex: operand } : operand } }
      : undefined;
  if (!byValue) return pullAll(fields, [operand]);
  const predicate = compileFilter(byValue, context);
  return fields.filter((field) => !predicate(inArray(field)));
}

function inArray(field: Field): RawValue {
  const array = new DocumentWriter().add('0', rawOf(field.node)).finish();
  const buffer = new DocumentWriter().addDocument('v', array, 4).finish();
  return { type: 3, buffer, start: 0, end: buffer.length };
}

function pullAll(fields: Field[], operand: unknown): Field[] {
  if (!Array.isArray(operand)) throw new MongoError('BadValue', '$pullAll requires an array argument');
  const unwanted = new Set(operand.map((value) => encodeKey(rawOf(nodeFrom(value)))));
  return fields.filter((field) => !unwanted.has(encodeKey(rawOf(field.node))));
}
