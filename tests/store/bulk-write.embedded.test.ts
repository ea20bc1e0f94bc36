// The `bulkWrite` command of MongoDB 8.0; DocumentDB does not have it.
import { describe, expect, test } from '@jest/globals';
import { type AnyClientBulkWriteModel, Long, type MongoClientBulkWriteError } from 'mongodb';
import { freshName, useDatabase } from './test-database.ts';

interface Thing {
  _id: number | string;
  n?: number | Long;
  seen?: boolean;
}

type Model = AnyClientBulkWriteModel<Thing>;

const database = useDatabase();

const inNamespace = (name: string): string => `${database.db.databaseName}.${name}`;

describe('bulk writes over several collections', () => {
  test('writes to several collections and says what became of each operation', async () => {
    const [first, second] = [freshName(), freshName()];
    await database.db.collection<Thing>(first).insertMany([1, 2, 3, 4].map((n) => ({ _id: n, n })));
    const models: Model[] = [
      { name: 'insertOne', namespace: inNamespace(second), document: { _id: 'a', n: Long.fromNumber(7) } },
      { name: 'updateOne', namespace: inNamespace(first), filter: { _id: 1 }, update: { $inc: { n: 10 } } },
      {
        name: 'updateMany',
        namespace: inNamespace(first),
        filter: { _id: { $lt: 3 } },
        update: [{ $set: { seen: true } }],
      },
      { name: 'replaceOne', namespace: inNamespace(second), filter: { _id: 'b' }, replacement: { n: 8 }, upsert: true },
      { name: 'deleteOne', namespace: inNamespace(first), filter: { n: { $gt: 2 } } },
      { name: 'deleteMany', namespace: inNamespace(first), filter: { _id: { $gte: 3 } } },
    ];
    const result = await database.client.bulkWrite<Record<string, Thing>>(models, { verboseResults: true });
    expect(result).toMatchObject({
      insertedCount: 1,
      upsertedCount: 1,
      matchedCount: 3,
      modifiedCount: 3,
      deletedCount: 3,
    });
    expect(result.updateResults?.get(2)).toMatchObject({ matchedCount: 2, modifiedCount: 2 });
    expect(result.updateResults?.get(3)).toMatchObject({ upsertedId: 'b' });
    expect(result.deleteResults?.get(5)).toMatchObject({ deletedCount: 2 });
    expect(await database.db.collection(first).find().toArray()).toEqual([{ _id: 2, n: 2, seen: true }]);
    expect(await database.db.collection(second).findOne({ n: { $type: 'long' } })).toMatchObject({ n: 7 });
  });

  test('stops at the first error, or goes on when it is not ordered', async () => {
    const name = freshName();
    await database.db.collection<Thing>(name).insertOne({ _id: 1 });
    const insert = (id: number): Model => ({
      name: 'insertOne',
      namespace: inNamespace(name),
      document: { _id: id },
    });
    const attempt = (ordered: boolean): Promise<MongoClientBulkWriteError> =>
      database.client.bulkWrite<Record<string, Thing>>([insert(2), insert(1), insert(3)], { ordered }).then(
        () => {
          throw new Error('it should have failed');
        },
        (error) => error,
      );
    const stopped = await attempt(true);
    expect(stopped.writeErrors.get(1)).toMatchObject({ code: 11000 });
    expect(stopped.partialResult).toMatchObject({ insertedCount: 1 });
    await database.db.collection<Thing>(name).deleteOne({ _id: 2 });
    const went = await attempt(false);
    expect([...went.writeErrors.keys()]).toEqual([1]);
    expect(went.partialResult).toMatchObject({ insertedCount: 2 });
  });

  test('is part of a transaction', async () => {
    const name = freshName();
    await database.client.withSession(async (session) => {
      session.startTransaction();
      const models = [{ name: 'insertOne' as const, namespace: inNamespace(name), document: { a: 1 } }];
      await database.client.bulkWrite(models, { session });
      expect(await database.db.collection(name).countDocuments()).toBe(0);
      await session.commitTransaction();
    });
    expect(await database.db.collection(name).countDocuments()).toBe(1);
  });

  test('is sent to the admin database and nowhere else', async () => {
    const command = { bulkWrite: 1, ops: [{ insert: 0, document: {} }], nsInfo: [{ ns: inNamespace(freshName()) }] };
    await expect(database.db.command(command)).rejects.toMatchObject({ code: 13 });
    expect(await database.client.db('admin').command(command)).toMatchObject({ ok: 1, nInserted: 1, nErrors: 0 });
  });
});
