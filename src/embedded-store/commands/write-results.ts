import type { Document } from 'bson';
import { MongoError } from '../errors.ts';
import type { CommandContext } from './command.ts';

/** Errors after these have their code alone: the reply must not become larger than a message. */
const MAX_MESSAGES_BYTES = 1024 * 1024;

/**
 * Runs the statements of a write command in their order and collects their errors by index; resolves when what they wrote
 * is acknowledged. Errors that concern the whole transaction or command are thrown.
 */
export async function runStatements<T>(
  context: CommandContext,
  list: readonly T[],
  run: (statement: T, index: number) => Promise<void>,
): Promise<Document[]> {
  const { engine, command, operation } = context;
  const { transaction } = operation;
  const ordered = command.ordered !== false;
  const writeErrors: Document[] = [];
  let messageBytes = 0;
  for (const [index, statement] of list.entries()) {
    try {
      await run(statement, index);
    } catch (error) {
      if (!(error instanceof MongoError) || error.labels.length > 0 || error.codeName === 'MaxTimeMSExpired')
        throw error;
      const isShown = writeErrors.length < 2 || messageBytes < MAX_MESSAGES_BYTES;
      writeErrors.push(isShown ? writeError(index, error) : { index, code: error.code, errmsg: '' });
      messageBytes += error.message.length;
      if (transaction) engine.transactions.abandon(transaction);
      if (ordered || transaction) break;
    }
  }
  await acknowledge(context);
  return writeErrors;
}

function writeError(index: number, { code, message, extra }: MongoError): Document {
  return { index, code, errmsg: message, ...extra };
}

/** Answers only when everything that the command wrote is on disk; a transaction answers before. */
export async function acknowledge({ engine, operation, isRecorded }: CommandContext): Promise<void> {
  if (!operation.transaction && !isRecorded) await engine.acknowledged(operation);
}

/** @throws MongoError for a statement of a retryable write that changes many documents. */
export function checkRepeatable({ isRecorded }: CommandContext, many: 'multi=true' | 'limit=0'): void {
  if (isRecorded) throw new MongoError('InvalidOptions', `Cannot use (or request) retryable writes with ${many}`);
}

/** @throws MongoError when a write has no statement or too many. */
export function checkBatch(count: number): void {
  if (count < 1 || count > 100_000)
    throw new MongoError('InvalidLength', `Write batch sizes must be between 1 and 100000. Got ${count} operations.`);
}
