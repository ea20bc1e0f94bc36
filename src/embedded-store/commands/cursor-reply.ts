// Batches of cursors: stored bytes go into the reply as they are.
import type { Cursor } from '../engine/cursors.ts';
import { DocumentWriter } from '../engine/document-writer.ts';
import type { Projection } from '../engine/projection.ts';
import type { DocumentSource } from '../engine/query.ts';
import { rawLong, rawString } from '../engine/raw-bson.ts';
import { MongoError } from '../errors.ts';
import { type CommandContext, integer } from './command.ts';

const DEFAULT_BATCH = 101;
const MAX_BATCH_BYTES = 16 * 1024 * 1024;
/** Documents taken from a source at once; fewer at first, since those that do not fit into the batch stay in memory. */
const CHUNK = 128;
const FIRST_CHUNK = 32;

type NewCursor = Omit<Cursor, 'id' | 'lastUsed' | 'inUse'>;

/** The first batch, as the command wants it; the cursor stays open only when there is more. `limit` 0 is none. */
export async function firstBatch(
  context: CommandContext,
  namespace: string,
  source: DocumentSource,
  projection?: Projection,
  limit = 0,
): Promise<DocumentWriter> {
  const { batchSize, singleBatch, noCursorTimeout } = context.command.cursor ?? context.command;
  const cursor: NewCursor = {
    namespace,
    source,
    ahead: [],
    projection,
    session: context.session?.id ?? null,
    transaction: context.operation.transaction,
    remaining: limit || Number.POSITIVE_INFINITY,
    noTimeout: Boolean(noCursorTimeout),
  };
  const batch = await takeBatch(context, cursor, integer(batchSize, DEFAULT_BATCH));
  const id = singleBatch || isAtEnd(cursor) ? 0n : context.engine.cursors.add(cursor).id;
  return reply('firstBatch', batch, id, cursor);
}

/** After an error the cursor is closed: what it had taken for this batch is gone. */
export async function nextBatch(context: CommandContext, cursor: Cursor): Promise<DocumentWriter> {
  const { cursors } = context.engine;
  if (cursor.inUse) throw new MongoError('CursorInUse', `cursor id ${cursor.id} is already in use`);
  cursor.inUse = true;
  try {
    const batchSize = integer(context.command.batchSize, 0) || Number.POSITIVE_INFINITY;
    const batch = await takeBatch(context, cursor, batchSize);
    if (isAtEnd(cursor)) cursors.close(cursor.id);
    return reply('nextBatch', batch, isAtEnd(cursor) ? 0n : cursor.id, cursor);
  } catch (error) {
    cursors.close(cursor.id);
    throw error;
  } finally {
    cursor.inUse = false;
  }
}

function isAtEnd({ remaining, source, ahead }: NewCursor): boolean {
  return remaining <= 0 || (source.done && ahead.length === 0);
}

async function takeBatch({ operation }: CommandContext, cursor: NewCursor, batchSize: number): Promise<Buffer[]> {
  const batch: Buffer[] = [];
  let bytes = 0;
  const inCursor = { ...operation, transaction: cursor.transaction };
  while (batch.length < batchSize && !isAtEnd(cursor)) {
    const fitting = bytes > 0 ? Math.ceil(((MAX_BATCH_BYTES - bytes) * batch.length) / bytes) : FIRST_CHUNK;
    const wanted = Math.max(1, Math.min(batchSize - batch.length, cursor.remaining, CHUNK, fitting));
    if (cursor.ahead.length === 0) cursor.ahead.push(...(await cursor.source.take(inCursor, wanted)));
    for (const { document } of cursor.ahead.slice(0, wanted)) {
      const shown = cursor.projection ? cursor.projection(document) : document;
      bytes += shown.length;
      if (bytes > MAX_BATCH_BYTES && batch.length > 0) return batch;
      batch.push(shown);
      cursor.ahead.shift();
      cursor.remaining--;
    }
  }
  return batch;
}

function reply(
  name: 'firstBatch' | 'nextBatch',
  batch: readonly Buffer[],
  id: bigint,
  { namespace, transaction }: NewCursor,
): DocumentWriter {
  const writer = new DocumentWriter();
  return writer.addNested('cursor', () => {
    writer.addDocuments(name, batch).add('id', rawLong(id)).add('ns', rawString(namespace));
    if (transaction?.readTime) writer.addValue('atClusterTime', transaction.readTime);
  });
}
