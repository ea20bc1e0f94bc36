/**
 * What a transaction writes and does not wait for. It is sent together at the end: as one command to servers that take
 * one for several collections (MongoDB 8), as a command for each step to others.
 */
import mongoose, { type ClientSession, type Model, mongo, Types } from 'mongoose';

/** MongoDB 8.0's. */
const WIRE_VERSION_OF_BULK_WRITE = 25;

/** Any model. */
interface Stored {
  readonly collection: { readonly collectionName: string };
}

type Fields<M> = M extends Model<infer T, infer _Q, infer _I, infer _V, infer _H, infer _S> ? T : never;

export interface Update<T> {
  filter: mongo.Filter<T>;
  update: mongo.UpdateFilter<T>;
}

/** One collection's. */
interface Step {
  collection: string;
  inserts: readonly object[];
  updates: readonly Update<mongo.BSON.Document>[];
  /** Why one of the updates has found nothing. */
  refusal: (() => unknown) | undefined;
}

interface BulkWriteReply {
  cursor: { firstBatch: ({ n: number; ok: 1 } | { ok: 0; code: number; errmsg: string })[] };
}

export class Writes {
  readonly session: ClientSession;
  #steps: Step[] = [];

  constructor(session: ClientSession) {
    this.session = session;
  }

  /** @param documents as they are to be stored: nothing is cast, checked or filled in but a missing `_id` */
  insert<M extends Stored>(model: M, documents: readonly (Fields<M> & object)[]): void {
    if (documents.length === 0) return;
    const inserts = documents.map((document) => ({ _id: new Types.ObjectId(), ...document }));
    this.#steps.push({ collection: model.collection.collectionName, inserts, updates: [], refusal: undefined });
  }

  /**
   * Updates one document for each filter. Nothing is cast, and timestamps are the caller's.
   * @param refusal what `send` rejects with when one of them finds nothing; without it that is no fault
   */
  update<M extends Stored>(model: M, updates: readonly Update<Fields<M>>[], refusal?: () => unknown): void {
    if (updates.length === 0) return;
    const collection = model.collection.collectionName;
    this.#steps.push({ collection, inserts: [], updates: updates as unknown as Step['updates'], refusal });
  }

  /** Writes in the order of the calls. @throws a refusal, or MongoServerError; the transaction must not commit then */
  async send(): Promise<void> {
    const steps = this.#steps;
    this.#steps = [];
    if (steps.length === 0) return;
    const isOneCommand = steps.length > 1 && (await takesBulkWrite());
    const found = await (isOneCommand ? sendTogether(steps, this.session) : sendEach(steps, this.session));
    for (const [i, { updates, refusal }] of steps.entries())
      if (refusal && found[i] !== updates.length) throw await refusal();
  }
}

const known = new WeakMap<mongo.MongoClient, Promise<boolean>>();

/** Is the server one with `bulkWrite`? Asked once for each client. */
function takesBulkWrite(): Promise<boolean> {
  const client = mongoose.connection.getClient();
  const before = known.get(client);
  if (before) return before;
  const asked = client
    .db('admin')
    .command({ hello: 1 })
    .then(({ maxWireVersion }) => maxWireVersion >= WIRE_VERSION_OF_BULK_WRITE);
  known.set(client, asked);
  asked.catch(() => known.delete(client));
  return asked;
}

/**
 * Not the driver's own `bulkWrite`: that wraps a write conflict in an error without its label, and the transaction
 * would not run again.
 * @returns how many documents each step's updates have found
 */
async function sendTogether(steps: readonly Step[], session: ClientSession): Promise<number[]> {
  const client = mongoose.connection.getClient();
  const collections = [...new Set(steps.map(({ collection }) => collection))];
  const ops = steps.flatMap(({ collection, inserts, updates }) => {
    const at = collections.indexOf(collection);
    return [
      ...inserts.map((document) => ({ insert: at, document })),
      ...updates.map(({ filter, update }) => ({ update: at, filter, updateMods: update })),
    ];
  });
  const nsInfo = collections.map((collection) => ({ ns: `${mongoose.connection.name}.${collection}` }));
  const reply = await client
    .db('admin')
    .command({ bulkWrite: 1, ops, nsInfo, ordered: true, cursor: { batchSize: ops.length } }, options(session));
  const results = [...(reply as BulkWriteReply).cursor.firstBatch];
  for (const result of results) if (result.ok === 0) throw new mongo.MongoServerError({ ...result });
  return steps.map(({ inserts, updates }) =>
    results.splice(0, inserts.length + updates.length).reduce((sum, one) => sum + (one.ok ? one.n : 0), 0),
  );
}

async function sendEach(steps: readonly Step[], session: ClientSession): Promise<number[]> {
  const found: number[] = [];
  for (const { collection, inserts, updates } of steps) {
    const { matchedCount } = await mongoose.connection
      .collection(collection)
      .bulkWrite(
        [...inserts.map((document) => ({ insertOne: { document } })), ...updates.map((updateOne) => ({ updateOne }))],
        options(session),
      );
    found.push(matchedCount);
  }
  return found;
}

const options = (session: ClientSession) => ({ session, ignoreUndefined: true });
