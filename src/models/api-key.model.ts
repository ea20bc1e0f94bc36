/** Keys of programs. Only the SHA-256 of a key is stored: it is random, so no slow hash is needed. */
import { type InferSchemaType, model, Schema, type Types } from 'mongoose';
import { allPermissions, type Permission } from '../permissions.ts';

const apiKeySchema = new Schema(
  {
    name: { type: String, required: true },
    hash: { type: String, required: true },
    /** Who made it, and whose rights it never exceeds; null for the one of the configuration. */
    owner: { type: Schema.Types.ObjectId, ref: 'User', default: null },
    permissions: { type: [{ type: String, enum: allPermissions }], required: true },
    expiresAt: { type: Date, default: null },
    lastUsedAt: { type: Date, default: null },
  },
  { timestamps: { createdAt: true, updatedAt: false }, versionKey: false, id: false },
);
apiKeySchema.index({ hash: 1 }, { unique: true });
apiKeySchema.index({ owner: 1, name: 1 }, { unique: true });
apiKeySchema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });

export const ApiKey = model('ApiKey', apiKeySchema, 'api_keys');

export type ApiKeyRecord = InferSchemaType<typeof apiKeySchema> & { _id: Types.ObjectId };

/** A key as its owner sees it: the key itself is shown once, when it is made. */
export interface ApiKeyDto {
  id: string;
  name: string;
  owner: string | null;
  permissions: Permission[];
  createdAt: string;
  expiresAt: string | null;
  lastUsedAt: string | null;
}

export function toApiKeyDto(doc: ApiKeyRecord): ApiKeyDto {
  return {
    id: doc._id.toHexString(),
    name: doc.name,
    owner: doc.owner?.toHexString() ?? null,
    permissions: [...doc.permissions] as Permission[],
    createdAt: doc.createdAt.toISOString(),
    expiresAt: doc.expiresAt?.toISOString() ?? null,
    lastUsedAt: doc.lastUsedAt?.toISOString() ?? null,
  };
}
