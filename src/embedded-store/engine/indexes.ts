// What an index is, and which entries a document has in it.
import type { Document } from 'bson';
import { MongoError } from '../errors.ts';
import type { Key } from '../storage/layer.ts';
import { complement, encodeKey, keys, limitKey, type StringFold } from './key-encoding.ts';
import { compileFilter, type Predicate } from './matcher.ts';
import { indexedValues, type Path, parsePath } from './paths.ts';
import { bsonType, DocumentWriter, decode, decodeValue, type RawValue } from './raw-bson.ts';

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
  const filter = spec.partialFilterExpression as Document | undefined;
  return {
    id,
    name: String(spec.name),
    spec,
    fields: pattern.map(([name, direction], i) => ({
      path: parsePath(name),
      reversed: Number(direction) < 0 !== first,
      multikey: multikey[i] ?? false,
    })),
    unique: Boolean(spec.unique),
    sparse: Boolean(spec.sparse),
    partial: filter ? { filter, predicate: compileFilter(filter) } : null,
    fold,
    ready,
  };
}

/** Four bytes in front of every key say which collection or index it belongs to. */
export function keyPrefix(id: number): Key {
  return String.fromCharCode((id >>> 24) & 255, (id >>> 16) & 255, (id >>> 8) & 255, id & 255);
}

export function idKeyOf(id: RawValue): Key {
  return limitKey(encodeKey(id));
}

export function wholeDocument(buffer: Buffer): RawValue {
  return { type: bsonType.object, buffer, start: 0, end: buffer.length };
}

/** The keys of the document in the index, without prefix and id; notes where arrays were. @throws MongoError 171 */
export function indexKeys(index: Index, document: RawValue, onMultikey: (field: number) => void): Key[] {
  if (index.partial && !index.partial.predicate(document)) return [];
  let all: Key[] = [''];
  let missing = true;
  let arrayRoot: string | undefined;
  index.fields.forEach((field, position) => {
    const found = indexedValues(document, field.path);
    if (!found.missing) missing = false;
    if (found.multikey) {
      const root = field.path.text.split('.')[0];
      if (arrayRoot !== undefined && arrayRoot !== root) {
        throw new MongoError('CannotIndexParallelArrays', `cannot index parallel arrays [${root}] [${arrayRoot}]`);
      }
      arrayRoot = root;
      if (!field.multikey) onMultikey(position);
    }
    const values = found.values.map((value) => {
      const key = value ? encodeKey(value, index.fold) : keys.null;
      return field.reversed ? complement(key) : key;
    });
    const distinct = values.length > 1 ? [...new Set(values)] : values;
    all =
      distinct.length === 1
        ? all.map((key) => key + distinct[0])
        : all.flatMap((key) => distinct.map((value) => key + value));
  });
  if (index.sparse && missing) return [];
  return all.map(limitKey);
}

/** What a duplicate key error shows. */
export function duplicateKey(namespace: string, index: Index | null, document: Buffer): MongoError {
  const paths = index ? index.fields.map((field) => field.path) : [parsePath('_id')];
  const keyValue = new DocumentWriter();
  const shown = paths.map((path) => {
    const value = indexedValues(wholeDocument(document), path).values[0];
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
  if (typeof value === 'object' && value !== null && '_bsontype' in value && value._bsontype === 'ObjectId')
    return `ObjectId('${String(value)}')`;
  return String(value);
}
