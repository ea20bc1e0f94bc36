import { MongoError } from '../errors.ts';
import { bsonType, elements, idOf, MalformedBsonError, valueEnd } from './raw-bson.ts';

export const MAX_DEPTH = 180;

/** How many bytes a value takes at least, of the types that tell their length. */
const shortest: Partial<Record<number, number>> = {
  [bsonType.string]: 5,
  [bsonType.code]: 5,
  [bsonType.symbol]: 5,
  [bsonType.binary]: 5,
  [bsonType.dbPointer]: 17,
  [bsonType.codeWithScope]: 14,
};

/**
 * The document, if it may be stored: lengths, types and terminators fit together, the nesting is within the limit, and no
 * field of its `_id` begins with `$`. @throws MongoError, MalformedBsonError
 */
export function validateDocument(document: Buffer): Buffer {
  try {
    validateAt(document, 0, document.length, 1);
  } catch (error) {
    // A length field that lies outside of the buffer.
    throw error instanceof RangeError ? new MalformedBsonError('a value is cut off') : error;
  }
  const id = idOf(document);
  for (const { name } of id?.type === bsonType.object ? elements(document, id.start) : []) {
    if (name.startsWith('$'))
      throw new MongoError(
        'DollarPrefixedFieldName',
        `_id fields may not contain '$'-prefixed fields: ${name} is not valid for storage.`,
      );
  }
  return document;
}

export function tooDeep(): MongoError {
  return new MongoError('Overflow', `BSONObj exceeds maximum nested object depth: ${MAX_DEPTH}`);
}

function isText(type: number): boolean {
  return type === bsonType.string || type === bsonType.code || type === bsonType.symbol;
}

function validateAt(buffer: Buffer, start: number, limit: number, depth: number): void {
  if (depth > MAX_DEPTH) throw tooDeep();
  const end = start + 5 <= limit ? start + buffer.readInt32LE(start) : -1;
  if (end < start + 5 || end > limit || buffer[end - 1] !== 0)
    throw new MalformedBsonError('a document has a wrong length');
  let position = start + 4;
  while (position < end - 1) {
    const type = buffer[position] ?? 0;
    const nameEnd = buffer.indexOf(0, position + 1);
    if (nameEnd < 0 || nameEnd >= end - 1) throw new MalformedBsonError('a field name does not end');
    const from = nameEnd + 1;
    const to = valueEnd(buffer, type, from);
    if (to < from + (shortest[type] ?? 0) || to > end - 1 || (isText(type) && buffer[to - 1] !== 0))
      throw new MalformedBsonError('a value reaches beyond its document');
    if (type === bsonType.object || type === bsonType.array) validateAt(buffer, from, to, depth + 1);
    position = to;
  }
}
