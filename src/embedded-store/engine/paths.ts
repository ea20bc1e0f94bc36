// Dotted paths over raw documents, with MongoDB's implicit steps into arrays.
import { MongoError } from '../errors.ts';
import { bsonType, findElement, type RawValue, valueEnd } from './raw-bson.ts';

export interface Path {
  text: string;
  parts: readonly Uint8Array[];
  /** For each part, whether it may be an array position. */
  numeric: readonly boolean[];
}

const known = new Map<string, Path>();
const MAX_PARTS = 200;

/** @throws MongoError for a path of more than 200 names. */
export function parsePath(text: string): Path {
  const found = known.get(text);
  if (found) return found;
  const names = text.split('.', MAX_PARTS + 1);
  if (names.length > MAX_PARTS) throw new MongoError('Overflow', 'FieldPath is too long');
  const path = {
    text,
    parts: names.map((name) => Buffer.from(name)),
    numeric: names.map((name) => /^\d+$/.test(name)),
  };
  if (known.size > 5_000) known.clear();
  if (text.length < 500) known.set(text, path);
  return path;
}

/** @throws MongoError for a path that no sort and no projection can have. */
export function checkFieldPath(text: string): void {
  const parts = text.split('.', MAX_PARTS);
  if (text === '') throw new MongoError('Location40352', 'FieldPath cannot be constructed with empty string');
  if (text.endsWith('.')) throw new MongoError('Location40353', "FieldPath must not end with a '.'.");
  if (parts.includes('')) throw new MongoError('Location15998', 'FieldPath field names may not be empty strings.');
  const dollar = parts.find((part) => part.startsWith('$') && !['$id', '$ref', '$db'].includes(part));
  if (dollar)
    throw new MongoError(
      'Location16410',
      `FieldPath field names may not start with '$', given '${dollar}'. Consider using $getField or $setField.`,
    );
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
 * elements, then the array itself; `undefined` for a missing field. `whole` leaves the elements out.
 */
export function someValue(
  document: RawValue,
  path: Path,
  test: (value: RawValue | undefined) => boolean,
  whole = false,
  from = 0,
): boolean {
  const name = path.parts[from];
  const value = name && findElement(document.buffer, document.start, name);
  return value ? someAt(value, path, test, whole, from + 1) : test(undefined);
}

function someAt(
  value: RawValue,
  path: Path,
  test: (value: RawValue | undefined) => boolean,
  whole: boolean,
  from: number,
): boolean {
  const isEnd = from === path.parts.length;
  if (value.type === bsonType.object && !isEnd) return someValue(value, path, test, whole, from);
  if (value.type !== bsonType.array) return test(isEnd ? value : undefined);
  if (isEnd) {
    if (!whole) for (const item of items(value)) if (test(item)) return true;
    return test(value);
  }
  const item = positioned(value, path, from);
  if (item) {
    // A position at the end of the path is that element, and not the elements of an array in it.
    if (from + 1 === path.parts.length) {
      if (test(item)) return true;
    } else if (isContainer(item) && someAt(item, path, test, whole, from + 1)) return true;
  }
  for (const inner of items(value)) {
    if (inner.type === bsonType.object && someValue(inner, path, test, whole, from)) return true;
  }
  return false;
}

function isContainer({ type }: RawValue): boolean {
  return type === bsonType.object || type === bsonType.array;
}

/** The element of an array that the next part of the path names by its position. */
function positioned(array: RawValue, path: Path, from: number): RawValue | undefined {
  const name = path.parts[from];
  return path.numeric[from] && name ? findElement(array.buffer, array.start, name) : undefined;
}

const emptyArray: RawValue = { type: bsonType.undefined, buffer: Buffer.alloc(0), start: 0, end: 0 };

/** What an index or a sort sees on one path. */
export function indexedValues(document: RawValue, path: Path): (RawValue | undefined)[] {
  return indexedRows(document, [path]).map(([value]) => value);
}

/** How far a path has been followed: to its end, to a missing field, or to an array. */
interface Step {
  path: Path;
  from: number;
  value: RawValue | undefined;
  /** An array here is an element of another, and is not entered. */
  isElement: boolean;
}

function follow(path: Path, start: RawValue, first: number): Step {
  let value: RawValue | undefined = start;
  let from = first;
  for (; from < path.parts.length && value?.type !== bsonType.array; from++) {
    const name: Uint8Array | undefined = path.parts[from];
    value = value?.type === bsonType.object && name ? findElement(value.buffer, value.start, name) : undefined;
  }
  return { path, from, value, isElement: false };
}

/**
 * What an index or a sort sees on these paths together: a row for each element of an array on the way (undefined, the
 * BSON type, for an empty one), with undefined for a missing field.
 * @throws MongoError when two paths enter different arrays, or one means both a position and a field.
 */
export function indexedRows(
  document: RawValue,
  paths: readonly Path[],
  onArray?: (path: number) => void,
): (RawValue | undefined)[][] {
  const rows: (RawValue | undefined)[][] = [];
  expand(
    paths.map((path) => follow(path, document, 0)),
    rows,
    onArray,
  );
  return rows;
}

function isArray({ value, isElement }: Step): boolean {
  return value?.type === bsonType.array && !isElement;
}

function expand(steps: Step[], rows: (RawValue | undefined)[][], onArray?: (path: number) => void): void {
  const array = steps.find(isArray)?.value;
  if (!array) {
    rows.push(steps.map(({ value }) => value));
    return;
  }
  const entered = steps.map((step, i) => {
    if (!isArray(step)) return step;
    if (step.value?.start !== array.start)
      throw new MongoError('CannotIndexParallelArrays', `cannot index parallel arrays [${step.path.text}]`);
    onArray?.(i);
    return atPosition(array, step);
  });
  const all = [...items(array)];
  for (const item of all.length > 0 ? all : [emptyArray]) {
    expand(
      steps.map((step, i) => entered[i] ?? intoElement(step, item)),
      rows,
      onArray,
    );
    if (!entered.includes(undefined)) return;
  }
}

function atPosition(array: RawValue, { path, from }: Step): Step | undefined {
  const item = positioned(array, path, from);
  if (!item) return undefined;
  const name = path.parts[from] ?? Buffer.alloc(0);
  for (const inner of items(array)) {
    if (inner.type === bsonType.object && findElement(inner.buffer, inner.start, name))
      throw new MongoError('Location16746', `Ambiguous field name found in array: '${path.text}'`);
  }
  return follow(path, item, from + 1);
}

function intoElement(step: Step, item: RawValue): Step {
  if (step.from === step.path.parts.length) return { ...step, value: item, isElement: true };
  return follow(step.path, item.type === bsonType.object ? item : emptyArray, step.from);
}
