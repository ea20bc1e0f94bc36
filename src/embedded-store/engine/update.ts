// Updates: a compiled update turns the bytes of a document into the bytes of its successor.
import { type Document, ObjectId, Timestamp } from 'bson';
import { MongoError } from '../errors.ts';
import { arrayOperators } from './array-operators.ts';
import { encodeKey } from './key-encoding.ts';
import { compileFilter, isOperatorObject, isPlainObject, isRegex, type MatchContext } from './matcher.ts';
import {
  documentNode,
  fieldsOf,
  getPath,
  markChanged,
  type Node,
  nodeFrom,
  nodeOf,
  openFields,
  rawOf,
  setPath,
  toDocument,
  unsetPath,
} from './mutable-document.ts';
import { arithmetic, bitwise, isNumeric } from './numbers.ts';
import { items } from './paths.ts';
import { keepItem } from './projection.ts';
import { bsonType, DocumentWriter, elements, encode, findElement, type RawValue, toRaw } from './raw-bson.ts';
import { concretePaths, type PathContext, parseArrayFilters } from './update-paths.ts';

export interface UpdateContext extends MatchContext {
  /** Runs a pipeline of update stages over one document. */
  runPipeline: (document: Buffer, stages: Document[]) => Buffer;
}

export interface Update {
  /** The next version; `inserting` lets `$setOnInsert` apply. */
  apply(document: Buffer, inserting: boolean): Buffer;
  isReplacement: boolean;
}

const ID = Buffer.from('_id');

/** @throws MongoError for operators and operands that MongoDB refuses. */
export function compileUpdate(
  update: unknown,
  filter: Document,
  arrayFilters: readonly unknown[],
  context: UpdateContext,
): Update {
  if (Array.isArray(update)) {
    const stages = update as Document[];
    return { isReplacement: false, apply: (document) => keepId(document, context.runPipeline(document, stages)) };
  }
  if (!isPlainObject(update))
    throw new MongoError('FailedToParse', 'Update argument must be either an object or an array');
  const names = Object.keys(update);
  if (!names[0]?.startsWith('$')) return replacement(update);
  const filters = parseArrayFilters(arrayFilters, context);
  const changes = parseOperators(update);
  checkConflicts(
    changes
      .map(([, path]) => path)
      .concat(changes.flatMap(([operator, , operand]) => (operator === '$rename' ? [String(operand)] : []))),
  );
  for (const name of filters.keys()) {
    if (!changes.some(([, path]) => path.includes(`$[${name}]`))) {
      throw new MongoError(
        'FailedToParse',
        `The array filter for identifier '${name}' was not used in the update ${JSON.stringify(update)}`,
      );
    }
  }
  return {
    isReplacement: false,
    apply: (document, inserting) => {
      const root = documentNode(document);
      const paths: PathContext = {
        filters,
        used: new Set(),
        matchedItem: (path) => matchedItem(document, path, filter, context),
      };
      for (const [operator, path, operand] of changes) {
        if (operator === '$setOnInsert' && !inserting) continue;
        for (const concrete of concretePaths(root, path, paths))
          applyOperator(root, operator, concrete, operand, context);
      }
      return keepId(document, toDocument(root));
    },
  };
}

function parseOperators(update: Document): [operator: string, path: string, operand: unknown][] {
  return Object.entries(update).flatMap(([operator, fields]) => {
    if (!operator.startsWith('$'))
      throw new MongoError(
        'FailedToParse',
        `Unknown modifier: ${operator}. Expected a valid update modifier or pipeline-style update specified as an array`,
      );
    if (!(operator in fieldOperators) && !(operator in arrayOperators)) {
      throw new MongoError(
        'FailedToParse',
        `Unknown modifier: ${operator}. Expected a valid update modifier or pipeline-style update specified as an array`,
      );
    }
    if (!isPlainObject(fields))
      throw new MongoError(
        'FailedToParse',
        `Modifiers operate on fields but we found type ${typeof fields} instead. For example: {$mod: {<field>: ...}}`,
      );
    return Object.entries(fields).map(([path, operand]): [string, string, unknown] => [operator, path, operand]);
  });
}

function checkConflicts(paths: string[]): void {
  const sorted = [...paths].sort();
  for (const [i, path] of sorted.entries()) {
    const next = sorted[i + 1];
    if (next !== undefined && (next === path || next.startsWith(`${path}.`))) {
      throw new MongoError(
        'ConflictingUpdateOperators',
        `Updating the path '${next}' would create a conflict at '${path}'`,
      );
    }
  }
}

function replacement(update: Document): Update {
  const name = Object.keys(update).find((key) => key.startsWith('$'));
  if (name)
    throw new MongoError(
      'DollarPrefixedFieldName',
      `The dollar ($) prefixed field '${name}' in '${name}' is not allowed in the context of an update's replacement document.`,
    );
  const next = encode(update);
  return { isReplacement: true, apply: (document) => keepId(document, next) };
}

/** The successor with the id of its predecessor in front. */
function keepId(before: Buffer, after: Buffer): Buffer {
  const old = findElement(before, 0, ID);
  const now = findElement(after, 0, ID);
  if (!old) return after;
  if (now && (encodeKey(old) !== encodeKey(now) || old.type !== now.type)) {
    throw new MongoError(
      'ImmutableField',
      `Performing an update on the path '_id' would modify the immutable field '_id'`,
    );
  }
  const first = after[4] !== 0 && after.toString('latin1', 5, 9) === '_id\0';
  return now && first ? after : withId(after, old);
}

function withId(document: Buffer, id: RawValue): Buffer {
  const writer = new DocumentWriter().add('_id', id);
  for (const element of elements(document)) if (element.name !== '_id') writer.add(element.name, element);
  return writer.finish();
}

type FieldOperator = (root: Node, path: readonly string[], operand: unknown) => void;

const fieldOperators: Record<string, FieldOperator> = {
  $set: (root, path, operand) => setPath(root, path, nodeFrom(operand)),
  $setOnInsert: (root, path, operand) => setPath(root, path, nodeFrom(operand)),
  $unset: (root, path) => {
    unsetPath(root, path);
  },
  $inc: (root, path, operand) => compute(root, path, '$inc', operand),
  $mul: (root, path, operand) => compute(root, path, '$mul', operand),
  $min: (root, path, operand) => keepExtreme(root, path, operand, (next, now) => next < now),
  $max: (root, path, operand) => keepExtreme(root, path, operand, (next, now) => next > now),
  $rename: (root, path, operand) => {
    if (typeof operand !== 'string')
      throw new MongoError(
        'BadValue',
        `The 'to' field for $rename must be a string: ${path.join('.')}: ${String(operand)}`,
      );
    const moved = unsetPath(root, path);
    if (moved) setPath(root, operand.split('.'), moved);
  },
  $currentDate: (root, path, operand) => {
    const wantsTimestamp = isPlainObject(operand) && operand.$type === 'timestamp';
    setPath(
      root,
      path,
      nodeFrom(wantsTimestamp ? new Timestamp({ t: Math.floor(Date.now() / 1000), i: 1 }) : new Date()),
    );
  },
  $bit: (root, path, operand) => {
    if (!isPlainObject(operand))
      throw new MongoError('BadValue', 'The $bit modifier is not compatible with this value');
    for (const [operator, mask] of Object.entries(operand)) {
      const now = getPath(root, path);
      setPath(root, path, nodeOf(bitwise(operator, now ? rawOf(now) : toRaw(0), toRaw(mask))));
    }
  },
};

function applyOperator(
  root: Node,
  operator: string,
  path: readonly string[],
  operand: unknown,
  context: MatchContext,
): void {
  const onField = fieldOperators[operator];
  if (onField) {
    onField(root, path, operand);
    return;
  }
  const onArray = arrayOperators[operator];
  const array = getPath(root, path);
  if (!array) {
    if (operator === '$push' || operator === '$addToSet')
      setPath(root, path, { type: bsonType.array, raw: null, fields: onArray?.([], operand, context) ?? [] });
    return;
  }
  if (array.type !== bsonType.array) {
    throw new MongoError(
      'BadValue',
      `The field '${path.join('.')}' must be an array but is of type ${array.type} in the document`,
    );
  }
  const next = onArray?.(fieldsOf(array), operand, context) ?? [];
  markChanged(root, path);
  openFields(array);
  array.fields = next;
}

function compute(root: Node, path: readonly string[], operator: '$inc' | '$mul', operand: unknown): void {
  const by = toRaw(operand);
  if (!isNumeric(by))
    throw new MongoError(
      'TypeMismatch',
      `Cannot ${operator === '$inc' ? 'increment' : 'multiply'} with non-numeric argument: {${path.join('.')}: ${JSON.stringify(operand)}}`,
    );
  const node = getPath(root, path);
  const now = node ? rawOf(node) : toRaw(0);
  if (!isNumeric(now))
    throw new MongoError(
      'TypeMismatch',
      `Cannot apply ${operator} to a value of non-numeric type. The field '${path.join('.')}' has non-numeric type ${now.type}`,
    );
  setPath(root, path, nodeOf(!node && operator === '$inc' ? by : arithmetic(operator, now, by)));
}

function keepExtreme(
  root: Node,
  path: readonly string[],
  operand: unknown,
  wins: (next: string, now: string) => boolean,
): void {
  const node = getPath(root, path);
  const next = toRaw(operand);
  if (!node || wins(encodeKey(next), encodeKey(rawOf(node)))) setPath(root, path, nodeOf(next));
}

/** The first element of an array for which the filter still holds when the array has only that element. */
export function matchedItem(document: Buffer, arrayPath: string, filter: Document, context: MatchContext): number {
  const onArray = conditionsOn(filter, arrayPath);
  const array = getPath(documentNode(document), arrayPath.split('.'));
  if (onArray.length === 0 || array?.type !== bsonType.array) return -1;
  const predicate = compileFilter({ $and: onArray }, context);
  const count = [...items(rawOf(array))].length;
  const whole: RawValue = { type: bsonType.object, buffer: document, start: 0, end: document.length };
  for (let index = 0; index < count; index++) {
    const buffer = keepItem(whole, arrayPath.split('.'), index);
    if (predicate({ type: bsonType.object, buffer, start: 0, end: buffer.length })) return index;
  }
  return -1;
}

function conditionsOn(filter: Document, arrayPath: string): Document[] {
  return Object.entries(filter).flatMap(([name, value]): Document[] => {
    if (name === '$and' && Array.isArray(value))
      return value.flatMap((part) => conditionsOn(part as Document, arrayPath));
    if (name === '$or' && Array.isArray(value)) {
      const branches = value.flatMap((part) => conditionsOn(part as Document, arrayPath));
      return branches.length > 0 ? [{ $or: branches }] : [];
    }
    return name === arrayPath || name.startsWith(`${arrayPath}.`) ? [{ [name]: value }] : [];
  });
}

/** The document that an upsert starts from: what the filter demands to be equal. */
export function upsertSeed(filter: Document): Buffer {
  const root = documentNode(encode({}));
  const add = (part: Document): void => {
    for (const [name, value] of Object.entries(part)) {
      if (name === '$and' && Array.isArray(value)) for (const inner of value) add(inner as Document);
      else if (name === '$or' && Array.isArray(value) && value.length === 1) add(value[0] as Document);
      else if (!name.startsWith('$')) addEquality(root, name, value);
    }
  };
  add(filter);
  return toDocument(root);
}

function addEquality(root: Node, name: string, value: unknown): void {
  if (isRegex(value)) return;
  if (!isOperatorObject(value)) setPath(root, name.split('.'), nodeFrom(value));
  else if ('$eq' in value) setPath(root, name.split('.'), nodeFrom(value.$eq));
  else if (Array.isArray(value.$in) && value.$in.length === 1 && !isRegex(value.$in[0]))
    setPath(root, name.split('.'), nodeFrom(value.$in[0]));
  else if (Array.isArray(value.$all) && value.$all.length === 1)
    setPath(root, name.split('.'), nodeFrom(value.$all[0]));
}

/** The document with an `_id` in front; a new one when it has none. @throws MongoError for ids that MongoDB refuses. */
export function ensureId(document: Buffer): { document: Buffer; id: RawValue } {
  const id = findElement(document, 0, ID) ?? toRaw(new ObjectId());
  if (id.type === bsonType.array || id.type === bsonType.regex || id.type === bsonType.undefined) {
    throw new MongoError(
      'InvalidIdField',
      `The '_id' value cannot be of type ${id.type === bsonType.array ? 'array' : id.type === bsonType.regex ? 'regex' : 'undefined'}`,
    );
  }
  const first = document[4] !== 0 && document.toString('latin1', 5, 9) === '_id\0';
  return first ? { document, id } : { document: withId(document, id), id };
}
