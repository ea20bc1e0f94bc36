/** Cookies by which a browser shows what is its own: scripts cannot read them, other sites cannot send them along. */
import { stringifySetCookie } from 'cookie';
import type { Response } from 'express';

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
  res.append('Set-Cookie', stringifySetCookie({ name, value, ...attributes }));
}

export function clearVisitorCookie(res: Response, name: string, secure: boolean): void {
  setVisitorCookie(res, name, '', secure, { maxAge: 0 });
}
