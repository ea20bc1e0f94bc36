/** What was said in the chat's one room, numbered without gaps. */
import { inTransaction } from '../database/transaction.ts';
import { AppError, invalidInput } from '../errors.ts';
import { lastNumber, nextNumber } from '../models/counter.model.ts';
import { Message, type MessageDto, toMessageDto } from '../models/message.model.ts';
import type { ListMessages, SendMessage } from '../schemas/chat.schema.ts';
import type { Person } from './presence.ts';

const ROOM = 'main';
const SEQUENCE = `chat:${ROOM}`;

/** `created` is false when it was stored before. */
export interface SentMessage {
  message: MessageDto;
  created: boolean;
}

/** A part of the history, oldest first. `older` and `newer` are for `before` and `since`; null at the end. */
export interface MessageList {
  items: MessageDto[];
  sequence: number;
  older: number | null;
  newer: number | null;
}

/** The last messages, or those before or since a sequence number. */
export async function readMessages({ since, before, limit }: ListMessages): Promise<MessageList> {
  const forward = since !== undefined;
  const range = forward ? { $gt: since } : before !== undefined ? { $lt: before } : undefined;
  const docs = await Message.find({ room: ROOM, ...(range && { sequence: range }) })
    .sort({ sequence: forward ? 1 : -1 })
    .limit(limit + 1)
    .lean();
  const items = docs.slice(0, limit).map(toMessageDto);
  if (!forward) items.reverse();
  const more = docs.length > limit;
  return {
    items,
    sequence: await lastNumber(SEQUENCE),
    older: more && !forward ? (items[0]?.sequence ?? null) : null,
    newer: more && forward ? (items.at(-1)?.sequence ?? null) : null,
  };
}

/** @throws AppError NOT_FOUND */
export async function readMessage(sequence: number): Promise<MessageDto> {
  const doc = await Message.findOne({ room: ROOM, sequence }).lean();
  if (!doc) throw new AppError('NOT_FOUND', 'There is no message with this number.');
  return toMessageDto(doc);
}

/** Stores a message with the next number. */
export function storeMessage(sender: Person, { clientId, text }: SendMessage): Promise<MessageDto> {
  const { id: participant, email, name, verified } = sender;
  return inTransaction(async (session) => {
    const sequence = await nextNumber(SEQUENCE, session);
    const said = { room: ROOM, sequence, participant, email, name, verified, clientId, text, createdAt: new Date() };
    return toMessageDto(await new Message(said).save({ session }));
  });
}

/** What a participant has sent with this client id; null when that is nothing. */
export async function findSent(participant: string, { clientId }: SendMessage): Promise<MessageDto | null> {
  const doc = await Message.findOne({ participant, clientId }).lean();
  return doc && toMessageDto(doc);
}

/** @throws AppError INVALID_INPUT rather than pretend that a text was stored. */
export function resent(message: MessageDto, { text }: SendMessage): SentMessage {
  if (message.text === text) return { message, created: false };
  throw invalidInput([{ pointer: '#/clientId', detail: 'was used for a message with another text' }]);
}
