/** Where a program of somebody's wants to be told of what happens in the shop. */
import { type InferSchemaType, model, Schema, type Types } from 'mongoose';
import { DISABLED_BY } from '../words.ts';

const webhookEndpointSchema = new Schema(
  {
    url: { type: String, required: true },
    /** Event types, or the beginnings of some: `order.*`, `*`. */
    types: { type: [String], required: true },
    /** Sealed: it is needed to sign, and opens nothing for whoever has the database alone. */
    secret: { type: String, required: true },
    /** The secret before a rotation, which also signs until then. */
    previous: { type: String, default: null },
    previousUntil: { type: Date, default: null },
    /** Why it is told nothing; null while it is. */
    disabled: { type: String, enum: DISABLED_BY, default: null },
    version: { type: Number, required: true, default: 1 },
  },
  { timestamps: true, versionKey: false, id: false },
);

export const WebhookEndpoint = model('WebhookEndpoint', webhookEndpointSchema, 'webhook_endpoints');

export type WebhookEndpointRecord = InferSchemaType<typeof webhookEndpointSchema> & { _id: Types.ObjectId };

export interface WebhookEndpointDto {
  id: string;
  url: string;
  types: string[];
  enabled: boolean;
  disabled: 'staff' | 'gone' | null;
  version: number;
  createdAt: string;
  updatedAt: string;
}

export const toWebhookEndpointDto = (doc: WebhookEndpointRecord): WebhookEndpointDto => ({
  id: doc._id.toHexString(),
  url: doc.url,
  types: [...doc.types],
  enabled: !doc.disabled,
  disabled: doc.disabled ?? null,
  version: doc.version,
  createdAt: doc.createdAt.toISOString(),
  updatedAt: doc.updatedAt.toISOString(),
});
