import { type Document, Long } from 'bson';
import { isCollectionName } from '../engine/catalog.ts';
import type { DocumentWriter } from '../engine/document-writer.ts';
import type { Engine, Operation } from '../engine/engine.ts';
import { isPlainObject } from '../engine/matcher.ts';
import { isNumber } from '../engine/matcher-tests.ts';
import { decode, encode, toRaw } from '../engine/raw-bson.ts';
import type { Session } from '../engine/sessions.ts';
import { typeName } from '../engine/values.ts';
import { MongoError, missingField, unknownField } from '../errors.ts';

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
  operation: Operation;
  /** The answer is stored with what was written, before anybody waits for the disk. */
  isRecorded?: boolean;
}

export interface Command {
  /** The fields that the command accepts, besides its own name and those that every command has. */
  fields: Fields;
  /** May run inside a transaction. */
  transactional?: boolean;
  /** Takes read concern `snapshot` outside of transactions too. */
  readsSnapshot?: boolean;
  /** A write that drivers send again after a network error; its answer is remembered. */
  retryable?: boolean;
  /** Is answered again and again to clients that allow it. */
  streams?(command: Document): boolean;
  /** The reply without `ok`, as a value or raw. @throws MongoError */
  run(context: CommandContext): Promise<Document | DocumentWriter> | Document | DocumentWriter;
}

export type CommandTable = Readonly<Record<string, Command>>;

const number = { names: ['long', 'int', 'decimal', 'double'], accepts: isNumber };
const bool = { names: ['bool'], accepts: (value: unknown) => typeof value === 'boolean' };

/** What the types of fields are called in errors, and which values are of them. */
const fieldTypes = {
  any: { names: [], accepts: () => true },
  string: { names: ['string'], accepts: (value: unknown) => typeof value === 'string' },
  object: { names: ['object'], accepts: isPlainObject },
  array: { names: ['array'], accepts: Array.isArray },
  bool,
  /** A boolean, or a number that means one. */
  flag: {
    names: [...bool.names, ...number.names],
    accepts: (value: unknown) => bool.accepts(value) || isNumber(value),
  },
  number,
  /** A number that is not negative. */
  count: number,
};

/**
 * The fields of a command, or of a document in it, with their types; `!` when a field may not be missing. Fields that are
 * in the message but not here are refused.
 */
export interface Fields {
  readonly [name: string]: keyof typeof fieldTypes | `${keyof typeof fieldTypes}!` | Fields;
}

const genericFields: Fields = {
  $db: 'string',
  lsid: 'object',
  txnNumber: 'number',
  autocommit: 'bool',
  startTransaction: 'bool',
  stmtId: 'number',
  stmtIds: 'array',
  $clusterTime: 'object',
  $readPreference: 'object',
  readConcern: 'object',
  writeConcern: 'object',
  maxTimeMS: 'any',
  comment: 'any',
  apiVersion: 'string',
  apiStrict: 'bool',
  apiDeprecationErrors: 'bool',
  helloOk: 'any',
  allowDiskUse: 'bool',
};

/**
 * Null stands for a field that is absent; a number that means a boolean becomes it, since numbers are objects here, and
 * a zero is one too. @throws MongoError 14, 40414, 40415, 51024
 */
export function checkFields(owner: string, source: Document, fields: Fields): void {
  for (const [field, value] of Object.entries(source)) {
    if (field === owner) continue;
    const table = Object.hasOwn(fields, field) ? fields : genericFields;
    const type = Object.hasOwn(table, field) ? table[field] : undefined;
    if (type === undefined) throw unknownField(owner, field);
    if (value === null || value === undefined) continue;
    if (typeof type === 'string') {
      checkType(owner, field, value, type);
      if (type === 'flag' && isNumber(value)) source[field] = Number(value) !== 0;
    } else {
      checkType(owner, field, value, 'object');
      checkFields(`${owner}.${field}`, value, type);
    }
  }
  for (const [field, type] of Object.entries(fields))
    if (typeof type === 'string' && type.endsWith('!') && isMissing(source[field], type))
      throw missingField(owner, field);
}

function isMissing(value: unknown, type: string): boolean {
  return value === undefined || (value === null && type !== 'any!');
}

function checkType(owner: string, field: string, value: unknown, type: string): void {
  const name = type.replace('!', '') as keyof typeof fieldTypes;
  const { names, accepts } = fieldTypes[name];
  if (!accepts(value)) {
    const expected = names.length === 1 ? `type '${names[0]}'` : `types '[${names.join(', ')}]'`;
    const found = typeName(toRaw(value));
    throw new MongoError(
      'TypeMismatch',
      `BSON field '${owner}.${field}' is the wrong type '${found}', expected ${expected}`,
    );
  }
  if (name === 'count' && Number(value) < 0)
    throw new MongoError('Location51024', `BSON field '${field}' value must be >= 0, actual value '${String(value)}'`);
}

/** A number that may be absent, as MongoDB reads it: without its fraction, and NaN as 0. */
export function integer(value: unknown, fallback: number): number {
  return value === undefined || value === null ? fallback : Math.trunc(Number(value)) || 0;
}

export function collectionName({ command, name }: CommandContext): string {
  const value: unknown = command[name];
  if (typeof value !== 'string')
    throw new MongoError('InvalidNamespace', `collection name has invalid type ${typeof value}`);
  if (!isCollectionName(value)) throw new MongoError('InvalidNamespace', `Invalid namespace specified '${value}'`);
  return value;
}

export function namespaceOf(context: CommandContext): string {
  return `${context.database}.${collectionName(context)}`;
}

/** The statements of a write, from the body or from a document sequence. @throws MongoError for fields as `checkFields` */
export function statements(context: CommandContext, field: string, fields: Fields): Document[] {
  const list: Document[] | undefined = context.sequences.get(field)?.map(decode) ?? context.command[field];
  if (!list) throw missingField(context.name, field);
  const owner = `${context.name}.${field}`;
  for (const statement of list) {
    checkType(context.name, field, statement, 'object');
    checkFields(owner, statement, fields);
  }
  return list;
}

/** The same as they came. Of an insert they are bytes in the body too. */
export function rawStatements({ name, sequences, command }: CommandContext, field: string): readonly Buffer[] {
  const sequence = sequences.get(field);
  if (sequence) return sequence;
  const list: unknown = command[field];
  if (!Array.isArray(list)) throw missingField(name, field);
  return list.map((item) => {
    if (item instanceof Uint8Array) return Buffer.from(item.buffer, item.byteOffset, item.byteLength);
    checkType(name, field, item, 'object');
    return encode(item);
  });
}

/** @throws MongoError for what is not a number. */
export function toBigInt(value: unknown): bigint {
  // Long.toBigInt goes through decimal text.
  if (Long.isLong(value)) return (BigInt(value.high) << 32n) | BigInt(value.low >>> 0);
  if (!isNumber(value) || !Number.isFinite(Number(value)))
    throw new MongoError('TypeMismatch', `expected a whole number, found ${typeName(toRaw(value))}`);
  return BigInt(Math.trunc(Number(value)));
}
