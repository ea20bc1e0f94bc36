/** How a caller shows who they are in the chat: pages by a cookie, programs by the header Chat-Token. */
import { parseCookie, stringifySetCookie } from 'cookie';
import type { Request, Response } from 'express';
import { CHAT_COOKIE, CHAT_HEADER } from '../schemas/chat.schema.ts';

const DAYS_30 = 30 * 24 * 60 * 60;

/** The token that was sent, not yet checked; a header that is sent is never ignored. */
export function readChatToken(req: Request): string | undefined {
  return req.get(CHAT_HEADER) ?? parseCookie(req.headers.cookie ?? '')[CHAT_COOKIE];
}

/** Gives the browser the token for another 30 days, as long as an unused one is kept. */
export function setChatCookie(res: Response, token: string, secure: boolean): void {
  writeCookie(res, token, DAYS_30, secure);
}

export function clearChatCookie(res: Response, secure: boolean): void {
  writeCookie(res, '', 0, secure);
}

function writeCookie(res: Response, value: string, maxAge: number, secure: boolean): void {
  const attributes = { httpOnly: true, sameSite: 'lax', path: '/', maxAge, secure } as const;
  res.append('Set-Cookie', stringifySetCookie({ name: CHAT_COOKIE, value, ...attributes }));
}
