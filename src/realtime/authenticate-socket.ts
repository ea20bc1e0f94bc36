/** Who opened a socket: the same proof as by HTTP, taken from the handshake. */
import { parseCookie } from 'cookie';
import { CHAT_COOKIE } from '../schemas/chat.schema.ts';
import type { FeiraSocket } from './socket-events.ts';

/**
 * The chat token of programs (`auth: { token }`) or of browsers (the cookie), not yet checked. The Origin of the
 * handshake was checked before, so the cookie was not sent by a page of another site.
 */
export function chatTokenOf({ handshake }: FeiraSocket): string | undefined {
  const { token }: { token?: unknown } = handshake.auth;
  if (typeof token === 'string') return token;
  return parseCookie(handshake.headers.cookie ?? '')[CHAT_COOKIE];
}
