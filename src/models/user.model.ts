/** A person with an account. There is one only when the e-mail address has been confirmed. */
import { type InferSchemaType, model, Schema, type Types } from 'mongoose';
import { type Role, roles } from '../permissions.ts';
import { LOCALES, type Locale } from '../words.ts';

/** The second step of the login. */
const twoFactorSchema = new Schema(
  {
    /** What the authenticator app knows, sealed with a key that is not in the database alone. */
    secret: { type: String, required: true },
    /** The newest step of time whose code was used: neither it nor an older one is accepted again. */
    lastStep: { type: Number, required: true },
    since: { type: Date, required: true },
    /** SHA-256 of those that were not used yet. */
    recoveryCodes: { type: [String], required: true },
  },
  { _id: false },
);

const userSchema = new Schema(
  {
    /** As the person typed it. */
    email: { type: String, required: true },
    /** What makes two spellings one account. */
    emailKey: { type: String, required: true },
    name: { type: String, required: true },
    role: { type: String, enum: roles, required: true, default: 'customer' },
    locale: { type: String, enum: LOCALES, required: true, default: 'en' },
    /** Argon2id in its own format, with salt and costs. */
    passwordHash: { type: String, required: true },
    /** Null: the password is enough. */
    twoFactor: { type: twoFactorSchema, default: null },
    /** The address of the picture. */
    avatar: { type: String, default: null },
    /** Set by staff: the person cannot log in. */
    disabledAt: { type: Date, default: null },
    version: { type: Number, required: true, default: 1 },
  },
  { timestamps: true, versionKey: false, id: false },
);
userSchema.index({ emailKey: 1 }, { unique: true });
userSchema.index({ role: 1, _id: 1 });

export const User = model('User', userSchema, 'users');

export type UserFields = InferSchemaType<typeof userSchema>;
export type UserRecord = UserFields & { _id: Types.ObjectId };

/** A user as they see themselves, and as staff see them: no hashes, no secrets. */
export interface UserDto {
  id: string;
  email: string;
  name: string;
  role: Role;
  locale: Locale;
  avatar: string | null;
  disabled: boolean;
  /** Does the login ask for a code after the password? */
  twoStep: boolean;
  version: number;
  createdAt: string;
  updatedAt: string;
}

export function toUserDto(doc: UserRecord): UserDto {
  return {
    id: doc._id.toHexString(),
    email: doc.email,
    name: doc.name,
    role: doc.role,
    locale: doc.locale,
    avatar: doc.avatar ?? null,
    disabled: doc.disabledAt != null,
    twoStep: doc.twoFactor != null,
    version: doc.version,
    createdAt: doc.createdAt.toISOString(),
    updatedAt: doc.updatedAt.toISOString(),
  };
}
