/** A message of the chat. The unique indexes give each its place in the room, and store a resend only once. */
import { type InferSchemaType, model, Schema } from 'mongoose';
import { type ParticipantDto, toParticipantDto } from './participant.model.ts';

const messageSchema = new Schema(
  {
    room: { type: String, required: true },
    /** Numbers the messages of a room without gaps, from 1. */
    sequence: { type: Number, required: true },
    participant: { type: Schema.Types.ObjectId, required: true },
    /** The sender as they were then. Without e-mail and name when the account was erased. */
    email: { type: String, required: true },
    name: { type: String, default: null },
    verified: { type: Boolean, required: true, default: false },
    /** Chosen by the sender: the same again is the same message. */
    clientId: { type: String, required: true },
    text: { type: String, required: true },
    createdAt: { type: Date, required: true },
  },
  { versionKey: false },
);
messageSchema.index({ room: 1, sequence: 1 }, { unique: true });
messageSchema.index({ participant: 1, clientId: 1 }, { unique: true });
messageSchema.index({ participant: 1, sequence: 1 });

export const Message = model('Message', messageSchema, 'messages');

/** A message as everyone in the room may see it. */
export interface MessageDto {
  sequence: number;
  participant: ParticipantDto;
  clientId: string;
  text: string;
  createdAt: string;
}

/** Works on lean and on hydrated documents. */
export function toMessageDto(doc: InferSchemaType<typeof messageSchema>): MessageDto {
  return {
    sequence: doc.sequence,
    participant: toParticipantDto({
      id: doc.participant.toHexString(),
      email: doc.email,
      name: doc.name ?? null,
      // Messages from before there were accounts have no such field.
      verified: doc.verified ?? false,
    }),
    clientId: doc.clientId,
    text: doc.text,
    createdAt: doc.createdAt.toISOString(),
  };
}
