import type { Document } from 'bson';
import type { Collection } from '../engine/catalog.ts';
import { buildIndex, whenBuilt } from '../engine/index-builder.ts';
import { type Index, keyPrefix } from '../engine/indexes.ts';
import { isPlainObject } from '../engine/matcher.ts';
import { sameKey } from '../engine/planner.ts';
import { documentsSource } from '../engine/query.ts';
import { encode } from '../engine/raw-bson.ts';
import { MongoError } from '../errors.ts';
import { idIndexOf } from './collections.ts';
import { type CommandContext, type CommandTable, namespaceOf } from './command.ts';
import { firstBatch } from './cursor-reply.ts';
import { parseSpec } from './index-spec.ts';
import { acknowledge } from './write-results.ts';
import { ensureWritten, namespaceParts, writtenCollection } from './write-target.ts';

/** With the one on `_id`. */
const MAX_INDEXES = 64;

export const indexCommands: CommandTable = {
  createIndexes: {
    fields: { indexes: 'array!', commitQuorum: 'any' },
    transactional: true,
    async run(context) {
      const { engine, command } = context;
      const specs: unknown[] = command.indexes;
      if (specs.length === 0) throw new MongoError('BadValue', 'Must specify at least one index to create');
      const existing = engine.collection(context.operation, namespaceOf(context));
      const parsed = specs.map((spec) => parseSpec(spec, existing?.options.collation));
      const collection = ensureWritten(context, namespaceParts(context));
      const numIndexesBefore = collection.indexes.length + 1;
      for (const spec of parsed) {
        // What comes of the same one, which is being built already, is the answer here too.
        await whenBuilt(collection, String(spec.name));
        if (isPresent(collection, spec)) continue;
        const { transaction } = context.operation;
        if (transaction && (collection.creator !== transaction || engine.countDocuments(collection, context.operation)))
          throw new MongoError(
            'OperationNotSupportedInTransaction',
            'Cannot create new indexes on existing collection',
          );
        if (collection.indexes.length + 1 >= MAX_INDEXES)
          throw new MongoError('CannotCreateIndex', `add index fails, too many indexes for ${collection.namespace}`);
        await buildIndex(engine, collection, spec);
      }
      await engine.storage.flushed();
      const numIndexesAfter = collection.indexes.length + 1;
      return {
        numIndexesBefore,
        numIndexesAfter,
        createdCollectionAutomatically: !existing,
        ...(numIndexesAfter === numIndexesBefore && { note: 'all indexes already exist' }),
      };
    },
  },
  listIndexes: {
    fields: { cursor: { batchSize: 'count' }, includeBuildUUIDs: 'flag', includeIndexBuildInfo: 'flag' },
    run(context) {
      const collection = existing(context);
      const documents = [
        idIndexOf(collection),
        ...collection.indexes.filter((index) => index.ready).map((index) => index.spec),
      ];
      return firstBatch(context, collection.namespace, documentsSource(documents.map(encode)));
    },
  },
  dropIndexes: {
    fields: { index: 'any!' },
    async run(context) {
      const { engine, command } = context;
      const collection = existing(context);
      const nIndexesWas = collection.indexes.length + 1;
      // A transaction that has entries in them would write these when they are gone.
      await engine.transactions.whenUnlocked(keyPrefix(collection.id));
      for (const index of chosen(collection, command.index))
        engine.change((changes) => engine.catalog.removeIndex(collection, index, changes));
      await acknowledge(context);
      engine.onGarbage();
      return { nIndexesWas };
    },
  },
};

function existing(context: CommandContext): Collection {
  const collection = writtenCollection(context, namespaceParts(context));
  if (!collection) throw new MongoError('NamespaceNotFound', `ns does not exist: ${namespaceOf(context)}`);
  return collection;
}

function chosen(collection: Collection, wanted: unknown): Index[] {
  if (typeof wanted !== 'string' && !Array.isArray(wanted) && !isPlainObject(wanted))
    throw new MongoError('TypeMismatch', "BSON field 'dropIndexes.index' must be a string, an object or an array");
  if (wanted === '*') return [...collection.indexes];
  return (Array.isArray(wanted) ? wanted : [wanted]).map((one: unknown) => {
    if (one === '_id_' || (isPlainObject(one) && sameKey(one, { _id: 1 })))
      throw new MongoError('InvalidOptions', 'cannot drop _id index');
    return findIndex(collection, one);
  });
}

/** The index of this name or key. @throws MongoError IndexNotFound */
export function findIndex(collection: Collection, wanted: unknown): Index {
  const index = collection.indexes.find((other) =>
    isPlainObject(wanted) ? sameKey(wanted, other.spec.key as Document) : other.name === wanted,
  );
  if (index) return index;
  throw new MongoError(
    'IndexNotFound',
    isPlainObject(wanted)
      ? `can't find index with key: ${JSON.stringify(wanted)}`
      : `index not found with name [${String(wanted)}]`,
  );
}

/** The options in which an index is another one. */
const identity = [
  ...['unique', 'sparse', 'expireAfterSeconds', 'partialFilterExpression', 'collation'],
  ...['weights', 'default_language', 'language_override'],
];

/** @throws MongoError when another index has the name or the key, or is the text index already. */
function isPresent(collection: Collection, spec: Document): boolean {
  const key = spec.key as Document;
  if (sameKey(key, { _id: 1 })) return true;
  for (const index of collection.indexes) {
    const alike = sameKey(index.spec.key as Document, key);
    const sameOptions = identity.every((option) =>
      encode({ v: plainOption(index.spec[option]) }).equals(encode({ v: plainOption(spec[option]) })),
    );
    if (index.name === spec.name) {
      if (alike && sameOptions) return true;
      const both = `Requested index: ${JSON.stringify(spec)}, existing index: ${JSON.stringify(index.spec)}`;
      throw alike
        ? new MongoError(
            'IndexOptionsConflict',
            `An equivalent index already exists with the same name but different options. ${both}`,
          )
        : new MongoError(
            'IndexKeySpecsConflict',
            `An existing index has the same name as the requested index. ${both}`,
          );
    }
    if (alike && sameOptions)
      throw new MongoError('IndexOptionsConflict', `Index already exists with a different name: ${index.name}`);
    const covers = ['partialFilterExpression', 'collation'].every((option) =>
      encode({ v: index.spec[option] }).equals(encode({ v: spec[option] })),
    );
    if (alike && (index.text || covers)) {
      throw new MongoError('IndexOptionsConflict', `Index already exists with different options: ${index.name}`);
    }
  }
  return false;
}

function plainOption(value: unknown): unknown {
  return typeof value === 'object' && value !== null && !isPlainObject(value)
    ? Number(value)
    : value === false
      ? undefined
      : value;
}
