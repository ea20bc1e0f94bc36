/** Refuses changes that a page of another site asks for: the browser would add the visitor's cookies to them. */
import type { RequestHandler } from 'express';
import { AppError } from '../errors.ts';
import { isOwnOrigin } from '../origin.ts';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** @throws AppError FOREIGN_ORIGIN */
export function sameOrigin(publicUrl: string | undefined): RequestHandler {
  return (req, _res, next) => {
    if (SAFE.has(req.method) || isOwnOrigin(req, publicUrl)) return next();
    throw new AppError('FOREIGN_ORIGIN', 'Changes are accepted from the shop itself only.');
  };
}
