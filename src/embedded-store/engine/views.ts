// A view is a collection without documents: its options hold a pipeline on another collection.
import type { Document } from 'bson';
import { MongoError } from '../errors.ts';
import type { Collection } from './catalog.ts';
import type { Engine, Operation } from './engine.ts';

const MAX_DEPTH = 20;

export function isView(collection: Collection): boolean {
  return collection.options.viewOn !== undefined;
}

/** The collection that a write goes to, if it exists. @throws MongoError 166 for a view */
export function writableCollection(engine: Engine, operation: Operation, namespace: string): Collection | undefined {
  const collection = engine.collection(operation, namespace);
  if (collection && isView(collection))
    throw new MongoError('CommandNotSupportedOnView', `Namespace ${namespace} is a view, not a collection`);
  return collection;
}

/** The same pipeline on the collection that lies under the view, if it is one. @throws MongoError 165 */
export function throughViews(
  engine: Engine,
  operation: Operation,
  namespace: string,
  stages: Document[],
): { namespace: string; stages: Document[] } {
  let under = { namespace, stages };
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const collection = engine.collection(operation, under.namespace);
    if (!collection || !isView(collection)) return under;
    const { viewOn, pipeline } = collection.options;
    under = { namespace: `${collection.database}.${viewOn}`, stages: [...pipeline, ...under.stages] };
  }
  throw new MongoError('ViewDepthLimitExceeded', `View depth exceeded the maximum of ${MAX_DEPTH}: ${namespace}`);
}
