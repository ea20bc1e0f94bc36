// Queries as sources of documents that are pulled in batches.
import type { Document } from 'bson';
import type { Key, KeyRange, View } from '../storage/layer.ts';
import type { Collection } from './catalog.ts';
import { documentKey } from './collection-writer.ts';
import { checkDeadline, type Engine, nextTurn, type Operation } from './engine.ts';
import { idKeyOf } from './indexes.ts';
import type { StringFold } from './key-encoding.ts';
import { compileFilter, isPlainObject, isRegex, type Predicate } from './matcher.ts';
import { type Plan, planQuery } from './planner.ts';
import { toRaw } from './raw-bson.ts';
import { type Match, Scan, STEP_ENTRIES } from './scan.ts';
import { parseSort, type SortPart } from './sort.ts';
import { documentSorter } from './sorter.ts';
import type { TextSearch } from './text-index.ts';

export interface QueryRequest {
  filter: Document;
  sort?: Document | undefined;
  hint?: unknown;
  skip?: number;
  /** 0 is no limit. */
  limit?: number;
  fold?: StringFold | undefined;
  text?: TextSearch | undefined;
  expression?: ((expression: unknown) => Predicate) | undefined;
}

export interface DocumentSource {
  /** Up to `limit` further matches; fewer only at the end. */
  take(operation: Operation, limit: number): Promise<Match[]>;
  readonly done: boolean;
}

/** @throws MongoError for filters, sorts and hints that are not valid; nothing has been read then. */
export function openQuery(engine: Engine, collection: Collection | undefined, request: QueryRequest): DocumentSource {
  const sort = parseSort(request.sort ?? {}, request.text);
  const id =
    request.hint === undefined && request.fold === collection?.fold ? soleId(request.filter, request.fold) : undefined;
  // One plain value is always a filter that is valid.
  if (collection && id) return pointSource(engine, collection, id, request.skip ?? 0);
  const predicate = compileFilter(request.filter, request);
  if (!collection) return fixedSource([]);
  const plan = planFor(engine, collection, request, sort);
  const source = scanSource(engine, new Scan(collection, plan, plan.exact ? null : predicate));
  const wanted = request.limit ? request.limit + (request.skip ?? 0) : Number.POSITIVE_INFINITY;
  const ordered = plan.sorted ? source : sortedSource(source, sort, request.fold, wanted);
  return request.skip ? skippingSource(ordered, request.skip) : ordered;
}

export function planFor(
  engine: Engine,
  collection: Collection,
  request: QueryRequest,
  sort: readonly SortPart[],
): Plan {
  const { filter, hint, fold, text, limit = 0 } = request;
  const estimate = (ranges: KeyRange[], limit: number): number => countUpTo(engine.storage.current(), ranges, limit);
  return planQuery(collection, { filter, sort, hint, fold, text, limited: limit > 0, estimate });
}

function countUpTo(view: View, ranges: readonly KeyRange[], limit: number): number {
  let count = 0;
  for (const range of ranges) {
    for (const _ of view.range(range)) if (++count >= limit) return count;
  }
  return count;
}

/** The id, when the filter asks for one id and nothing else: the commonest query needs no plan. */
function soleId(filter: Document, fold?: StringFold): Key | undefined {
  let id: unknown;
  for (const name in filter) {
    if (name !== '_id' || id !== undefined) return undefined;
    id = filter[name];
  }
  if (id === undefined || id === null || isPlainObject(id) || Array.isArray(id) || isRegex(id)) return undefined;
  return idKeyOf(toRaw(id), fold);
}

function fixedSource(matches: Match[]): DocumentSource {
  let position = 0;
  return {
    take: async (_, limit) => {
      const taken = matches.slice(position, position + limit);
      position += taken.length;
      return taken;
    },
    get done() {
      return position >= matches.length;
    },
  };
}

export function documentsSource(documents: readonly Buffer[]): DocumentSource {
  return fixedSource(documents.map((document) => ({ idKey: '', document })));
}

function pointSource(engine: Engine, collection: Collection, idKey: Key, skip: number): DocumentSource {
  let done = skip > 0;
  return {
    take: async (operation) => {
      const document = done ? undefined : engine.view(operation).get(documentKey(collection, idKey));
      done = true;
      return document ? [{ idKey, document }] : [];
    },
    get done() {
      return done;
    },
  };
}

function scanSource(engine: Engine, scan: Scan): DocumentSource {
  return {
    async take(operation, limit) {
      const matches = scan.step(engine.view(operation), limit);
      while (matches.length < limit && !scan.done) {
        await nextTurn();
        checkDeadline(operation);
        matches.push(...scan.step(engine.view(operation), limit - matches.length));
      }
      return matches;
    },
    get done() {
      return scan.done;
    },
  };
}

/** Reads everything, then gives it in order; only what can be among the first `wanted` is kept. */
function sortedSource(
  source: DocumentSource,
  sort: readonly SortPart[],
  fold: StringFold | undefined,
  wanted: number,
): DocumentSource {
  let sorted: DocumentSource | undefined;
  const collect = async (operation: Operation): Promise<Match[]> => {
    const sorter = documentSorter<Match>(sort, fold, wanted);
    for await (const matches of steps(source, operation)) await sorter.add(matches);
    return sorter.finish();
  };
  return {
    async take(operation, limit) {
      sorted ??= fixedSource(await collect(operation));
      return sorted.take(operation, limit);
    },
    get done() {
      return sorted?.done ?? false;
    },
  };
}

function skippingSource(source: DocumentSource, skip: number): DocumentSource {
  let left = skip;
  return {
    async take(operation, limit) {
      while (left > 0 && !source.done) left -= (await source.take(operation, Math.min(left, STEP_ENTRIES))).length;
      return source.take(operation, limit);
    },
    get done() {
      return source.done;
    },
  };
}

/** How many documents match, without reading them where an index says it all. */
export async function countMatches(
  engine: Engine,
  collection: Collection,
  request: QueryRequest,
  operation: Operation,
): Promise<number> {
  if (Object.keys(request.filter).length === 0) return engine.countDocuments(collection, operation);
  compileFilter(request.filter, request);
  const plan = planFor(engine, collection, request, []);
  if (plan.exact && !plan.repeats && !operation.transaction) {
    return plan.scans.flatMap((scan) => scan.ranges).reduce((sum, range) => sum + engine.storage.count(range), 0);
  }
  return countAll(openQuery(engine, collection, request), operation);
}

export async function countAll(source: DocumentSource, operation: Operation): Promise<number> {
  let count = 0;
  for await (const matches of steps(source, operation)) count += matches.length;
  return count;
}

/** All matches, some at a time; between them others have their turns. @throws MongoError MaxTimeMSExpired */
export async function* steps(source: DocumentSource, operation: Operation): AsyncGenerator<Match[]> {
  while (!source.done) {
    yield await source.take(operation, STEP_ENTRIES);
    if (source.done) return;
    await nextTurn();
    checkDeadline(operation);
  }
}

/** All matches, for commands that need them at once. */
export async function takeAll(source: DocumentSource, operation: Operation): Promise<Match[]> {
  const matches: Match[] = [];
  for await (const some of steps(source, operation)) for (const match of some) matches.push(match);
  return matches;
}
