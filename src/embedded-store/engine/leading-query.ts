// The beginning of a pipeline as a query, which the planner knows how to answer.
import { type Document, Int32 } from 'bson';
import type { Collection } from './catalog.ts';
import { evaluator, expressionPredicate, type Variables } from './expressions.ts';
import { isPlainObject } from './matcher.ts';
import type { QueryRequest } from './query.ts';
import { bsonType, decodeValue, encode, toRaw } from './raw-bson.ts';
import { countName, filterOf, limitOf, skipOf, sortOf } from './stage-operands.ts';
import type { StageContext } from './stages.ts';
import { textSearch } from './text-index.ts';

const EMPTY = toRaw({});

/** What of these stages is a query, and the stages that come after it. @throws MongoError for operands that are not valid. */
export function leadingQuery(
  stages: readonly Document[],
  collection: Collection | undefined,
  { fold, variables, hint }: StageContext & { hint?: unknown },
): { request: QueryRequest & { skip: number; limit: number }; rest: Document[] } {
  const rest = [...stages];
  const take = (name: string): unknown => (name in (rest[0] ?? {}) ? rest.shift()?.[name] : undefined);
  const filters: Document[] = [];
  const takeFilters = (): void => {
    while ('$match' in (rest[0] ?? {})) filters.push(filterOf(take('$match')));
  };
  takeFilters();
  const sort = take('$sort');
  if (sort !== undefined) takeFilters();
  const skip = take('$skip');
  const limit = take('$limit');
  const filter = filters.length === 1 ? (filters[0] ?? {}) : filters.length > 1 ? { $and: filters } : {};
  const request = {
    filter: withEqualities(filter, variables),
    sort: sort === undefined ? undefined : sortOf(sort),
    skip: skip === undefined ? 0 : skipOf(skip),
    limit: limit === undefined ? 0 : limitOf(limit),
    fold,
    hint,
    text: textSearch(filter, collection),
    expression: expressionPredicate(variables, fold),
  };
  return { request, rest };
}

/** What comes of a number of documents when these stages only count, as those of a driver's `countDocuments` do. */
export function countResult([stage = {}, ...others]: readonly Document[]): ((count: number) => Buffer) | undefined {
  if (others.length > 0) return undefined;
  if ('$count' in stage) {
    const name = countName(stage.$count);
    return (count) => encode({ [name]: count });
  }
  const { _id, n, ...fields } = stage.$group ?? {};
  const isCount = Number(_id) === 1 && n?.$sum instanceof Int32 && n.$sum.value === 1;
  return isCount && Object.keys(fields).length === 0 ? (count) => encode({ _id, n: count }) : undefined;
}

/** What `$expr` says about equal fields, said in a way that indexes know: it holds for all that `$expr` holds for. */
function withEqualities(filter: Document, variables: Variables): Document {
  const found = [filter, ...(filter.$and ?? [])].flatMap((part) => equalities(part?.$expr, variables));
  return found.length > 0 ? { $and: [filter, ...found] } : filter;
}

function equalities(expression: unknown, variables: Variables): Document[] {
  if (!isPlainObject(expression)) return [];
  if (Array.isArray(expression.$and)) return expression.$and.flatMap((part) => equalities(part, variables));
  if (!Array.isArray(expression.$eq) || expression.$eq.length !== 2) return [];
  const isField = (operand: unknown): operand is string => typeof operand === 'string' && /^\$[^$]/.test(operand);
  const [field, other] = isField(expression.$eq[0]) ? expression.$eq : [...expression.$eq].reverse();
  const isKnown = typeof other === 'string' ? /^\$\$(?!ROOT|CURRENT)|^[^$]/.test(other) : !isPlainObject(other);
  if (!isField(field) || !isKnown || Array.isArray(other)) return [];
  const value = evaluator(other, variables)(EMPTY);
  return value && value.type !== bsonType.array ? [{ [field.slice(1)]: { $eq: decodeValue(value) } }] : [];
}
