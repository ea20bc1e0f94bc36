import { type Document, Long } from 'bson';
import type { Engine, Operation } from '../engine/engine.ts';
import { isPlainObject } from '../engine/matcher.ts';
import { type DocumentWriter, decode } from '../engine/raw-bson.ts';
import type { Session, Transaction } from '../engine/transactions.ts';
import { MongoError, unknownField } from '../errors.ts';

/** One command on its way through the server. */
export interface CommandContext {
  engine: Engine;
  connectionId: number;
  name: string;
  database: string;
  /** Decoded exactly: numbers are BSON objects. */
  command: Document;
  /** Document sequences of the message, still raw. */
  sequences: ReadonlyMap<string, readonly Buffer[]>;
  session: Session | null;
  transaction: Transaction | null;
  operation: Operation;
  /** The answer is stored with what was written, before anybody waits for the disk. */
  isRecorded?: boolean;
}

export interface Command {
  /** Fields that the command accepts, besides its own name and those that every command has. */
  fields: readonly string[];
  /** May run inside a transaction. */
  transactional?: boolean;
  /** Takes read concern `snapshot` outside of transactions too. */
  readsSnapshot?: boolean;
  /** A write that drivers send again after a network error; its answer is remembered. */
  retryable?: boolean;
  /** The reply without `ok`, as a value or raw. @throws MongoError */
  run(context: CommandContext): Promise<Document | DocumentWriter> | Document | DocumentWriter;
}

export type CommandTable = Readonly<Record<string, Command>>;

const genericFields = new Set([
  '$db',
  'lsid',
  'txnNumber',
  'autocommit',
  'startTransaction',
  'stmtId',
  'stmtIds',
  '$clusterTime',
  '$readPreference',
  'readConcern',
  'writeConcern',
  'maxTimeMS',
  'comment',
  'apiVersion',
  'apiStrict',
  'apiDeprecationErrors',
  'helloOk',
  '$audit',
  '$client',
  '$configServerState',
  'mayBypassWriteBlocking',
  'allowDiskUse',
  'maxTimeMSOpOnly',
  'shardVersion',
  'databaseVersion',
]);

/** @throws MongoError 40415 */
export function checkFields(name: string, command: Document, { fields }: Pick<Command, 'fields'>): void {
  for (const field of Object.keys(command)) {
    if (field !== name && !genericFields.has(field) && !fields.includes(field)) throw unknownField(name, field);
  }
}

export function collectionName({ command, name }: CommandContext): string {
  const value: unknown = command[name];
  if (typeof value !== 'string')
    throw new MongoError('InvalidNamespace', `collection name has invalid type ${typeof value}`);
  if (value === '') throw new MongoError('InvalidNamespace', "Invalid namespace specified ''");
  return value;
}

export function namespaceOf(context: CommandContext): string {
  return `${context.database}.${collectionName(context)}`;
}

/** A document-valued field; `{}` when it is absent. @throws MongoError TypeMismatch */
export function documentField(source: Document, field: string, owner: string): Document {
  const value: unknown = source[field];
  if (value === undefined || value === null) return {};
  if (!isPlainObject(value))
    throw new MongoError(
      'TypeMismatch',
      `BSON field '${owner}.${field}' is the wrong type '${typeof value}', expected type 'object'`,
    );
  return value;
}

/** A number-valued field. @throws MongoError */
export function numberField(source: Document, field: string, owner: string, fallback: number): number {
  const value: unknown = source[field];
  if (value === undefined || value === null) return fallback;
  const number = Number(value);
  if (typeof value === 'string' || !Number.isFinite(number))
    throw new MongoError(
      'TypeMismatch',
      `BSON field '${owner}.${field}' is the wrong type '${typeof value}', expected types '[long, int, decimal, double]'`,
    );
  return Math.trunc(number);
}

/** The statements of a write, from the body or from a document sequence. */
export function statements(context: CommandContext, field: string): Document[] {
  const sequence = context.sequences.get(field);
  if (sequence) return sequence.map(decode);
  const list: unknown = context.command[field];
  if (!Array.isArray(list))
    throw new MongoError('Location40414', `BSON field '${context.name}.${field}' is missing but a required field`);
  return list;
}

export function toBigInt(value: unknown): bigint {
  if (typeof value === 'bigint') return value;
  // Long.toBigInt goes through decimal text.
  if (Long.isLong(value)) return (BigInt(value.high) << 32n) | BigInt(value.low >>> 0);
  return BigInt(Math.trunc(Number(value)));
}
