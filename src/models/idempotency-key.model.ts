/** Requests that were done once and must not be done again: what they answered, for a day. */
import { model, Schema } from 'mongoose';

const KEPT_SECONDS = 24 * 60 * 60;

interface IdempotencyKeyFields {
  /** Hash of who asked, what for, and their key. */
  _id: string;
  /** Hash of the body. */
  fingerprint: string;
  result: unknown;
  at: Date;
}

const idempotencyKeySchema = new Schema<IdempotencyKeyFields>(
  {
    _id: { type: String, required: true },
    fingerprint: { type: String, required: true },
    result: { type: Schema.Types.Mixed },
    at: { type: Date, required: true },
  },
  { versionKey: false, id: false, minimize: false },
);
idempotencyKeySchema.index({ at: 1 }, { expireAfterSeconds: KEPT_SECONDS });

export const IdempotencyKey = model('IdempotencyKey', idempotencyKeySchema, 'idempotency_keys');
