/** Keys of programs. Only the SHA-256 of a key is stored: it is random, so no slow hash is needed. */
import { model, Schema } from 'mongoose';

const apiKeySchema = new Schema(
  {
    name: { type: String, required: true },
    hash: { type: String, required: true },
  },
  { timestamps: { createdAt: true, updatedAt: false }, versionKey: false },
);
apiKeySchema.index({ hash: 1 }, { unique: true });
apiKeySchema.index({ name: 1 }, { unique: true });

export const ApiKey = model('ApiKey', apiKeySchema, 'api_keys');
