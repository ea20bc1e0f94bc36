/** Named counters; `nextNumber` gives each number once. */
import { type ClientSession, model, Schema } from 'mongoose';

const counterSchema = new Schema(
  {
    _id: { type: String, required: true },
    value: { type: Number, required: true, default: 0 },
  },
  { versionKey: false },
);

export const Counter = model('Counter', counterSchema, 'counters');

/**
 * The next number of a counter, from 1 and without gaps: it is taken in the caller's transaction and falls back with
 * it. Two transactions that take from one counter conflict, so numbers become visible in their order.
 * @param count how many numbers are taken; the last of them is returned.
 */
export async function nextNumber(name: string, session: ClientSession, count = 1): Promise<number> {
  const counter = await Counter.findOneAndUpdate(
    { _id: name },
    { $inc: { value: count } },
    { upsert: true, returnDocument: 'after', session },
  ).lean();
  return counter.value;
}

/** The last number that was given out; 0 when there was none. */
export async function lastNumber(name: string, session: ClientSession | null = null): Promise<number> {
  const counter = await Counter.findById(name).session(session).lean();
  return counter?.value ?? 0;
}
