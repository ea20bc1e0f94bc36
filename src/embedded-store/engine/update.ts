// Updates: a compiled update turns the bytes of a document into the bytes of its successor.
import { type Document, ObjectId } from 'bson';
import { MongoError } from '../errors.ts';
import { DocumentWriter } from './document-writer.ts';
import { encodeKey } from './key-encoding.ts';
import { isOperatorObject, isPlainObject, isRegex, type MatchContext } from './matcher.ts';
import { documentNode, nodeOf, setPath, toDocument } from './mutable-document.ts';
import { matchedItem } from './positional.ts';
import { bsonType, elements, encode, hasIdAfter, idOf, type RawValue, toRaw } from './raw-bson.ts';
import { type Apply, compileOperator, isUpdateOperator } from './update-operators.ts';
import { type ArrayFilters, checkPath, concretePaths, type PathContext, parseArrayFilters } from './update-paths.ts';
import { MAX_DEPTH, tooDeep, validateDocument } from './validate.ts';
import { typeName } from './values.ts';

export interface UpdateContext extends MatchContext {
  /** Compiles the stages of a pipeline update. @throws MongoError */
  compileStages: (stages: Document[]) => (document: Buffer) => Buffer;
}

export interface Update {
  /** The next version; `inserting` lets `$setOnInsert` apply. */
  apply(document: Buffer, inserting: boolean): Buffer;
  isReplacement: boolean;
}

/** One operator at one path, which may hold `$`, `$[]` and `$[name]`. */
interface Change {
  path: string;
  onInsertOnly: boolean;
  apply: Apply;
}

/** @throws MongoError for operators and operands that MongoDB refuses. */
export function compileUpdate(
  update: unknown,
  filter: Document,
  arrayFilters: readonly unknown[],
  context: UpdateContext,
): Update {
  const isReplacement = isPlainObject(update) && !Object.keys(update)[0]?.startsWith('$');
  if (arrayFilters.length > 0 && (Array.isArray(update) || isReplacement))
    throw new MongoError('FailedToParse', 'arrayFilters may be specified for updates with operators only');
  if (Array.isArray(update)) {
    const run = context.compileStages(update);
    return { isReplacement: false, apply: (document) => keepId(document, validateDocument(run(document))) };
  }
  if (!isPlainObject(update))
    throw new MongoError('FailedToParse', 'Update argument must be either an object or an array');
  if (isReplacement) return replacement(update);
  const filters = parseArrayFilters(arrayFilters, context);
  const changes = parseOperators(update, filters, context);
  return {
    isReplacement: false,
    apply: (document, inserting) => {
      const root = documentNode(document);
      const paths: PathContext = { filters, matchedItem: (path) => matchedItem(document, path, filter, context) ?? -1 };
      const steps = changes
        .filter(({ onInsertOnly }) => inserting || !onInsertOnly)
        .flatMap(({ path, apply }) => concretePaths(root, path, paths).map((concrete) => ({ path: concrete, apply })));
      checkConflicts(steps.map(({ path }) => path));
      // New fields come in the order of their names.
      steps.sort((a, b) => comparePaths(a.path, b.path));
      for (const { path, apply } of steps) apply(root, path);
      const after = '$rename' in update ? validateDocument(toDocument(root)) : toDocument(root);
      if (idOf(document) && !idOf(after)) throw immutableId();
      return keepId(document, after);
    },
  };
}

function parseOperators(update: Document, filters: ArrayFilters, context: MatchContext): Change[] {
  const paths: string[] = [];
  const changes = Object.entries(update).flatMap(([operator, fields]) => {
    if (!isUpdateOperator(operator)) {
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
    return Object.entries(fields).map(([name, operand]): Change => {
      const path = operator === '$rename' ? renamedTo(name, operand) : name;
      for (const one of new Set([name, path])) {
        checkPath(one, filters);
        paths.push(one);
      }
      checkDepth(path, operand);
      return {
        path,
        onInsertOnly: operator === '$setOnInsert',
        apply: compileOperator(operator, operand, name, context),
      };
    });
  });
  const split = paths.map((path) => path.split('.'));
  checkConflicts(split);
  checkKinds(split);
  for (const name of filters.keys()) {
    if (!paths.some((path) => path.split('.').includes(`$[${name}]`)))
      throw new MongoError('FailedToParse', `The array filter for identifier '${name}' was not used in the update`);
  }
  return changes;
}

function renamedTo(from: string, to: unknown): string {
  if (typeof to !== 'string')
    throw new MongoError('BadValue', `The 'to' field for $rename must be a string: ${from}: ${String(to)}`);
  if (from === to || from.startsWith(`${to}.`) || to.startsWith(`${from}.`))
    throw new MongoError('BadValue', `The source and target field for $rename must differ: ${from}: "${to}"`);
  const dynamic = [from, to].find((path) => path.split('.').some((part) => part.startsWith('$')));
  if (dynamic) throw new MongoError('BadValue', `The fields for $rename may not be dynamic: ${dynamic}`);
  return to;
}

function checkDepth(path: string, operand: unknown): void {
  const depth = (value: unknown): number =>
    Array.isArray(value) || isPlainObject(value)
      ? 1 + Object.values(value).reduce<number>((deepest, inner) => Math.max(deepest, depth(inner)), 0)
      : 0;
  if (path.split('.').length + depth(operand) > MAX_DEPTH) throw tooDeep();
}

function conflict(path: string, at: string): MongoError {
  return new MongoError('ConflictingUpdateOperators', `Updating the path '${path}' would create a conflict at '${at}'`);
}

/** @throws MongoError when one path is, or lies within, another. */
function checkConflicts(paths: string[][]): void {
  const sorted = paths.map((path) => path.join('\0')).sort();
  for (const [i, path] of sorted.entries()) {
    const next = sorted[i + 1];
    if (next !== undefined && (next === path || next.startsWith(`${path}\0`))) {
      throw conflict(next.replaceAll('\0', '.'), path.replaceAll('\0', '.'));
    }
  }
}

/** @throws MongoError when elements of an array and a named field of it are to change together. */
function checkKinds(paths: string[][]): void {
  const kinds = new Map<string, boolean>();
  for (const path of paths) {
    for (const [depth, part] of path.entries()) {
      const at = path.slice(0, depth).join('.');
      const isArray = part.startsWith('$[');
      if ((kinds.get(at) ?? isArray) !== isArray) throw conflict(path.join('.'), at);
      kinds.set(at, isArray);
    }
  }
}

/** By the names of their parts; positions by number, an outer path before an inner one. */
function comparePaths(a: readonly string[], b: readonly string[]): number {
  const i = a.findIndex((part, at) => part !== b[at]);
  if (i < 0 || i === b.length) return a.length - b.length;
  const [left = '', right = ''] = [a[i], b[i]];
  const bothNumbers = /^\d+$/.test(left) && /^\d+$/.test(right);
  return bothNumbers ? Number(left) - Number(right) : left < right ? -1 : 1;
}

function replacement(update: Document): Update {
  const name = Object.keys(update).find((key) => key.startsWith('$'));
  if (name)
    throw new MongoError(
      'DollarPrefixedFieldName',
      `The dollar ($) prefixed field '${name}' in '${name}' is not allowed in the context of an update's replacement document.`,
    );
  const next = validateDocument(encode(update));
  return { isReplacement: true, apply: (document) => keepId(document, next) };
}

function immutableId(): MongoError {
  return new MongoError(
    'ImmutableField',
    `Performing an update on the path '_id' would modify the immutable field '_id'`,
  );
}

/** The successor with the id of its predecessor in front. */
function keepId(before: Buffer, after: Buffer): Buffer {
  const old = idOf(before);
  const now = idOf(after);
  if (!old) return after;
  if (now && encodeKey(old) !== encodeKey(now)) throw immutableId();
  return withId(after, now ?? old);
}

/** The document with the id in front; itself when it has one there. */
function withId(document: Buffer, id: RawValue): Buffer {
  if (document.toString('latin1', 5, 9) === '_id\0') return document;
  const writer = new DocumentWriter().add('_id', id);
  for (const element of elements(document)) if (element.name !== '_id') writer.add(element.name, element);
  return writer.finish();
}

/**
 * The document that an upsert starts from: what the filter demands to be equal.
 * @throws MongoError when it says so twice of one field.
 */
export function upsertSeed(filter: Document): Buffer {
  const found = equalities(filter).map(({ path, value }) => ({ path: path.split('.'), value }));
  found.sort((a, b) => comparePaths(a.path, b.path));
  const root = documentNode(encode({}));
  for (const [i, { path, value }] of found.entries()) {
    const next = found[i + 1]?.path;
    if (next && path.every((part, at) => part === next[at]))
      throw new MongoError(
        'NotSingleValueField',
        `cannot infer query fields to set, both paths '${path.join('.')}' and '${next.join('.')}' are matched`,
      );
    setPath(root, path, nodeOf(toRaw(value)));
  }
  return toDocument(root);
}

function equalities(filter: Document): { path: string; value: unknown }[] {
  return Object.entries(filter).flatMap(([path, value]) => {
    if ((path === '$and' || (path === '$or' && value.length === 1)) && Array.isArray(value))
      return value.flatMap(equalities);
    if (path.startsWith('$') || isRegex(value)) return [];
    if (!isOperatorObject(value)) return [{ path, value }];
    if ('$eq' in value) return [{ path, value: value.$eq }];
    const one = [value.$in, value.$all].find((list) => Array.isArray(list) && list.length === 1 && !isRegex(list[0]));
    return one && !isOperatorObject(one[0]) ? [{ path, value: one[0] }] : [];
  });
}

/** The document with an `_id` in front; a new one when it has none. @throws MongoError for ids that MongoDB refuses. */
export function ensureId(document: Buffer): { document: Buffer; id: RawValue } {
  const id = idOf(document) ?? toRaw(new ObjectId());
  if (id.type === bsonType.array || id.type === bsonType.regex || id.type === bsonType.undefined) {
    throw new MongoError('InvalidIdField', `The '_id' value cannot be of type ${typeName(id)}`);
  }
  if (id.buffer === document && hasIdAfter(document, id))
    throw new MongoError('BadValue', "can't have multiple _id fields in one document");
  return { document: withId(document, id), id };
}
