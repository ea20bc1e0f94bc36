/** How many changes one caller may ask for in a minute: by account or key, otherwise by network. */
import type { RequestHandler, Response } from 'express';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { AppError } from '../errors.ts';
import { networkOf } from '../network.ts';

const SECONDS = 60;
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Answers carry RateLimit-Policy and RateLimit. @throws AppError TOO_MANY_REQUESTS with Retry-After */
export function limitWrites(perMinute: number): RequestHandler {
  const limiter = new RateLimiterMemory({ points: perMinute, duration: SECONDS });
  return async (req, res, next) => {
    if (SAFE.has(req.method)) return next();
    try {
      describe(res, await limiter.consume(req.actor.id ?? networkOf(req.ip ?? '')), perMinute);
    } catch (error) {
      if (!(error instanceof RateLimiterRes)) throw error;
      describe(res, error, perMinute);
      res.setHeader('Retry-After', secondsLeft(error));
      throw new AppError('TOO_MANY_REQUESTS', `At most ${perMinute} changes a minute are accepted.`);
    }
    next();
  };
}

const secondsLeft = (state: RateLimiterRes) => Math.max(1, Math.ceil(state.msBeforeNext / 1000));

function describe(res: Response, state: RateLimiterRes, perMinute: number): void {
  res.setHeader('RateLimit-Policy', `"writes";q=${perMinute};w=${SECONDS}`);
  res.setHeader('RateLimit', `"writes";r=${state.remainingPoints};t=${secondsLeft(state)}`);
}
