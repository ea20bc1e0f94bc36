import type { Document } from 'bson';
import { remove } from '../engine/crud.ts';
import { DocumentWriter } from '../engine/document-writer.ts';
import { decodeValue } from '../engine/raw-bson.ts';
import { MongoError } from '../errors.ts';
import type { Command, CommandContext, CommandTable } from './command.ts';
import { letVariables, projectionOf, queryRequest } from './query-request.ts';
import { runUpdate } from './update.ts';
import { acknowledge } from './write-results.ts';
import { namespaceParts, writtenCollection } from './write-target.ts';

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
  run,
};

export const findAndModifyCommands: CommandTable = { findAndModify, findandmodify: findAndModify };

async function run(context: CommandContext): Promise<DocumentWriter> {
  const { command, engine, operation } = context;
  checkOptions(command);
  const variables = letVariables(command);
  const namespace = namespaceParts(context);
  const collection = writtenCollection(context, namespace);
  const query = queryRequest(command, command.query, variables, collection);
  const projection = projectionOf(command.fields, query, variables);
  const shown = (document: Buffer | undefined): Buffer | undefined => document && (projection?.(document) ?? document);
  if (command.remove) {
    const removed = collection && (await remove(engine, operation, collection, query, false));
    await acknowledge(context);
    return reply({ n: removed?.deleted ?? 0 }, shown(removed?.document));
  }
  const source = { ...command, q: command.query, u: command.update };
  const { matched, upsertedId, before, after } = await runUpdate(context, namespace, source, variables);
  await acknowledge(context);
  const upserted = upsertedId && { upserted: decodeValue(upsertedId) };
  const outcome = { n: matched + (upserted ? 1 : 0), updatedExisting: matched > 0, ...upserted };
  return reply(outcome, shown(command.new ? after : before));
}

function checkOptions({ remove: removes, update, upsert, new: wantsNew, arrayFilters }: Document): void {
  const refuse = (reason: string): never => {
    throw new MongoError('FailedToParse', reason);
  };
  if (!removes && update === undefined) refuse('Either an update or remove=true must be specified');
  if (removes && update !== undefined) refuse('Cannot specify both an update and remove=true');
  if (removes && (upsert || wantsNew)) refuse('Cannot specify both upsert or new and remove=true');
  if (removes && arrayFilters) refuse('Cannot specify arrayFilters and remove=true');
}

function reply(lastErrorObject: Document, value: Buffer | undefined): DocumentWriter {
  const writer = new DocumentWriter().addValue('lastErrorObject', lastErrorObject);
  return value ? writer.addDocument('value', value) : writer.addValue('value', null);
}
