/** Answers that must not tell by their time what was found. */
import { setTimeout as delay } from 'node:timers/promises';

/** Longer than what is done for an address that has an account takes on an idle machine. */
const FLOOR_MS = 150;

/** Resolves or rejects with the work, and not before some time has passed. */
export async function takingTheSameTime<T>(work: Promise<T>): Promise<T> {
  await Promise.allSettled([work, delay(FLOOR_MS)]);
  return work;
}

/** Rejects with the work, and not before some time has passed; resolves as soon as it does. */
export async function failingInTheSameTime<T>(work: Promise<T>): Promise<T> {
  const floor = delay(FLOOR_MS);
  return work.catch(async (error: unknown) => {
    await floor;
    throw error;
  });
}
