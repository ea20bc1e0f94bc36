/** Who is calling: the same steps for every request, and for the handshake of every socket. */
import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Request, RequestHandler, Response } from 'express';
import type { Actor } from '../actor.ts';
import type { Config } from '../config.ts';
import type { ApiKeyService } from '../services/api-key.service.ts';
import type { SessionService } from '../services/session.service.ts';
import { authenticate } from './authenticate.ts';
import { browserSession } from './browser-session.ts';

interface IdentifyDeps {
  config: Pick<Config, 'http'>;
  /** Signs the cookie of logged-in browsers. */
  cookieSecret: string;
  apiKeys: Pick<ApiKeyService, 'authenticate'>;
  sessions: SessionService;
}

export function identify(deps: IdentifyDeps): RequestHandler[] {
  const { secure } = deps.config.http;
  return [browserSession(deps.sessions, { secret: deps.cookieSecret, secure }), authenticate(deps)];
}

/** @param bearer what counts as the Authorization header. @throws AppError UNAUTHENTICATED as for a request */
export type IdentifyHandshake = (handshake: IncomingMessage, bearer?: string) => Promise<Actor>;

export function identifyHandshake(deps: IdentifyDeps): IdentifyHandshake {
  const steps = identify(deps);
  return async (handshake, bearer) => {
    const headers = { ...handshake.headers, ...(bearer !== undefined && { authorization: `Bearer ${bearer}` }) };
    const req: Request = Object.create(handshake, { headers: { value: headers } });
    // Socket.io answers; nothing is sent by this one.
    const res = new ServerResponse(handshake) as Response;
    for (const step of steps)
      await new Promise<void>((resolve, reject) => step(req, res, (error) => (error ? reject(error) : resolve())));
    return req.actor;
  };
}
