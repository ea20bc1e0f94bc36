// Reading and writing BSON in place. Stored documents are never decoded as a whole: what is not touched keeps its bytes,
// and with them its exact type. Format: https://bsonspec.org/spec.html
import { type Document, Double, deserialize, serialize } from 'bson';

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

export function rawDocument(value: RawValue): Buffer {
  return value.buffer.subarray(value.start, value.end);
}

/** A decoded value as BSON; exact for what `decode` gave. */
export function toRaw(value: unknown): RawValue {
  const buffer = Buffer.from(serialize({ v: value }, { ignoreUndefined: false }));
  return { type: buffer[4] ?? 0, buffer, start: 7, end: buffer.length - 1 };
}

const exact = { promoteValues: false, promoteLongs: false, promoteBuffers: false, bsonRegExp: true } as const;

/** Decodes with wrapper objects for numbers, so that encoding gives the same bytes. */
export function decode(document: Buffer): Document {
  return deserialize(document, exact);
}

/** Decodes to plain numbers where that loses nothing but the numeric type. */
export function decodePlain(document: Buffer): Document {
  return deserialize(document, { bsonRegExp: false });
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

export const OK: RawValue = toRaw(new Double(1));

export function rawString(text: string): RawValue {
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

const NO_BYTES = Buffer.alloc(0);

/** Collects elements and gives the document of them. */
export class DocumentWriter {
  #parts: Buffer[] = [];
  #length = 5;

  add(name: string, { type, buffer, start, end }: RawValue): this {
    const nameLength = Buffer.byteLength(name);
    const head = Buffer.allocUnsafe(nameLength + 2);
    head[0] = type;
    head.write(name, 1);
    head[nameLength + 1] = 0;
    this.#parts.push(head, start === end ? NO_BYTES : buffer.subarray(start, end));
    this.#length += head.length + end - start;
    return this;
  }

  addValue(name: string, value: unknown): this {
    return this.add(name, toRaw(value));
  }

  addDocument(name: string, document: Buffer, type: number = bsonType.object): this {
    return this.add(name, { type, buffer: document, start: 0, end: document.length });
  }

  /** Adds the elements of a document. */
  addAll(document: Buffer): this {
    this.#parts.push(document.subarray(4, -1));
    this.#length += document.length - 5;
    return this;
  }

  /** Adds an array of whole documents. */
  addDocuments(name: string, documents: readonly Buffer[]): this {
    const writer = new DocumentWriter();
    for (let i = 0; i < documents.length; i++) {
      const document = documents[i];
      if (document) writer.addDocument(String(i), document);
    }
    return this.addDocument(name, writer.finish(), bsonType.array);
  }

  finish(): Buffer {
    const document = Buffer.allocUnsafe(this.#length);
    document.writeInt32LE(this.#length, 0);
    let position = 4;
    for (const part of this.#parts) position += part.copy(document, position);
    document[position] = 0;
    return document;
  }
}

export function arrayOf(values: readonly RawValue[]): RawValue {
  const writer = new DocumentWriter();
  values.forEach((value, index) => {
    writer.add(String(index), value);
  });
  const buffer = writer.finish();
  return { type: bsonType.array, buffer, start: 0, end: buffer.length };
}
