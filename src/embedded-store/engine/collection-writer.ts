// Inserting, replacing and removing one document with its index entries, as changes to a layer.
import { MongoError } from '../errors.ts';
import type { Key, Layer, View } from '../storage/layer.ts';
import { type Collection, checkPresent } from './catalog.ts';
import { duplicateKey, type Index, idKeyOf, indexKeys, keyPrefix } from './indexes.ts';
import { idOf, wholeDocument } from './raw-bson.ts';

export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;

/** Reads through what the statement itself has changed already. */
export interface WriteTarget {
  view: View;
  changes: Layer;
  /** Called when a field of an index holds an array for the first time. */
  onMultikey: (collection: Collection, index: Index, field: number) => void;
}

/** @throws MongoError when the collection has been dropped: nothing may be written there. */
export function documentKey(collection: Collection, idKey: Key): Key {
  checkPresent(collection);
  return keyPrefix(collection.id) + idKey;
}

/** @throws MongoError DuplicateKey; nothing has changed then. */
export function insertDocument(target: WriteTarget, collection: Collection, document: Buffer): void {
  checkSize(document);
  const id = idOf(document);
  if (!id) throw new MongoError('InternalError', 'a document needs an _id');
  const idKey = idKeyOf(id, collection.fold);
  const key = documentKey(collection, idKey);
  if (read(target, key)) throw duplicateKey(collection.namespace, null, document, idKey);
  const entries: [Key, Buffer][] = [[key, document]];
  for (const index of collection.indexes)
    for (const entry of newEntries(target, collection, index, document, idKey)) entries.push(entry);
  for (const [entry, value] of entries) target.changes.set(entry, value);
}

/** @throws MongoError DuplicateKey; nothing has changed then. */
export function replaceDocument(
  target: WriteTarget,
  collection: Collection,
  idKey: Key,
  before: Buffer,
  after: Buffer,
): void {
  checkSize(after);
  const added: [Key, Buffer][] = [[documentKey(collection, idKey), after]];
  const removed: Key[] = [];
  for (const index of collection.indexes) {
    const old = new Set(indexKeys(index, wholeDocument(before), () => {}));
    for (const entry of newEntries(target, collection, index, after, idKey, old)) added.push(entry);
    for (const key of old) removed.push(entryKey(index, key, idKey));
  }
  for (const key of removed) target.changes.set(key, null);
  for (const [key, value] of added) target.changes.set(key, value);
}

export function removeDocument(target: WriteTarget, collection: Collection, idKey: Key, document: Buffer): void {
  target.changes.set(documentKey(collection, idKey), null);
  for (const index of collection.indexes) {
    for (const key of indexKeys(index, wholeDocument(document), () => {}))
      target.changes.set(entryKey(index, key, idKey), null);
  }
}

/** The entries that the document has and `old` does not, each proved to be free; takes those that stay out of `old`. */
export function* newEntries(
  target: WriteTarget,
  collection: Collection,
  index: Index,
  document: Buffer,
  idKey: Key,
  old: Set<Key> = new Set(),
): Generator<[Key, Buffer]> {
  const keys = indexKeys(index, wholeDocument(document), (field) => target.onMultikey(collection, index, field));
  const value = Buffer.from(idKey, 'latin1');
  for (const key of keys) {
    if (old.delete(key)) continue;
    const entry = entryKey(index, key, idKey);
    if (index.unique) {
      const taken = read(target, entry);
      if (taken && !taken.equals(value)) throw duplicateKey(collection.namespace, index, document, key);
    }
    yield [entry, value];
  }
}

export function entryKey(index: Index, key: Key, idKey: Key): Key {
  return index.unique ? keyPrefix(index.id) + key : keyPrefix(index.id) + key + idKey;
}

function read({ view, changes }: WriteTarget, key: Key): Buffer | undefined {
  const changed = changes.entries.get(key);
  return changed === undefined ? view.get(key) : (changed ?? undefined);
}

function checkSize(document: Buffer): void {
  if (document.length > MAX_DOCUMENT_BYTES)
    throw new MongoError(
      'BSONObjectTooLarge',
      `object to insert too large. size in bytes: ${document.length}, max size: ${MAX_DOCUMENT_BYTES}`,
    );
}
