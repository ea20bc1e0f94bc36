import { describe, expect, test } from '@jest/globals';
import { freshName, useDatabase } from './test-database.ts';

const database = useDatabase();
const strict = { apiVersion: '1', apiStrict: true };

describe('stable API', () => {
  test('takes the commands of version 1', async () => {
    const name = freshName();
    expect(await database.db.command({ insert: name, documents: [{ a: 1 }], ...strict })).toMatchObject({ n: 1 });
    expect(await database.db.command({ count: name, ...strict })).toMatchObject({ n: 1 });
  });

  test('refuses other commands when the client wants it strict, and other versions', async () => {
    const distinct = database.db.command({ distinct: freshName(), key: 'a', ...strict });
    const ping = database.db.command({ ping: 1, apiVersion: '2' });
    if (database.differs('does not look at what a client declares about the API')) {
      await Promise.all([distinct, ping]);
      return;
    }
    await expect(distinct).rejects.toMatchObject({ code: 323, codeName: 'APIStrictError' });
    await expect(ping).rejects.toMatchObject({ code: 322 });
  });
});
