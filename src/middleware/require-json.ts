/** The API speaks JSON, and multipart where pictures are taken; a form of another site can send neither unasked. */
import type { RequestHandler } from 'express';
import { AppError } from '../errors.ts';

const JSON_TYPE = 'application/json';
const TAKES_PICTURES = /\/(?:upload|avatar)$/;
/** JSON is UTF-8 (RFC 8259); what other encodings hide would be read by the parser and by nobody before it. */
const CHARSET = /;\s*charset\s*=\s*"?([^\s;"]*)/i;

/** @throws AppError UNSUPPORTED_MEDIA_TYPE for a body of another type. */
export const requireJson: RequestHandler = (req, _res, next) => {
  // null: the request has no body.
  const type = req.is(TAKES_PICTURES.test(req.path) ? [JSON_TYPE, 'multipart/form-data'] : JSON_TYPE);
  if (type === false && req.headers['content-length'] !== '0')
    throw new AppError('UNSUPPORTED_MEDIA_TYPE', 'Send the body as application/json.');
  const charset = CHARSET.exec(req.headers['content-type'] ?? '')?.[1];
  if (type === JSON_TYPE && charset !== undefined && charset.toLowerCase() !== 'utf-8')
    throw new AppError('UNSUPPORTED_MEDIA_TYPE', 'Send the body in UTF-8.');
  next();
};
