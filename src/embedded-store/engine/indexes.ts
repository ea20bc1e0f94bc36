// What an index is, and which entries a document has in it.
import { type Document, ObjectId } from 'bson';
import { MongoError } from '../errors.ts';
import type { Key } from '../storage/layer.ts';
import { DocumentWriter } from './document-writer.ts';
import { complement, encodeKey, encodeValue, keys, limitKey, type StringFold } from './key-encoding.ts';
import { compileFilter, type Predicate } from './matcher.ts';
import { indexedRows, type Path, parsePath } from './paths.ts';
import { decode, decodeValue, type RawValue, wholeDocument } from './raw-bson.ts';
import { indexedWords, type TextFields, textFields } from './text-index.ts';

export interface IndexField {
  path: Path;
  /** Stored in the reverse of the order of the first field; a scan may run either way. */
  reversed: boolean;
  /** Some document had an array here. */
  multikey: boolean;
}

export interface Index {
  id: number;
  name: string;
  /** As given: what listIndexes shows. */
  spec: Document;
  fields: IndexField[];
  unique: boolean;
  sparse: boolean;
  partial: { filter: Document; predicate: Predicate } | null;
  fold: StringFold | undefined;
  /** The fields of a text index, which has no others. */
  text: TextFields | null;
  /** False while it is built: writers maintain it, the planner does not use it. */
  ready: boolean;
}

export function makeIndex(
  id: number,
  spec: Document,
  multikey: readonly boolean[],
  ready: boolean,
  fold?: StringFold,
): Index {
  const pattern = Object.entries(spec.key as Document);
  const first = Number(pattern[0]?.[1]) < 0;
  const text = textFields(spec);
  const filter = spec.partialFilterExpression as Document | undefined;
  return {
    id,
    name: String(spec.name),
    spec,
    fields: (text ? [] : pattern).map(([name, direction], i) => ({
      path: parsePath(name),
      reversed: Number(direction) < 0 !== first,
      multikey: multikey[i] ?? false,
    })),
    unique: Boolean(spec.unique),
    sparse: Boolean(spec.sparse),
    partial: filter ? { filter, predicate: compileFilter(filter, { fold }) } : null,
    fold,
    text,
    ready,
  };
}

/** Four bytes in front of every key say which collection or index it belongs to. */
export function keyPrefix(id: number): Key {
  return String.fromCharCode((id >>> 24) & 255, (id >>> 16) & 255, (id >>> 8) & 255, id & 255);
}

/** `fold` is the collation of the collection. */
export function idKeyOf(id: RawValue, fold: StringFold | undefined): Key {
  return limitKey(encodeKey(id, fold));
}

/** Where a text index has the documents with this word. */
export function wordKey(word: string): Key {
  return limitKey(encodeValue(word));
}

/** The keys of the document in the index, without prefix and id; notes where arrays were. @throws MongoError 171 */
export function indexKeys(index: Index, document: RawValue, onMultikey: (field: number) => void): Key[] {
  return [...indexRows(index, document, onMultikey).keys()];
}

function indexRows(
  index: Index,
  document: RawValue,
  onMultikey: (field: number) => void,
): Map<Key, (RawValue | undefined)[]> {
  const found = new Map<Key, (RawValue | undefined)[]>();
  if (index.partial && !index.partial.predicate(document)) return found;
  if (index.text) return new Map([...indexedWords(document, index.text)].map((word) => [wordKey(word), []]));
  const rows = indexedRows(
    document,
    index.fields.map(({ path }) => path),
    (field) => {
      if (!index.fields[field]?.multikey) onMultikey(field);
    },
  );
  for (const row of rows) {
    if (index.sparse && row.every((value) => value === undefined)) continue;
    let key = '';
    index.fields.forEach(({ reversed }, i) => {
      const value = row[i];
      const one = value ? encodeKey(value, index.fold) : keys.null;
      key += reversed ? complement(one) : one;
    });
    found.set(limitKey(key), row);
  }
  return found;
}

/** What a duplicate key error shows: for an index, the values of the key that is taken. */
export function duplicateKey(namespace: string, index: Index | null, document: Buffer, key: Key): MongoError {
  const whole = wholeDocument(document);
  const paths = index ? index.fields.map((field) => field.path) : [parsePath('_id')];
  const row = index ? indexRows(index, whole, () => {}).get(key) : indexedRows(whole, paths)[0];
  const keyValue = new DocumentWriter();
  const shown = paths.map((path, i) => {
    const value = row?.[i];
    const decoded = value ? decodeValue(value) : null;
    keyValue.addValue(path.text, decoded);
    return `${path.text}: ${typeof decoded === 'string' ? JSON.stringify(decoded) : show(decoded)}`;
  });
  return new MongoError(
    'DuplicateKey',
    `E11000 duplicate key error collection: ${namespace} index: ${index?.name ?? '_id_'} dup key: { ${shown.join(', ')} }`,
    { keyPattern: index ? index.spec.key : { _id: 1 }, keyValue: decode(keyValue.finish()) },
  );
}

function show(value: unknown): string {
  return value instanceof ObjectId ? `ObjectId('${String(value)}')` : String(value);
}
