/** Who opened a socket: the same proof as by HTTP, taken from the handshake. */
import type { IncomingMessage } from 'node:http';
import { parseCookie } from 'cookie';
import type { Logger } from 'pino';
import { type Actor, isUser, visitor } from '../actor.ts';
import { cookieName } from '../cookie-name.ts';
import { AppError, toProblem } from '../errors.ts';
import { CHAT_COOKIE, CHAT_TOKEN } from '../schemas/chat.schema.ts';
import type { ChatService } from '../services/chat.service.ts';
import type { FeiraSocket } from './socket-events.ts';

interface SocketIdentityDeps {
  chat: Pick<ChatService, 'visitorOf'>;
  /** As for a request; `bearer` stands for its Authorization header. @throws AppError UNAUTHENTICATED */
  identify: (handshake: IncomingMessage, bearer?: string) => Promise<Actor>;
}

/** @throws AppError UNAUTHENTICATED for a token that proves nothing: it is never ignored */
export type SocketIdentity = (socket: FeiraSocket) => Promise<Actor>;

/**
 * The cookie of a browser's login, or what a program sends as `auth: { token }`: an access token, an API key, or the
 * token of a chat visit, which says nothing of an account. The Origin of the handshake was checked before, so the cookie
 * was not sent by a page of another site.
 */
export function socketIdentity({ chat, identify }: SocketIdentityDeps): SocketIdentity {
  const isChatToken = (token: string) =>
    chat.visitorOf(visitor, token).then(
      () => true,
      (error) => {
        if (error instanceof AppError && error.code === 'NOT_IN_CHAT') return false;
        throw error;
      },
    );
  return async ({ request, handshake }) => {
    const { token }: { token?: unknown } = handshake.auth;
    if (token === undefined || token === null) return identify(request);
    if (typeof token !== 'string') throw new AppError('UNAUTHENTICATED', 'The token is not a text.');
    return (await isChatToken(token)) ? identify(request) : identify(request, token);
  };
}

/** For `io.use`: sets `socket.data.actor`. What is refused reaches the client as connect_error with the problem. */
export function authenticateSocket(identityOf: SocketIdentity, log: Logger) {
  /** Socket.io lets a connection have one socket, unless it asks again before it has the first. */
  const opening = new WeakSet<FeiraSocket['conn']>();
  return (socket: FeiraSocket, next: (error?: Error) => void): void => {
    const { conn } = socket;
    if (opening.has(conn)) {
      next(new Error('This connection opens a socket already.'));
      return;
    }
    opening.add(conn);
    identityOf(socket)
      .then(
        (actor) => {
          socket.data.actor = actor;
          next();
        },
        (error) => {
          if (!(error instanceof AppError)) log.error({ err: error }, 'socket handshake failed');
          const problem = toProblem(error);
          next(Object.assign(new Error(problem.detail), { data: problem }));
        },
      )
      .finally(() => opening.delete(conn));
  };
}

/**
 * The chat token of programs (`auth: { token }`) or of browsers (the cookie), not yet checked.
 * @param secure whether the shop is reached by https only
 */
export function heldChatTokenOf({ handshake }: FeiraSocket, secure: boolean): string | undefined {
  const { token }: { token?: unknown } = handshake.auth;
  if (typeof token === 'string' && CHAT_TOKEN.test(token)) return token;
  return parseCookie(handshake.headers.cookie ?? '')[cookieName(CHAT_COOKIE, secure)];
}

/** The chat token that counts: one that was handed over is never ignored; a login goes before a cookie. */
export function chatTokenOf(socket: FeiraSocket, secure: boolean): string | undefined {
  const token = heldChatTokenOf(socket, secure);
  return isUser(socket.data.actor) && token !== socket.handshake.auth.token ? undefined : token;
}
