// Dotted paths over raw documents, with MongoDB's implicit steps into arrays.
import { bsonType, findElement, type RawValue, valueEnd } from './raw-bson.ts';

export interface Path {
  text: string;
  parts: readonly Uint8Array[];
  /** For each part, whether it may be an array position. */
  numeric: readonly boolean[];
}

const known = new Map<string, Path>();

export function parsePath(text: string): Path {
  const found = known.get(text);
  if (found) return found;
  const names = text.split('.');
  const path = {
    text,
    parts: names.map((name) => Buffer.from(name)),
    numeric: names.map((name) => /^\d+$/.test(name)),
  };
  if (known.size > 5_000) known.clear();
  known.set(text, path);
  return path;
}

/** The values of an array, in order. */
export function* items({ buffer, start }: RawValue): Generator<RawValue> {
  let position = start + 4;
  for (let type = buffer[position]; type !== undefined && type !== 0; type = buffer[position]) {
    const from = buffer.indexOf(0, position + 1) + 1;
    const to = valueEnd(buffer, type, from);
    yield { type, buffer, start: from, end: to };
    position = to;
  }
}

/**
 * Calls `test` for what a filter on this path sees, until it answers true: for arrays at the end of the path their
 * elements, then the array itself; `undefined` for a missing field.
 */
export function someValue(
  document: RawValue,
  path: Path,
  test: (value: RawValue | undefined) => boolean,
  from = 0,
): boolean {
  const name = path.parts[from];
  const value = name && findElement(document.buffer, document.start, name);
  if (!value) return test(undefined);
  return someAt(value, path, test, from + 1);
}

function someAt(value: RawValue, path: Path, test: (value: RawValue | undefined) => boolean, from: number): boolean {
  if (from === path.parts.length) {
    if (value.type === bsonType.array) for (const item of items(value)) if (test(item)) return true;
    return test(value);
  }
  if (value.type === bsonType.object) return someValue(value, path, test, from);
  if (value.type !== bsonType.array) return test(undefined);
  const name = path.parts[from];
  if (path.numeric[from] && name) {
    const item = findElement(value.buffer, value.start, name);
    if (item && (from + 1 === path.parts.length ? testPosition(item, test) : someAt(item, path, test, from + 1)))
      return true;
  }
  for (const item of items(value)) {
    if (item.type === bsonType.object && someValue(item, path, test, from)) return true;
  }
  return false;
}

function testPosition(item: RawValue, test: (value: RawValue | undefined) => boolean): boolean {
  if (item.type === bsonType.array) for (const inner of items(item)) if (test(inner)) return true;
  return test(item);
}

/** Arrays on the path are not entered: the value itself, for `$elemMatch`, `$size` and `$type: array`. */
export function someWhole(
  document: RawValue,
  path: Path,
  test: (value: RawValue | undefined) => boolean,
  from = 0,
): boolean {
  const name = path.parts[from];
  const value = name && findElement(document.buffer, document.start, name);
  if (!value) return from + 1 === path.parts.length ? test(undefined) : false;
  return someWholeAt(value, path, test, from + 1);
}

function someWholeAt(
  value: RawValue,
  path: Path,
  test: (value: RawValue | undefined) => boolean,
  from: number,
): boolean {
  if (from === path.parts.length) return test(value);
  if (value.type === bsonType.object) return someWhole(value, path, test, from);
  if (value.type !== bsonType.array) return false;
  const name = path.parts[from];
  if (path.numeric[from] && name) {
    const item = findElement(value.buffer, value.start, name);
    if (item && someWholeAt(item, path, test, from + 1)) return true;
  }
  for (const item of items(value)) if (item.type === bsonType.object && someWhole(item, path, test, from)) return true;
  return false;
}

export interface IndexedValues {
  values: (RawValue | undefined)[];
  /** An array was entered on the way. */
  multikey: boolean;
  /** Nothing at all was there (for sparse indexes). */
  missing: boolean;
}

const undefinedValue: RawValue = { type: bsonType.undefined, buffer: Buffer.alloc(0), start: 0, end: 0 };

/** What an index or a sort sees on this path: elements instead of arrays, undefined (BSON) for an empty array. */
export function indexedValues(document: RawValue, path: Path): IndexedValues {
  const found: IndexedValues = { values: [], multikey: false, missing: true };
  collect(document, path, 0, found);
  return found;
}

function collect(document: RawValue, path: Path, from: number, found: IndexedValues): void {
  const name = path.parts[from];
  const value = name && findElement(document.buffer, document.start, name);
  if (!value) found.values.push(undefined);
  else collectAt(value, path, from + 1, found);
}

function collectAt(value: RawValue, path: Path, from: number, found: IndexedValues): void {
  if (from === path.parts.length) {
    found.missing = false;
    if (value.type !== bsonType.array) found.values.push(value);
    else collectItems(value, found);
    return;
  }
  if (value.type === bsonType.object) {
    collect(value, path, from, found);
    return;
  }
  if (value.type !== bsonType.array) {
    found.values.push(undefined);
    return;
  }
  found.multikey = true;
  const name = path.parts[from];
  const item = path.numeric[from] && name ? findElement(value.buffer, value.start, name) : undefined;
  if (item) {
    collectAt(item, path, from + 1, found);
    return;
  }
  let any = false;
  for (const inner of items(value)) {
    any = true;
    if (inner.type === bsonType.object) collect(inner, path, from, found);
    else found.values.push(undefined);
  }
  if (!any) found.values.push(undefined);
}

function collectItems(array: RawValue, found: IndexedValues): void {
  found.multikey = true;
  let any = false;
  for (const item of items(array)) {
    any = true;
    found.values.push(item);
  }
  if (!any) found.values.push(undefinedValue);
}
