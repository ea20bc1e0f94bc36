// Filters as predicates over raw documents.
import { BSONRegExp, type Document, MaxKey, MinKey } from 'bson';
import { MongoError } from '../errors.ts';
import { compareValues } from './collation.ts';
import { encodeKey, encodeValue, keys, type StringFold } from './key-encoding.ts';
import { bitTest, modTest, regexTest, typeTest, wholeNumber } from './matcher-tests.ts';
import { items, type Path, parsePath, someValue } from './paths.ts';
import { bsonType, isNullish, type RawValue, toRaw } from './raw-bson.ts';
import type { TextSearch } from './text-index.ts';

export type Predicate = (document: RawValue) => boolean;
export type ValueTest = (value: RawValue | undefined) => boolean;

/** What a filter needs from outside: string comparison rules, `$text` and `$expr`. */
export interface MatchContext {
  fold?: StringFold | undefined;
  text?: TextSearch | undefined;
  expression?: ((expression: unknown) => Predicate) | undefined;
}

/** One condition on a field: over everything a path reaches, or on one value (inside `$elemMatch`). */
interface Condition {
  onPath(document: RawValue, path: Path): boolean;
  onValue: ValueTest;
}

export function isPlainObject(value: unknown): value is Document {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Date) &&
    !ArrayBuffer.isView(value) &&
    !('_bsontype' in value)
  );
}

export function isOperatorObject(value: unknown): value is Document {
  if (!isPlainObject(value)) return false;
  const first = Object.keys(value)[0];
  return first?.startsWith('$') === true && !dbRefFields.includes(first);
}

const dbRefFields = ['$ref', '$id', '$db'];

/** @throws MongoError for what MongoDB refuses too, and for operators that this store does not have. */
export function compileFilter(filter: Document, context: MatchContext = {}): Predicate {
  const predicates = Object.entries(filter).map(([name, value]) => compileEntry(name, value, context));
  if (predicates.length === 1 && predicates[0]) return predicates[0];
  return (document) => predicates.every((predicate) => predicate(document));
}

function compileEntry(name: string, value: unknown, context: MatchContext): Predicate {
  if (!name.startsWith('$') || dbRefFields.includes(name)) {
    const path = parsePath(name);
    const conditions = compileConditions(value, context);
    return (document) => conditions.every((condition) => condition.onPath(document, path));
  }
  switch (name) {
    case '$and':
    case '$or':
    case '$nor': {
      const branches = filterList(name, value).map((branch) => compileFilter(branch, context));
      if (name === '$and') return (document) => branches.every((branch) => branch(document));
      const negated = name === '$nor';
      return (document) => branches.some((branch) => branch(document)) !== negated;
    }
    case '$comment':
      return () => true;
    case '$expr':
      if (context.expression) return context.expression(value);
      throw new MongoError('BadValue', '$expr is not allowed in this context');
    case '$text':
      if (context.text) return context.text.matches;
      throw new MongoError('BadValue', '$text is not allowed in this context');
    default:
      throw new MongoError(
        'BadValue',
        `unknown top level operator: ${name}. If you have a field name that starts with a '$', use $getField or $setField.`,
      );
  }
}

function filterList(name: string, value: unknown): Document[] {
  if (!Array.isArray(value) || value.length === 0) throw new MongoError('BadValue', `${name} must be a nonempty array`);
  if (!value.every(isPlainObject)) throw new MongoError('BadValue', `${name} entries need to be full objects`);
  return value;
}

/** The first parts of the paths that a filter speaks about. */
export function rootNames(filter: Document): string[] {
  return Object.entries(filter).flatMap(([name, value]) => {
    if (!name.startsWith('$')) return [name.split('.')[0] ?? name];
    return Array.isArray(value) ? value.filter(isPlainObject).flatMap(rootNames) : [];
  });
}

function compileConditions(value: unknown, context: MatchContext): Condition[] {
  if (isRegex(value)) return [some(regexTest(value.pattern, value.options))];
  if (!isOperatorObject(value)) return [some(equals(value, context))];
  const conditions: Condition[] = [];
  if ('$options' in value && typeof value.$options !== 'string')
    throw new MongoError('BadValue', '$options has to be a string');
  for (const [operator, operand] of Object.entries(value)) {
    if (operator === '$options') {
      if (!('$regex' in value)) throw new MongoError('BadValue', '$options needs a $regex');
    } else if (operator === '$regex') conditions.push(some(regexOperand(operand, value.$options)));
    else conditions.push(compileOperator(operator, operand, context));
  }
  return conditions;
}

type CompileOperator = (operand: unknown, context: MatchContext, operator: string) => Condition;

const comparison: CompileOperator = (operand, context, operator) => some(compares(operator, operand, context));
const bits: CompileOperator = (operand, _, operator) => some(bitTest(operator, operand));

const operators: Readonly<Record<string, CompileOperator>> = {
  $eq: (operand, context) => some(equals(operand, context)),
  $ne: (operand, context) => {
    if (isRegex(operand)) throw new MongoError('BadValue', "Can't have regex as arg to $ne.");
    return not([some(equals(operand, context))]);
  },
  $gt: comparison,
  $gte: comparison,
  $lt: comparison,
  $lte: comparison,
  $in: (operand, context, operator) => some(among(operator, operand, context)),
  $nin: (operand, context, operator) => not([some(among(operator, operand, context))]),
  $exists: (operand) => {
    const exists = some((value) => value !== undefined);
    return isTruthy(operand) ? exists : not([exists]);
  },
  $type: (operand) => some(typeTest(operand)),
  $mod: (operand) => some(modTest(operand)),
  $bitsAllSet: bits,
  $bitsAnySet: bits,
  $bitsAllClear: bits,
  $bitsAnyClear: bits,
  $size: (operand) => whole(sizeTest(operand)),
  $all: all,
  $elemMatch: (operand, context) => whole(elementMatch(operand, context)),
  $not: (operand, context) => {
    if (!isRegex(operand) && !isOperatorObject(operand))
      throw new MongoError('BadValue', '$not needs a regex or a document');
    return not(compileConditions(operand, context));
  },
};

function compileOperator(operator: string, operand: unknown, context: MatchContext): Condition {
  const compile = Object.hasOwn(operators, operator) ? operators[operator] : undefined;
  if (!compile) throw new MongoError('BadValue', `unknown operator: ${operator}`);
  return compile(operand, context, operator);
}

function some(test: ValueTest): Condition {
  return { onPath: (document, path) => someValue(document, path, test), onValue: test };
}

function whole(test: ValueTest): Condition {
  return { onPath: (document, path) => someValue(document, path, test, true), onValue: test };
}

function not(conditions: Condition[]): Condition {
  return {
    onPath: (document, path) => !conditions.every((condition) => condition.onPath(document, path)),
    onValue: (value) => !conditions.every((condition) => condition.onValue(value)),
  };
}

function equals(operand: unknown, { fold }: MatchContext): ValueTest {
  if (operand === null || operand === undefined) return isNullish;
  const key = encodeValue(operand, fold);
  return (value) => value !== undefined && encodeKey(value, fold) === key;
}

function compares(operator: string, operand: unknown, { fold }: MatchContext): ValueTest {
  if (isRegex(operand)) throw new MongoError('BadValue', `Can't have RegEx as arg to ${operator}.`);
  const raw = toRaw(operand);
  const key = encodeKey(raw, fold);
  const orEqual = operator.endsWith('e');
  if (operand === null || operand === undefined) return orEqual ? isNullish : () => false;
  const above = operator.startsWith('$gt');
  const bracket = key.charAt(0);
  const everyType = isKeyBound(operand);
  return (value) => {
    // Every value, and a missing one, lies between MinKey and MaxKey.
    if (value === undefined) return everyType && above === key < keys.null;
    const other = encodeKey(value, fold);
    if (other === key) return orEqual;
    if (!everyType && (other.charAt(0) !== bracket || key === keys.nan || other === keys.nan)) return false;
    const order = fold ? compareValues(value, raw, fold) : other < key ? -1 : 1;
    return above ? order > 0 : order < 0;
  };
}

export function isKeyBound(value: unknown): boolean {
  return value instanceof MinKey || value instanceof MaxKey;
}

function among(operator: string, operand: unknown, context: MatchContext): ValueTest {
  if (!Array.isArray(operand)) throw new MongoError('BadValue', `${operator} needs an array`);
  const wanted = new Set<string>();
  const tests: ValueTest[] = [];
  for (const item of operand) {
    if (isRegex(item)) tests.push(regexTest(item.pattern, item.options));
    else if (item === null || item === undefined) tests.push(isNullish);
    else if (isOperatorObject(item)) throw new MongoError('BadValue', `cannot nest $ under ${operator}`);
    else wanted.add(encodeValue(item, context.fold));
  }
  return (value) =>
    (value !== undefined && wanted.has(encodeKey(value, context.fold))) || tests.some((test) => test(value));
}

function all(operand: unknown, context: MatchContext): Condition {
  if (!Array.isArray(operand)) throw new MongoError('BadValue', '$all needs an array');
  const isMatch = (item: unknown): item is Document => isPlainObject(item) && Object.keys(item)[0] === '$elemMatch';
  const conditions = operand.map((item) => {
    if (isMatch(item) !== isMatch(operand[0])) throw new MongoError('BadValue', '$all/$elemMatch has to be consistent');
    if (isMatch(item)) return whole(elementMatch(item.$elemMatch, context));
    if (isOperatorObject(item)) throw new MongoError('BadValue', 'no $ expressions in $all');
    return some(isRegex(item) ? regexTest(item.pattern, item.options) : equals(item, context));
  });
  return {
    onPath: (document, path) =>
      conditions.length > 0 && conditions.every((condition) => condition.onPath(document, path)),
    onValue: (value) => conditions.length > 0 && conditions.every((condition) => condition.onValue(value)),
  };
}

function elementMatch(operand: unknown, context: MatchContext): ValueTest {
  if (!isPlainObject(operand)) throw new MongoError('BadValue', '$elemMatch needs an Object');
  const first = Object.keys(operand)[0];
  const onDocuments = !first?.startsWith('$') || ['$and', '$or', '$nor'].includes(first);
  if (onDocuments) {
    const predicate = compileFilter(operand, { fold: context.fold });
    return arrayTest((item) => (item.type === bsonType.object || item.type === bsonType.array) && predicate(item));
  }
  const conditions = compileConditions(operand, context);
  return arrayTest((item) => conditions.every((condition) => condition.onValue(item)));
}

function arrayTest(test: (item: RawValue) => boolean): ValueTest {
  return (value) => {
    if (value?.type !== bsonType.array) return false;
    for (const item of items(value)) if (test(item)) return true;
    return false;
  };
}

function sizeTest(operand: unknown): ValueTest {
  const size = wholeNumber(operand);
  if (size === undefined || size < 0)
    throw new MongoError('BadValue', 'Failed to parse $size. Expected a non-negative integer');
  return (value) => {
    if (value?.type !== bsonType.array) return false;
    let count = 0;
    for (const _ of items(value)) count++;
    return count === size;
  };
}

export function isRegex(value: unknown): value is BSONRegExp {
  return value instanceof BSONRegExp;
}

function regexOperand(operand: unknown, options: unknown): ValueTest {
  if (isRegex(operand)) {
    if (options !== undefined && operand.options !== '')
      throw new MongoError('Location51075', 'options set in both $regex and $options');
    return regexTest(operand.pattern, operand.options || String(options ?? ''));
  }
  if (typeof operand !== 'string') throw new MongoError('BadValue', '$regex has to be a string');
  return regexTest(operand, String(options ?? ''));
}

function isTruthy(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Number(value) !== 0;
  return typeof value === 'string' || Boolean(value);
}
