/** Between the steps of a login a browser holds a challenge. It says what was done so far, and is no login. */
import type { Request, Response } from 'express';
import { clearVisitorCookie, readVisitorCookie, setVisitorCookie } from './visitor-cookie.ts';

const SECONDS = 5 * 60;

/** After the password, before the code: the password was right. */
export const [readChallenge, setChallenge, clearChallenge] = challengeCookie('feira_challenge');
/** After the challenge for a passkey, before its answer: it was this browser that asked. */
export const [readPasskeyVisitor, setPasskeyVisitor, clearPasskeyVisitor] = challengeCookie('feira_passkey');

function challengeCookie(name: string) {
  const isSecure = (req: Request) => req.session.cookie.secure === true;
  /** Empty when there is none. */
  const read = (req: Request): string => readVisitorCookie(req, name) ?? '';
  const set = (req: Request, res: Response, challenge: string): void =>
    setVisitorCookie(res, name, challenge, isSecure(req), { maxAge: SECONDS });
  const clear = (req: Request, res: Response): void => clearVisitorCookie(res, name, isSecure(req));
  return [read, set, clear] as const;
}
