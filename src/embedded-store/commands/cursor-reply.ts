// Batches of cursors: stored bytes go into the reply as they are.
import type { Cursor } from '../engine/cursors.ts';
import { DocumentWriter, rawLong, rawString } from '../engine/raw-bson.ts';
import type { CommandContext } from './command.ts';

export const DEFAULT_BATCH = 101;
const MAX_BATCH_BYTES = 16 * 1024 * 1024;
/** Documents taken from a source at once: few, so that one too many for the batch is rare. */
const CHUNK = 128;

type NewCursor = Omit<Cursor, 'id' | 'lastUsed'>;

/** The first batch; the cursor stays open only when there is more. */
export async function firstBatch(
  context: CommandContext,
  cursor: NewCursor,
  batchSize: number,
  single: boolean,
): Promise<DocumentWriter> {
  const batch = batchSize === 0 ? [] : await takeBatch(context, cursor, batchSize);
  const isDone = single || cursor.remaining <= 0 || cursor.source.done;
  const id = isDone ? 0n : context.engine.cursors.add(cursor).id;
  return reply('firstBatch', batch, id, cursor);
}

export async function cursorReply(
  context: CommandContext,
  cursor: Cursor,
  name: 'nextBatch',
  batchSize: number,
): Promise<DocumentWriter> {
  const batch = await takeBatch(context, cursor, batchSize);
  const isDone = cursor.remaining <= 0 || cursor.source.done;
  if (isDone) context.engine.cursors.close(cursor.id);
  return reply(name, batch, isDone ? 0n : cursor.id, cursor);
}

async function takeBatch({ operation }: CommandContext, cursor: NewCursor, batchSize: number): Promise<Buffer[]> {
  const batch: Buffer[] = [];
  let bytes = 0;
  const inCursor = { ...operation, transaction: cursor.transaction };
  while (batch.length < batchSize && cursor.remaining > 0 && !cursor.source.done && bytes < MAX_BATCH_BYTES / 2) {
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
