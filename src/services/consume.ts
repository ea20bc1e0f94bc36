/** One try out of a limit. */
import { type RateLimiterAbstract, RateLimiterRes } from 'rate-limiter-flexible';
import { isWriteConflict } from '../database/transaction.ts';
import { AppError } from '../errors.ts';

const TRIES = 10;

/** Did the limiter say no, rather than fail? */
export const isExhausted = (error: unknown): error is RateLimiterRes => error instanceof RateLimiterRes;

/** Parallel writes of one counter conflict on some servers: then it is written again. @throws what `isExhausted` knows */
export async function tryConsume(limiter: RateLimiterAbstract, key: string, tries = TRIES): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (error) {
    if (tries === 1 || !isWriteConflict(error)) throw error;
    await tryConsume(limiter, key, tries - 1);
  }
}

/** @param detail what there was too much of @throws AppError TOO_MANY_REQUESTS with `retryAfter` in seconds */
export async function consume(limiter: RateLimiterAbstract, key: string, detail: string): Promise<void> {
  try {
    await tryConsume(limiter, key);
  } catch (error) {
    throw isExhausted(error) ? tooMany(error, detail) : error;
  }
}

/** The refusal of whoever has come to a limit. */
export function tooMany({ msBeforeNext }: RateLimiterRes, detail: string): AppError {
  const retryAfter = Math.max(1, Math.ceil(msBeforeNext / 1000));
  return new AppError('TOO_MANY_REQUESTS', `${detail} Try again in ${inWords(retryAfter)}.`, { retryAfter });
}

const inWords = (seconds: number) => (seconds > 90 ? `${Math.ceil(seconds / 60)} minutes` : `${seconds} s`);
