/** Headers that several operations take. */
import { z } from 'zod';

export const ifNoneMatchHeader = {
  'If-None-Match': z.string().optional().meta({
    description: 'ETags that you have: answers 304 without a body when one of them is the current one',
    example: '"3"',
  }),
};

export const cartSecretHeader = {
  'Cart-Secret': z.string().optional().meta({ description: "The secret of the guest's cart that comes along" }),
};

export const idempotencyKeyHeader = {
  'Idempotency-Key': z.string().optional().meta({
    description:
      'A name of your own for this request, 1 to 255 characters (16 at least for a visitor without a cart): a repeat within a day changes nothing more',
    example: '0d6f3b7a-6d0e-4d0c-9a57-3a6d9d8f7c11',
  }),
};

export const ifMatchHeader = {
  'If-Match': z.string().optional().meta({
    description: 'The ETag that your change is based on: answers 412 when it is not the current one. `*` fits any',
    example: '"3"',
  }),
};
