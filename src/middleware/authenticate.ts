/** Who is calling: sets `req.actor` from the Authorization header; without one the caller is a visitor. */
import type { RequestHandler } from 'express';
import { type Actor, visitor } from '../actor.ts';
import { AppError } from '../errors.ts';
import type { ApiKeyService } from '../services/api-key.service.ts';

declare global {
  namespace Express {
    interface Request {
      actor: Actor;
    }
  }
}

/** @throws AppError UNAUTHENTICATED for a header that does not name a valid key: it is never ignored. */
export function authenticate(apiKeys: Pick<ApiKeyService, 'authenticate'>): RequestHandler {
  return async (req, _res, next) => {
    const header = req.headers.authorization;
    if (header === undefined) {
      req.actor = visitor;
      return next();
    }
    const key = /^Bearer +([\w.~+/=-]{1,512})$/i.exec(header)?.[1];
    const actor = key ? await apiKeys.authenticate(key) : null;
    if (!actor) throw new AppError('UNAUTHENTICATED', 'The key is not valid.');
    req.actor = actor;
    next();
  };
}
