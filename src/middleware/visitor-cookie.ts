/** Cookies by which a browser shows what is its own: scripts cannot read them, other sites cannot send them along. */
import { parseCookie, stringifySetCookie } from 'cookie';
import type { Request, Response } from 'express';
import { cookieName } from '../cookie-name.ts';

const DAYS_30 = 30 * 24 * 60 * 60;

/** For 30 days, as long as carts and visits are kept. @param secure whether the shop is reached by https only. */
export function setVisitorCookie(
  res: Response,
  name: string,
  value: string,
  secure: boolean,
  { maxAge = DAYS_30, path = '/' }: { maxAge?: number; path?: string } = {},
): void {
  const attributes = { httpOnly: true, sameSite: 'lax', path, maxAge, secure } as const;
  res.append('Set-Cookie', stringifySetCookie({ name: cookieName(name, secure, path), value, ...attributes }));
}

export function clearVisitorCookie(res: Response, name: string, secure: boolean): void {
  setVisitorCookie(res, name, '', secure, { maxAge: 0 });
}

/** @param path as it was set with */
export function readVisitorCookie(req: Request, name: string, path?: string): string | undefined {
  const secure = req.session.cookie.secure === true;
  return parseCookie(req.headers.cookie ?? '')[cookieName(name, secure, path)];
}
