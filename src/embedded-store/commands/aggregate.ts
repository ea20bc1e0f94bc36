import type { Document } from 'bson';
import { MAX_DOCUMENT_BYTES } from '../engine/collection-writer.ts';
import { DocumentWriter } from '../engine/document-writer.ts';
import { encodeKey } from '../engine/key-encoding.ts';
import { writeMerge, writeOut } from '../engine/output-stages.ts';
import { indexedValues, parsePath } from '../engine/paths.ts';
import { openPipeline, type PipelineContext, parsePipeline, runPipeline } from '../engine/pipeline.ts';
import { countAll, countMatches, type DocumentSource, documentsSource, steps } from '../engine/query.ts';
import { bsonType, decodeValue, wholeDocument } from '../engine/raw-bson.ts';
import { isView } from '../engine/views.ts';
import { MongoError } from '../errors.ts';
import { type CommandContext, type CommandTable, integer, namespaceOf } from './command.ts';
import { firstBatch } from './cursor-reply.ts';
import { commandQuery, openMatches } from './open-matches.ts';
import { foldOf, hintOf, letVariables } from './query-request.ts';
import { acknowledge } from './write-results.ts';

export const aggregateCommands: CommandTable = {
  aggregate: {
    fields: {
      pipeline: 'array!',
      cursor: { batchSize: 'count' },
      explain: 'bool',
      bypassDocumentValidation: 'flag',
      collation: 'object',
      hint: 'any',
      let: 'object',
    },
    transactional: true,
    readsSnapshot: true,
    async run(context) {
      const { command, database } = context;
      if (command.explain) throw new MongoError('CommandNotSupported', 'explain of an aggregate is not supported');
      const stages = parsePipeline(command.pipeline);
      const namespace = typeof command.aggregate === 'string' ? namespaceOf(context) : `${database}.$cmd.aggregate`;
      if (!command.cursor) throw new MongoError('FailedToParse', "The 'cursor' option is required");
      return firstBatch(context, namespace, await openAggregate(context, namespace, stages));
    },
  },
  count: {
    fields: { query: 'object', limit: 'number', skip: 'count', hint: 'any', collation: 'object', fields: 'any' },
    async run(context) {
      const { command, engine, operation } = context;
      const asked = commandQuery(context, command.query);
      const { collection, query } = asked;
      const skip = integer(command.skip, 0);
      const limit = Math.abs(integer(command.limit, 0));
      if (!collection) return { n: 0 };
      const all = isView(collection)
        ? await countAll(await openMatches(context, asked), operation)
        : await countMatches(engine, collection, query, operation);
      const left = Math.max(0, all - skip);
      return { n: limit > 0 ? Math.min(limit, left) : left };
    },
  },
  distinct: {
    fields: { key: 'string!', query: 'object', collation: 'object', hint: 'any' },
    transactional: true,
    readsSnapshot: true,
    async run(context) {
      const { command, operation } = context;
      const asked = commandQuery(context, command.query);
      if (command.key.includes('\0'))
        throw new MongoError('Location31032', 'Key field cannot contain an embedded null byte');
      const path = parsePath(command.key);
      const found = new Map<string, unknown>();
      let bytes = 0;
      const source = await openMatches(context, asked);
      for await (const matches of steps(source, operation)) {
        for (const value of matches.flatMap(({ document }) => indexedValues(wholeDocument(document), path))) {
          if (!value || value.type === bsonType.undefined) continue;
          const key = encodeKey(value, asked.query.fold);
          if (found.has(key)) continue;
          bytes += value.end - value.start;
          if (bytes > MAX_DOCUMENT_BYTES) throw new MongoError('Location17217', 'distinct too big, 16mb cap');
          found.set(key, decodeValue(value));
        }
      }
      const sorted = [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
      const reply = new DocumentWriter().addValue('values', sorted);
      const time = operation.transaction?.readTime;
      return time ? reply.addValue('atClusterTime', time) : reply;
    },
  },
};

async function openAggregate(context: CommandContext, namespace: string, stages: Document[]): Promise<DocumentSource> {
  const { engine, operation, database, command } = context;
  const pipeline: PipelineContext = {
    engine,
    operation,
    database,
    variables: letVariables(command),
    fold: foldOf(command, engine.collection(operation, namespace)),
    hint: hintOf(command),
  };
  const last = stages.at(-1) ?? {};
  const output = '$out' in last ? writeOut : '$merge' in last ? writeMerge : undefined;
  if (output && command.readConcern?.level === 'linearizable')
    throw new MongoError('InvalidOptions', `${Object.keys(last)[0]} cannot be used with a linearizable read concern`);
  if (!output) return openPipeline(pipeline, namespace, stages);
  if (operation.transaction)
    throw new MongoError(
      'OperationNotSupportedInTransaction',
      `${Object.keys(last)[0]} cannot be used in a transaction`,
    );
  const documents = await runPipeline(pipeline, namespace, stages.slice(0, -1));
  await output(pipeline, last.$out ?? last.$merge, documents);
  await acknowledge(context);
  return documentsSource([]);
}
