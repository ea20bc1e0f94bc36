/** The cookie by which a logged-in browser is known. Visitors get none, so that public pages stay public. */
import type { Request, RequestHandler, Response } from 'express';
import session, { Store } from 'express-session';
import type { UserActor } from '../actor.ts';
import { cookieName } from '../cookie-name.ts';
import type { LoginOrigin, LoginOwner, SessionService } from '../services/session.service.ts';
import { notFound } from './error-handler.ts';
import { clearVisitorCookie } from './visitor-cookie.ts';

declare module 'express-session' {
  interface SessionData {
    actor: UserActor;
  }
}

const COOKIE = 'feira_session';
/** Long: the server decides when a login ends. */
const COOKIE_MS = 365 * 24 * 60 * 60 * 1000;

/** express-session asks this store; what it stores is a login of SessionService, and nothing else. */
class LoginStore extends Store {
  readonly #sessions: SessionService;

  constructor(sessions: SessionService) {
    super();
    this.#sessions = sessions;
  }

  override get(cookieId: string, done: (error: unknown, data?: session.SessionData | null) => void): void {
    this.#sessions
      .byCookie(cookieId)
      .then((actor) => done(null, actor && { actor, cookie: { originalMaxAge: COOKIE_MS } }), done);
  }

  /** The login was opened before: `logInBrowser`. */
  override set(_cookieId: string, _data: session.SessionData, done?: (error?: unknown) => void): void {
    done?.();
  }

  override touch(_cookieId: string, _data: session.SessionData, done?: () => void): void {
    done?.();
  }

  override destroy(cookieId: string, done?: (error?: unknown) => void): void {
    this.#sessions.endByCookie(cookieId).then(() => done?.(), done);
  }
}

interface BrowserSessionOptions {
  /** Signs the cookie. */
  secret: string;
  /** Whether the shop is reached by https only. */
  secure: boolean;
}

export function browserSession(sessions: SessionService, { secret, secure }: BrowserSessionOptions): RequestHandler {
  const handler = session({
    name: cookieName(COOKIE, secure),
    secret,
    store: new LoginStore(sessions),
    resave: false,
    saveUninitialized: false,
    cookie: { httpOnly: true, sameSite: 'lax', path: '/', secure, maxAge: COOKIE_MS },
  });
  return (req, res, next) => {
    // Of no address at all express-session makes no session, and everything behind it counts on one.
    if (req.url === '*') return void notFound(req, res, next);
    // PUBLIC_URL says that people come by https, also where a proxy does not.
    if (secure) Object.defineProperty(req, 'secure', { value: true });
    handler(req, res, next);
  };
}

/**
 * Opens a login under a new cookie; the browser's old one is worth nothing from now on.
 * @param passkey the id of the passkey that opens it, if one does
 * @throws AppError CONCURRENT_CHANGE
 */
export async function logInBrowser(
  req: Request,
  sessions: SessionService,
  owner: LoginOwner,
  origin: LoginOrigin,
  passkey?: string,
): Promise<void> {
  await new Promise<void>((resolve, reject) => req.session.regenerate((error) => (error ? reject(error) : resolve())));
  const actor = await sessions.actorOf(await sessions.openForBrowser(owner, req.sessionID, origin, passkey));
  if (actor) req.session.actor = actor;
}

/** Ends the browser's login, if there is one, and its cookie. */
export async function logOutBrowser(req: Request, res: Response): Promise<void> {
  const { secure } = req.session.cookie;
  await new Promise<void>((resolve, reject) => req.session.destroy((error) => (error ? reject(error) : resolve())));
  clearVisitorCookie(res, COOKIE, secure === true);
}
