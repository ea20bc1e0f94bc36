// Commands as no driver sends them, and what only MongoDB's way with sessions and cursors forbids; DocumentDB has its own.
import { beforeEach, describe, expect, it } from '@jest/globals';
import { Binary, BSON, type ClientSession, type Collection, type Document, Long, UUID } from 'mongodb';
import { message, replyTo, sequence } from './raw-messages.ts';
import { type StoreProcess, startStore } from './store-process.ts';
import { freshName, storeUri, useDatabase } from './test-database.ts';

type Row = Document & { _id?: number | string };

const database = useDatabase();
let rows: Collection<Row>;
let name: string;

beforeEach(() => {
  name = freshName();
  rows = database.db.collection(name);
});

const run = (command: Document, uri = storeUri()): Promise<Document> =>
  replyTo(uri, message({ ...command, $db: command.$db ?? database.db.databaseName }));

const inTransaction = async (work: (session: ClientSession) => Promise<void>): Promise<void> =>
  database.client.withSession(async (session) => {
    session.startTransaction();
    await work(session);
    if (session.inTransaction()) await session.abortTransaction();
  });

describe('fields of commands: numbers for booleans', () => {
  it('a zero is no', async () => {
    await rows.insertMany([{ _id: 1, n: 1 }]);
    const modify = { findAndModify: name, query: { _id: 1 } };
    expect(await run({ ...modify, remove: 0, update: { $inc: { n: 1 } }, new: 0 })).toMatchObject({ value: { n: 1 } });
    expect(await run({ ...modify, query: { _id: 2 }, update: {}, upsert: 0 })).toMatchObject({ value: null });
    expect(await run({ ...modify, query: { _id: 2 }, update: {}, upsert: 1, new: 1 })).toMatchObject({
      value: { _id: 2 },
    });
    expect(await rows.find().toArray()).toEqual([{ _id: 1, n: 2 }, { _id: 2 }]);
  });

  it('a zero neither drops the target of a rename nor makes an index unique', async () => {
    const to = freshName();
    await database.db.collection<Row>(to).insertOne({ _id: 'kept' });
    await rows.insertOne({ _id: 1 });
    const full = (collection: string): string => `${database.db.databaseName}.${collection}`;
    const rename = { renameCollection: full(name), to: full(to), dropTarget: 0, $db: 'admin' };
    expect(await run(rename)).toMatchObject({ code: 48 });
    expect(await database.db.collection(to).countDocuments()).toBe(1);
    await run({ createIndexes: name, indexes: [{ key: { a: 1 }, name: 'a', unique: 0, sparse: 1 }] });
    await rows.insertMany([{ a: 1 }, { a: 1 }]);
    expect(await rows.indexes()).toMatchObject([{}, { unique: false, sparse: true }]);
  });
});

describe('insert: ids', () => {
  it('are not two', async () => {
    const [one, two] = [BSON.serialize({ _id: 1 }), BSON.serialize({ a: 1, _id: 2 })];
    const document = Buffer.concat([one.subarray(0, -1), two.subarray(4)]);
    document.writeInt32LE(document.length, 0);
    const insert = { insert: name, $db: database.db.databaseName };
    const reply = await replyTo(storeUri(), message(insert, { sections: sequence('documents', [document]) }));
    expect(reply).toMatchObject({ n: 0, writeErrors: [{ code: 2 }] });
    expect(await rows.countDocuments()).toBe(0);
  });
});

describe('what is not known is refused: document sequences', () => {
  it('that the command does not have, or has in its body too', async () => {
    const one = [BSON.serialize({ _id: 2 })];
    const [insert, $db] = [{ insert: name }, database.db.databaseName];
    const unknown = Buffer.concat([sequence('documents', one), sequence('others', one)]);
    expect(await replyTo(storeUri(), message({ ...insert, $db }, { sections: unknown }))).toMatchObject({
      code: 40415,
    });
    const twice = message({ ...insert, documents: [{ _id: 1 }], $db }, { sections: sequence('documents', one) });
    expect(await replyTo(storeUri(), twice)).toMatchObject({ code: 40433 });
    expect(await rows.countDocuments()).toBe(0);
  });
});

describe('limits: replies', () => {
  it('say of many errors what they are, as far as there is room', async () => {
    const documents = Array.from({ length: 15_000 }, (_, i) => ({ _id: `${i}`.padEnd(200, 'x') }));
    await rows.insertMany(documents);
    const failure = await rows.insertMany(documents, { ordered: false }).catch((error) => error);
    expect(failure).toMatchObject({ code: 11000 });
    expect(failure.writeErrors).toHaveLength(15_000);
    expect(failure.writeErrors[0].errmsg).toMatch(/dup key/);
    expect(failure.writeErrors[14_999].errmsg).toBe('');
  });

  it('distinct values are at most 16 MB', async () => {
    for (let i = 0; i < 18; i++) await rows.insertOne({ v: `${i}`.padEnd(1_000_000, 'x') });
    await expect(rows.distinct('v')).rejects.toMatchObject({ code: 17217 });
    expect(await rows.distinct('v', { v: /^1x/ })).toHaveLength(1);
  });

  it('the values of upserts may be more than 17 MB together', async () => {
    const updates = Array.from({ length: 18 }, (_, i) => ({
      q: { _id: `${i}`.padEnd(1_000_000, 'x') },
      u: { $set: { n: 1 } },
      upsert: true,
    }));
    const update = { update: name, $db: database.db.databaseName };
    const sections = sequence(
      'updates',
      updates.map((each) => BSON.serialize(each)),
    );
    const reply = await replyTo(storeUri(), message(update, { sections }));
    expect(reply).toMatchObject({ ok: 1, n: 18 });
    expect(reply.upserted).toHaveLength(18);
    expect(await rows.countDocuments()).toBe(18);
  });

  it('a command nested without end is refused', async () => {
    let deep = BSON.serialize({});
    const levels = 30_000;
    const heads = Buffer.alloc(levels * 7);
    for (let i = 0; i < levels; i++) {
      heads.writeInt32LE(deep.length + (levels - i) * 8, i * 7);
      heads.set([3, 'a'.charCodeAt(0), 0], i * 7 + 4);
    }
    deep = Buffer.concat([heads, deep, Buffer.alloc(levels)]);
    const find = BSON.serialize({ find: name, $db: database.db.databaseName, filter: {} });
    const body = Buffer.concat([find.subarray(0, -6), deep, Buffer.alloc(1)]);
    body.writeInt32LE(body.length, 0);
    const framed = Buffer.concat([message({}).subarray(0, -5), body]);
    framed.writeInt32LE(framed.length, 0);
    expect(await replyTo(storeUri(), framed)).toMatchObject({ ok: 0, code: 15 });
  });
});

describe('sessions: ids and retries', () => {
  it('an id is a UUID', async () => {
    const insert = { insert: name, documents: [{ a: 1 }], txnNumber: Long.fromNumber(1) };
    const long = new Binary(Buffer.alloc(3_000, 7), Binary.SUBTYPE_UUID);
    for (const id of [long, new Binary(Buffer.alloc(16), 0), new Binary(Buffer.alloc(0), Binary.SUBTYPE_UUID)])
      expect(await run({ ...insert, lsid: { id } })).toMatchObject({ ok: 0, code: 207 });
    expect(await run({ ...insert, lsid: { id: 'x' } })).toMatchObject({ ok: 0, code: 14 });
    expect(await rows.countDocuments()).toBe(0);
  });

  it('a retryable write changes no more than one document with a statement', async () => {
    await rows.insertMany([{ n: 1 }, { n: 1 }]);
    const [lsid, u] = [{ id: new UUID() }, { $inc: { n: 1 } }];
    const statements = [
      { q: {}, u, multi: true },
      { q: {}, u },
    ];
    expect(await run({ update: name, updates: statements, ordered: false, lsid, txnNumber: Long.ONE })).toMatchObject({
      nModified: 1,
      writeErrors: [{ index: 0, code: 72 }],
    });
    const removal = { delete: name, deletes: [{ q: {}, limit: 0 }], lsid, txnNumber: Long.fromNumber(2) };
    expect(await run(removal)).toMatchObject({ n: 0, writeErrors: [{ code: 72 }] });
  });

  it('a write that waited long is not stored in the place of a later one', async () => {
    const first = await startStore();
    let again: StoreProcess | undefined;
    try {
      const send = (command: Document, uri = first.uri): Promise<Document> => run(command, uri);
      await send({ insert: name, documents: [{ _id: 'x' }, { _id: 'y' }] });
      const holder = { lsid: { id: new UUID() }, txnNumber: Long.ONE, autocommit: false };
      const q = { _id: 'x' };
      await send({ update: name, updates: [{ q, u: { $set: { a: 1 } } }], startTransaction: true, ...holder });
      const lsid = { id: new UUID() };
      const inc = (_id: string, number: number): Document => ({
        update: name,
        updates: [{ q: { _id }, u: { $inc: { n: 1 } } }],
        lsid,
        txnNumber: Long.fromNumber(number),
      });
      const waiting = send(inc('x', 1));
      expect(await Promise.race([waiting, send({ ping: 1 }).then(() => 'waits')])).toBe('waits');
      expect(await send(inc('y', 2))).toMatchObject({ nModified: 1 });
      await send({ abortTransaction: 1, ...holder, $db: 'admin' });
      expect(await waiting).toMatchObject({ nModified: 1 });
      await first.kill();
      again = await startStore(first.dir);
      expect(await send(inc('y', 2), again.uri)).toMatchObject({ nModified: 1 });
      const { cursor } = await send({ find: name }, again.uri);
      expect(cursor.firstBatch).toEqual([
        { _id: 'x', n: 1 },
        { _id: 'y', n: 1 },
      ]);
    } finally {
      await again?.stop();
      await first.remove();
    }
  });
});

describe('cursors: who reads on', () => {
  const opened = async (options: Document): Promise<Long> => {
    const { cursor } = await run({ find: name, sort: { n: 1 }, batchSize: 1, ...options });
    return Long.fromBigInt(BigInt(String(cursor.id)));
  };

  beforeEach(async () => {
    await rows.insertMany(Array.from({ length: 3_000 }, (_, i) => ({ _id: i, n: -i })));
  });

  it('one batch at a time is read', async () => {
    const id = await opened({ batchSize: 0 });
    const replies = await Promise.all([1, 2, 3].map(() => run({ getMore: id, collection: name, batchSize: 1_000 })));
    const read = replies.flatMap((reply) => reply.cursor?.nextBatch ?? []);
    for (const refused of replies.filter(({ ok }) => !ok)) expect(refused).toMatchObject({ code: 143 });
    const { cursor } = await run({ getMore: id, collection: name });
    expect([...read, ...cursor.nextBatch]).toHaveLength(3_000);
  });

  it('the session that opened it reads on', async () => {
    const [own, other] = [{ lsid: { id: new UUID() } }, { lsid: { id: new UUID() } }];
    const id = await opened(own);
    const next = { getMore: id, collection: name, batchSize: 1 };
    expect(await run({ ...next, ...other })).toMatchObject({ code: 50738 });
    expect(await run(next)).toMatchObject({ code: 50737 });
    expect(await run({ ...next, ...own })).toMatchObject({ ok: 1 });
    expect(await run({ getMore: await opened({}), collection: name, ...own })).toMatchObject({ code: 50736 });
    await run({ endSessions: [own.lsid], $db: 'admin' });
    expect(await run({ ...next, ...own })).toMatchObject({ code: 43 });
  });

  it('the transaction that opened it reads on', async () => {
    const lsid = { id: new UUID() };
    const transaction = { lsid, txnNumber: Long.ONE, autocommit: false };
    const id = await opened({ ...transaction, startTransaction: true });
    const next = { getMore: id, collection: name, batchSize: 1 };
    expect(await run({ ...next, lsid })).toMatchObject({ code: 50740 });
    expect(await run({ ...next, ...transaction })).toMatchObject({ ok: 1 });
    const outside = await opened({ lsid });
    expect(await run({ ...next, getMore: outside, ...transaction })).toMatchObject({ code: 50739 });
  });
});

describe('collections: what is renamed or replaced beside transactions', () => {
  const full = (collection: string): string => `${database.db.databaseName}.${collection}`;
  const replaceBy = async (other: Collection): Promise<void> => {
    await other.insertOne({});
    await other.rename(name, { dropTarget: true });
  };

  it('a name that an open transaction has taken is taken', async () => {
    const taken = freshName();
    await rows.insertOne({ _id: 1 });
    await inTransaction(async (session) => {
      await database.db.createCollection(taken, { session });
      await expect(rows.rename(taken)).rejects.toMatchObject({ code: 48 });
    });
    await rows.rename(taken);
    expect(await database.db.collection(taken).countDocuments()).toBe(1);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['dropped', () => rows.drop()],
    ['renamed', () => rows.rename(freshName())],
    ['replaced', () => replaceBy(database.db.collection(freshName()))],
  ])('a transaction does not read what was %s since it began as if it were empty', async (_, change) => {
    await rows.insertOne({ _id: 1 });
    await inTransaction(async (session) => {
      await database.db.collection(freshName()).findOne({}, { session });
      await change();
      const error = await rows.findOne({}, { session }).catch((failed) => failed);
      expect(error).toMatchObject({ code: 246, codeName: 'SnapshotUnavailable' });
      expect(error.errorLabels).toContain('TransientTransactionError');
    });
  });

  it('a rename that waited renames what is there then', async () => {
    const [held, to] = [database.db.collection<Row>(freshName()), freshName()];
    await rows.insertOne({ _id: 'old' });
    await held.insertOne({ _id: 1 });
    let renamed: Promise<Document> | undefined;
    await inTransaction(async (session) => {
      await held.updateOne({ _id: 1 }, { $set: { a: 1 } }, { session });
      renamed = run({ renameCollection: full(name), to: full(to), $db: 'admin' });
      await database.db.command({ ping: 1 });
      await rows.drop();
      await rows.insertOne({ _id: 'new' });
    });
    expect(await renamed).toMatchObject({ ok: 1 });
    expect(await database.db.collection(to).find().toArray()).toEqual([{ _id: 'new' }]);
    expect(await rows.countDocuments()).toBe(0);
  });

  it('$out waits for the transactions that write to what it replaces', async () => {
    const target = database.db.collection<Row>(freshName());
    await rows.insertOne({ _id: 'out' });
    await target.insertOne({ _id: 1 });
    let out: Promise<Document[]> | undefined;
    await inTransaction(async (session) => {
      await target.updateOne({ _id: 1 }, { $set: { n: 1 } }, { session });
      out = rows.aggregate([{ $out: target.collectionName }]).toArray();
      expect(await database.db.collection(target.collectionName).findOne({ _id: 1 } as Document, { session })).toEqual({
        _id: 1,
        n: 1,
      });
      await session.commitTransaction();
    });
    await out;
    expect(await target.find().toArray()).toEqual([{ _id: 'out' }]);
  });
});
