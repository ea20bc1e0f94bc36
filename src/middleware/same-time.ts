/** Answers that must not tell by their time what was found. */
import { setTimeout as delay } from 'node:timers/promises';

/** Longer than what is done for an address that has an account takes on an idle machine. */
const FLOOR_MS = 150;

/** Resolves with the work, and not before some time has passed. */
export async function takingTheSameTime<T>(work: Promise<T>): Promise<T> {
  const [result] = await Promise.all([work, delay(FLOOR_MS)]);
  return result;
}
