import type { Document } from 'bson';
import type { Collection } from '../engine/catalog.ts';
import { collationFold } from '../engine/collation.ts';
import { evaluator, expressionPredicate, type Variables } from '../engine/expressions.ts';
import type { StringFold } from '../engine/key-encoding.ts';
import { isPlainObject } from '../engine/matcher.ts';
import { compileProjection, type Projection } from '../engine/projection.ts';
import type { QueryRequest } from '../engine/query.ts';
import { decodePlain, encode } from '../engine/raw-bson.ts';
import { MongoError } from '../errors.ts';
import { documentField } from './command.ts';

/** The variables of `let`, evaluated. */
export function letVariables(source: Document): Variables {
  const definitions = source.let;
  if (!isPlainObject(definitions)) return {};
  return Object.fromEntries(
    Object.entries(decodePlain(encode(definitions))).map(([name, value]) => [name, evaluator(value, {})(encode({}))]),
  );
}

/** The query part of a command or of a statement of a write; the collection's collation is the default. */
export function queryRequest(
  source: Document,
  filterField: string,
  owner: string,
  variables: Variables,
  collection: Collection | undefined,
): QueryRequest {
  return {
    filter: documentField(source, filterField, owner),
    sort: documentField(source, 'sort', owner),
    hint: hintOf(source),
    fold: foldOf(source, collection),
    expression: expressionPredicate(variables),
  };
}

export function foldOf(source: Document, collection: Collection | undefined): StringFold | undefined {
  const collation: unknown = source.collation;
  return isPlainObject(collation) && Object.keys(collation).length > 0 ? collationFold(collation) : collection?.fold;
}

export function hintOf(source: Document): unknown {
  const hint: unknown = source.hint;
  if (hint === undefined || hint === null || hint === '' || (isPlainObject(hint) && Object.keys(hint).length === 0))
    return undefined;
  if (typeof hint !== 'string' && !isPlainObject(hint))
    throw new MongoError('FailedToParse', 'Hint must be a string or an object');
  return hint;
}

export function projectionOf(spec: Document, query: QueryRequest, variables: Variables): Projection | undefined {
  return compileProjection(spec, {
    fold: query.fold,
    expression: query.expression,
    evaluate: (expression, document) => evaluator(expression, variables)(document),
    filter: query.filter,
  });
}
