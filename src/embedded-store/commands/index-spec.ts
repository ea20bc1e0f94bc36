import type { Document } from 'bson';
import { completeCollation } from '../engine/collation.ts';
import { compileFilter, isOperatorObject, isPlainObject, isRegex } from '../engine/matcher.ts';
import { isNumber } from '../engine/matcher-tests.ts';
import { completeTextSpec } from '../engine/text-index.ts';
import { MongoError } from '../errors.ts';

const specFields = new Set([
  'v',
  'key',
  'name',
  'unique',
  'sparse',
  'partialFilterExpression',
  'expireAfterSeconds',
  'background',
  'collation',
  'ns',
  'hidden',
  'weights',
  'default_language',
  'language_override',
  'textIndexVersion',
]);

/** What an index on `_id` may say. */
const idFields = ['key', 'name', 'v', 'ns', 'background', 'collation'];
const MAX_FIELDS = 32;

/** @throws MongoError for what MongoDB refuses, and for kinds of index that this store does not have. */
export function parseSpec(spec: unknown, inherited: Document | undefined): Document {
  if (!isPlainObject(spec) || !isPlainObject(spec.key))
    throw new MongoError('FailedToParse', "The 'key' field is a required property of an index specification");
  checkKey(spec.key);
  checkOptions(spec, spec.key);
  const collation = isPlainObject(spec.collation) ? completeCollation(spec.collation) : inherited;
  const { background: _, ns: __, v: ___, collation: ____, ...rest } = spec;
  for (const flag of ['unique', 'sparse', 'hidden']) if (isNumber(rest[flag])) rest[flag] = Number(rest[flag]) !== 0;
  const complete = { v: 2, ...rest, ...(collation && { collation }) };
  return Object.values(spec.key).includes('text') ? completeTextSpec(complete) : complete;
}

function cannotCreate(message: string): MongoError {
  return new MongoError('CannotCreateIndex', message);
}

function checkKey(key: Document): void {
  const pattern = Object.entries(key);
  if (pattern.length === 0) throw cannotCreate('Index keys cannot be an empty object');
  if (pattern.length > MAX_FIELDS) throw new MongoError('Location13103', 'too many compound keys');
  for (const [path, direction] of pattern) {
    if (direction === 'text') continue;
    if (typeof direction === 'string') throw cannotCreate(`index type '${direction}' is not supported`);
    if (!isNumber(direction))
      throw cannotCreate('Values in v:2 index key pattern must be numbers > 0, numbers < 0, or strings.');
    if (!Number(direction)) throw cannotCreate('Values in v:2 index key pattern cannot be 0.');
    if (path.split('.').some((part) => part === '' || part.startsWith('$')))
      throw cannotCreate(`Index key contains an illegal field name: '${path}'`);
  }
}

function checkOptions(spec: Document, key: Document): void {
  const { name, v = 2, partialFilterExpression, sparse, expireAfterSeconds } = spec;
  const isId = Object.keys(key).join() === '_id' && Number(key._id) === 1;
  for (const field of Object.keys(spec)) {
    if (!specFields.has(field) || (isId && !idFields.includes(field)))
      throw new MongoError(
        'InvalidIndexSpecificationOption',
        `The field '${field}' is not valid for an${isId ? ' _id' : ''} index specification: ${JSON.stringify(spec)}`,
      );
  }
  if (typeof name !== 'string')
    throw new MongoError('FailedToParse', "The 'name' field is a required property of an index specification");
  if (name === '') throw cannotCreate('index name cannot be empty');
  if (name === '*' || (name === '_id_' && !isId))
    throw new MongoError('BadValue', `The index name '${name}' is not valid.`);
  if (Number(v) !== 1 && Number(v) !== 2) throw cannotCreate(`cannot create an index with v=${String(v)}`);
  for (const option of ['unique', 'sparse'])
    if (option in spec && typeof spec[option] !== 'boolean' && !isNumber(spec[option]))
      throw new MongoError(
        'TypeMismatch',
        `The field '${option}' has value ${String(spec[option])}, which is not convertible to bool`,
      );
  if (partialFilterExpression !== undefined) {
    if (sparse) throw cannotCreate('cannot mix "partialFilterExpression" and "sparse" options');
    if (!isPlainObject(partialFilterExpression))
      throw new MongoError('TypeMismatch', "The field 'partialFilterExpression' must be an object");
    compileFilter(partialFilterExpression);
    checkPartialFilter(partialFilterExpression);
  }
  if (expireAfterSeconds !== undefined) checkExpiry(expireAfterSeconds, key);
}

const partialOperators = ['$eq', '$gt', '$gte', '$lt', '$lte', '$in', '$type', '$exists'];

/** A partial index knows what it holds only from conditions like these. */
function checkPartialFilter(filter: Document): void {
  for (const [name, value] of Object.entries(filter)) {
    if (name === '$and' || name === '$or') {
      for (const branch of value as Document[]) checkPartialFilter(branch);
      continue;
    }
    const refused = isOperatorObject(value)
      ? Object.keys(value).find((operator) => !partialOperators.includes(operator) || isRefusedExists(operator, value))
      : (name.startsWith('$') || isRegex(value)) && name;
    if (refused) throw cannotCreate(`Expression not supported in partial index: ${refused}`);
  }
}

function isRefusedExists(operator: string, condition: Document): boolean {
  return (
    operator === '$exists' && !(typeof condition.$exists === 'object' ? Number(condition.$exists) : condition.$exists)
  );
}

/** @throws MongoError for an index that cannot have a time to live, or not this one. */
export function checkExpiry(expireAfterSeconds: unknown, key: Document): void {
  const seconds = isNumber(expireAfterSeconds) ? Number(expireAfterSeconds) : Number.NaN;
  if (Object.keys(key).length !== 1)
    throw cannotCreate('TTL indexes are single-field indexes, compound indexes do not support TTL.');
  if (!(seconds >= 0 && seconds <= 2 ** 31 - 1))
    throw cannotCreate("TTL index 'expireAfterSeconds' option must be within an acceptable range");
}
