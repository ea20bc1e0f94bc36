/** What has happened in the shop and somebody must still be told: one document for each event and each consumer. */
import { type InferSchemaType, model, Schema, type Types } from 'mongoose';

const KEPT_SECONDS = 7 * 24 * 60 * 60;

const outboxEventSchema = new Schema(
  {
    /** The event's id, the same for all of its consumers. */
    event: { type: Schema.Types.ObjectId, required: true },
    consumer: { type: String, required: true },
    type: { type: String, required: true },
    data: { type: Schema.Types.Mixed, required: true },
    at: { type: Date, required: true },
    /** From when on it may be taken: now, at the next try, or when the claim runs out. Absent: it is no longer wanted. */
    dueAt: { type: Date },
    /** Whoever works on it now. */
    claim: { type: String },
    tries: { type: Number, required: true, default: 0 },
    /** What went wrong at the last try. */
    fault: { type: String },
    doneAt: { type: Date },
    /** It failed too often; it stays here to be seen. */
    givenUpAt: { type: Date },
  },
  { versionKey: false, id: false, minimize: false },
);
outboxEventSchema.index({ consumer: 1, dueAt: 1 });
outboxEventSchema.index({ doneAt: 1 }, { expireAfterSeconds: KEPT_SECONDS });

export const OutboxEvent = model('OutboxEvent', outboxEventSchema, 'outbox_events');

export type OutboxRecord = InferSchemaType<typeof outboxEventSchema> & { _id: Types.ObjectId };
