// `collStats` and `dbStats`: counts, and sizes by reading everything, for people who look after a store.
import type { Document } from 'bson';
import type { Collection } from '../engine/catalog.ts';
import { checkDeadline, nextTurn } from '../engine/engine.ts';
import { keyPrefix } from '../engine/indexes.ts';
import { isView } from '../engine/views.ts';
import { MongoError } from '../errors.ts';
import { afterPrefix } from '../storage/layer.ts';
import { type CommandContext, type CommandTable, integer, namespaceOf } from './command.ts';

const STEP_ENTRIES = 5_000;

export const statisticsCommands: CommandTable = {
  collStats: {
    fields: { scale: 'number' },
    async run(context) {
      const collection = context.engine.collection(context.operation, namespaceOf(context));
      const { count, size, indexSizes } = collection ? await measure(context, collection) : nothing;
      const { scaled, scaleFactor } = scaleOf(context);
      return {
        ns: namespaceOf(context),
        count,
        size: scaled(size),
        ...(count > 0 && { avgObjSize: Math.floor(size / count) }),
        storageSize: scaled(size),
        totalIndexSize: scaled(sum(Object.values(indexSizes))),
        indexSizes: Object.fromEntries(Object.entries(indexSizes).map(([name, bytes]) => [name, scaled(bytes)])),
        nindexes: Object.keys(indexSizes).length,
        capped: false,
        scaleFactor,
      };
    },
  },
  dbStats: {
    fields: { scale: 'number', freeStorage: 'number' },
    async run(context) {
      const { engine, database, operation } = context;
      const all = engine.collections(operation, database);
      const collections = all.filter((collection) => !isView(collection));
      const found: Measured[] = [];
      for (const collection of collections) found.push(await measure(context, collection));
      const { scaled, scaleFactor } = scaleOf(context);
      const objects = sum(found.map(({ count }) => count));
      const dataSize = sum(found.map(({ size }) => size));
      const indexSizes = found.flatMap((one) => Object.values(one.indexSizes));
      return {
        db: database,
        collections: collections.length,
        views: all.length - collections.length,
        objects,
        avgObjSize: objects > 0 ? dataSize / objects : 0,
        dataSize: scaled(dataSize),
        storageSize: scaled(dataSize),
        indexes: indexSizes.length,
        indexSize: scaled(sum(indexSizes)),
        totalSize: scaled(dataSize + sum(indexSizes)),
        scaleFactor,
      };
    },
  },
};

interface Measured {
  count: number;
  /** In bytes. */
  size: number;
  indexSizes: Record<string, number>;
}

const nothing: Measured = { count: 0, size: 0, indexSizes: {} };

/** The keys of the documents are their index on `_id`. */
async function measure(context: CommandContext, { id, indexes }: Collection): Promise<Measured> {
  const documents = await bytesUnder(context, id);
  const indexSizes: Record<string, number> = { _id_: documents.keys };
  for (const index of indexes) {
    const { keys, values } = await bytesUnder(context, index.id);
    indexSizes[index.name] = keys + values;
  }
  return { count: documents.count, size: documents.values, indexSizes };
}

async function bytesUnder({ engine, operation }: CommandContext, id: number) {
  const found = { count: 0, keys: 0, values: 0 };
  let start = keyPrefix(id);
  const end = afterPrefix(start);
  for (let isMore = true; isMore; ) {
    checkDeadline(operation);
    isMore = false;
    const last = found.count + STEP_ENTRIES;
    for (const [key, value] of engine.storage.current().range({ start, end })) {
      if (found.count === last) {
        start = key;
        isMore = true;
        break;
      }
      found.count++;
      found.keys += key.length;
      found.values += value.length;
    }
    if (isMore) await nextTurn();
  }
  return found;
}

function scaleOf({ command }: { command: Document }) {
  const scaleFactor = integer(command.scale, 1);
  if (scaleFactor < 1)
    throw new MongoError('Location51024', `BSON field 'scale' value must be >= 1, actual value '${scaleFactor}'`);
  return { scaleFactor, scaled: (bytes: number) => Math.floor(bytes / scaleFactor) };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
