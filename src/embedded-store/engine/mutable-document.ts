// A document opened for change: only what an update walks through is unfolded, the rest stays as bytes.
import { MongoError } from '../errors.ts';
import { DocumentWriter } from './document-writer.ts';
import { bsonType, elements, type RawValue, rawDocument, toRaw, wholeDocument } from './raw-bson.ts';

export interface Field {
  name: string;
  node: Node;
}

/** A value as stored bytes, or unfolded into fields (of a document, or of an array by position). */
export interface Node {
  type: number;
  raw: RawValue | null;
  fields: Field[] | null;
}

export function nodeOf(raw: RawValue): Node {
  return { type: raw.type, raw, fields: null };
}

export function documentNode(document: Buffer): Node {
  return nodeOf(wholeDocument(document));
}

function isContainer(node: Node): boolean {
  return node.type === bsonType.object || node.type === bsonType.array;
}

/** The fields for reading; the bytes stay valid. */
export function fieldsOf(node: Node): Field[] {
  if (!node.fields) {
    node.fields = [];
    if (node.raw && isContainer(node)) {
      for (const element of elements(node.raw.buffer, node.raw.start)) {
        node.fields.push({ name: element.name, node: nodeOf(element) });
      }
    }
  }
  return node.fields;
}

/** The fields for writing: the node will be written anew. */
export function openFields(node: Node): Field[] {
  const fields = fieldsOf(node);
  node.raw = null;
  return fields;
}

export function rawOf(node: Node): RawValue {
  if (node.raw) return node.raw;
  const writer = new DocumentWriter();
  (node.fields ?? []).forEach((field, index) => {
    writer.add(node.type === bsonType.array ? String(index) : field.name, rawOf(field.node));
  });
  const buffer = writer.finish();
  return { type: node.type, buffer, start: 0, end: buffer.length };
}

export function toDocument(node: Node): Buffer {
  return rawDocument(rawOf(node));
}

function isPosition(name: string): boolean {
  return /^(0|[1-9]\d*)$/.test(name);
}

function childAt(node: Node, name: string): Node | undefined {
  if (node.type === bsonType.array) return isPosition(name) ? fieldsOf(node)[Number(name)]?.node : undefined;
  return fieldsOf(node).find((field) => field.name === name)?.node;
}

export function getPath(root: Node, path: readonly string[]): Node | undefined {
  let node: Node | undefined = root;
  for (const name of path) {
    if (!node || !isContainer(node)) return undefined;
    node = childAt(node, name);
  }
  return node;
}

const MAX_PADDING = 1_500_000;
/** One for all: elements of arrays are replaced, never changed. */
const PADDING: Field = { name: '', node: nodeOf(toRaw(null)) };

function putChild(node: Node, name: string, child: Node): void {
  const fields = openFields(node);
  if (node.type === bsonType.array) {
    const index = Number(name);
    if (index > fields.length + MAX_PADDING)
      throw new MongoError('BadValue', `can't backfill more than ${MAX_PADDING} elements`);
    while (fields.length < index) fields.push(PADDING);
    fields[index] = { name, node: child };
    return;
  }
  const found = fields.find((field) => field.name === name);
  if (found) found.node = child;
  else fields.push({ name, node: child });
}

/** @throws MongoError PathNotViable when a value in the way cannot hold the next part of the path. */
export function checkViable(root: Node, path: readonly string[]): void {
  let node: Node | undefined = root;
  for (const [depth, name] of path.entries()) {
    if (!node) return;
    if (!isContainer(node) || (node.type === bsonType.array && !isPosition(name)))
      throw new MongoError('PathNotViable', `Cannot create field '${name}' in element {${path[depth - 1]}: ...}`);
    node = childAt(node, name);
  }
}

/** @throws MongoError PathNotViable */
export function setPath(root: Node, path: readonly string[], value: Node): void {
  checkViable(root, path);
  let node = root;
  for (const name of path.slice(0, -1)) {
    openFields(node);
    let child = childAt(node, name);
    if (!child) {
      child = { type: bsonType.object, raw: null, fields: [] };
      putChild(node, name, child);
    }
    node = child;
  }
  putChild(node, path.at(-1) ?? '', value);
}

/** Removes a field; an array element becomes null, as in MongoDB. */
export function unsetPath(root: Node, path: readonly string[]): void {
  const name = path.at(-1) ?? '';
  const parent = getPath(root, path.slice(0, -1));
  if (!parent || !getPath(root, path)) return;
  markChanged(root, path.slice(0, -1));
  const fields = openFields(parent);
  if (parent.type === bsonType.array) putChild(parent, name, nodeOf(toRaw(null)));
  else
    fields.splice(
      fields.findIndex((field) => field.name === name),
      1,
    );
}

/** Everything on the way to this path will be written anew. */
export function markChanged(root: Node, path: readonly string[]): void {
  let node: Node | undefined = root;
  openFields(root);
  for (const name of path) {
    node = node && childAt(node, name);
    if (node && isContainer(node)) openFields(node);
  }
}
