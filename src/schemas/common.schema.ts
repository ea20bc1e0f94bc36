/** The pieces that several schemas share. */
import { z } from 'zod';

export const ObjectIdText = z
  .string()
  .regex(/^[\da-f]{24}$/i, 'must be 24 hexadecimal digits')
  .toLowerCase()
  .meta({
    description: 'An id: 24 hexadecimal digits',
    example: '665f1c2ab8a1f0c3d4e5f601',
  });

/** One plain address, trimmed. */
export const EmailText = z
  .string()
  .trim()
  .max(254, 'must have at most 254 characters')
  .pipe(z.email('must be an e-mail address, such as ana@example.com'))
  .meta({ example: 'ana@example.com' });

/** Control characters other than tab and newline, the invisible ones that reorder text around them, halves of pairs. */
const INVISIBLE = /[\p{Bidi_Control}\p{Cs}\ufeff]|(?![\n\t])\p{Cc}/gu;

/** Something to be seen: neither a blank nor a character that is drawn as nothing. */
const VISIBLE = /[^\s\p{Default_Ignorable_Code_Point}\u2800]/u;

/**
 * Text for people, `min` to `max` characters after cleaning: NFC, trimmed, without invisible control characters. What
 * nobody would see is empty.
 */
export const plainText = (min: number, max: number) =>
  z
    .string()
    .max(max * 2, `must have at most ${max} characters`)
    .transform((text) => text.normalize('NFC').replace(/\r\n?/g, '\n').replace(INVISIBLE, '').trim())
    .transform((text) => (VISIBLE.test(text) ? text : ''))
    .pipe(
      z
        .string()
        .min(min, min === 1 ? 'must not be empty' : `must have at least ${min} characters`)
        .max(max, `must have at most ${max} characters`),
    );

/** A whole number in a query string. */
export const queryNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`));

/** A truth value in a query string. */
export const queryFlag = z.enum(['true', 'false'], 'must be true or false').transform((text) => text === 'true');

/** What a form sends along: the version of the page that was looked at. */
export const VersionForm = z.object({ version: queryNumber(1, Number.MAX_SAFE_INTEGER) });

export const paging = {
  page: queryNumber(1, 1_000_000).default(1).meta({ description: 'The page, from 1' }),
  limit: queryNumber(1, 100).default(20).meta({ description: 'Items on a page, at most 100' }),
};

/** A page of a list, as it is sent. */
export interface Page<T> {
  items: T[];
  total: number;
  page: number;
  limit: number;
  pages: number;
}

export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({
    items: z.array(item),
    total: z.int().meta({ description: 'How many there are on all pages' }),
    page: z.int(),
    limit: z.int(),
    pages: z.int(),
  });
