// Aggregation: stages that concern stored documents run here on raw documents, the others in mingo.
import { type Document, UUID } from 'bson';
import { MongoError } from '../errors.ts';
import { checkDeadline, type Engine, nextTurn, type Operation } from './engine.ts';
import { expressionPredicate, runStages, type Variables } from './expressions.ts';
import { wholeDocument } from './indexes.ts';
import type { StringFold } from './key-encoding.ts';
import { lookup } from './lookup-stage.ts';
import { compileFilter, isPlainObject } from './matcher.ts';
import { type DocumentSource, openQuery, takeAll } from './query.ts';
import { DocumentWriter, encode, rawInt } from './raw-bson.ts';
import { parseSort, sortBy } from './sort.ts';
import { textOperands, textSearch } from './text-index.ts';
import { withScores } from './text-stages.ts';
import { throughViews } from './views.ts';

export interface PipelineContext {
  engine: Engine;
  operation: Operation;
  database: string;
  variables: Variables;
  fold: StringFold | undefined;
  hint?: unknown;
}

const mingoStages = new Set([
  '$addFields',
  '$bucket',
  '$bucketAuto',
  '$densify',
  '$documents',
  '$fill',
  '$group',
  '$project',
  '$redact',
  '$replaceRoot',
  '$replaceWith',
  '$sample',
  '$set',
  '$setWindowFields',
  '$sortByCount',
  '$unset',
  '$unwind',
]);
const ownStages = new Set([
  '$listLocalSessions',
  '$match',
  '$sort',
  '$limit',
  '$skip',
  '$count',
  '$lookup',
  '$facet',
  '$unionWith',
  '$out',
  '$merge',
]);
const knownStages = new Set([
  '$collStats',
  '$indexStats',
  '$geoNear',
  '$graphLookup',
  '$changeStream',
  '$currentOp',
  '$listSessions',
  '$planCacheStats',
  '$search',
  '$vectorSearch',
]);

/** @throws MongoError for a stage that is unknown, not supported or not one object with one name. */
export function parsePipeline(pipeline: unknown): Document[] {
  if (!Array.isArray(pipeline) || !pipeline.every(isPlainObject))
    throw new MongoError('TypeMismatch', 'A pipeline must be an array of objects');
  for (const [position, stage] of pipeline.entries()) {
    const names = Object.keys(stage);
    const [name = ''] = names;
    if (names.length !== 1)
      throw new MongoError('Location40323', 'A pipeline stage specification object must contain exactly one field.');
    if (position > 0 && isPlainObject(stage.$match) && textOperands(stage.$match).length > 0)
      throw new MongoError('Location17313', '$match with $text is only allowed as the first pipeline stage');
    if (mingoStages.has(name) || ownStages.has(name)) continue;
    if (knownStages.has(name)) throw new MongoError('CommandNotSupported', `the stage ${name} is not supported`);
    throw new MongoError('Location40324', `Unrecognized pipeline stage name: '${name}'`);
  }
  return pipeline;
}

/** Leading stages that a query can do, and what is left. */
export function openPipeline(
  context: PipelineContext,
  on: string,
  given: Document[],
): { source: DocumentSource; rest: Document[] } {
  const { namespace, stages } = throughViews(context.engine, context.operation, on, given);
  const filters: Document[] = [];
  let position = 0;
  while (stages[position] && '$match' in (stages[position] ?? {})) filters.push(stages[position++]?.$match as Document);
  let sort: Document | undefined;
  if (stages[position]?.$sort) sort = stages[position++]?.$sort as Document;
  let skip = 0;
  let limit = 0;
  if (stages[position]?.$skip !== undefined) skip = wholeNumber('$skip', stages[position++]?.$skip);
  const hasLimit = stages[position]?.$limit !== undefined;
  if (hasLimit) limit = positive('$limit', stages[position]?.$limit);
  const filter = filters.length === 1 ? (filters[0] ?? {}) : filters.length === 0 ? {} : { $and: filters };
  const { engine, fold, hint, variables } = context;
  const collection = engine.collection(context.operation, namespace);
  const text = textSearch(filter, collection);
  const source = openQuery(engine, collection, {
    filter,
    text,
    sort,
    skip,
    limit,
    fold,
    hint,
    expression: expressionPredicate(variables),
  });
  return withScores(source, stages.slice(position), text);
}

/** Runs a whole pipeline on a collection. */
export async function runPipeline(context: PipelineContext, namespace: string, stages: Document[]): Promise<Buffer[]> {
  if (stages[0] && '$documents' in stages[0]) return runOn(context, [], stages);
  if (stages[0] && '$listLocalSessions' in stages[0]) return runOn(context, localSessions(context), stages.slice(1));
  const { source, rest } = openPipeline(context, namespace, stages);
  const first = rest[0]?.$limit;
  const matches =
    first === undefined
      ? await takeAll(source, context.operation)
      : await source.take(context.operation, positive('$limit', first));
  return runOn(
    context,
    matches.map((match) => match.document),
    rest,
  );
}

function localSessions({ engine }: PipelineContext): Buffer[] {
  return engine.transactions
    .list()
    .map(({ id, lastUsed }) => encode({ _id: { id: new UUID(Buffer.from(id, 'hex')) }, lastUse: new Date(lastUsed) }));
}

/** Stages that begin a pipeline without a collection. */
export function isSourceStage(stage: Document | undefined): boolean {
  return stage !== undefined && ('$documents' in stage || '$listLocalSessions' in stage);
}

/** Runs stages on documents. */
export async function runOn(context: PipelineContext, documents: Buffer[], stages: Document[]): Promise<Buffer[]> {
  let current = documents;
  for (let i = 0; i < stages.length; ) {
    checkDeadline(context.operation);
    const inMingo: Document[] = [];
    while (i < stages.length && mingoStages.has(Object.keys(stages[i] ?? {})[0] ?? '')) inMingo.push(stages[i++] ?? {});
    if (inMingo.length > 0) current = runStages(current, inMingo, context.variables);
    const stage = stages[i];
    if (!stage) break;
    i++;
    current = await runOwn(context, current, stage);
    await nextTurn();
  }
  return current;
}

async function runOwn(context: PipelineContext, documents: Buffer[], stage: Document): Promise<Buffer[]> {
  const [entry] = Object.entries(stage);
  const [name, operand] = entry ?? ['', undefined];
  switch (name) {
    case '$match': {
      const predicate = compileFilter(operand, {
        fold: context.fold,
        expression: expressionPredicate(context.variables),
      });
      return documents.filter((document) => predicate(wholeDocument(document)));
    }
    case '$sort':
      return sortBy(documents, wholeDocument, parseSort(operand), context.fold);
    case '$limit':
      return documents.slice(0, positive(name, operand));
    case '$skip':
      return documents.slice(wholeNumber(name, operand));
    case '$count':
      return documents.length === 0
        ? []
        : [new DocumentWriter().add(countName(operand), rawInt(documents.length)).finish()];
    case '$lookup':
      return lookup(documents, operand, context.variables, (from, stages, variables) =>
        runPipeline({ ...context, variables, hint: undefined }, `${context.database}.${from}`, parsePipeline(stages)),
      );
    case '$facet':
      return [await facet(context, documents, operand)];
    case '$unionWith': {
      const from = typeof operand === 'string' ? { coll: operand } : (operand as Document);
      const others = await runPipeline(
        context,
        `${context.database}.${String(from.coll)}`,
        parsePipeline(from.pipeline ?? []),
      );
      return [...documents, ...others];
    }
    default:
      throw new MongoError('Location40601', `${name} can only be the final stage in the pipeline`);
  }
}

async function facet(context: PipelineContext, documents: Buffer[], operand: unknown): Promise<Buffer> {
  if (!isPlainObject(operand) || Object.keys(operand).length === 0)
    throw new MongoError('Location40169', 'the $facet specification must be a non-empty object');
  const writer = new DocumentWriter();
  for (const [name, stages] of Object.entries(operand))
    writer.addDocuments(name, await runOn(context, documents, parsePipeline(stages)));
  return writer.finish();
}

function countName(operand: unknown): string {
  if (typeof operand !== 'string' || operand === '' || operand.startsWith('$') || operand.includes('.'))
    throw new MongoError('Location40156', 'the count field must be a non-empty string');
  return operand;
}

function wholeNumber(stage: string, operand: unknown): number {
  const number = Number(operand);
  if (!Number.isInteger(number) || number < 0)
    throw new MongoError(
      'Location5107200',
      `invalid argument to ${stage} stage: Expected a non-negative number in: ${stage}: ${String(operand)}`,
    );
  return number;
}

function positive(stage: string, operand: unknown): number {
  const number = wholeNumber(stage, operand);
  if (number === 0) throw new MongoError('Location15958', 'the limit must be positive');
  return number;
}
