/** The header Idempotency-Key: what makes a request the same one as another. */
import { createHash } from 'node:crypto';
import type { Request, Response } from 'express';
import { AppError } from '../errors.ts';
import type { OnceKey } from '../services/idempotency.ts';
import { CART_COOKIE } from './cart-cookie.ts';
import { readVisitorCookie } from './visitor-cookie.ts';

/** Printable characters, bare or as a string of RFC 8941. */
const KEY = /^(?:"([\x20-\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\x21\x23-\x7e][\x20-\x7e]{0,254}))$/;
/** Of a visitor who shows nothing else: others at the same address must not guess it. */
const MIN_ALONE = 16;
const FORM_KEY = /^[\w-]{10,60}$/;

/**
 * The key of a request: who asks, what for, and what they have named it. Somebody else's equal name is another key.
 * @returns null when none was sent
 * @throws AppError MALFORMED_REQUEST when it is empty, too long or not printable, or too short for a visitor
 */
export function onceKey(req: Request): OnceKey | null {
  const header = req.get('Idempotency-Key');
  if (header === undefined) return null;
  const [, quoted, bare] = KEY.exec(header) ?? [];
  const key = quoted ?? bare;
  if (key === undefined)
    throw new AppError('MALFORMED_REQUEST', 'Idempotency-Key must have 1 to 255 printable characters.');
  if (whoAsks(req)[0] === 'address' && key.length < MIN_ALONE)
    throw new AppError(
      'MALFORMED_REQUEST',
      `Idempotency-Key of a new visitor must have at least ${MIN_ALONE} characters.`,
    );
  return { id: idOf(req, key), fingerprint: hash(req.body ?? null) };
}

/** The same of a form, whose page was made with a key: sent again from there, also when changed, it is done once. */
export function formKey(req: Request): OnceKey | null {
  const key: unknown = req.body?.key;
  return typeof key === 'string' && FORM_KEY.test(key) ? { id: idOf(req, key), fingerprint: 'form' } : null;
}

function idOf(req: Request, key: string): string {
  const path = req.originalUrl.split('?', 1)[0] ?? '';
  return hash([whoAsks(req), req.method, path, key]);
}

/** Tells that the answer is that of an earlier request. */
export function sayReplayed(res: Response, replayed: boolean): void {
  if (replayed) res.setHeader('Idempotent-Replayed', 'true');
}

/** An account or key; otherwise the secret that is shown; a visitor who has none yet is known by the address alone. */
function whoAsks(req: Request): string[] {
  const { kind, id } = req.actor;
  if (id !== null) return [kind, id];
  const shown = req.get('Cart-Secret') ?? req.get('Order-Token') ?? req.get('Chat-Token');
  const secret = shown ?? readVisitorCookie(req, CART_COOKIE);
  return secret === undefined ? ['address', req.ip ?? ''] : ['secret', secret];
}

const hash = (value: unknown) => createHash('sha256').update(JSON.stringify(value)).digest('base64url');
