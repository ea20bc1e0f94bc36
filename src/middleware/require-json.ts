/** The API speaks JSON, and multipart where pictures are taken; a form of another site can send neither unasked. */
import type { RequestHandler } from 'express';
import { AppError } from '../errors.ts';

const JSON_TYPE = 'application/json';

/** @throws AppError UNSUPPORTED_MEDIA_TYPE for a body of another type. */
export const requireJson: RequestHandler = (req, _res, next) => {
  // null: the request has no body.
  const type = req.is(req.path.endsWith('/upload') ? [JSON_TYPE, 'multipart/form-data'] : JSON_TYPE);
  if (type === false && req.headers['content-length'] !== '0')
    throw new AppError('UNSUPPORTED_MEDIA_TYPE', 'Send the body as application/json.');
  next();
};
