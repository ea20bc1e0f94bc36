/** Asks for a key before the input is judged: who may not write is told that first. Services check it once more. */
import type { RequestHandler } from 'express';
import { authorize } from '../actor.ts';
import type { Permission } from '../permissions.ts';

/** @throws AppError UNAUTHENTICATED or FORBIDDEN */
export function requirePermission(permission: Permission): RequestHandler {
  return (req, _res, next) => {
    authorize(req.actor, permission);
    next();
  };
}
