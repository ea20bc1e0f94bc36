/** Refusals: the error that is thrown, and the problem document that every door answers with. */
import type { ZodError } from 'zod';
import { type ProblemCode, problemKinds, problemType } from './problem-codes.ts';

/** A fault at one place of the input. `pointer` is a JSON pointer such as `#/price`. */
export interface InputFault {
  pointer: string;
  detail: string;
}

/** RFC 9457 problem details; every refusal at every door has this shape. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  code: ProblemCode;
  requestId?: string;
  errors?: readonly InputFault[];
  [member: string]: unknown;
}

/** An expected refusal. `members` are added to the problem document, so they are public. */
export class AppError extends Error {
  override name = 'AppError';
  readonly code: ProblemCode;
  readonly members: Readonly<Record<string, unknown>>;

  constructor(code: ProblemCode, detail: string, members: Readonly<Record<string, unknown>> = {}) {
    super(detail);
    this.code = code;
    this.members = members;
  }
}

/** A start that cannot succeed for a reason outside of the program; `message` is ready to be printed. */
export class StartError extends Error {
  override name = 'StartError';
}

/** A refusal for input that is well-formed and not valid. */
export const invalidInput = (errors: readonly InputFault[]) =>
  new AppError(
    'INVALID_INPUT',
    errors
      .map((e) => `${e.pointer} ${e.detail}`)
      .join('; ')
      .slice(0, 500),
    { errors },
  );

/** For `catch`: what does not exist is null, any other refusal is thrown on. */
export function nullIfNotFound(error: unknown): null {
  if (error instanceof AppError && error.code === 'NOT_FOUND') return null;
  throw error;
}

/** The places and reasons of a failed zod parse; the first `limit` of them. */
export function inputFaults(error: ZodError, limit = 20): InputFault[] {
  const faults = error.issues.slice(0, limit).flatMap((issue): InputFault[] => {
    const path = issue.path.map(pointerPart);
    if (issue.code !== 'unrecognized_keys') return [{ pointer: `#${['', ...path].join('/')}`, detail: issue.message }];
    return issue.keys.slice(0, limit).map((key) => ({
      pointer: `#${['', ...path, pointerPart(key)].join('/')}`,
      detail: 'is not a known field',
    }));
  });
  return faults.slice(0, limit);
}

/** One step of a JSON pointer (RFC 6901), cut to a length: it may be the caller's own word. */
const pointerPart = (part: PropertyKey) => String(part).slice(0, 60).replaceAll('~', '~0').replaceAll('/', '~1');

/** The driver could not reach the database, lost it on the way, or had no connection left in time. */
const UNREACHABLE =
  /^(Mongo(ServerSelection|Network|NotConnected|PoolCl|WaitQueueTimeout|TopologyClosed|ServerClosed|ClientClosed)|PoolCl)/;
/**
 * The same, in words of the socket: it was ended by the other side while something was written to it. And in those of a
 * server that stops, or is not the one any more that takes writes.
 */
const CUT: readonly unknown[] = ['EPIPE', 'ECONNRESET', 91, 189, 10_107, 11_600, 11_602, 13_435, 13_436];
/** The database could not store anything: no space, or no flush in time. */
const CANNOT_STORE: readonly unknown[] = [14_031, 64];

function unforeseen(error: unknown): AppError {
  const name = error instanceof Error ? error.name : '';
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  // A write of several documents that loses the connection has an error of its own, without a code of the server.
  const isLost = UNREACHABLE.test(name) || CUT.includes(code) || (name === 'MongoBulkWriteError' && code === undefined);
  if (isLost) return new AppError('UNAVAILABLE', 'The database does not answer.');
  if (CANNOT_STORE.includes(code))
    return new AppError('UNAVAILABLE', 'The database cannot store changes at the moment.');
  return new AppError('INTERNAL', 'The request could not be completed.');
}

/** The refusal that the caller sees. Whatever is not an AppError is hidden: it may hold secrets. */
export function toProblem(error: unknown, requestId?: string): Problem {
  const known = error instanceof AppError ? error : unforeseen(error);
  const { status, title } = problemKinds[known.code];
  const problem = {
    type: problemType(known.code),
    title,
    status,
    detail: known.message,
    code: known.code,
  };
  return { ...problem, ...(requestId ? { requestId } : {}), ...known.members };
}

/** A refusal as one text for people: every fault, otherwise the detail. */
export function problemText({ detail, errors }: Problem): string {
  return errors?.map((fault) => `The ${fault.pointer.slice(2)} ${fault.detail}.`).join(' ') ?? detail;
}
