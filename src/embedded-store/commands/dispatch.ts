// One way in for every command: checks, session, transaction, retry, errors as replies.
import type { Document } from 'bson';
import type { Engine } from '../engine/engine.ts';
import { isPlainObject } from '../engine/matcher.ts';
import { isNumber } from '../engine/matcher-tests.ts';
import { deserializeCommand } from '../engine/raw-bson.ts';
import type { Session } from '../engine/sessions.ts';
import { checkNumber, type Transaction } from '../engine/transactions.ts';
import { MongoError, unknownField } from '../errors.ts';
import { type Command, type CommandContext, checkFields, toBigInt } from './command.ts';
import { errorReply, finishReply } from './reply.ts';
import { sessionId } from './session-id.ts';
import { checkApi } from './stable-api.ts';
import { commands } from './table.ts';

export interface Request {
  body: Buffer;
  sequences: ReadonlyMap<string, readonly Buffer[]>;
  exhaustAllowed: boolean;
  connectionId: number;
}

/** The reply to a command, and whether it gets further ones; every failure is a reply too. */
export async function dispatch(
  engine: Engine,
  request: Request,
  onUnexpected: (error: unknown) => void,
): Promise<{ document: Buffer; moreToCome: boolean }> {
  try {
    const decoded = deserializeCommand(request.body);
    const { name, command } = commandOf(decoded);
    checkSequences(name, decoded, command, request.sequences);
    if (name === 'explain' && isPlainObject(decoded.explain)) commandOf(decoded.explain);
    checkApi(name, decoded);
    checkSession(decoded);
    const document = await runCommand(engine, request, name, command, decoded);
    return { document, moreToCome: request.exhaustAllowed && command.streams?.(decoded) === true };
  } catch (error) {
    return { document: errorReply(error, onUnexpected), moreToCome: false };
  }
}

/** @throws MongoError for a command, or a field of it, that is not known. */
function commandOf(message: Document): { name: string; command: Command } {
  const [name = ''] = Object.keys(message);
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) throw new MongoError('CommandNotFound', `no such command: '${name}'`);
  checkFields(name, message, command.fields);
  return { name, command };
}

/** @throws MongoError for a sequence that is no list of this command, or that stands in its body too. */
function checkSequences(name: string, body: Document, { fields }: Command, sequences: Request['sequences']): void {
  for (const field of sequences.keys()) {
    const isList = Object.hasOwn(fields, field) && String(fields[field]).startsWith('array');
    if (!isList) throw unknownField(name, field);
    if (Object.hasOwn(body, field))
      throw new MongoError('Location40433', `Duplicate field between body and document sequence ${name}.${field}`);
  }
}

/** @throws MongoError for half of a transaction: it would be written at once. */
function checkSession({ lsid, txnNumber, autocommit, startTransaction }: Document): void {
  const isWrong =
    (txnNumber !== undefined && (!lsid || toBigInt(txnNumber) < 0n)) ||
    (autocommit !== undefined && (autocommit !== false || txnNumber === undefined)) ||
    (startTransaction !== undefined && (startTransaction !== true || autocommit === undefined));
  if (isWrong)
    throw new MongoError('InvalidOptions', 'lsid, txnNumber, autocommit: false and startTransaction: true go together');
}

async function runCommand(
  engine: Engine,
  request: Request,
  name: string,
  command: Command,
  decoded: Document,
): Promise<Buffer> {
  const session = decoded.lsid ? engine.sessions.use(sessionId(decoded.lsid)) : null;
  const context: CommandContext = {
    engine,
    connectionId: request.connectionId,
    name,
    database: String(decoded.$db ?? 'admin'),
    command: decoded,
    sequences: request.sequences,
    session,
    operation: {
      transaction: null,
      deadline: deadlineOf(decoded.maxTimeMS),
      bypassValidation: Boolean(decoded.bypassDocumentValidation),
    },
  };
  const readsSnapshot = decoded.readConcern?.level === 'snapshot' && decoded.autocommit === undefined;
  if (readsSnapshot) return finishReply(await command.run(inSnapshot(context, command)), decoded);
  if (session && decoded.txnNumber !== undefined) {
    const number = toBigInt(decoded.txnNumber);
    if (decoded.autocommit === false) return runInTransaction(context, session, number, command);
    if (command.retryable) return runOnce(context, session, number, command);
  }
  return finishReply(await command.run(context), decoded);
}

function deadlineOf(maxTimeMS: unknown): number {
  const time = Number(maxTimeMS ?? 0);
  if (maxTimeMS != null && !isNumber(maxTimeMS)) throw new MongoError('BadValue', 'maxTimeMS must be a number');
  if (!Number.isInteger(time)) throw new MongoError('BadValue', 'maxTimeMS has non-integral value');
  if (time < 0 || time > 2 ** 31 - 1)
    throw new MongoError('BadValue', `${time} value for maxTimeMS is out of range [0, 2147483647]`);
  return time === 0 ? Number.POSITIVE_INFINITY : performance.now() + time;
}

async function runInTransaction(
  context: CommandContext,
  session: Session,
  number: bigint,
  command: Command,
): Promise<Buffer> {
  const { transactions } = context.engine;
  const ends = context.name === 'commitTransaction' || context.name === 'abortTransaction';
  if (ends) return finishReply(await command.run(context), context.command);
  const transaction = context.command.startTransaction
    ? transactions.begin(session, number)
    : transactions.current(session, number);
  try {
    if (!command.transactional) {
      throw new MongoError(
        'OperationNotSupportedInTransaction',
        `Cannot run '${context.name}' in a multi-document transaction.`,
      );
    }
    return finishReply(await command.run(inTransaction(context, transaction)), context.command);
  } catch (error) {
    transactions.abandon(transaction);
    throw error;
  }
}

function inTransaction(context: CommandContext, transaction: Transaction): CommandContext {
  return { ...context, operation: { ...context.operation, transaction } };
}

/** Read concern `snapshot` outside of a transaction. */
function inSnapshot(context: CommandContext, { readsSnapshot }: Command): CommandContext {
  const { engine, name, session, command } = context;
  if (!readsSnapshot)
    throw new MongoError('InvalidOptions', `Command ${name} does not support { readConcern: { level: "snapshot" } }`);
  if (!session) throw new MongoError('InvalidOptions', 'read concern snapshot needs a session');
  return inTransaction(context, engine.transactions.read(session, command.readConcern.atClusterTime));
}

async function runRecorded(
  context: CommandContext,
  session: Session,
  number: bigint,
  command: Command,
): Promise<Buffer> {
  const { engine, operation } = context;
  const answer = finishReply(await command.run({ ...context, isRecorded: true }), context.command);
  const done = engine.acknowledged(operation);
  // One that waited long must not take the place of what the session has done since.
  if (operation.losses === engine.storage.losses && session.number === number)
    engine.sessions.record(session, number, answer);
  await done;
  return answer;
}

/** A write that was answered already is not applied again: it gets the same answer. */
function runOnce(context: CommandContext, session: Session, number: bigint, command: Command): Promise<Buffer> {
  checkNumber(session, number);
  if (number === session.number && session.answer) return session.answer;
  const answer = runRecorded(context, session, number, command);
  if (session.transaction) context.engine.transactions.abandon(session.transaction);
  session.number = number;
  session.answer = answer;
  answer.catch(() => {
    if (session.answer === answer) session.answer = null;
  });
  return answer;
}
