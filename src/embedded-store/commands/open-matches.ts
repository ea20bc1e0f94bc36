import type { Document } from 'bson';
import type { Collection } from '../engine/catalog.ts';
import type { Variables } from '../engine/expressions.ts';
import { openPipeline } from '../engine/pipeline.ts';
import { type DocumentSource, openQuery, type QueryRequest } from '../engine/query.ts';
import { isView } from '../engine/views.ts';
import { type CommandContext, namespaceOf } from './command.ts';
import { letVariables, queryRequest } from './query-request.ts';

interface CommandQuery {
  namespace: string;
  collection: Collection | undefined;
  query: QueryRequest;
  variables: Variables;
}

/** What a command asks of its collection. @throws MongoError */
export function commandQuery(context: CommandContext, filter: Document | undefined): CommandQuery {
  const { engine, operation, command } = context;
  const namespace = namespaceOf(context);
  const collection = engine.collection(operation, namespace);
  const variables = letVariables(command);
  return { namespace, collection, variables, query: queryRequest(command, filter, variables, collection) };
}

/** What it finds; a view is read as a pipeline. @throws MongoError */
export async function openMatches(
  { engine, operation, database }: CommandContext,
  { namespace, collection, query, variables }: CommandQuery,
): Promise<DocumentSource> {
  if (!collection || !isView(collection)) return openQuery(engine, collection, query);
  const { filter, sort = {}, skip = 0, limit = 0, fold, hint } = query;
  const stages: Document[] = [{ $match: filter }];
  if (Object.keys(sort).length > 0) stages.push({ $sort: sort });
  if (skip > 0) stages.push({ $skip: skip });
  if (limit > 0) stages.push({ $limit: limit });
  return openPipeline({ engine, operation, database, variables, fold, hint }, namespace, stages);
}
