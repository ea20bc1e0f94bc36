/** How a caller shows who they are in the chat: pages by a cookie, programs by the header Chat-Token. */
import { parseCookie } from 'cookie';
import type { Request, Response } from 'express';
import { CHAT_COOKIE, CHAT_HEADER } from '../schemas/chat.schema.ts';
import { clearVisitorCookie, setVisitorCookie } from './visitor-cookie.ts';

/** The token that was sent, not yet checked; a header that is sent is never ignored. */
export function readChatToken(req: Request): string | undefined {
  return req.get(CHAT_HEADER) ?? parseCookie(req.headers.cookie ?? '')[CHAT_COOKIE];
}

/** Gives the browser the token for another 30 days, as long as an unused one is kept. */
export function setChatCookie(res: Response, token: string, secure: boolean): void {
  setVisitorCookie(res, CHAT_COOKIE, token, secure);
}

export function clearChatCookie(res: Response, secure: boolean): void {
  clearVisitorCookie(res, CHAT_COOKIE, secure);
}
