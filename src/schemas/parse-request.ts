/** Parsing as a function whose result must be used: nothing is written into the request. */
import type { Request } from 'express';
import type { z } from 'zod';
import { AppError, inputFaults, invalidInput } from '../errors.ts';

interface RequestSchemas {
  params?: z.ZodType;
  query?: z.ZodType;
  body?: z.ZodType;
}

type Parsed<S extends RequestSchemas> = {
  [Part in keyof S]: S[Part] extends z.ZodType ? z.output<S[Part]> : never;
};

/**
 * @throws AppError INVALID_ID when the path does not fit, INVALID_INPUT with every fault when query or body do not.
 */
export function parseRequest<S extends RequestSchemas>(req: Request, schemas: S): Parsed<S> {
  const parsed: Record<string, unknown> = {};
  if (schemas.params) {
    const params = schemas.params.safeParse(req.params);
    if (!params.success) throw new AppError('INVALID_ID', 'The address holds an id that is not well-formed.');
    parsed.params = params.data;
  }
  if (schemas.query) parsed.query = parseInput(schemas.query, req.query);
  if (schemas.body) parsed.body = parseInput(schemas.body, req.body ?? {});
  return parsed as Parsed<S>;
}

/** What is not there is no wrong kind of thing. */
const wordsForMissing: z.core.$ZodErrorMap = ({ input }) => (input === undefined ? 'must be there' : undefined);

/** @throws AppError INVALID_INPUT with the places and reasons. */
export function parseInput<S extends z.ZodType>(schema: S, input: unknown): z.output<S> {
  const result = schema.safeParse(input, { error: wordsForMissing });
  if (result.success) return result.data;
  throw invalidInput(inputFaults(result.error));
}
