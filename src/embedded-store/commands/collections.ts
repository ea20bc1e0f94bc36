import type { Document } from 'bson';
import type { Collection } from '../engine/catalog.ts';
import { completeCollation } from '../engine/collation.ts';
import { keyPrefix } from '../engine/indexes.ts';
import { compileFilter } from '../engine/matcher.ts';
import { parsePipeline } from '../engine/pipeline.ts';
import { documentsSource } from '../engine/query.ts';
import { encode, wholeDocument } from '../engine/raw-bson.ts';
import { isView } from '../engine/views.ts';
import { MongoError } from '../errors.ts';
import { type CommandContext, type CommandTable, collectionName, type Fields, namespaceOf } from './command.ts';
import { firstBatch } from './cursor-reply.ts';
import { acknowledge } from './write-results.ts';
import { checkAdmin, parseNamespace } from './write-target.ts';

/** What `collMod` changes too. */
export const collectionOptions: Fields = {
  validator: 'object',
  validationLevel: 'string',
  validationAction: 'string',
  changeStreamPreAndPostImages: 'object',
};
export const viewOptions: Fields = { viewOn: 'string', pipeline: 'array' };
const keptOptions: Fields = { ...collectionOptions, ...viewOptions, collation: 'object', clusteredIndex: 'object' };

export const collectionCommands: CommandTable = {
  create: {
    fields: { idIndex: 'object', autoIndexId: 'flag', ...keptOptions },
    transactional: true,
    async run(context) {
      const name = collectionName(context);
      const { engine, database, command } = context;
      const options = createOptions(command);
      const existing = engine.collection(context.operation, `${database}.${name}`);
      if (existing && !encode(existing.options).equals(encode(options)))
        throw new MongoError(
          'NamespaceExists',
          `namespace ${existing.namespace} already exists, but with different options`,
        );
      engine.ensureCollection(context.operation, database, name, options);
      await engine.storage.flushed();
      return {};
    },
  },
  drop: {
    fields: {},
    async run(context) {
      const { engine } = context;
      const collection = engine.collection(context.operation, namespaceOf(context));
      if (!collection) return { ns: namespaceOf(context) };
      const nIndexesWas = collection.indexes.length + 1;
      await dropCollections(context, [collection]);
      return { nIndexesWas, ns: collection.namespace };
    },
  },
  dropDatabase: {
    fields: {},
    async run(context) {
      const collections = context.engine.collections(context.operation, context.database);
      await dropCollections(context, collections);
      return collections.length > 0 ? { dropped: context.database } : {};
    },
  },
  renameCollection: {
    fields: { to: 'string!', dropTarget: 'flag' },
    async run(context) {
      const { engine, command } = context;
      checkAdmin(context);
      await engine.transactions.whenUnlocked('');
      const from = engine.collection(context.operation, collectionName(context));
      const to: string = command.to;
      const { database, name } = parseNamespace(to);
      if (!from)
        throw new MongoError('NamespaceNotFound', `Source collection ${collectionName(context)} does not exist`);
      // Also one that an open transaction has created: only one can have the name.
      const existing = engine.catalog.get(to);
      if (isView(from)) throw new MongoError('CommandNotSupportedOnView', `cannot rename view: ${from.namespace}`);
      if (existing === from) throw new MongoError('IllegalOperation', "Can't rename a collection to itself");
      if (existing && !command.dropTarget) throw new MongoError('NamespaceExists', 'target namespace exists');
      engine.change((changes) => {
        if (existing) engine.catalog.drop(existing, changes);
        engine.catalog.rename(from, database, name, changes);
      });
      await acknowledge(context);
      return {};
    },
  },
  listCollections: {
    fields: { filter: 'object', nameOnly: 'flag', authorizedCollections: 'flag', cursor: { batchSize: 'count' } },
    run(context) {
      const { engine, database, command } = context;
      const predicate = compileFilter(command.filter ?? {});
      const documents = engine
        .collections(context.operation, database)
        .map((collection) =>
          encode(command.nameOnly ? { name: collection.name, type: typeOf(collection) } : describe(collection)),
        )
        .filter((document) => predicate(wholeDocument(document)));
      return firstBatch(context, `${database}.$cmd.listCollections`, documentsSource(documents));
    },
  },
  listDatabases: {
    fields: { filter: 'object', nameOnly: 'flag', authorizedDatabases: 'flag' },
    run({ engine, command, operation }) {
      const predicate = compileFilter(command.filter ?? {});
      const names = [...new Set(engine.collections(operation).map((collection) => collection.database))].sort();
      const databases = names
        .map((name) => (command.nameOnly ? { name } : { name, sizeOnDisk: 0, empty: false }))
        .filter((database) => predicate(wholeDocument(encode(database))));
      const totalSize = engine.storage.fileBytes;
      return command.nameOnly ? { databases } : { databases, totalSize, totalSizeMb: Math.round(totalSize / 2 ** 20) };
    },
  },
};

/** Those of the fields that the command has, in their order. */
export function givenOptions(command: Document, fields: Fields): Document {
  const given = Object.keys(fields).filter((name) => command[name] !== undefined);
  return Object.fromEntries(given.map((name) => [name, command[name]]));
}

/** The options that are kept with a collection. @throws MongoError for those that are not valid. */
function createOptions(command: Document): Document {
  const options = givenOptions(command, keptOptions);
  if (options.collation) options.collation = completeCollation(options.collation);
  const { viewOn, pipeline, collation, clusteredIndex } = options;
  if (viewOn !== undefined) return { viewOn, pipeline: parsePipeline(pipeline ?? []), collation };
  if (pipeline) throw new MongoError('InvalidOptions', "'pipeline' requires 'viewOn' to also be specified");
  // Documents lie in the order of their _id in every collection.
  if (clusteredIndex) options.clusteredIndex = { v: 2, ...clusteredIndex, name: clusteredIndex.name ?? '_id_' };
  return options;
}

function typeOf(collection: Collection): string {
  return isView(collection) ? 'view' : 'collection';
}

export function idIndexOf({ options: { clusteredIndex, collation } }: Collection): Document {
  return clusteredIndex
    ? { ...clusteredIndex, clustered: true }
    : { v: 2, key: { _id: 1 }, name: '_id_', ...(collation && { collation }) };
}

function describe(collection: Collection): Document {
  const { name, options, uuid } = collection;
  const type = typeOf(collection);
  if (type === 'view') return { name, type, options, info: { readOnly: true } };
  const idIndex = options.clusteredIndex ? undefined : idIndexOf(collection);
  return { name, type, options, info: { readOnly: false, uuid }, idIndex };
}

/** Waits for the transactions that write to them, as MongoDB's exclusive lock does. */
async function dropCollections(context: CommandContext, collections: readonly Collection[]): Promise<void> {
  const { engine } = context;
  for (const collection of collections) {
    await engine.transactions.whenUnlocked(keyPrefix(collection.id));
    if (collection.dropped) continue;
    engine.change((changes) => engine.catalog.drop(collection, changes));
    engine.cursors.closeAllOf(collection.namespace);
  }
  await acknowledge(context);
  engine.onGarbage();
}
