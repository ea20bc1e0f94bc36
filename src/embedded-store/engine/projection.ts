// Projections of find: fields are copied as bytes, so included values keep their exact types.
import type { Document } from 'bson';
import { MongoError } from '../errors.ts';
import { compileFilter, isOperatorObject, isPlainObject, type MatchContext, type Predicate } from './matcher.ts';
import { items } from './paths.ts';
import { bsonType, DocumentWriter, elements, findElement, type RawValue, rawDocument } from './raw-bson.ts';

export type Projection = (document: Buffer) => Buffer;

interface Node {
  children: Map<string, Node>;
  /** What happens at the end of a path; absent on inner nodes. */
  apply?: 'include' | 'exclude' | ((value: RawValue) => RawValue | undefined);
}

export interface ProjectionContext extends MatchContext {
  /** Evaluates an aggregation expression on a document; undefined means that the field is absent. */
  evaluate?: ((expression: unknown, document: Buffer) => unknown) | undefined;
  /** Which element of the array of a positional projection matched the filter. */
  matchedItem?: ((document: Buffer, arrayPath: string) => number) | undefined;
}

export function compileProjection(spec: Document, context: ProjectionContext = {}): Projection | undefined {
  const names = Object.keys(spec);
  if (names.length === 0) return undefined;
  const root: Node = { children: new Map() };
  const computed: [string, unknown][] = [];
  const positional: string[] = [];
  let mode: 'include' | 'exclude' | undefined;
  const choose = (next: 'include' | 'exclude', name: string): void => {
    if (mode && mode !== next) {
      throw mode === 'include'
        ? new MongoError('Location31254', `Cannot do exclusion on field ${name} in inclusion projection`)
        : new MongoError('Location31253', `Cannot do inclusion on field ${name} in exclusion projection`);
    }
    mode = next;
  };
  for (const [name, value] of flatten(spec)) {
    if (name.endsWith('.$')) {
      choose('include', name);
      positional.push(name.slice(0, -2));
      addPath(root, name.slice(0, -2), 'include');
    } else if (isPlainObject(value) && '$slice' in value && isSliceOfFind(value.$slice)) {
      addPath(root, name, sliceOf(value.$slice));
    } else if (isPlainObject(value) && '$elemMatch' in value) {
      choose('include', name);
      addPath(root, name, firstMatch(compileFilter({ v: value }, context)));
    } else if (isSwitch(value)) {
      const action = Number(value) ? 'include' : 'exclude';
      if (name !== '_id') choose(action, name);
      addPath(root, name, action);
    } else {
      choose('include', name);
      if (!context.evaluate)
        throw new MongoError('BadValue', `an expression is not supported in this projection: ${name}`);
      computed.push([name, value]);
    }
  }
  const id = root.children.get('_id');
  const including = mode === 'include' || (mode === undefined && id?.apply === 'include');
  if (including && !id) root.children.set('_id', { children: new Map(), apply: 'include' });
  if (!including && id?.apply === 'include') root.children.delete('_id');
  return (document) => {
    const source = positional.length > 0 ? cutPositional(document, positional, context) : document;
    const projected = project({ type: bsonType.object, buffer: source, start: 0, end: source.length }, root, including);
    return computed.length > 0 ? addComputed(projected, document, computed, context) : projected;
  };
}

/** `{ a: { b: 1 } }` means `{ 'a.b': 1 }`. */
function flatten(spec: Document, prefix = ''): [string, unknown][] {
  return Object.entries(spec).flatMap(([name, value]): [string, unknown][] => {
    if (name.startsWith('$'))
      throw new MongoError(
        'Location16990',
        `FieldPath field names may not start with '$'. Consider using $getField or $setField.`,
      );
    const path = prefix + name;
    return isPlainObject(value) && !isOperatorObject(value) && Object.keys(value).length > 0
      ? flatten(value, `${path}.`)
      : [[path, value]];
  });
}

function isSwitch(value: unknown): boolean {
  if (typeof value === 'boolean' || typeof value === 'number') return true;
  return (
    typeof value === 'object' &&
    value !== null &&
    '_bsontype' in value &&
    ['Int32', 'Double', 'Long', 'Decimal128'].includes(String(value._bsontype))
  );
}

function isSliceOfFind(value: unknown): boolean {
  return !Array.isArray(value) || (value.length === 2 && value.every(isSwitch));
}

function addPath(root: Node, path: string, apply: NonNullable<Node['apply']>): void {
  let node = root;
  for (const part of path.split('.')) {
    if (node.apply) throw new MongoError('Location31249', `Path collision at ${path}`);
    let child = node.children.get(part);
    if (!child) {
      child = { children: new Map() };
      node.children.set(part, child);
    }
    node = child;
  }
  if (node.apply || node.children.size > 0) throw new MongoError('Location31249', `Path collision at ${path}`);
  node.apply = apply;
}

function project(value: RawValue, node: Node, including: boolean): Buffer {
  const writer = new DocumentWriter();
  for (const element of elements(value.buffer, value.start)) {
    const child = node.children.get(element.name);
    if (!child) {
      if (!including) writer.add(element.name, element);
      continue;
    }
    const kept = projectField(element, child, including);
    if (kept) writer.add(element.name, kept);
  }
  return writer.finish();
}

function projectField(value: RawValue, node: Node, including: boolean): RawValue | undefined {
  if (node.apply === 'include') return value;
  if (node.apply === 'exclude') return undefined;
  if (node.apply) return node.apply(value);
  if (value.type === bsonType.object) return wrap(project(value, node, including), bsonType.object);
  if (value.type !== bsonType.array) return including ? undefined : value;
  const writer = new DocumentWriter();
  let index = 0;
  for (const item of items(value)) {
    const isContainer = item.type === bsonType.object || item.type === bsonType.array;
    const kept = isContainer ? projectField(item, node, including) : including ? undefined : item;
    if (kept) writer.add(String(index++), kept);
  }
  return wrap(writer.finish(), bsonType.array);
}

function wrap(buffer: Buffer, type: number): RawValue {
  return { type, buffer, start: 0, end: buffer.length };
}

function sliceOf(operand: unknown): (value: RawValue) => RawValue {
  const [skip, count] = Array.isArray(operand) ? operand.map(Number) : [undefined, Number(operand)];
  return (value) => {
    if (value.type !== bsonType.array) return value;
    const all = [...items(value)];
    const from = skip ?? Math.min(0, count ?? 0);
    const start = from < 0 ? Math.max(0, all.length + from) : from;
    return arrayOf(all.slice(start, start + Math.abs(count ?? 0)));
  };
}

function firstMatch(predicate: Predicate): (value: RawValue) => RawValue | undefined {
  return (value) => {
    if (value.type !== bsonType.array) return undefined;
    for (const item of items(value)) {
      const array = arrayOf([item]);
      if (predicate(wrap(new DocumentWriter().add('v', array).finish(), bsonType.object))) return array;
    }
    return undefined;
  };
}

export function arrayOf(values: readonly RawValue[]): RawValue {
  const writer = new DocumentWriter();
  values.forEach((value, index) => {
    writer.add(String(index), value);
  });
  return wrap(writer.finish(), bsonType.array);
}

function cutPositional(document: Buffer, paths: readonly string[], { matchedItem }: ProjectionContext): Buffer {
  return paths.reduce((current, path) => {
    const index = matchedItem?.(document, path) ?? -1;
    if (index < 0)
      throw new MongoError(
        'BadValue',
        `Executor error during find command :: caused by :: positional operator '.$' couldn't find a matching element in the array`,
      );
    return keepItem(wrap(current, bsonType.object), path.split('.'), index);
  }, document);
}

/** The document with the array at the path cut to one element. */
export function keepItem(document: RawValue, path: readonly string[], index: number): Buffer {
  const writer = new DocumentWriter();
  const [name, ...rest] = path;
  for (const element of elements(document.buffer, document.start)) {
    if (element.name !== name) writer.add(element.name, element);
    else if (rest.length > 0 && element.type === bsonType.object)
      writer.addDocument(element.name, keepItem(element, rest, index));
    else if (rest.length === 0 && element.type === bsonType.array)
      writer.add(element.name, arrayOf([...items(element)].slice(index, index + 1)));
    else writer.add(element.name, element);
  }
  return writer.finish();
}

function addComputed(
  projected: Buffer,
  document: Buffer,
  computed: readonly [string, unknown][],
  { evaluate }: ProjectionContext,
): Buffer {
  const writer = new DocumentWriter();
  const names = new Set(computed.map(([name]) => name));
  for (const element of elements(projected)) if (!names.has(element.name)) writer.add(element.name, element);
  for (const [name, expression] of computed) {
    const value = evaluate?.(expression, document);
    if (value === undefined) continue;
    // A plain reference to a top-level field is copied, so that its type stays exact.
    const reference =
      typeof expression === 'string' && /^\$[^$.]+$/.test(expression)
        ? findElement(document, 0, Buffer.from(expression.slice(1)))
        : undefined;
    if (reference) writer.add(name, reference);
    else writer.addValue(name, value);
  }
  return rawDocument(wrap(writer.finish(), bsonType.object));
}
