// Compares everything that a store holds with what it should hold: documents, their entries in the indexes, the catalog.
import { EJSON } from 'bson';
import { afterPrefix, type Key, type View } from '../storage/layer.ts';
import { Catalog, type Collection } from './catalog.ts';
import { documentKey, entryKey } from './collection-writer.ts';
import { type Index, idKeyOf, indexKeys, keyPrefix } from './indexes.ts';
import { decode, idOf, wholeDocument } from './raw-bson.ts';
import { isView } from './views.ts';

export interface CheckReport {
  fault(kind: string, text: string): void;
  /** Called now and then, with the documents of the collection that are checked. */
  progress(namespace: string, documents: number): void;
}

export interface CheckedCollection {
  namespace: string;
  documents: number;
  bytes: number;
  indexes: number;
}

const PROGRESS_STEP = 1_000;

/** Reads all of it; what is wrong goes to the report. */
export function checkStore(view: View, prefixes: Iterable<Key>, report: CheckReport): CheckedCollection[] {
  const catalog = new Catalog();
  try {
    catalog.load(view);
  } catch (error) {
    report.fault('catalog', `it cannot be read: ${textOf(error)}`);
    return [];
  }
  checkPrefixes(view, prefixes, catalog, report);
  const collections = catalog.list().filter((collection) => !isView(collection));
  return collections.map((collection) => checkCollection(view, collection, report));
}

/** Every prefix belongs to one collection or index of the catalog, or waits to be removed. */
function checkPrefixes(view: View, prefixes: Iterable<Key>, catalog: Catalog, report: CheckReport): void {
  const known = new Set([0, ...catalog.garbage()]);
  for (const { id, namespace, indexes } of catalog.list()) {
    for (const prefix of [id, ...indexes.map((index) => index.id)]) {
      if (known.has(prefix)) report.fault('catalog', `${namespace} shares the prefix ${prefix}`);
      known.add(prefix);
    }
  }
  for (const prefix of prefixes) {
    const id = Buffer.from(prefix, 'latin1').readUInt32BE();
    if (known.has(id)) continue;
    for (const _ of view.range({ start: prefix, end: afterPrefix(prefix) })) {
      report.fault('catalog', `nothing has the prefix ${id}, under which there are keys`);
      break;
    }
  }
}

function checkCollection(view: View, collection: Collection, report: CheckReport): CheckedCollection {
  const { namespace, indexes } = collection;
  const start = keyPrefix(collection.id);
  const entries = indexes.map(() => 0);
  let documents = 0;
  let bytes = 0;
  for (const [key, document] of view.range({ start, end: afterPrefix(start) })) {
    if (documents++ % PROGRESS_STEP === 0) report.progress(namespace, documents);
    bytes += document.length;
    const idKey = key.slice(start.length);
    const fault = (kind: string, text: string): void => report.fault(kind, `${namespace} ${nameOf(document)}: ${text}`);
    try {
      checkDocument(collection, document, idKey);
      for (const [i, index] of indexes.entries())
        entries[i] = (entries[i] ?? 0) + countEntries(view, index, document, idKey, fault);
    } catch (error) {
      fault('document', textOf(error));
    }
  }
  for (const [i, index] of indexes.entries()) {
    if (entries[i] !== countKeys(view, index)) checkEntries(view, collection, index, report);
  }
  return { namespace, documents, bytes, indexes: indexes.length + 1 };
}

/** @throws Error that says what is wrong with it. */
function checkDocument({ fold }: Collection, document: Buffer, idKey: Key): void {
  if (document.length < 5 || document.readInt32LE() !== document.length) throw new Error('its length is another one');
  decode(document);
  const id = idOf(document);
  if (!id || idKeyOf(id, fold) !== idKey) throw new Error('it does not lie under its _id');
}

/** How many of the entries that the document should have are there. */
function countEntries(
  view: View,
  index: Index,
  document: Buffer,
  idKey: Key,
  fault: (kind: string, text: string) => void,
): number {
  let found = 0;
  const keys = indexKeys(index, wholeDocument(document), (field) =>
    fault('multikey', `index ${index.name} does not know of the array in ${index.fields[field]?.path.text}`),
  );
  for (const key of new Set(keys)) {
    const owner = view.get(entryKey(index, key, idKey))?.toString('latin1');
    if (owner === idKey) found++;
    else if (owner === undefined) fault('missing entry', `it is not in index ${index.name}`);
    else fault('duplicate', `another document has its place in the unique index ${index.name}`);
  }
  return found;
}

function countKeys(view: View, { id }: Index): number {
  const start = keyPrefix(id);
  let count = 0;
  for (const _ of view.range({ start, end: afterPrefix(start) })) count++;
  return count;
}

/** Finds the entries that no document accounts for. */
function checkEntries(view: View, collection: Collection, index: Index, report: CheckReport): void {
  const start = keyPrefix(index.id);
  for (const [key, value] of view.range({ start, end: afterPrefix(start) })) {
    const idKey = value.toString('latin1');
    const document = view.get(documentKey(collection, idKey));
    if (document && mayHaveEntry(index, document, idKey, key)) continue;
    const owner = document ? `of ${nameOf(document)}, which has no such value` : 'without its document';
    report.fault('stray entry', `${collection.namespace}: index ${index.name} has an entry ${owner}`);
  }
}

function mayHaveEntry(index: Index, document: Buffer, idKey: Key, entry: Key): boolean {
  try {
    return indexKeys(index, wholeDocument(document), () => {}).some((key) => entryKey(index, key, idKey) === entry);
  } catch {
    return true; // It cannot be read, which is reported already.
  }
}

function nameOf(document: Buffer): string {
  try {
    return EJSON.stringify(decode(document)._id);
  } catch {
    return '(unreadable)';
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
