// Inserts, updates and deletes in several collections, in one command to the `admin` database.
import type { Document } from 'bson';
import { insert } from '../engine/crud.ts';
import { fixedSource } from '../engine/query.ts';
import { type DocumentWriter, decode, decodeValue, encode, findElement, rawDocument } from '../engine/raw-bson.ts';
import { validateDocument } from '../engine/validate.ts';
import { MongoError } from '../errors.ts';
import { type CommandContext, type CommandTable, checkFields, documentField, numberField } from './command.ts';
import { DEFAULT_BATCH, firstBatch } from './cursor-reply.ts';
import { runDelete } from './delete.ts';
import { letVariables } from './query-request.ts';
import { runUpdate } from './update.ts';
import { acknowledge, checkBatch, runStatements } from './write-results.ts';
import { ensureWritten, type Namespace } from './write-target.ts';

const kinds = {
  insert: ['document'],
  update: ['filter', 'updateMods', 'multi', 'upsert', 'arrayFilters', 'hint', 'collation', 'constants', 'sort'],
  delete: ['filter', 'multi', 'hint', 'collation'],
};

export const bulkWriteCommands: CommandTable = {
  bulkWrite: {
    fields: ['ops', 'nsInfo', 'ordered', 'errorsOnly', 'bypassDocumentValidation', 'let', 'cursor'],
    transactional: true,
    retryable: true,
    run: bulkWrite,
  },
};

async function bulkWrite(context: CommandContext): Promise<DocumentWriter> {
  const { command, database } = context;
  if (database !== 'admin')
    throw new MongoError('Unauthorized', 'bulkWrite may only be run against the admin database.');
  const operations = rawList(context, 'ops');
  checkBatch(operations.length);
  const namespaces = rawList(context, 'nsInfo').map(namespaceOfInfo);
  const counts = { nErrors: 0, nInserted: 0, nMatched: 0, nModified: 0, nUpserted: 0, nDeleted: 0 };
  const results: Document[] = [];
  const writeErrors = await runStatements(context, operations, async (raw, idx) => {
    const outcome = await runOperation(context, namespaces, raw, counts);
    results.push({ ok: 1, idx, ...outcome });
  });
  counts.nErrors = writeErrors.length;
  await acknowledge(context);
  const failed = writeErrors.map(({ index, ...error }) => ({ ok: 0, idx: index, n: 0, ...error }));
  const shown = command.errorsOnly ? failed : [...results, ...failed].sort((a, b) => Number(a.idx) - Number(b.idx));
  const cursor = {
    namespace: 'admin.$cmd.bulkWrite',
    source: fixedSource(shown.map((document) => ({ idKey: '', document: encode(document) }))),
    projection: undefined,
    transaction: context.transaction,
    remaining: Number.POSITIVE_INFINITY,
    noTimeout: false,
  };
  const options = documentField(command, 'cursor', 'bulkWrite');
  const batchSize = numberField(options, 'batchSize', 'bulkWrite.cursor', DEFAULT_BATCH);
  return (await firstBatch(context, cursor, batchSize, false)).addAll(encode(counts));
}

async function runOperation(
  context: CommandContext,
  namespaces: readonly Namespace[],
  raw: Buffer,
  counts: Record<string, number>,
): Promise<Document> {
  const operation = decode(raw);
  const [kind = ''] = Object.keys(operation);
  const fields = Object.hasOwn(kinds, kind) ? kinds[kind as keyof typeof kinds] : undefined;
  if (!fields) throw new MongoError('FailedToParse', `bulkWrite does not know the operation '${kind}'`);
  checkFields(kind, operation, { fields });
  const namespace = namespaces[Number(operation[kind])];
  if (!namespace) throw new MongoError('BadValue', 'BulkWrite ops entry has an invalid nsInfo index.');
  const add = (name: string, count: number): void => {
    counts[name] = (counts[name] ?? 0) + count;
  };
  if (kind === 'insert') {
    const document = findElement(raw, 0, Buffer.from('document'));
    if (document?.type !== 3)
      throw new MongoError('Location40414', "BSON field 'bulkWrite.insert.document' is missing but a required field");
    validateDocument(rawDocument(document));
    await insert(context.engine, context.operation, ensureWritten(context, namespace), rawDocument(document));
    add('nInserted', 1);
    return { n: 1 };
  }
  const { filter, updateMods, constants, ...rest } = operation;
  const variables = letVariables(context.command);
  if (kind === 'delete') {
    const n = await runDelete(context, namespace, { q: filter, ...rest }, Boolean(operation.multi), variables);
    add('nDeleted', n);
    return { n };
  }
  const source = { q: filter, u: updateMods, c: constants, ...rest };
  const { matched, modified, upsertedId } = await runUpdate(context, namespace, source, variables);
  add('nMatched', matched);
  add('nModified', modified);
  add('nUpserted', upsertedId ? 1 : 0);
  return upsertedId
    ? { n: 1, nModified: 0, upserted: { _id: decodeValue(upsertedId) } }
    : { n: matched, nModified: modified };
}

function rawList({ sequences, command }: CommandContext, field: string): readonly Buffer[] {
  const sequence = sequences.get(field);
  if (sequence) return sequence;
  const list: unknown = command[field];
  if (!Array.isArray(list))
    throw new MongoError('Location40414', `BSON field 'bulkWrite.${field}' is missing but a required field`);
  return list.map(encode);
}

function namespaceOfInfo(info: Buffer): Namespace {
  const ns = String(decode(info).ns);
  const dot = ns.indexOf('.');
  if (dot <= 0) throw new MongoError('InvalidNamespace', `Invalid namespace specified for bulkWrite: '${ns}'`);
  return { database: ns.slice(0, dot), name: ns.slice(dot + 1) };
}
