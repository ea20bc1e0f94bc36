/** A passkey: a key pair of somebody's device, of which the shop has the public half. It is no secret. */
import { type InferSchemaType, model, Schema, type Types } from 'mongoose';

const passkeySchema = new Schema(
  {
    user: { type: Schema.Types.ObjectId, ref: 'User', required: true },
    /** What the device calls it, base64url. */
    credentialId: { type: String, required: true },
    /** In COSE, base64url. */
    publicKey: { type: String, required: true },
    /** How often it was used, as the device says; devices that do not count say 0. */
    counter: { type: Number, required: true },
    /** How it can be reached: `internal`, `usb`, `hybrid`, ... */
    transports: { type: [String], required: true },
    /** Is it kept outside of the device too? */
    backedUp: { type: Boolean, required: true },
    name: { type: String, required: true },
    lastUsedAt: { type: Date, default: null },
  },
  { timestamps: { createdAt: true, updatedAt: false }, versionKey: false, id: false },
);
passkeySchema.index({ credentialId: 1 }, { unique: true });
passkeySchema.index({ user: 1, _id: 1 });

export const Passkey = model('Passkey', passkeySchema, 'passkeys');

export type PasskeyRecord = InferSchemaType<typeof passkeySchema> & { _id: Types.ObjectId };

/** A passkey as its owner sees it. */
export interface PasskeyDto {
  id: string;
  name: string;
  backedUp: boolean;
  createdAt: string;
  lastUsedAt: string | null;
}

export function toPasskeyDto(doc: PasskeyRecord): PasskeyDto {
  return {
    id: doc._id.toHexString(),
    name: doc.name,
    backedUp: doc.backedUp,
    createdAt: doc.createdAt.toISOString(),
    lastUsedAt: doc.lastUsedAt?.toISOString() ?? null,
  };
}
