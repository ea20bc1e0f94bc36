/** What of an error goes into the log. */
import { pino } from 'pino';

/**
 * Its kind, its words, where it happened, and its code. What libraries attach besides may be a document that was not
 * stored, or all that a payment provider knows of a buyer.
 */
export function errorInLog(error: Error): unknown {
  const told: unknown = pino.stdSerializers.err(error);
  if (typeof told !== 'object' || told === null) return told;
  const { type, message, stack, code }: Record<string, unknown> = { ...told };
  return { type, message, stack, code };
}
