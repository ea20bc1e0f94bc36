/** The one exit for everything that is thrown: a problem document for programs, the same facts on a page for people. */
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express';
import { AppError, type Problem, toProblem } from '../errors.ts';
import type { ProblemCode } from '../problem-codes.ts';
import { requestId } from './request-context.ts';

/** For addresses that no route takes. @throws AppError NOT_FOUND */
export const notFound: RequestHandler = () => {
  throw new AppError('NOT_FOUND', 'There is nothing at this address.');
};

/** For methods that an address does not take; OPTIONS is told which ones it does. @throws AppError METHOD_NOT_ALLOWED */
export function allowOnly(...methods: string[]): RequestHandler {
  return (req, res) => {
    res.setHeader('Allow', methods.join(', '));
    if (req.method === 'OPTIONS') return void res.status(204).end();
    throw new AppError('METHOD_NOT_ALLOWED', `${req.method} is not allowed here.`);
  };
}

export const errorHandler: ErrorRequestHandler = (error: unknown, req, res, next) => {
  if (res.headersSent) return next(error);
  const known = toAppError(error);
  const id = requestId(req);
  const problem = toProblem(known, id);
  // The questions of monitors are answered before a request gets its log.
  if (problem.status >= 500) req.log?.error({ err: error }, 'request failed');
  res.setHeader('X-Request-Id', id);
  if (problem.status === 401) res.setHeader('WWW-Authenticate', 'Bearer');
  if (problem.status === 503) res.setHeader('Retry-After', '5');
  if (typeof problem.retryAfter === 'number') res.setHeader('Retry-After', String(problem.retryAfter));
  res.removeHeader('ETag');
  res.status(problem.status).setHeader('Cache-Control', 'no-store');
  if (wantsPage(req)) return sendPage(res, problem, next);
  res.type('application/problem+json').send(JSON.stringify(problem));
};

function wantsPage(req: Request): boolean {
  if (req.path.startsWith('/api/') || req.originalUrl.startsWith('/api/')) return false;
  return req.accepts(['json', 'html']) === 'html';
}

function sendPage(res: Response, problem: Problem, next: (error: unknown) => void): void {
  res.render('pages/error', { title: problem.title, problem }, (error, html) => {
    if (error) return next(error);
    res.send(html);
  });
}

/** What the libraries throw, in our words. Anything unknown passes through and becomes INTERNAL. */
function toAppError(error: unknown): unknown {
  if (error instanceof AppError || !(error instanceof Error)) return error;
  const status = 'status' in error && typeof error.status === 'number' ? error.status : 500;
  const refusal = REFUSALS[status];
  if (refusal) return new AppError(refusal.code, refusal.detail);
  return status >= 400 && status < 500 ? new AppError('MALFORMED_REQUEST', 'The request cannot be read.') : error;
}

const REFUSALS: Partial<Record<number, { code: ProblemCode; detail: string }>> = {
  400: { code: 'MALFORMED_REQUEST', detail: 'The body or the address is malformed.' },
  404: { code: 'NOT_FOUND', detail: 'There is nothing at this address.' },
  412: { code: 'VERSION_MISMATCH', detail: 'The file is not the one that the request depends on.' },
  413: { code: 'TOO_LARGE', detail: 'The body is larger than what this address accepts.' },
  415: { code: 'UNSUPPORTED_MEDIA_TYPE', detail: 'The encoding or type of the body is not accepted.' },
  416: { code: 'RANGE_NOT_SATISFIABLE', detail: 'The file has no such part.' },
};
