/** What comes in and goes out of the record of what staff have changed. */
import { z } from 'zod';
import { STAFF_KINDS } from '../words.ts';
import { ObjectIdText, queryNumber } from './common.schema.ts';

export const ListAudit = z.strictObject({
  actorId: ObjectIdText.optional().meta({ description: 'Only what this person or key has changed' }),
  targetId: ObjectIdText.optional().meta({ description: 'Only changes of this thing' }),
  action: z
    .string()
    .regex(/^[a-z-]+\.[a-z-]+$/, 'must be a noun and a verb, such as product.updated')
    .optional(),
  after: ObjectIdText.optional().meta({ description: '`next` of the page before' }),
  limit: queryNumber(1, 100).default(20).meta({ description: 'At most 100' }),
});
export type ListAudit = z.output<typeof ListAudit>;

const change = z.object({ before: z.unknown(), after: z.unknown() });

export const AuditListBody = z
  .object({
    items: z.array(
      z
        .object({
          id: ObjectIdText,
          at: z.iso.datetime(),
          actor: z.object({
            kind: z.enum(STAFF_KINDS),
            id: ObjectIdText,
            name: z.string().nullable().meta({ description: 'null when the account or key is gone' }),
          }),
          action: z.string().meta({ example: 'product.updated' }),
          targetId: ObjectIdText,
          changes: z.record(z.string(), change).meta({ description: 'The fields that differ' }),
          requestId: z.string().nullable(),
        })
        .meta({ id: 'AuditEntry' }),
    ),
    next: z.string().nullable().meta({ description: 'Ask for `after` this to get the next page' }),
  })
  .meta({ id: 'AuditList' });
