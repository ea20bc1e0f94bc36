import type { Document } from 'bson';
import type { Variables } from '../engine/expressions.ts';
import { openPipeline } from '../engine/pipeline.ts';
import { type DocumentSource, openQuery, type QueryRequest } from '../engine/query.ts';
import { isView } from '../engine/views.ts';
import { type CommandContext, namespaceOf } from './command.ts';

/** What a query of the command's collection finds; a view is read as a pipeline. @throws MongoError */
export async function openMatches(
  context: CommandContext,
  query: QueryRequest,
  variables: Variables,
): Promise<DocumentSource> {
  const { engine, operation, database } = context;
  const collection = engine.collection(operation, namespaceOf(context));
  if (!collection || !isView(collection)) return openQuery(engine, collection, query);
  const { filter, sort = {}, skip = 0, limit = 0, fold, hint } = query;
  const stages: Document[] = [{ $match: filter }];
  if (Object.keys(sort).length > 0) stages.push({ $sort: sort });
  if (skip > 0) stages.push({ $skip: skip });
  if (limit > 0) stages.push({ $limit: limit });
  return openPipeline({ engine, operation, database, variables, fold, hint }, collection.namespace, stages);
}
