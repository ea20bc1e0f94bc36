/** A person of the chat: one for each normalised e-mail address, which nobody has verified yet. */
import { randomBytes } from 'node:crypto';
import { type InferSchemaType, model, Schema, Types } from 'mongoose';

const participantSchema = new Schema(
  {
    /** As the person typed it last. */
    email: { type: String, required: true },
    /** What makes two spellings one person. */
    emailKey: { type: String, required: true },
  },
  { timestamps: { createdAt: true, updatedAt: false }, versionKey: false },
);
participantSchema.index({ emailKey: 1 }, { unique: true });

export const Participant = model('Participant', participantSchema, 'participants');

export type ParticipantFields = InferSchemaType<typeof participantSchema>;

/** Random through and through: the ids that MongoDB makes tell when, and what came before. */
export const randomParticipantId = () => new Types.ObjectId(randomBytes(12));

/** A participant as everyone may see it. */
export interface ParticipantDto {
  id: string;
  /** Masked, as in `a•••@e•••.com`. */
  email: string;
}

export function toParticipantDto({ id, email }: { id: string; email: string }): ParticipantDto {
  return { id, email: maskEmail(email) };
}

/** The first letters and the top-level domain; always three dots, so that no length shows. */
export function maskEmail(email: string): string {
  const [local = '', domain = ''] = email.split(/@(?=[^@]*$)/);
  const topLevel = /\.[^.]+$/.exec(domain)?.[0] ?? '';
  return `${[...local][0] ?? ''}•••@${[...domain][0] ?? ''}•••${topLevel}`;
}
