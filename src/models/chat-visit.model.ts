/**
 * One browser's or program's way into the chat, as one participant. `_id` is the SHA-256 of its token: the token itself
 * is random, so no slow hash is needed. It ends by leaving, or unused after thirty days.
 */
import { model, Schema } from 'mongoose';

export const VISIT_KEPT_SECONDS = 30 * 24 * 60 * 60;

const chatVisitSchema = new Schema(
  {
    _id: { type: String, required: true },
    participant: { type: Schema.Types.ObjectId, required: true },
    usedAt: { type: Date, required: true },
  },
  { versionKey: false },
);
chatVisitSchema.index({ participant: 1, usedAt: 1 });
chatVisitSchema.index({ usedAt: 1 }, { expireAfterSeconds: VISIT_KEPT_SECONDS });

export const ChatVisit = model('ChatVisit', chatVisitSchema, 'chat_visits');
