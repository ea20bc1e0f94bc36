/** A person of the chat: one for each account, and one for each e-mail address that a guest has typed. */
import { randomBytes } from 'node:crypto';
import { type InferSchemaType, model, Schema, Types } from 'mongoose';

const participantSchema = new Schema(
  {
    /** As the person typed it last. */
    email: { type: String, required: true },
    /** What makes two spellings one person; `accountKeyOf` for an account. */
    emailKey: { type: String, required: true },
    /** The account; guests have none, and nobody has verified their address. */
    user: { type: Schema.Types.ObjectId, ref: 'User' },
  },
  { timestamps: { createdAt: true, updatedAt: false }, versionKey: false },
);
participantSchema.index({ emailKey: 1 }, { unique: true });

export const Participant = model('Participant', participantSchema, 'participants');

export type ParticipantFields = InferSchemaType<typeof participantSchema>;

/** Has no @, so no address is the same. */
export const accountKeyOf = (userId: string) => `account:${userId}`;

/** Random through and through: the ids that MongoDB makes tell when, and what came before. */
export const randomParticipantId = () => new Types.ObjectId(randomBytes(12));

/** A participant as everyone may see it. */
export interface ParticipantDto {
  id: string;
  /** Masked, as in `a•••@e•••.com`. */
  email: string;
  /** Of the account; guests have none. */
  name: string | null;
  /** Has the owner of the address shown that it is theirs? */
  verified: boolean;
}

export function toParticipantDto({ id, email, name, verified }: ParticipantDto): ParticipantDto {
  return { id, email: maskEmail(email), name, verified };
}

/** The first letters and the top-level domain; always three dots, so that no length shows. */
export function maskEmail(email: string): string {
  // What an erased account has left behind.
  if (email === '') return 'erased account';
  const [local = '', domain = ''] = email.split(/@(?=[^@]*$)/);
  const topLevel = /\.[^.]+$/.exec(domain)?.[0] ?? '';
  return `${[...local][0] ?? ''}•••@${[...domain][0] ?? ''}•••${topLevel}`;
}
