// Values at paths of documents, as aggregation reads and sets them.

import { arrayOf, DocumentWriter } from './document-writer.ts';
import { items } from './paths.ts';
import { bsonType, elements, findElement, type RawValue, wholeDocument } from './raw-bson.ts';
import type { Value } from './values.ts';

/** The document with a value at a path, in every element of an array on the way; without a value the field goes. */
export function setAt(document: Value, [name = '', ...rest]: readonly string[], value: Value): Buffer {
  const writer = new DocumentWriter();
  const inner = (before: Value): RawValue =>
    before?.type === bsonType.array
      ? arrayOf([...items(before)].map(inner))
      : wholeDocument(setAt(before?.type === bsonType.object ? before : undefined, rest, value));
  let isSet = false;
  for (const element of document ? elements(document.buffer, document.start) : []) {
    const next = element.name !== name ? element : rest.length > 0 ? inner(element) : value;
    if (next) writer.add(element.name, next);
    isSet ||= element.name === name;
  }
  const added = isSet ? undefined : rest.length > 0 ? inner(undefined) : value;
  return (added ? writer.add(name, added) : writer).finish();
}

/** The value at a path through documents. */
export function getAt(document: RawValue, path: readonly string[]): Value {
  return path.reduce<Value>(
    (value, name) =>
      value?.type === bsonType.object ? findElement(value.buffer, value.start, Buffer.from(name)) : undefined,
    document,
  );
}
