// What replies say about time and write concern. DocumentDB sends neither.
import { describe, expect, test } from '@jest/globals';
import { Timestamp } from 'mongodb';
import { freshName, useDatabase } from './test-database.ts';

const database = useDatabase();

describe('sessions and write concern', () => {
  test('every reply tells its time, also an error', async () => {
    const reply = await database.db.command({ ping: 1 });
    expect(reply.operationTime).toBeInstanceOf(Timestamp);
    const error = await database.db.command({ nothing: 1 }).catch((failed) => failed.errorResponse);
    expect(error.operationTime).toBeInstanceOf(Timestamp);
  });

  test('a causally consistent session sends the time of what it has seen and reads it', async () => {
    const collection = database.db.collection(freshName());
    await database.client.withSession({ causalConsistency: true }, async (session) => {
      await collection.insertOne({ a: 1 }, { session });
      expect(session.operationTime).toBeInstanceOf(Timestamp);
      expect(await collection.countDocuments({}, { session })).toBe(1);
    });
  });

  test('the sessions are listed with the time of their last use', async () => {
    await database.client.withSession(async (session) => {
      const before = Date.now();
      await database.db.command({ ping: 1 }, { session });
      const listed = await database.db.aggregate([{ $listLocalSessions: {} }]).toArray();
      const own = listed.find(({ _id }) => _id.id.toString('hex') === session.id?.id.toString('hex'));
      expect(Math.abs(own?.lastUse.getTime() - before)).toBeLessThan(5_000);
    });
  });

  test('a write concern that one node cannot meet is reported beside the result', async () => {
    const name = freshName();
    const insert = (w: number | string): Promise<unknown> =>
      database.db.command({ insert: name, documents: [{ a: 1 }], writeConcern: { w } }).catch((error) => error.result);
    expect(await insert(3)).toMatchObject({ n: 1, writeConcernError: { code: 100 } });
    expect(await insert('elsewhere')).toMatchObject({ n: 1, writeConcernError: { code: 79 } });
    expect(await insert('majority')).not.toHaveProperty('writeConcernError');
    const modified = await database.db
      .command({ findAndModify: name, query: { a: 1 }, remove: true, writeConcern: { w: 5 } })
      .catch((error) => error.result);
    expect(modified).toMatchObject({ value: { a: 1 }, writeConcernError: { code: 100 } });
  });
});
