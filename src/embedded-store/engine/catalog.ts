// Collections and indexes: kept in memory, written through to the store under prefix 0.
import { type Document, UUID } from 'bson';
import { MongoError } from '../errors.ts';
import { type Key, Layer, type View } from '../storage/layer.ts';
import { collationFold } from './collation.ts';
import { type Index, keyPrefix, makeIndex } from './indexes.ts';
import type { StringFold } from './key-encoding.ts';
import { compileFilter, type Predicate } from './matcher.ts';
import { decode, encode } from './raw-bson.ts';

export interface Collection {
  id: number;
  database: string;
  name: string;
  namespace: string;
  options: Document;
  /** The default collation, also that of `_id`. */
  fold: StringFold | undefined;
  uuid: UUID;
  indexes: Index[];
  /** What a document must match to be stored. */
  validator: Predicate | null;
  /** When the newest of its indexes became ready; transactions that began before do not see what is in it. */
  indexedAt: number;
  /** Known after the first count. */
  count: number | null;
  dropped: boolean;
  /** The open transaction that created it: nobody else sees it. */
  creator: object | null;
}

const MOVED_KEPT_MS = 120_000;
const CATALOG = keyPrefix(0);
const collectionKey = (namespace: string): Key => `${CATALOG}c${Buffer.from(namespace).toString('latin1')}`;
const garbageKey = (id: number): Key => `${CATALOG}g${keyPrefix(id)}`;

export class Catalog {
  #collections = new Map<string, Collection>();
  #garbage = new Set<number>();
  /** When a name last lost its collection, or got another one's. */
  readonly #moved = new Map<string, number>();
  #nextId = 1;

  /** Reads everything anew. Indexes whose build was cut off become garbage. */
  load(view: View): Layer {
    const repairs = new Layer();
    this.#collections.clear();
    this.#garbage.clear();
    for (const [key, value] of view.range({ start: `${CATALOG}c`, end: `${CATALOG}h` })) {
      if (key.charAt(4) === 'g') this.#addGarbage(key.slice(5));
      else this.#loadCollection(decode(value), repairs);
    }
    return repairs;
  }

  get(namespace: string): Collection | undefined {
    return this.#collections.get(namespace);
  }

  /** Whether the name stands for something else than at that time. */
  hasMoved(namespace: string, since: number): boolean {
    return (this.#moved.get(namespace) ?? Number.NEGATIVE_INFINITY) >= since;
  }

  list(database?: string): Collection[] {
    return [...this.#collections.values()].filter(
      (collection) => database === undefined || collection.database === database,
    );
  }

  create(database: string, name: string, options: Document, changes: Layer): Collection {
    checkNames(database, name);
    const collection = makeCollection(this.#takeId(), database, name, options, new UUID(), 0);
    this.#collections.set(collection.namespace, collection);
    this.save(collection, changes);
    return collection;
  }

  save(collection: Collection, changes: Layer): void {
    if (collection.dropped) return;
    const { id, database, name, options, uuid, indexes } = collection;
    changes.set(
      collectionKey(collection.namespace),
      encode({
        id,
        database,
        name,
        options,
        uuid,
        indexes: indexes.map((index) => ({
          id: index.id,
          spec: index.spec,
          multikey: index.fields.map((field) => field.multikey),
          ready: index.ready,
        })),
      }),
    );
  }

  /** Changes some options of the collection. @throws MongoError for a validator that is not valid. */
  modify(collection: Collection, options: Document, changes: Layer): void {
    const merged = { ...collection.options, ...options };
    collection.validator = validatorOf(merged);
    collection.options = merged;
    this.save(collection, changes);
  }

  drop(collection: Collection, changes: Layer): void {
    collection.dropped = true;
    this.#collections.delete(collection.namespace);
    this.#noteMoved(collection.namespace);
    changes.set(collectionKey(collection.namespace), null);
    for (const id of [collection.id, ...collection.indexes.map((index) => index.id)]) this.#discard(id, changes);
  }

  rename(collection: Collection, database: string, name: string, changes: Layer): void {
    checkNames(database, name);
    this.#collections.delete(collection.namespace);
    changes.set(collectionKey(collection.namespace), null);
    this.#noteMoved(collection.namespace);
    Object.assign(collection, { database, name, namespace: `${database}.${name}` });
    this.#noteMoved(collection.namespace);
    this.#collections.set(collection.namespace, collection);
    this.save(collection, changes);
  }

  addIndex(collection: Collection, spec: Document, ready: boolean, changes: Layer): Index {
    const index = makeIndex(this.#takeId(), spec, [], ready, collationFold(spec.collation as Document | undefined));
    collection.indexes.push(index);
    if (ready) this.finishIndex(collection, index, changes);
    else this.save(collection, changes);
    return index;
  }

  finishIndex(collection: Collection, index: Index, changes: Layer): void {
    index.ready = true;
    collection.indexedAt = performance.now();
    this.save(collection, changes);
  }

  removeIndex(collection: Collection, index: Index, changes: Layer): void {
    collection.indexes = collection.indexes.filter((other) => other !== index);
    this.#discard(index.id, changes);
    this.save(collection, changes);
  }

  /** Prefixes whose keys are to be removed. */
  garbage(): number[] {
    return [...this.#garbage];
  }

  collected(id: number, changes: Layer): void {
    this.#garbage.delete(id);
    changes.set(garbageKey(id), null);
  }

  #noteMoved(namespace: string): void {
    const now = performance.now();
    this.#moved.delete(namespace);
    this.#moved.set(namespace, now);
    // No transaction is as old as that.
    for (const [name, at] of this.#moved) {
      if (at > now - MOVED_KEPT_MS) break;
      this.#moved.delete(name);
    }
  }

  #discard(id: number, changes: Layer): void {
    this.#garbage.add(id);
    changes.set(garbageKey(id), Buffer.from([1]));
  }

  #addGarbage(prefix: Key): void {
    const id = Buffer.from(prefix, 'latin1').readUInt32BE();
    this.#garbage.add(id);
    this.#nextId = Math.max(this.#nextId, id + 1);
  }

  #loadCollection(stored: Document, repairs: Layer): void {
    const { id, database, name, options, uuid } = stored;
    const collection = makeCollection(Number(id), database, name, options, new UUID(uuid.buffer), null);
    this.#collections.set(collection.namespace, collection);
    this.#nextId = Math.max(this.#nextId, collection.id + 1);
    for (const { id, spec, multikey, ready } of stored.indexes as Document[]) {
      this.#nextId = Math.max(this.#nextId, Number(id) + 1);
      if (ready) collection.indexes.push(makeIndex(Number(id), spec, multikey, true, collationFold(spec.collation)));
      else this.#discard(Number(id), repairs);
    }
    if (collection.indexes.length !== stored.indexes.length) this.save(collection, repairs);
  }

  #takeId(): number {
    return this.#nextId++;
  }
}

/** @throws MongoError QueryPlanKilled when the collection, or the index, has been dropped */
export function checkPresent(collection: Collection, index?: Index | null): void {
  if (collection.dropped || (index && !collection.indexes.includes(index)))
    throw new MongoError('QueryPlanKilled', `collection or index dropped. ns: ${collection.namespace}`);
}

function makeCollection(
  id: number,
  database: string,
  name: string,
  options: Document,
  uuid: UUID,
  count: number | null,
): Collection {
  return {
    id,
    database,
    name,
    namespace: `${database}.${name}`,
    options,
    fold: collationFold(options.collation),
    uuid,
    indexes: [],
    indexedAt: 0,
    validator: validatorOf(options),
    count,
    dropped: false,
    creator: null,
  };
}

function validatorOf({ validator, validationLevel, validationAction, collation }: Document): Predicate | null {
  const filter = compileFilter(validator ?? {}, { fold: collationFold(collation) });
  const isActive = validator && validationLevel !== 'off' && validationAction !== 'warn';
  return isActive ? filter : null;
}

export function isCollectionName(name: string): boolean {
  return /^[^.$\0][^$\0]*$/.test(name);
}

const MAX_NAMESPACE_BYTES = 255;

function checkNames(database: string, name: string): void {
  if (!/^[^/\\. "$*<>:|?\0]{1,63}$/.test(database))
    throw new MongoError('InvalidNamespace', `Invalid database name: '${database}'`);
  const isValid = isCollectionName(name) && Buffer.byteLength(`${database}.${name}`) <= MAX_NAMESPACE_BYTES;
  if (!isValid || (name.startsWith('system.') && name !== 'system.js'))
    throw new MongoError('InvalidNamespace', `Invalid namespace specified '${database}.${name}'`);
}
