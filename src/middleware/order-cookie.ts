/** How a guest's browser shows that an order is theirs: a cookie for the pages of that order alone. */
import type { Request, Response } from 'express';
import { readVisitorCookie, setVisitorCookie } from './visitor-cookie.ts';

const COOKIE = 'feira_order';

const pathOf = (name: string) => `/orders/${name}`;

export const orderToken = (req: Request, name: string): string | undefined =>
  readVisitorCookie(req, COOKIE, pathOf(name));

/** By its number, and by its id, with which links from elsewhere come. */
export function setOrderCookie(
  res: Response,
  { id, number }: { id: string; number: string },
  token: string,
  secure: boolean,
): void {
  for (const name of [number, id]) setVisitorCookie(res, COOKIE, token, secure, { path: pathOf(name) });
}
