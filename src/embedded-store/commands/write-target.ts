import type { Collection } from '../engine/catalog.ts';
import { isView } from '../engine/views.ts';
import { MongoError } from '../errors.ts';
import { type CommandContext, collectionName } from './command.ts';

export interface Namespace {
  database: string;
  name: string;
}

export function namespaceParts(context: CommandContext): Namespace {
  return { database: context.database, name: collectionName(context) };
}

/** The collection that a write goes to, if it exists. @throws MongoError 166 for a view */
export function writtenCollection(context: CommandContext, { database, name }: Namespace): Collection | undefined {
  const collection = context.engine.collection(context.operation, `${database}.${name}`);
  if (collection && isView(collection))
    throw new MongoError('CommandNotSupportedOnView', `Namespace ${collection.namespace} is a view, not a collection`);
  return collection;
}

/** The same, created when it does not exist. @throws MongoError */
export function ensureWritten(context: CommandContext, namespace: Namespace): Collection {
  return (
    writtenCollection(context, namespace) ??
    context.engine.ensureCollection(context.operation, namespace.database, namespace.name)
  );
}
