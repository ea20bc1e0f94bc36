/** What comes in and goes out where people take their data with them, or away. */
import { z } from 'zod';
import { ApiKeyBody } from './api-key.schema.ts';
import { SessionBody } from './auth.schema.ts';
import { CartBody } from './cart.schema.ts';
import { ObjectIdText } from './common.schema.ts';
import { OrderBody } from './order.schema.ts';
import { PasskeyBody } from './passkey.schema.ts';
import { UserBody } from './user.schema.ts';

const staffChange = {
  id: ObjectIdText,
  at: z.iso.datetime(),
  action: z.string().meta({ example: 'product.updated' }),
  targetId: ObjectIdText,
  changes: z.record(z.string(), z.object({ before: z.unknown(), after: z.unknown() })),
};

export const PersonalDataBody = z
  .object({
    exportedAt: z.iso.datetime(),
    account: UserBody,
    logins: z.array(SessionBody),
    apiKeys: z.array(ApiKeyBody),
    passkeys: z.array(PasskeyBody),
    cart: CartBody.nullable(),
    orders: z.array(OrderBody).meta({ description: 'Yours, and those that you placed as a guest with your address' }),
    mailedLinks: z
      .array(z.object({ purpose: z.string(), newEmail: z.string().nullable(), expiresAt: z.iso.datetime() }))
      .meta({ description: 'Links that were mailed and wait to be followed' }),
    chatIdentities: z
      .array(
        z.object({
          id: ObjectIdText,
          email: z.string(),
          createdAt: z.iso.datetime(),
          visits: z.array(z.object({ lastUsedAt: z.iso.datetime() })),
        }),
      )
      .meta({ description: 'Who you are in the chat, and who you were as a guest with your address' }),
    chatMessages: z.array(
      z.object({
        sequence: z.int(),
        identityId: ObjectIdText,
        text: z.string(),
        clientId: z.string(),
        createdAt: z.iso.datetime(),
      }),
    ),
    changesByYou: z
      .array(z.object({ ...staffChange, requestId: z.string().nullable() }))
      .meta({ description: 'What you have changed as staff' }),
    changesOfAccount: z.array(z.object(staffChange)).meta({ description: 'What staff have changed about you' }),
  })
  .meta({ id: 'PersonalData' });
