// Reading BSON in place; `document-writer.ts` writes it. Stored documents are never decoded as a whole: what is not touched
// keeps its bytes, and with them its exact type. Format: https://bsonspec.org/spec.html
import { type Document, Double, deserialize, Int32, ObjectId, serialize, setInternalBufferSize } from 'bson';
import { MongoError } from '../errors.ts';

export const bsonType = {
  double: 1,
  string: 2,
  object: 3,
  array: 4,
  binary: 5,
  undefined: 6,
  objectId: 7,
  bool: 8,
  date: 9,
  null: 10,
  regex: 11,
  dbPointer: 12,
  code: 13,
  symbol: 14,
  codeWithScope: 15,
  int: 16,
  timestamp: 17,
  long: 18,
  decimal: 19,
  minKey: 255,
  maxKey: 127,
} as const;

const { binary, code, codeWithScope, ...sameNames } = bsonType;

/** The types by the names that `$type` has for them. */
export const typeAliases: Readonly<Record<string, number>> = {
  ...sameNames,
  binData: binary,
  javascript: code,
  javascriptWithScope: codeWithScope,
};

/** A value inside a buffer: its type byte and where its bytes lie (without type and name). */
export interface RawValue {
  type: number;
  buffer: Buffer;
  start: number;
  end: number;
}

export interface RawElement extends RawValue {
  name: string;
}

export class MalformedBsonError extends Error {
  override name = 'MalformedBsonError';
}

/** Where a value of this type that starts at `start` ends. */
export function valueEnd(buffer: Buffer, type: number, start: number): number {
  switch (type) {
    case bsonType.int:
      return start + 4;
    case bsonType.double:
    case bsonType.date:
    case bsonType.long:
    case bsonType.timestamp:
      return start + 8;
    case bsonType.string:
    case bsonType.code:
    case bsonType.symbol:
      return start + 4 + buffer.readInt32LE(start);
    case bsonType.object:
    case bsonType.array:
    case bsonType.codeWithScope:
      return start + buffer.readInt32LE(start);
    case bsonType.objectId:
      return start + 12;
    case bsonType.bool:
      return start + 1;
    case bsonType.null:
    case bsonType.undefined:
    case bsonType.minKey:
    case bsonType.maxKey:
      return start;
    case bsonType.binary:
      return start + 5 + buffer.readInt32LE(start);
    case bsonType.decimal:
      return start + 16;
    case bsonType.regex:
      return buffer.indexOf(0, buffer.indexOf(0, start) + 1) + 1;
    case bsonType.dbPointer:
      return start + 4 + buffer.readInt32LE(start) + 12;
    default:
      throw new MalformedBsonError(`unknown BSON type ${type}`);
  }
}

/** The elements of the document (or array) that starts at `start`, in order. */
export function* elements(buffer: Buffer, start = 0): Generator<RawElement> {
  let position = start + 4;
  for (let type = buffer[position]; type !== undefined && type !== 0; type = buffer[position]) {
    const nameEnd = buffer.indexOf(0, position + 1);
    const end = valueEnd(buffer, type, nameEnd + 1);
    yield { type, name: buffer.toString('utf8', position + 1, nameEnd), buffer, start: nameEnd + 1, end };
    position = end;
  }
}

/** The first element of this name, given as UTF-8, in the document that starts at `start`. */
export function findElement(buffer: Buffer, start: number, name: Uint8Array): RawValue | undefined {
  let position = start + 4;
  for (let type = buffer[position]; type !== undefined && type !== 0; type = buffer[position]) {
    let i = 0;
    let at = position + 1;
    while (i < name.length && buffer[at] === name[i]) {
      i++;
      at++;
    }
    if (i === name.length && buffer[at] === 0) {
      return { type, buffer, start: at + 1, end: valueEnd(buffer, type, at + 1) };
    }
    while (buffer[at] !== 0) {
      if (at >= buffer.length) throw new MalformedBsonError('a field name does not end');
      at++;
    }
    position = valueEnd(buffer, type, at + 1);
  }
  return undefined;
}

const ID = Buffer.from('_id');

export function idOf(document: Buffer): RawValue | undefined {
  return findElement(document, 0, ID);
}

/** Whether there is another one behind the id that was found. */
export function hasIdAfter(document: Buffer, { end }: RawValue): boolean {
  return findElement(document, end - 4, ID) !== undefined;
}

export function wholeDocument(buffer: Buffer): RawValue {
  return { type: bsonType.object, buffer, start: 0, end: buffer.length };
}

export function rawDocument(value: RawValue): Buffer {
  return value.buffer.subarray(value.start, value.end);
}

/** Missing, or null. */
export function isNullish(value: RawValue | undefined): value is undefined {
  return value === undefined || value.type === bsonType.null || value.type === bsonType.undefined;
}

/** The text, if it is a string. */
export function textOf(value: RawValue | undefined): string | undefined {
  return value?.type === bsonType.string ? value.buffer.toString('utf8', value.start + 4, value.end - 1) : undefined;
}

/** A decoded value as BSON; exact for what `decode` gave. */
export function toRaw(value: unknown): RawValue {
  // The commonest operands of filters, without the library's way through a whole document.
  if (typeof value === 'string') return rawString(value);
  if (value instanceof Int32) return rawInt(value.value);
  if (value instanceof ObjectId) return { type: bsonType.objectId, buffer: Buffer.from(value.id), start: 0, end: 12 };
  const buffer = Buffer.from(serialize({ v: value }, { ignoreUndefined: false }));
  return { type: buffer[4] ?? 0, buffer, start: 7, end: buffer.length - 1 };
}

const exact = { promoteValues: false, promoteLongs: false, promoteBuffers: false, bsonRegExp: true } as const;

/** Decodes with wrapper objects for numbers, so that encoding gives the same bytes. */
export function decode(document: Buffer): Document {
  return deserialize(document, exact);
}

/** Decodes a command; the documents of an insert stay raw. */
export function deserializeCommand(body: Buffer): Document {
  const isInsert = body.toString('latin1', 5, 12) === 'insert\0';
  return deserialize(body, isInsert ? { ...exact, fieldsAsRaw: { documents: true } } : exact);
}

export function decodeValue({ type, buffer, start, end }: RawValue): unknown {
  const document = Buffer.allocUnsafe(end - start + 8);
  document.writeInt32LE(document.length, 0);
  document[4] = type;
  document[5] = 0x76;
  document[6] = 0;
  buffer.copy(document, 7, start, end);
  document[document.length - 1] = 0;
  return decode(document).v;
}

export function encode(document: Document): Buffer {
  const bytes = serialize(document, { ignoreUndefined: true });
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export const MAX_BYTES = 64 * 1024 * 1024;

// What does not fit into bson's buffer is cut off; a command may be as large as a message.
setInternalBufferSize(MAX_BYTES);

export const OK: RawValue = toRaw(new Double(1));

/** @throws MongoError for what is far too large to be stored, before it takes all memory. */
export function checkGrowth(bytes: number): void {
  if (bytes > MAX_BYTES)
    throw new MongoError('Location13548', `BufBuilder attempted to grow() to ${bytes} bytes, past the 64MB limit.`);
}

export function rawString(text: string): RawValue {
  checkGrowth(text.length);
  const length = Buffer.byteLength(text);
  const buffer = Buffer.allocUnsafe(length + 5);
  buffer.writeInt32LE(length + 1, 0);
  buffer.write(text, 4);
  buffer[length + 4] = 0;
  return { type: bsonType.string, buffer, start: 0, end: length + 5 };
}

export function rawLong(value: bigint): RawValue {
  const buffer = Buffer.allocUnsafe(8);
  buffer.writeBigInt64LE(value);
  return { type: bsonType.long, buffer, start: 0, end: 8 };
}

export function rawInt(value: number): RawValue {
  const buffer = Buffer.allocUnsafe(4);
  buffer.writeInt32LE(value);
  return { type: bsonType.int, buffer, start: 0, end: 4 };
}
