/** What comes in and goes out about outgoing webhooks. */
import { z } from 'zod';
import { DELIVERY_STATES, DISABLED_BY } from '../words.ts';
import { ObjectIdText, queryNumber } from './common.schema.ts';

const url = z
  .url({ protocol: /^https?$/, message: 'must be an http or https address' })
  .max(500, 'must have at most 500 characters')
  .refine((text) => {
    const { username, password, hash } = URL.canParse(text) ? new URL(text) : { username: '', password: '', hash: '' };
    return !username && !password && !hash;
  }, 'must hold no user, password or fragment')
  .meta({ description: 'Where events are sent; https in production', example: 'https://erp.example/feira' });

const types = z
  .array(
    z
      .string()
      .max(60)
      .regex(/^(?:\*|[a-z]+\.(?:\*|[a-z_]+))$/, 'must be a type, such as order.paid, or order.*, or *'),
  )
  .min(1, 'must hold at least one type')
  .max(20, 'must hold at most 20 types')
  .meta({ description: 'Which events: `order.paid`, all of a noun `order.*`, or all `*`', example: ['order.*'] });

export const CreateWebhook = z.strictObject({ url, types }).meta({ id: 'CreateWebhook' });
export type CreateWebhook = z.output<typeof CreateWebhook>;

export const ChangeWebhook = z
  .strictObject({
    url: url.optional(),
    types: types.optional(),
    enabled: z.boolean().optional().meta({ description: 'false: it is told nothing' }),
  })
  .meta({ id: 'ChangeWebhook' });
export type ChangeWebhook = z.output<typeof ChangeWebhook>;

export const WebhookParams = z.strictObject({ wid: ObjectIdText });
export const DeliveryParams = z.strictObject({ wid: ObjectIdText, did: ObjectIdText });
export const ListDeliveries = z.strictObject({
  after: ObjectIdText.optional().meta({ description: '`next` of the page before' }),
  limit: queryNumber(1, 100).default(20).meta({ description: 'At most 100' }),
});
export type ListDeliveries = z.output<typeof ListDeliveries>;

const webhook = {
  id: ObjectIdText,
  url: z.string(),
  types: z.array(z.string()),
  enabled: z.boolean(),
  disabled: z
    .enum(DISABLED_BY)
    .nullable()
    .meta({ description: '`gone`: its answer was 410. Switch it on again when it is back' }),
  version: z.int(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
};
export const WebhookBody = z.object(webhook).meta({ id: 'Webhook' });
export const WebhookSecretBody = z
  .object({
    ...webhook,
    secret: z
      .string()
      .meta({ description: 'Checks what is sent (Standard Webhooks); shown this once', example: 'whsec_…' }),
  })
  .meta({ id: 'WebhookWithSecret' });
export const WebhookListBody = z.object({ items: z.array(WebhookBody), total: z.int() }).meta({ id: 'WebhookList' });

const attempt = z.object({
  at: z.iso.datetime(),
  ms: z.int(),
  status: z.int().nullable().meta({ description: 'null when there was no answer' }),
  fault: z.string().nullable(),
});
export const DeliveryBody = z
  .object({
    id: ObjectIdText,
    messageId: z.string().meta({ description: 'The header webhook-id, the same at every try' }),
    type: z.string().meta({ example: 'order.paid' }),
    state: z.enum(DELIVERY_STATES),
    body: z.string().meta({ description: 'What is sent: `{ type, timestamp, data }`, data being the order' }),
    attempts: z.array(attempt).meta({ description: 'The last 20, the oldest first' }),
    nextTryAt: z.iso
      .datetime()
      .nullable()
      .meta({ description: 'When it is sent next, if it has not arrived; null when it will not be' }),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'WebhookDelivery' });
export const DeliveryListBody = z
  .object({
    items: z.array(DeliveryBody),
    next: z.string().nullable().meta({ description: 'Ask for `after` this to get the next page' }),
  })
  .meta({ id: 'WebhookDeliveryList' });
