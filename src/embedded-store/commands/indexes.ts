import type { Document } from 'bson';
import type { Collection } from '../engine/catalog.ts';
import { completeCollation } from '../engine/collation.ts';
import { buildIndex } from '../engine/index-builder.ts';
import type { Index } from '../engine/indexes.ts';
import { compileFilter, isPlainObject } from '../engine/matcher.ts';
import { sameKey } from '../engine/planner.ts';
import { encode } from '../engine/raw-bson.ts';
import { completeTextSpec } from '../engine/text-index.ts';
import { MongoError } from '../errors.ts';
import { idIndexOf, listReply } from './collections.ts';
import { type CommandContext, type CommandTable, namespaceOf } from './command.ts';
import { acknowledge } from './write-results.ts';
import { ensureWritten, namespaceParts, writtenCollection } from './write-target.ts';

const specFields = new Set([
  'v',
  'key',
  'name',
  'unique',
  'sparse',
  'partialFilterExpression',
  'expireAfterSeconds',
  'background',
  'collation',
  'ns',
  'hidden',
  'weights',
  'default_language',
  'language_override',
  'textIndexVersion',
]);

export const indexCommands: CommandTable = {
  createIndexes: {
    fields: ['indexes', 'commitQuorum'],
    transactional: true,
    async run(context) {
      const { engine, command } = context;
      const specs: unknown = command.indexes;
      if (!Array.isArray(specs) || specs.length === 0)
        throw new MongoError('BadValue', 'Must specify at least one index to create');
      const existing = engine.collection(context.operation, namespaceOf(context));
      const parsed = specs.map((spec: unknown) => parseSpec(spec, existing?.options.collation));
      const collection = ensureWritten(context, namespaceParts(context));
      const numIndexesBefore = collection.indexes.length + 1;
      for (const spec of parsed) {
        if (isPresent(collection, spec)) continue;
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
    fields: ['cursor', 'includeBuildUUIDs', 'includeIndexBuildInfo'],
    run(context) {
      const collection = existing(context);
      const documents = [
        idIndexOf(collection),
        ...collection.indexes.filter((index) => index.ready).map((index) => index.spec),
      ];
      return listReply(context, documents.map(encode), collection.namespace);
    },
  },
  dropIndexes: {
    fields: ['index'],
    async run(context) {
      const { engine, command } = context;
      const collection = existing(context);
      const nIndexesWas = collection.indexes.length + 1;
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

/** @throws MongoError for what MongoDB refuses, and for kinds of index that this store does not have. */
function parseSpec(spec: unknown, inherited: Document | undefined): Document {
  if (!isPlainObject(spec) || !isPlainObject(spec.key))
    throw new MongoError('FailedToParse', "The 'key' field is a required property of an index specification");
  for (const field of Object.keys(spec)) {
    if (!specFields.has(field))
      throw new MongoError(
        'InvalidIndexSpecificationOption',
        `The field '${field}' is not valid for an index specification. Specification: ${JSON.stringify(spec)}`,
      );
  }
  const pattern = Object.entries(spec.key);
  if (pattern.length === 0) throw new MongoError('CannotCreateIndex', 'Index keys cannot be an empty object');
  for (const [path, direction] of pattern) {
    if (direction === 'text') continue;
    if (typeof direction === 'string')
      throw new MongoError('CannotCreateIndex', `index type '${direction}' is not supported`);
    if (!Number(direction)) throw new MongoError('CannotCreateIndex', 'Values in v:2 index key pattern cannot be 0.');
    if (path === '' || path.split('.').some((part) => part === '' || part.startsWith('$')))
      throw new MongoError('CannotCreateIndex', `Index key contains an illegal field name: '${path}'`);
  }
  if (typeof spec.name !== 'string' || spec.name === '')
    throw new MongoError('FailedToParse', "The 'name' field is a required property of an index specification");
  const { partialFilterExpression, sparse, expireAfterSeconds } = spec;
  if (partialFilterExpression !== undefined) {
    if (sparse) throw new MongoError('CannotCreateIndex', 'cannot mix "partialFilterExpression" and "sparse" options');
    if (!isPlainObject(partialFilterExpression))
      throw new MongoError('TypeMismatch', "The field 'partialFilterExpression' must be an object");
    compileFilter(partialFilterExpression);
  }
  const collation = isPlainObject(spec.collation) ? completeCollation(spec.collation) : inherited;
  if (expireAfterSeconds !== undefined) {
    const seconds = Number(expireAfterSeconds);
    if (pattern.length !== 1)
      throw new MongoError(
        'CannotCreateIndex',
        'TTL indexes are single-field indexes, compound indexes do not support TTL.',
      );
    if (!(seconds >= 0 && seconds <= 2 ** 31 - 1))
      throw new MongoError(
        'CannotCreateIndex',
        "TTL index 'expireAfterSeconds' option must be within an acceptable range",
      );
  }
  const { background: _, ns: __, v: ___, collation: ____, ...rest } = spec;
  const complete = { v: 2, ...rest, ...(collation && { collation }) };
  return pattern.some(([, kind]) => kind === 'text') ? completeTextSpec(complete) : complete;
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
      throw alike
        ? new MongoError(
            'IndexOptionsConflict',
            `An equivalent index already exists with the same name but different options. Requested index: ${JSON.stringify(spec)}, existing index: ${JSON.stringify(index.spec)}`,
          )
        : new MongoError(
            'IndexKeySpecsConflict',
            `An existing index has the same name as the requested index. When index names are not specified, they are auto generated and can cause conflicts. Please refer to our documentation. Requested index: ${JSON.stringify(spec)}, existing index: ${JSON.stringify(index.spec)}`,
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
