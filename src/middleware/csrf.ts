/**
 * Tokens against forms that another site sends in a person's name. Every form of somebody who is logged in carries
 * one, and so do the forms by which people come in. Visitors' other forms stand on public pages, which are the same for
 * everyone: they are guarded by their Origin alone.
 */
import { parseCookie } from 'cookie';
import { doubleCsrf } from 'csrf-csrf';
import type { Request, RequestHandler } from 'express';
import { cookieName } from '../cookie-name.ts';
import { AppError } from '../errors.ts';

const FIELD = '_csrf';
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

interface CsrfOptions {
  secret: string;
  /** Whether the shop is reached by https only. */
  secure: boolean;
  /** Paths whose forms carry a token for visitors too. */
  forVisitors: readonly string[];
}

/**
 * Sets `res.locals.csrfToken` for the forms of the page. A form of a login that has ended leads to the login.
 * @throws AppError FORBIDDEN for a form without its token
 */
export function csrf({ secret, secure, forVisitors }: CsrfOptions): RequestHandler {
  const { generateCsrfToken, validateRequest } = doubleCsrf({
    getSecret: () => secret,
    getSessionIdentifier: (req) => req.session.actor?.sessionId ?? 'visitor',
    cookieName: cookieName('feira_csrf', secure),
    cookieOptions: { httpOnly: true, sameSite: 'lax', path: '/', secure },
    getCsrfTokenFromRequest: ({ body }) => (typeof body?.[FIELD] === 'string' ? body[FIELD] : undefined),
  });
  return (req, res, next) => {
    if (!req.session.actor && !forVisitors.includes(routed(req.path)))
      return req.body?.[FIELD] ? res.redirect(303, loginAfterEnd(req)) : next();
    req.cookies ??= parseCookie(req.headers.cookie ?? '');
    if (!SAFE.has(req.method)) {
      if (!validateRequest(req))
        throw new AppError(
          'FORBIDDEN',
          'The page of this form is from before you logged in or out. Go back, load it again, and send the form once more.',
        );
      delete req.body[FIELD];
    }
    res.locals.csrfToken = generateCsrfToken(req, res);
    next();
  };
}

/** The router takes `/Login/` for `/login` too. */
const routed = (path: string) => path.toLowerCase().replace(/\/$/, '');

/** The login that says that a form was not taken, and that leads on to where the form was sent. */
export const loginAfterEnd = ({ originalUrl }: Pick<Request, 'originalUrl'>) =>
  `/login?next=${encodeURIComponent(originalUrl)}&ended=true`;
