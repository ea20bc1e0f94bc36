/** How a guest shows who they are in the chat: pages by a cookie, programs by the header Chat-Token. */
import type { Request, Response } from 'express';
import { isUser } from '../actor.ts';
import { CHAT_COOKIE, CHAT_HEADER } from '../schemas/chat.schema.ts';
import { clearVisitorCookie, readVisitorCookie, setVisitorCookie } from './visitor-cookie.ts';

/** The token that was sent, not yet checked. */
export function heldChatToken(req: Request): string | undefined {
  return req.get(CHAT_HEADER) ?? readVisitorCookie(req, CHAT_COOKIE);
}

/** The token that counts: a header that is sent is never ignored; a login goes before a cookie. */
export function readChatToken(req: Request): string | undefined {
  return isUser(req.actor) ? req.get(CHAT_HEADER) : heldChatToken(req);
}

/** Gives the browser the token for another 30 days, as long as an unused one is kept; without one, it has none then. */
export function setChatCookie(res: Response, token: string | undefined, secure: boolean): void {
  if (token === undefined) clearChatCookie(res, secure);
  else setVisitorCookie(res, CHAT_COOKIE, token, secure);
}

export function clearChatCookie(res: Response, secure: boolean): void {
  clearVisitorCookie(res, CHAT_COOKIE, secure);
}
