// Inserts, updates and deletes in several collections, in one command to the `admin` database.
import type { Document } from 'bson';
import { insert } from '../engine/crud.ts';
import type { DocumentWriter } from '../engine/document-writer.ts';
import { documentsSource } from '../engine/query.ts';
import { decode, decodeValue, encode, findElement, rawDocument } from '../engine/raw-bson.ts';
import { MongoError, missingField } from '../errors.ts';
import { type CommandContext, type CommandTable, checkFields, type Fields, rawStatements } from './command.ts';
import { firstBatch } from './cursor-reply.ts';
import { runDelete } from './delete.ts';
import { letVariables } from './query-request.ts';
import { runUpdate, updateOptions } from './update.ts';
import { checkBatch, runStatements } from './write-results.ts';
import { checkAdmin, ensureWritten, type Namespace, parseNamespace } from './write-target.ts';

const kinds: Readonly<Record<string, Fields>> = {
  insert: { document: 'object!' },
  update: { filter: 'object!', updateMods: 'any!', constants: 'object', ...updateOptions },
  delete: { filter: 'object!', multi: 'bool', hint: 'any', collation: 'object' },
};

export const bulkWriteCommands: CommandTable = {
  bulkWrite: {
    fields: {
      ops: 'array',
      nsInfo: 'array',
      ordered: 'bool',
      errorsOnly: 'bool',
      bypassDocumentValidation: 'flag',
      let: 'object',
      cursor: { batchSize: 'count' },
    },
    transactional: true,
    retryable: true,
    run: bulkWrite,
  },
};

async function bulkWrite(context: CommandContext): Promise<DocumentWriter> {
  const { command } = context;
  checkAdmin(context);
  const operations = rawStatements(context, 'ops');
  checkBatch(operations.length);
  const namespaces = rawStatements(context, 'nsInfo').map((info) => parseNamespace(String(decode(info).ns)));
  const counts = { nErrors: 0, nInserted: 0, nMatched: 0, nModified: 0, nUpserted: 0, nDeleted: 0 };
  const results: Document[] = [];
  const writeErrors = await runStatements(context, operations, async (raw, idx) => {
    const outcome = await runOperation(context, namespaces, raw, counts);
    results.push({ ok: 1, idx, ...outcome });
  });
  counts.nErrors = writeErrors.length;
  const failed = writeErrors.map(({ index, ...error }) => ({ ok: 0, idx: index, n: 0, ...error }));
  const shown = command.errorsOnly ? failed : [...results, ...failed].sort((a, b) => Number(a.idx) - Number(b.idx));
  const batch = await firstBatch(context, 'admin.$cmd.bulkWrite', documentsSource(shown.map(encode)));
  return batch.addAll(encode(counts));
}

async function runOperation(
  context: CommandContext,
  namespaces: readonly Namespace[],
  raw: Buffer,
  counts: Record<string, number>,
): Promise<Document> {
  const operation = decode(raw);
  const [kind = ''] = Object.keys(operation);
  const fields = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (!fields) throw new MongoError('FailedToParse', `bulkWrite does not know the operation '${kind}'`);
  checkFields(kind, operation, fields);
  const namespace = namespaces[Number(operation[kind])];
  if (!namespace) throw new MongoError('BadValue', 'BulkWrite ops entry has an invalid nsInfo index.');
  const add = (name: string, count: number): void => {
    counts[name] = (counts[name] ?? 0) + count;
  };
  if (kind === 'insert') {
    const found = findElement(raw, 0, Buffer.from('document'));
    if (!found) throw missingField('bulkWrite', 'document');
    await insert(context.engine, context.operation, ensureWritten(context, namespace), rawDocument(found));
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
