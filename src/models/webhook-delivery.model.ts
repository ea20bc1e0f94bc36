/** One event on its way to one endpoint, with what became of each try. */
import { model, Schema, type Types } from 'mongoose';
import { DELIVERY_STATES, type DeliveryState } from '../words.ts';

const KEPT_SECONDS = 30 * 24 * 60 * 60;

/** `status` is null when there was no answer, and `fault` says why. */
export interface WebhookAttempt {
  at: Date;
  ms: number;
  status: number | null;
  fault: string | null;
}

interface WebhookDeliveryFields {
  endpoint: Types.ObjectId;
  /** The event's id, which is the message's. */
  event: Types.ObjectId;
  type: string;
  /** Whom it tells of: absent in deliveries of earlier times. */
  order?: Types.ObjectId;
  /** What is sent, the same at every try. */
  body: string;
  state: DeliveryState;
  attempts: WebhookAttempt[];
  createdAt: Date;
}

const webhookDeliverySchema = new Schema<WebhookDeliveryFields>(
  {
    endpoint: { type: Schema.Types.ObjectId, required: true },
    event: { type: Schema.Types.ObjectId, required: true },
    type: { type: String, required: true },
    order: { type: Schema.Types.ObjectId },
    body: { type: String, required: true },
    state: { type: String, enum: DELIVERY_STATES, required: true, default: 'waiting' },
    attempts: { type: Schema.Types.Mixed as never, required: true },
    createdAt: { type: Date, required: true },
  },
  { versionKey: false, id: false },
);
webhookDeliverySchema.index({ endpoint: 1, event: 1 }, { unique: true });
webhookDeliverySchema.index({ endpoint: 1, _id: -1 });
webhookDeliverySchema.index({ order: 1 });
webhookDeliverySchema.index({ createdAt: 1 }, { expireAfterSeconds: KEPT_SECONDS });

export const WebhookDelivery = model('WebhookDelivery', webhookDeliverySchema, 'webhook_deliveries');

export type WebhookDeliveryRecord = WebhookDeliveryFields & { _id: Types.ObjectId };

export interface WebhookDeliveryDto {
  id: string;
  messageId: string;
  type: string;
  state: DeliveryState;
  body: string;
  attempts: (Omit<WebhookAttempt, 'at'> & { at: string })[];
  nextTryAt: string | null;
  createdAt: string;
}

export const toWebhookDeliveryDto = (doc: WebhookDeliveryRecord, nextTry: Date | undefined): WebhookDeliveryDto => ({
  id: doc._id.toHexString(),
  messageId: doc.event.toHexString(),
  type: doc.type,
  state: doc.state,
  body: doc.body,
  attempts: doc.attempts.map((attempt) => ({ ...attempt, at: attempt.at.toISOString() })),
  nextTryAt: nextTry?.toISOString() ?? null,
  createdAt: doc.createdAt.toISOString(),
});
