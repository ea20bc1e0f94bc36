/**
 * A login: of a browser, proved by its cookie, or of a program, proved by its refresh token. Of both only a hash is
 * kept; they are random, so no slow hash is needed.
 */
import { type InferSchemaType, model, Schema, type Types } from 'mongoose';
import { LOGIN_KINDS, type LoginKind } from '../words.ts';

const sessionSchema = new Schema(
  {
    user: { type: Schema.Types.ObjectId, ref: 'User', required: true },
    kind: { type: String, enum: LOGIN_KINDS, required: true },
    /** SHA-256 of the browser's session id, or of the newest refresh token. */
    tokenHash: { type: String, required: true },
    /** What the browser or program says it is, in words for people. */
    device: { type: String, required: true },
    address: { type: String, required: true },
    /** The passkey that opened it, or was added in it; null for a password. */
    passkey: { type: Schema.Types.ObjectId, ref: 'Passkey', default: null },
    lastUsedAt: { type: Date, required: true },
    expiresAt: { type: Date, required: true },
  },
  { timestamps: { createdAt: true, updatedAt: false }, versionKey: false, id: false },
);
sessionSchema.index({ tokenHash: 1 }, { unique: true });
sessionSchema.index({ user: 1, lastUsedAt: -1 });
sessionSchema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });

export const Session = model('Session', sessionSchema, 'sessions');

export type SessionRecord = InferSchemaType<typeof sessionSchema> & { _id: Types.ObjectId };

export interface SessionDto {
  id: string;
  kind: LoginKind;
  device: string;
  address: string;
  /** Is it the one that asks? */
  current: boolean;
  createdAt: string;
  lastUsedAt: string;
  expiresAt: string;
}

export function toSessionDto(doc: SessionRecord, currentId: string): SessionDto {
  const id = doc._id.toHexString();
  return {
    id,
    kind: doc.kind,
    device: doc.device,
    address: doc.address,
    current: id === currentId,
    createdAt: doc.createdAt.toISOString(),
    lastUsedAt: doc.lastUsedAt.toISOString(),
    expiresAt: doc.expiresAt.toISOString(),
  };
}
