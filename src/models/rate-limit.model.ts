/** Counters of the rate limits that all processes share. rate-limiter-flexible reads and writes them. */
import { model, Schema } from 'mongoose';

const rateLimitSchema = new Schema(
  {
    /** What is limited and a hash of whom. */
    key: { type: String, required: true },
    points: { type: Number, required: true },
    expire: { type: Date, default: null },
  },
  { versionKey: false, id: false },
);
rateLimitSchema.index({ key: 1 }, { unique: true });
rateLimitSchema.index({ expire: 1 }, { expireAfterSeconds: 0 });

export const RateLimit = model('RateLimit', rateLimitSchema, 'rate_limits');
