/** How a guest's browser shows that an order is theirs: a cookie for the pages of that order alone. */
import { parseCookie } from 'cookie';
import type { Request, Response } from 'express';
import { setVisitorCookie } from './visitor-cookie.ts';

const COOKIE = 'feira_order';

export const orderToken = (req: Request): string | undefined => parseCookie(req.headers.cookie ?? '')[COOKIE];

/** By its number, and by its id, with which links from elsewhere come. */
export function setOrderCookie(
  res: Response,
  { id, number }: { id: string; number: string },
  token: string,
  secure: boolean,
): void {
  for (const name of [number, id]) setVisitorCookie(res, COOKIE, token, secure, { path: `/orders/${name}` });
}
