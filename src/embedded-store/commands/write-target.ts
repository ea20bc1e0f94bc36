import type { Collection } from '../engine/catalog.ts';
import { writableCollection } from '../engine/views.ts';
import { MongoError } from '../errors.ts';
import { type CommandContext, collectionName } from './command.ts';

export interface Namespace {
  database: string;
  name: string;
}

/** @throws MongoError unless it is a database and a collection. */
export function parseNamespace(text: string): Namespace {
  const dot = text.indexOf('.');
  if (dot <= 0) throw new MongoError('InvalidNamespace', `Invalid namespace specified: '${text}'`);
  return { database: text.slice(0, dot), name: text.slice(dot + 1) };
}

/** @throws MongoError for a command that is not about one database. */
export function checkAdmin({ name, database }: CommandContext): void {
  if (database !== 'admin') throw new MongoError('Unauthorized', `${name} may only be run against the admin database.`);
}

export function namespaceParts(context: CommandContext): Namespace {
  return { database: context.database, name: collectionName(context) };
}

/** The collection that a write goes to, if it exists. @throws MongoError 166 for a view */
export function writtenCollection(context: CommandContext, { database, name }: Namespace): Collection | undefined {
  return writableCollection(context.engine, context.operation, `${database}.${name}`);
}

/** The same, created when it does not exist. @throws MongoError */
export function ensureWritten(context: CommandContext, namespace: Namespace): Collection {
  return (
    writtenCollection(context, namespace) ??
    context.engine.ensureCollection(context.operation, namespace.database, namespace.name)
  );
}
