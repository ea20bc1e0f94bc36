import { describe, expect, test } from '@jest/globals';
import { freshName, useDatabase } from './test-database.ts';

const database = useDatabase();

describe('validators and collMod', () => {
  test('a validator refuses documents that do not match it', async () => {
    const name = freshName();
    const things = await database.db.createCollection(name, { validator: { price: { $gte: 0 } } });
    const id = (await things.insertOne({ price: 1 })).insertedId;
    const refused = { code: 121 };
    await expect(things.insertOne({ price: -1 })).rejects.toMatchObject(refused);
    await expect(things.updateOne({ _id: id }, { $inc: { price: -5 } })).rejects.toMatchObject(refused);
    await expect(things.findOneAndUpdate({ _id: id }, { $set: { price: -5 } })).rejects.toMatchObject(refused);
    await things.insertOne({ price: -1 }, { bypassDocumentValidation: true });
    expect(await things.countDocuments()).toBe(2);
  });

  test('collMod sets a validator and its level', async () => {
    const name = freshName();
    const things = database.db.collection(name);
    await things.insertOne({ old: true });
    await database.db.command({ collMod: name, validator: { price: { $exists: true } }, validationLevel: 'moderate' });
    await things.updateOne({ old: true }, { $set: { seen: 1 } });
    await expect(things.insertOne({})).rejects.toMatchObject({ code: 121 });
    await database.db.command({ collMod: name, validationLevel: 'off' });
    await things.insertOne({});
    expect(await things.countDocuments()).toBe(2);
  });

  test('collMod changes the time to live of an index', async () => {
    const name = freshName();
    const things = database.db.collection(name);
    await things.createIndexes([
      { key: { at: 1 }, expireAfterSeconds: 50 },
      { key: { a: 1, b: 1 }, name: 'two' },
    ]);
    const reply = await database.db.command({
      collMod: name,
      index: { keyPattern: { at: 1 }, expireAfterSeconds: 60 },
    });
    expect(reply).toMatchObject({ expireAfterSeconds_old: 50, expireAfterSeconds_new: 60 });
    expect(await things.listIndexes().toArray()).toMatchObject([
      { name: '_id_' },
      { expireAfterSeconds: 60 },
      { name: 'two' },
    ]);
    const refused = [
      { index: { keyPattern: { at: 1 }, expireAfterSeconds: -5 } },
      { index: { name: 'two', expireAfterSeconds: 60 } },
      ...(database.differs('takes any validator')
        ? []
        : [{ index: { keyPattern: { at: 1 }, expireAfterSeconds: 70 }, validator: { $nothing: 1 } }]),
    ];
    for (const change of refused) await expect(database.db.command({ collMod: name, ...change })).rejects.toThrow();
    expect((await things.indexes()).map(({ expireAfterSeconds }) => expireAfterSeconds)).toEqual([
      undefined,
      60,
      undefined,
    ]);
    const missing = database.db.command({ collMod: name, index: { name: 'none', expireAfterSeconds: 1 } });
    await expect(missing).rejects.toMatchObject({ code: 27 });
  });
});
