// DocumentDB has no explain.
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { Document } from 'mongodb';
import { freshName, useDatabase } from './test-database.ts';

const database = useDatabase();
const name = freshName();

beforeAll(async () => {
  await database.db.collection(name).createIndex({ n: 1 }, { name: 'by_n' });
  await database.db.collection(name).insertMany(Array.from({ length: 50 }, (_, n) => ({ n, m: n })));
});

const explained = (command: Document, verbosity = 'executionStats'): Promise<Document> =>
  database.db.command({ explain: command, verbosity });

describe('explain', () => {
  const commands: Document[] = [
    { find: name, filter: { n: { $gte: 40 } } },
    { count: name, query: { n: { $gte: 40 } } },
    { aggregate: name, pipeline: [{ $match: { n: { $gte: 40 } } }, { $project: { n: 1 } }], cursor: {} },
    { findAndModify: name, query: { n: { $gte: 40 } }, update: { $set: { m: 0 } } },
    { update: name, updates: [{ q: { n: { $gte: 40 } }, u: { $set: { m: 0 } }, multi: true }] },
    { delete: name, deletes: [{ q: { n: { $gte: 40 } }, limit: 0 }] },
  ];

  test.each(commands)('names the index of %j', async (command) => {
    const { queryPlanner, executionStats } = await explained(command);
    expect(JSON.stringify(queryPlanner.winningPlan)).toContain('"indexName":"by_n"');
    expect(executionStats).toMatchObject({ nReturned: 10, totalDocsExamined: 10 });
  });

  test('changes nothing, and without statistics reads nothing', async () => {
    await explained({ delete: name, deletes: [{ q: {}, limit: 0 }] });
    expect(await database.db.collection(name).countDocuments({ m: { $gte: 40 } })).toBe(10);
    expect(await explained({ find: name, filter: {} }, 'queryPlanner')).not.toHaveProperty('executionStats');
  });
});
