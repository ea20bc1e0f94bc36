// Builds an index on the documents that are there. Writers maintain it from the first moment; readers use it when it is
// complete. A build that fails, or is cut off by a crash, leaves nothing.
import type { Document } from 'bson';
import { type Collection, checkPresent } from './catalog.ts';
import { documentKey, newEntries } from './collection-writer.ts';
import { type Engine, nextTurn, type Operation } from './engine.ts';
import { type Index, keyPrefix } from './indexes.ts';
import { scanAll } from './planner.ts';
import { Scan } from './scan.ts';

const STEP_DOCUMENTS = 500;

/** @throws MongoError DuplicateKey when a unique index cannot hold what is stored. */
export async function buildIndex(engine: Engine, collection: Collection, spec: Document): Promise<void> {
  const operation: Operation = { transaction: null, deadline: Number.POSITIVE_INFINITY };
  // A transaction that wrote before the index existed has no entries for it.
  await engine.transactions.whenUnlocked(keyPrefix(collection.id));
  const empty = engine.countDocuments(collection, operation) === 0;
  const index = engine.change((changes) => engine.catalog.addIndex(collection, spec, empty, changes));
  if (empty) return;
  const build = fill(engine, operation, collection, index);
  builds.set(index, build);
  await build;
}

/** Resolves when nobody is building an index of this name. @throws MongoError why it could not be built */
export async function whenBuilt({ indexes }: Collection, name: string): Promise<void> {
  const index = indexes.find((other) => other.name === name && !other.ready);
  if (index) await builds.get(index);
}

const builds = new WeakMap<Index, Promise<void>>();

async function fill(engine: Engine, operation: Operation, collection: Collection, index: Index): Promise<void> {
  try {
    await addEntries(engine, operation, collection, index);
    engine.change((changes) => engine.catalog.finishIndex(collection, index, changes));
  } catch (error) {
    await engine.transactions.whenUnlocked(keyPrefix(collection.id));
    engine.change((changes) => engine.catalog.removeIndex(collection, index, changes));
    throw error;
  }
}

async function addEntries(engine: Engine, operation: Operation, collection: Collection, index: Index): Promise<void> {
  const scan = new Scan(collection, scanAll(collection, true), null);
  while (!scan.done) {
    const found = scan.step(engine.view(operation), STEP_DOCUMENTS);
    await engine.statement(operation, (target) => {
      checkPresent(collection, index);
      for (const { idKey } of found) {
        // Read anew: it may have changed while the statement waited for a transaction.
        const document = target.view.get(documentKey(collection, idKey));
        if (!document) continue;
        for (const [key, value] of newEntries(target, collection, index, document, idKey))
          target.changes.set(key, value);
      }
    });
    await engine.storage.flushed();
    await nextTurn();
  }
}
