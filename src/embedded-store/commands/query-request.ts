import type { Document } from 'bson';
import type { Collection } from '../engine/catalog.ts';
import { collationFold } from '../engine/collation.ts';
import { evaluator, expressionPredicate, type Variables, variablesOf } from '../engine/expressions.ts';
import type { StringFold } from '../engine/key-encoding.ts';
import { isPlainObject } from '../engine/matcher.ts';
import { compileProjection, type Projection } from '../engine/projection.ts';
import type { QueryRequest } from '../engine/query.ts';
import { toRaw } from '../engine/raw-bson.ts';
import { checkMeta, isMeta, textSearch, withScore } from '../engine/text-index.ts';
import { MongoError } from '../errors.ts';

const EMPTY = toRaw({});

/** The variables of a command: those of its `let`, and the time. */
export function letVariables(source: Document): Variables {
  return variablesOf(source.let, EMPTY, { NOW: toRaw(new Date()) });
}

/** The query of a command or of a statement of a write; the collection's collation is the default. */
export function queryRequest(
  source: Document,
  given: Document | null | undefined,
  variables: Variables,
  collection: Collection | undefined,
): QueryRequest {
  const filter = given ?? {};
  const fold = foldOf(source, collection);
  return {
    filter,
    sort: source.sort ?? {},
    hint: hintOf(source),
    fold,
    text: textSearch(filter, collection),
    expression: expressionPredicate(variables, fold),
  };
}

export function foldOf(source: Document, collection: Collection | undefined): StringFold | undefined {
  const collation: Document | undefined = source.collation;
  return collation && Object.keys(collation).length > 0 ? collationFold(collation) : collection?.fold;
}

export function hintOf(source: Document): unknown {
  const hint: unknown = source.hint;
  if (hint === undefined || hint === null || hint === '' || (isPlainObject(hint) && Object.keys(hint).length === 0))
    return undefined;
  if (typeof hint !== 'string' && !isPlainObject(hint))
    throw new MongoError('FailedToParse', 'Hint must be a string or an object');
  return hint;
}

export function projectionOf(
  given: Document | null | undefined,
  query: QueryRequest,
  variables: Variables,
): Projection | undefined {
  const spec = given ?? {};
  const scores = Object.entries(spec).filter(([, value]) => isMeta(value));
  const { text } = query;
  for (const [, value] of scores) checkMeta(value, text);
  const fields = Object.fromEntries(Object.entries(spec).filter(([, value]) => !isMeta(value)));
  const projection = compileProjection(fields, {
    fold: query.fold,
    expression: query.expression,
    compile: (expression) => evaluator(expression, variables, query.fold),
    filter: query.filter,
  });
  if (!text || scores.length === 0) return projection;
  return (document) =>
    scores.reduce((shown, [name]) => withScore(shown, name, text, document), projection?.(document) ?? document);
}
