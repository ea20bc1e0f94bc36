/** How a caller shows that a cart is theirs: guests by a cookie or the header Cart-Secret, all others by their login. */
import type { Request, RequestHandler, Response } from 'express';
import { isUser } from '../actor.ts';
import { AppError } from '../errors.ts';
import type { CartKey, CartService, GuestKey } from '../services/cart.service.ts';
import type { CartHandoverService } from '../services/cart-handover.service.ts';
import { clearVisitorCookie, readVisitorCookie, setVisitorCookie } from './visitor-cookie.ts';

export const CART_COOKIE = 'feira_cart';

/** The key in the guest's cookie; null when there is none or it is not one of ours. */
function readCartCookie(req: Request): GuestKey | null {
  const value = readVisitorCookie(req, CART_COOKIE) ?? '';
  const [, id, secret] = /^([\da-f]{24})\.([\w-]{43})$/.exec(value) ?? [];
  return id && secret ? { id, secret } : null;
}

/** Gives a guest the key for another 30 days, as long as the cart itself is kept after a change. */
export function setCartCookie(res: Response, key: CartKey, secure: boolean): void {
  if ('secret' in key) setVisitorCookie(res, CART_COOKIE, `${key.id}.${key.secret}`, secure);
}

/** Every change renews the cart, so it renews the cookie that opened it as well. */
export function renewCartCookie(req: Request, res: Response, key: CartKey, secure: boolean): void {
  if ('secret' in key && readCartCookie(req)?.secret === key.secret) setCartCookie(res, key, secure);
}

/** The caller's own cart: the account's when they are logged in, otherwise the one of the cookie, if there is one. */
export function ownCart(req: Request): CartKey | null {
  return isUser(req.actor) ? { owner: req.actor.id } : readCartCookie(req);
}

/**
 * The key to the cart with this id, or to the caller's own with `mine`. A header that is sent is never ignored.
 * @throws AppError NOT_FOUND when the caller shows none: to others the cart does not exist
 */
export function cartKey(req: Request, id: string): CartKey {
  const own = ownCart(req);
  if (id === 'mine' && own) return own;
  const secret = req.headers['cart-secret'];
  if (typeof secret === 'string' && id !== 'mine') return { id, secret };
  if (own && 'owner' in own) return { ...own, id };
  if (own?.id === id) return own;
  throw new AppError('NOT_FOUND', 'There is no such cart, or it is not yours.');
}

/** At a login: brings the guest's cart, of the header or otherwise of the cookie, into the account's. */
export async function bringCart(req: Request, res: Response, handover: CartHandoverService, userId: string) {
  const secret = req.get('Cart-Secret');
  const guest = secret === undefined ? readCartCookie(req) : { secret };
  const merge = guest && (await handover.mergeAtLogin(userId, guest));
  if (guest && secret === undefined) clearVisitorCookie(res, CART_COOKIE, req.session.cookie.secure === true);
  return merge ?? { merged: [], reduced: [], leftOut: [] };
}

/** For pages: `res.locals.cartCount` is the number of units in the caller's cart, when there is one. */
export function cartCount(carts: Pick<CartService, 'countUnits'>): RequestHandler {
  return async (req, res, next) => {
    const key = ownCart(req);
    if (key) res.locals.cartCount = (await carts.countUnits(key)) ?? undefined;
    next();
  };
}
