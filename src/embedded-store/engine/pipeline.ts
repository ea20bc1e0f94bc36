// Aggregation: a pipeline is a chain of stages over batches of documents. What a query can do of its beginning is left to
// the planner; a cursor pulls the rest as it needs it.
import { type Document, UUID } from 'bson';
import { MongoError } from '../errors.ts';
import { MemoryUse } from './accumulators.ts';
import { MAX_DOCUMENT_BYTES } from './collection-writer.ts';
import { DocumentWriter } from './document-writer.ts';
import { checkDeadline, type Engine, type Operation } from './engine.ts';
import { evaluator, expressionPredicate, type Variables } from './expressions.ts';
import { group } from './group-stage.ts';
import { countResult, leadingQuery } from './leading-query.ts';
import { lookup } from './lookup-stage.ts';
import { compileFilter, isPlainObject } from './matcher.ts';
import { countMatches, type DocumentSource, openQuery } from './query.ts';
import { bsonType, encode, rawDocument, rawInt, toRaw, wholeDocument } from './raw-bson.ts';
import { type Match, STEP_ENTRIES } from './scan.ts';
import { parseSort } from './sort.ts';
import { documentSorter } from './sorter.ts';
import { countName, filterOf, limitOf, skipOf, sortOf, wantedBy } from './stage-operands.ts';
import {
  type Batches,
  inBatches,
  mapEach,
  Pace,
  type Stage,
  type StageContext,
  sample,
  transforms,
  unwind,
} from './stages.ts';
import { textOperands } from './text-index.ts';
import { withScores } from './text-stages.ts';
import { itemsOf } from './values.ts';
import { throughViews } from './views.ts';

export interface PipelineContext extends StageContext {
  engine: Engine;
  operation: Operation;
  database: string;
  hint?: unknown;
  /** Within how many other pipelines it runs. */
  depth?: number;
}

type CompileStage = (operand: unknown, context: PipelineContext, rest: readonly Document[]) => Stage;

const EMPTY = toRaw({});
const MAX_SUB_PIPELINES = 20;

const compilers: Readonly<Record<string, CompileStage>> = {
  ...Object.fromEntries(
    Object.entries(transforms).map(([name, compile]): [string, CompileStage] => [
      name,
      (operand, context) => {
        const transform = compile(operand, context);
        return mapEach((document) => [transform(document)]);
      },
    ]),
  ),
  $group: group,
  $unwind: unwind,
  $sample: sample,
  $match: (operand, { fold, variables }) => {
    const predicate = compileFilter(filterOf(operand), { fold, expression: expressionPredicate(variables, fold) });
    return mapEach((document) => (predicate(wholeDocument(document)) ? [document] : []));
  },
  $sort: (operand, { fold }, rest) => {
    const sorter = documentSorter<{ document: Buffer }>(parseSort(sortOf(operand)), fold, wantedBy(rest));
    return async function* (input) {
      for await (const batch of input) await sorter.add(batch.map((document) => ({ document })));
      yield* inBatches((await sorter.finish()).map(({ document }) => document));
    };
  },
  $limit: (operand) => {
    const limit = limitOf(operand);
    return async function* (input) {
      let left = limit;
      for await (const batch of input) {
        yield batch.slice(0, left);
        left -= batch.length;
        if (left <= 0) return;
      }
    };
  },
  $skip: (operand) => {
    let left = skipOf(operand);
    return mapEach((document) => (left-- > 0 ? [] : [document]));
  },
  $count: (operand) => {
    const name = countName(operand);
    return async function* (input) {
      let count = 0;
      for await (const batch of input) count += batch.length;
      if (count > 0) yield [new DocumentWriter().add(name, rawInt(count)).finish()];
    };
  },
  $lookup: (operand, context) => lookup(operand, context.variables, runOn(context)),
  $facet: (operand, context) => {
    if (!isPlainObject(operand) || Object.keys(operand).length === 0)
      throw new MongoError('Location40169', 'the $facet specification must be a non-empty object');
    const facets = Object.entries(operand).map(([name, stages]): [string, Stage] => [
      name,
      compileStages(parsePipeline(stages), context),
    ]);
    return async function* (input) {
      const documents = await collect(input, '$facet');
      const writer = new DocumentWriter();
      for (const [name, run] of facets) writer.addDocuments(name, await collect(run(inBatches(documents)), '$facet'));
      yield [writer.finish()];
    };
  },
  $unionWith: (operand, context) => {
    const { coll, pipeline = [] } = isPlainObject(operand) ? operand : { coll: operand };
    const stages = parsePipeline(pipeline);
    return async function* (input) {
      yield* input;
      yield* openBatches(inner(context), `${context.database}.${String(coll)}`, stages);
    };
  },
};

/** Stages that stand for others. */
const shortForms: Readonly<Record<string, (operand: unknown) => Document[]>> = {
  $sortByCount: (operand) => [{ $group: { _id: operand, count: { $sum: 1 } } }, { $sort: { count: -1 } }],
};

/** Stages that begin a pipeline without a collection. */
const sources: Readonly<Record<string, (operand: unknown, context: PipelineContext) => Iterable<Buffer>>> = {
  $documents: (operand, { variables }) => {
    const documents = itemsOf(evaluator(operand, variables)(EMPTY));
    if (!documents?.every(({ type }) => type === bsonType.object))
      throw new MongoError('Location5858203', 'an array of objects is expected by $documents');
    return documents.map(rawDocument);
  },
  $listLocalSessions: (_, { engine }) =>
    engine.sessions
      .all()
      .map(({ id, lastUsed }) =>
        encode({ _id: { id: new UUID(Buffer.from(id, 'hex')) }, lastUse: new Date(performance.timeOrigin + lastUsed) }),
      ),
};

/** @throws MongoError for a stage that is unknown or not one object with one name. */
export function parsePipeline(pipeline: unknown): Document[] {
  if (!Array.isArray(pipeline) || !pipeline.every(isPlainObject))
    throw new MongoError('TypeMismatch', 'A pipeline must be an array of objects');
  return pipeline.flatMap((stage, place) => {
    const [[name, operand] = ['', undefined], ...others] = Object.entries(stage);
    if (name === '' || others.length > 0)
      throw new MongoError('Location40323', 'A pipeline stage specification object must contain exactly one field.');
    const isKnown = name in compilers || name in shortForms || name in sources || name === '$out' || name === '$merge';
    if (!name.startsWith('$') || !isKnown)
      throw new MongoError('Location40324', `Unrecognized pipeline stage name: '${name}'`);
    if ((name === '$out' || name === '$merge') && place < pipeline.length - 1)
      throw new MongoError('Location40601', `${name} can only be the final stage in the pipeline`);
    if (name in sources && place > 0)
      throw new MongoError('Location40602', `${name} is only valid as the first stage in a pipeline`);
    if (place > 0 && name === '$match' && textOperands(filterOf(operand)).length > 0)
      throw new MongoError('Location17313', '$match with $text is only allowed as the first pipeline stage');
    return shortForms[name]?.(operand) ?? [stage];
  });
}

function compileStages(stages: readonly Document[], context: PipelineContext): Stage {
  const chain = stages.map((stage, i) => {
    const [[name = '', operand] = []] = Object.entries(stage);
    const compile = compilers[name];
    if (!compile) throw new MongoError('Location40600', `${name} is not allowed to be used here`);
    return compile(operand, context, stages.slice(i + 1));
  });
  return (input) => chain.reduce((batches, stage) => stage(inTime(batches, context)), input);
}

async function* inTime(batches: Batches, context: PipelineContext): Batches {
  for await (const batch of batches) {
    checkDeadline(context.operation);
    yield batch;
  }
}

/** A pipeline on a collection or a view. @throws MongoError before anything is read, for what is not valid. */
function openBatches(context: PipelineContext, on: string, given: readonly Document[]): Batches {
  const [[name = '', operand] = []] = Object.entries(given[0] ?? {});
  const own = sources[name];
  if (own) return compileStages(given.slice(1), context)(inBatches(own(operand, context)));
  const { namespace, stages } = throughViews(context.engine, context.operation, on, [...given]);
  return openQueried(context, namespace, parsePipeline(stages));
}

async function* read(context: PipelineContext, source: DocumentSource, limit: number): Batches {
  const pace = new Pace();
  for (let left = limit; left > 0 && !source.done; ) {
    if (pace.isDue) await pace.rest();
    const matches = await source.take(context.operation, Math.min(left, STEP_ENTRIES));
    left -= matches.length;
    yield matches.map(({ document }) => document);
  }
}

/** A pipeline whose leading stages are a query. */
function openQueried(context: PipelineContext, namespace: string, stages: readonly Document[]): Batches {
  const { engine, operation } = context;
  const collection = engine.collection(operation, namespace);
  const { request, rest } = leadingQuery(stages, collection, context);
  const most = request.limit || Number.POSITIVE_INFINITY;
  const counted = collection && !request.sort && !operation.transaction ? countResult(rest) : undefined;
  if (collection && counted) {
    const count = async function* (): Batches {
      const all = await countMatches(engine, collection, { ...request, skip: 0, limit: 0 }, operation);
      const n = Math.min(most, all - request.skip);
      if (n > 0) yield [counted(n)];
    };
    return count();
  }
  const scored = withScores(openQuery(engine, collection, request), rest, request.text);
  return compileStages(scored.rest, context)(read(context, scored.source, most));
}

async function collect(input: Batches, stage: string): Promise<Buffer[]> {
  const memory = new MemoryUse(stage);
  const documents: Buffer[] = [];
  for await (const batch of input) {
    for (const document of batch) {
      memory.use(document.length);
      documents.push(document);
    }
  }
  return documents;
}

/** Runs a whole pipeline. @throws MongoError */
export function runPipeline(context: PipelineContext, namespace: string, stages: Document[]): Promise<Buffer[]> {
  return collect(openBatches(context, namespace, stages), 'the pipeline');
}

/** For a pipeline within this one. @throws MongoError where there is no end, as in a view that reads itself. */
function inner({ depth = 0, ...context }: PipelineContext): PipelineContext {
  if (depth >= MAX_SUB_PIPELINES)
    throw new MongoError('MaxSubPipelineDepthExceeded', `More than ${MAX_SUB_PIPELINES} nested pipelines`);
  return { ...context, depth: depth + 1, hint: undefined };
}

function runOn(context: PipelineContext) {
  return (from: string | undefined, stages: Document[], variables: Variables): Promise<Buffer[]> =>
    runPipeline({ ...inner(context), variables }, `${context.database}.${from}`, parsePipeline(stages));
}

/** A pipeline as a source that a cursor pulls from. @throws MongoError */
export function openPipeline(context: PipelineContext, namespace: string, stages: Document[]): DocumentSource {
  const batches = openBatches(context, namespace, stages)[Symbol.asyncIterator]();
  let ready: Match[] = [];
  let isEnded = false;
  return {
    get done() {
      return isEnded && ready.length === 0;
    },
    async take(operation, limit) {
      context.operation = operation;
      while (ready.length < limit && !isEnded) {
        checkDeadline(operation);
        const { value, done } = await batches.next();
        if (done) isEnded = true;
        else ready = ready.concat(value.map((document) => ({ idKey: '', document: withinLimit(document) })));
      }
      return ready.splice(0, limit);
    },
  };
}

/** A result may be a little larger than what can be stored. */
const MAX_RESULT_BYTES = MAX_DOCUMENT_BYTES + 16 * 1024;

function withinLimit(document: Buffer): Buffer {
  if (document.length > MAX_RESULT_BYTES)
    throw new MongoError('BSONObjectTooLarge', `BSONObj size: ${document.length} is invalid`);
  return document;
}
