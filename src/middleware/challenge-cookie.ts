/** Between the two steps of a login a browser holds a challenge. It says that the password was right, and nothing else. */
import { parseCookie } from 'cookie';
import type { Request, Response } from 'express';
import { clearVisitorCookie, setVisitorCookie } from './visitor-cookie.ts';

const COOKIE = 'feira_challenge';
const SECONDS = 5 * 60;

const nameOf = (req: Request) => (isSecure(req) ? `__Host-${COOKIE}` : COOKIE);
const isSecure = (req: Request) => req.session.cookie.secure === true;

/** Empty when there is none. */
export const readChallenge = (req: Request): string => parseCookie(req.headers.cookie ?? '')[nameOf(req)] ?? '';

export function setChallenge(req: Request, res: Response, challenge: string): void {
  setVisitorCookie(res, nameOf(req), challenge, isSecure(req), SECONDS);
}

export function clearChallenge(req: Request, res: Response): void {
  clearVisitorCookie(res, nameOf(req), isSecure(req));
}
