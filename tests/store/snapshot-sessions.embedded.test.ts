// Reads with read concern `snapshot` outside of transactions, which DocumentDB does not have.
import { describe, expect, test } from '@jest/globals';
import { Timestamp } from 'mongodb';
import { freshName, useDatabase } from './test-database.ts';

const database = useDatabase();

describe('snapshot sessions', () => {
  test('read one state of all collections, whatever is written meanwhile', async () => {
    const [first, second] = [database.db.collection(freshName()), database.db.collection(freshName())];
    await first.insertMany([{ n: 1 }, { n: 2 }, { n: 3 }]);
    await second.insertOne({ n: 1 });
    await database.client.withSession({ snapshot: true }, async (session) => {
      const cursor = first.find({}, { session, batchSize: 2 });
      expect(await cursor.next()).toMatchObject({ n: 1 });
      await first.deleteMany({});
      await second.insertOne({ n: 2 });
      expect(await cursor.toArray()).toMatchObject([{ n: 2 }, { n: 3 }]);
      expect(await second.countDocuments({}, { session })).toBe(1);
      expect(await second.distinct('n', {}, { session })).toEqual([1]);
    });
    expect(await second.countDocuments()).toBe(2);
  });

  test('write nothing, and read no snapshot that is not there', async () => {
    const name = freshName();
    const readConcern = { level: 'snapshot' };
    const insert = database.db.command({ insert: name, documents: [{}], readConcern });
    await expect(insert).rejects.toMatchObject({ code: 72 });
    const atClusterTime = new Timestamp({ t: 1, i: 1 });
    const find = database.db.command({ find: name, readConcern: { ...readConcern, atClusterTime } });
    await expect(find).rejects.toMatchObject({ code: 239 });
  });
});
