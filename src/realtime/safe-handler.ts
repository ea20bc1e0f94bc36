/** Makes a listener that cannot bring the process down, whatever a client sends. */
import type { Logger } from 'pino';
import type { z } from 'zod';
import { AppError, type Problem, toProblem } from '../errors.ts';
import { parseInput } from '../schemas/parse-request.ts';

/**
 * Parses the payload, runs `work`, and answers the acknowledgement with `{ data }` or `{ error: problem }`. A client
 * that gave no acknowledgement function gets none.
 */
export function safeHandler<S extends z.ZodType, T>(
  log: Logger,
  schema: S,
  work: (input: z.output<S>) => Promise<T> | T,
) {
  return async (...args: unknown[]): Promise<void> => {
    const last = args.at(-1);
    const ack = typeof last === 'function' ? (last as (result: { data: T } | { error: Problem }) => void) : () => {};
    try {
      ack({ data: await work(parseInput(schema, typeof args[0] === 'function' ? undefined : args[0])) });
    } catch (error) {
      if (!(error instanceof AppError)) log.error({ err: error }, 'socket message failed');
      ack({ error: toProblem(error) });
    }
  };
}
