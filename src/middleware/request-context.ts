/** The id that follows a request through answers, logs and problems, and the line that is logged for it. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import { pinoHttp } from 'pino-http';
import { errorInLog } from '../error-in-log.ts';

const ACCEPTABLE = /^[\w.:-]{1,64}$/;

/** The caller's `X-Request-Id` when it is a short plain one, otherwise a new id; the same each time it is asked. */
export function requestId(req: IncomingMessage): string {
  if (typeof req.id === 'string') return req.id;
  const given = req.headers['x-request-id'];
  req.id = typeof given === 'string' && ACCEPTABLE.test(given) ? given : randomUUID();
  return req.id as string;
}

/** Sets `req.id`, `req.log` and the answer's X-Request-Id, and logs one line when the answer is finished. */
export function requestContext(log: Logger): RequestHandler {
  const logged = pinoHttp({
    logger: log,
    genReqId: requestId,
    customLogLevel: (_req, res, error) => (error || res.statusCode >= 500 ? 'error' : 'info'),
    customSuccessMessage: (req, res) => `${req.method} ${pathOf(req)} ${res.statusCode}`,
    customErrorMessage: (req, res) => `${req.method} ${pathOf(req)} ${res.statusCode}`,
    // Headers and query strings hold secrets and people's words: they are not logged.
    serializers: { req: () => undefined, res: () => undefined, err: errorInLog },
    quietReqLogger: true,
    customAttributeKeys: { reqId: 'requestId' },
  });
  return (req, res, next) => {
    res.setHeader('X-Request-Id', requestId(req));
    logged(req, res as ServerResponse, next);
  };
}

const pathOf = (req: IncomingMessage & { originalUrl?: string }) => (req.originalUrl ?? req.url ?? '').split('?', 1)[0];
