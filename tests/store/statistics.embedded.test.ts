// Sizes are those of what this store keeps; on DocumentDB they are those of its tables
import { describe, expect, it } from '@jest/globals';
import { BSON } from 'mongodb';
import { freshName, useDatabase } from './test-database.ts';

const database = useDatabase();

describe('statistics', () => {
  it('have the sizes of documents and indexes', async () => {
    const things = database.db.collection(freshName());
    await things.createIndex({ n: 1 });
    const documents = Array.from({ length: 6_000 }, (_, n) => ({ n, text: 'x'.repeat(n % 10) }));
    await things.insertMany(documents);
    const size = documents.reduce((sum, document) => sum + BSON.calculateObjectSize(document), 0);
    const { ns, count, nindexes, avgObjSize, ...found } = await database.db.command({
      collStats: things.collectionName,
    });
    expect({ ns, count, nindexes }).toEqual({ ns: things.namespace, count: 6_000, nindexes: 2 });
    expect(Object.keys(found.indexSizes).sort()).toEqual(['_id_', 'n_1']);
    for (const bytes of Object.values(found.indexSizes)) expect(bytes).toBeGreaterThan(6_000 * 5);
    expect(found.totalIndexSize).toBe(found.indexSizes._id_ + found.indexSizes.n_1);
    expect(found.size).toBe(size);
    expect(avgObjSize).toBe(Math.floor(size / 6_000));

    const scaled = await database.db.command({ collStats: things.collectionName, scale: 1024 });
    expect(scaled).toMatchObject({ size: Math.floor(found.size / 1024), scaleFactor: 1024 });
    const whole = await database.db.command({ dbStats: 1 });
    expect(whole).toMatchObject({ db: database.db.databaseName, collections: 1, objects: 6_000, indexes: 2 });
    expect(whole.dataSize).toBe(found.size);
    expect(whole.indexSize).toBe(found.totalIndexSize);
  });

  it('are nothing for a collection that is not there', async () => {
    expect(await database.db.command({ collStats: freshName() })).toMatchObject({ count: 0, size: 0, nindexes: 0 });
  });
});
