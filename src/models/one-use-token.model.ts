/** What a mailed link or code stands for, until it is used once or expires. Only a hash of the token is kept. */
import { model, Schema } from 'mongoose';

const oneUseTokenSchema = new Schema(
  {
    /** SHA-256 of the token, which is random. */
    _id: { type: String, required: true },
    purpose: { type: String, required: true },
    /** What it is about: an e-mail key or a user's id. A newer token of the same purpose and subject replaces it. */
    subject: { type: String, required: true },
    /** What is needed when it is used. */
    data: { type: Schema.Types.Mixed, required: true },
    expiresAt: { type: Date, required: true },
  },
  { versionKey: false, id: false, minimize: false },
);
oneUseTokenSchema.index({ subject: 1, purpose: 1 });
oneUseTokenSchema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });

export const OneUseToken = model('OneUseToken', oneUseTokenSchema, 'one_use_tokens');
