/** How a caller shows that a cart is theirs: pages by a cookie, programs by the header Cart-Secret. */
import { parseCookie } from 'cookie';
import type { Request, RequestHandler, Response } from 'express';
import { AppError } from '../errors.ts';
import type { CartKey, CartService } from '../services/cart.service.ts';
import { setVisitorCookie } from './visitor-cookie.ts';

const COOKIE = 'feira_cart';

/** The key in the visitor's cookie; null when there is none or it is not one of ours. */
export function readCartCookie(req: Request): CartKey | null {
  const value = parseCookie(req.headers.cookie ?? '')[COOKIE] ?? '';
  const [, id, secret] = /^([\da-f]{24})\.([\w-]{43})$/.exec(value) ?? [];
  return id && secret ? { id, secret } : null;
}

/** Gives the visitor the key for another 30 days, as long as the cart itself is kept after a change. */
export function setCartCookie(res: Response, { id, secret }: CartKey, secure: boolean): void {
  setVisitorCookie(res, COOKIE, `${id}.${secret}`, secure);
}

/**
 * The key to the cart with this id, or to the visitor's own with `mine`. A header that is sent is never ignored.
 * @throws AppError NOT_FOUND when the caller shows none: to others the cart does not exist
 */
export function cartKey(req: Request, id: string): CartKey {
  const secret = req.headers['cart-secret'];
  if (typeof secret === 'string' && id !== 'mine') return { id, secret };
  const key = readCartCookie(req);
  if (key && (id === 'mine' || id === key.id)) return key;
  throw new AppError('NOT_FOUND', 'There is no such cart, or it is not yours.');
}

/** For pages: `res.locals.cartCount` is the number of units in the visitor's cart, when there is one. */
export function cartCount(carts: Pick<CartService, 'countUnits'>): RequestHandler {
  return async (req, res, next) => {
    const key = readCartCookie(req);
    if (key) res.locals.cartCount = (await carts.countUnits(key)) ?? undefined;
    next();
  };
}
