// Batches of cursors: stored bytes go into the reply as they are.
import type { Cursor } from '../engine/cursors.ts';
import type { Projection } from '../engine/projection.ts';
import type { DocumentSource } from '../engine/query.ts';
import { DocumentWriter, rawLong, rawString } from '../engine/raw-bson.ts';
import { type CommandContext, integer } from './command.ts';

const DEFAULT_BATCH = 101;
const MAX_BATCH_BYTES = 16 * 1024 * 1024;
/** Documents taken from a source at once: few, so that one too many for the batch is rare. */
const CHUNK = 128;

type NewCursor = Omit<Cursor, 'id' | 'lastUsed'>;

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
    projection,
    transaction: context.operation.transaction,
    remaining: limit || Number.POSITIVE_INFINITY,
    noTimeout: Boolean(noCursorTimeout),
  };
  const batch = await takeBatch(context, cursor, integer(batchSize, DEFAULT_BATCH));
  const id = singleBatch || isAtEnd(cursor) ? 0n : context.engine.cursors.add(cursor).id;
  return reply('firstBatch', batch, id, cursor);
}

export async function nextBatch(context: CommandContext, cursor: Cursor): Promise<DocumentWriter> {
  const batchSize = integer(context.command.batchSize, 0) || Number.POSITIVE_INFINITY;
  const batch = await takeBatch(context, cursor, batchSize);
  if (isAtEnd(cursor)) context.engine.cursors.close(cursor.id);
  return reply('nextBatch', batch, isAtEnd(cursor) ? 0n : cursor.id, cursor);
}

function isAtEnd({ remaining, source }: NewCursor): boolean {
  return remaining <= 0 || source.done;
}

async function takeBatch({ operation }: CommandContext, cursor: NewCursor, batchSize: number): Promise<Buffer[]> {
  const batch: Buffer[] = [];
  let bytes = 0;
  const inCursor = { ...operation, transaction: cursor.transaction };
  while (batch.length < batchSize && !isAtEnd(cursor) && bytes < MAX_BATCH_BYTES / 2) {
    const wanted = Math.min(
      batchSize - batch.length,
      cursor.remaining,
      bytes === 0 ? CHUNK : chunkFor(bytes, batch.length),
    );
    const matches = await cursor.source.take(inCursor, wanted);
    for (const { document } of matches) {
      const shown = cursor.projection ? cursor.projection(document) : document;
      batch.push(shown);
      bytes += shown.length;
    }
    cursor.remaining -= matches.length;
  }
  return batch;
}

function chunkFor(bytes: number, count: number): number {
  return Math.max(1, Math.min(1000, Math.floor((MAX_BATCH_BYTES / 2 - bytes) / (bytes / count))));
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
