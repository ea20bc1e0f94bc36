/** Who is calling: sets `req.actor` from the Authorization header, otherwise from the browser's login. */
import type { Request, RequestHandler } from 'express';
import { Passport } from 'passport';
import { Strategy as CustomStrategy } from 'passport-custom';
import { type Actor, visitor } from '../actor.ts';
import { AppError } from '../errors.ts';
import type { ApiKeyService } from '../services/api-key.service.ts';
import type { SessionService } from '../services/session.service.ts';
import { requestId } from './request-context.ts';

declare global {
  namespace Express {
    interface Request {
      actor: Actor;
    }
  }
}

interface AuthenticateDeps {
  apiKeys: Pick<ApiKeyService, 'authenticate'>;
  sessions: Pick<SessionService, 'byAccessToken'>;
}

/** @throws AppError UNAUTHENTICATED for a header that proves nothing: it is never ignored. */
export function authenticate({ apiKeys, sessions }: AuthenticateDeps): RequestHandler {
  const passport = new Passport();
  passport.use(
    'access-token',
    bearer((token) => sessions.byAccessToken(token)),
  );
  passport.use(
    'api-key',
    bearer((token) => apiKeys.authenticate(token)),
  );

  return (req, res, next) => {
    if (req.headers.authorization === undefined) {
      req.actor = withRequest(req, req.session?.actor ?? visitor);
      return next();
    }
    const decide = (error: unknown, actor?: Actor | false) => {
      if (error || !actor) return next(error ?? new AppError('UNAUTHENTICATED', 'The key or token is not valid.'));
      req.actor = withRequest(req, actor);
      next();
    };
    passport.authenticate(['access-token', 'api-key'], { session: false }, decide)(req, res, next);
  };
}

const withRequest = (req: Request, actor: Actor): Actor =>
  actor.kind === 'visitor' ? actor : { ...actor, requestId: requestId(req) };

function bearer(actorOf: (token: string) => Promise<Actor | null>) {
  return new CustomStrategy((req, done) => {
    const token = bearerToken(req);
    if (token === null) return done(null, false);
    actorOf(token).then((actor) => done(null, actor ?? false), done);
  });
}

function bearerToken({ headers }: Request): string | null {
  return /^Bearer +([\w.~+/=-]{1,1024})$/i.exec(headers.authorization ?? '')?.[1] ?? null;
}
