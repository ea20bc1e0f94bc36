import type { Document } from 'bson';
import { remove, update } from '../engine/crud.ts';
import { DocumentWriter } from '../engine/document-writer.ts';
import { decodeValue } from '../engine/raw-bson.ts';
import { MongoError } from '../errors.ts';
import type { Command, CommandContext, CommandTable } from './command.ts';
import { letVariables, projectionOf, queryRequest } from './query-request.ts';
import { parseUpdate } from './update.ts';
import { acknowledge } from './write-results.ts';
import { ensureWritten, namespaceParts, writtenCollection } from './write-target.ts';

const findAndModify: Command = {
  fields: {
    query: 'object',
    sort: 'object',
    remove: 'flag',
    update: 'any',
    new: 'flag',
    fields: 'object',
    upsert: 'flag',
    bypassDocumentValidation: 'flag',
    collation: 'object',
    arrayFilters: 'array',
    hint: 'any',
    let: 'object',
  },
  transactional: true,
  retryable: true,
  run: (context) => (context.command.remove ? findAndRemove(context) : findAndUpdate(context)),
};

export const findAndModifyCommands: CommandTable = { findAndModify, findandmodify: findAndModify };

async function findAndRemove(context: CommandContext): Promise<DocumentWriter> {
  const { command, engine, operation } = context;
  if (command.update !== undefined)
    throw new MongoError('FailedToParse', 'Cannot specify both an update and remove=true');
  if (command.upsert || command.new)
    throw new MongoError('FailedToParse', 'Cannot specify both upsert or new and remove=true');
  if (command.arrayFilters) throw new MongoError('FailedToParse', 'Cannot specify arrayFilters and remove=true');
  const variables = letVariables(command);
  const collection = writtenCollection(context, namespaceParts(context));
  const query = queryRequest(command, command.query, variables, collection);
  const projection = projectionOf(command.fields, query, variables);
  const { deleted, document } = collection
    ? await remove(engine, operation, collection, query, false)
    : { deleted: 0, document: undefined };
  await acknowledge(context);
  return reply({ n: deleted }, document && (projection?.(document) ?? document));
}

async function findAndUpdate(context: CommandContext): Promise<DocumentWriter> {
  const { command, engine, operation } = context;
  if (command.update === undefined)
    throw new MongoError('FailedToParse', 'Either an update or remove=true must be specified');
  const variables = letVariables(command);
  const namespace = namespaceParts(context);
  const existing = writtenCollection(context, namespace);
  const query = queryRequest(command, command.query, variables, existing);
  const change = parseUpdate(command.update, query, command.arrayFilters, variables);
  const projection = projectionOf(command.fields, query, variables);
  const upsert = Boolean(command.upsert);
  const collection = upsert ? ensureWritten(context, namespace) : existing;
  if (!collection) return reply({ n: 0, updatedExisting: false }, undefined);
  const outcome = await update(engine, operation, collection, query, change, { upsert });
  await acknowledge(context);
  const document = command.new ? outcome.after : outcome.before;
  const upserted = outcome.upsertedId && { upserted: decodeValue(outcome.upsertedId) };
  return reply(
    { n: outcome.matched + (upserted ? 1 : 0), updatedExisting: outcome.matched > 0, ...upserted },
    document && (projection?.(document) ?? document),
  );
}

function reply(lastErrorObject: Document, value: Buffer | undefined): DocumentWriter {
  const writer = new DocumentWriter().addValue('lastErrorObject', lastErrorObject);
  return value ? writer.addDocument('value', value) : writer.addValue('value', null);
}
