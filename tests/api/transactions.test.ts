import { afterAll, beforeAll, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { inTransaction } from '../../src/database/transaction.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

/** As DocumentDB tells of a lock that could not be had in time: a fault of one write, without a label. */
const conflict = () =>
  new mongoose.mongo.MongoServerError({ message: 'canceling statement due to lock timeout', code: 112 });

it('a transaction runs again after a conflict that the server tells of as of a fault of one write', async () => {
  const notes = mongoose.connection.collection('notes');
  let runs = 0;
  const made = await inTransaction(async (session) => {
    await notes.insertOne({ run: ++runs }, { session });
    if (runs === 1) throw conflict();
    return runs;
  });
  expect(made).toBe(2);
  expect((await notes.find().toArray()).map(({ run }) => run)).toEqual([2]);
});

it('anything else that goes wrong is told at once, and nothing is written', async () => {
  let runs = 0;
  const failing = inTransaction(async (session) => {
    runs += 1;
    await mongoose.connection.collection('others').insertOne({}, { session });
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  expect([runs, await mongoose.connection.collection('others').countDocuments()]).toEqual([1, 0]);
});
