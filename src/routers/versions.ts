/** ETag, If-None-Match and If-Match over the version number of a resource. */
import type { Request, Response } from 'express';
import { AppError } from '../errors.ts';

/** Sends a resource with its version as ETag; 304 without a body when the caller has that version. */
export function sendVersioned(res: Response, resource: { version: number }): void {
  res.setHeader('ETag', `"${resource.version}"`).json(resource);
}

/**
 * The version that a change depends on; undefined when the caller names none or any (`*`).
 * @throws AppError VERSION_MISMATCH when If-Match names no version of ours, or several.
 */
export function ifMatch(req: Request): number | undefined {
  const header = req.headers['if-match'];
  if (header === undefined || header === '*') return undefined;
  // A tag may go on with a digest of what else is shown; changes depend on the version alone.
  const version = /^(?:W\/)?"(\d{1,15})(?:-[\w-]+)?"$/.exec(header.trim())?.[1];
  if (version === undefined) throw new AppError('VERSION_MISMATCH', 'If-Match must hold one ETag of this resource.');
  return Number(version);
}
