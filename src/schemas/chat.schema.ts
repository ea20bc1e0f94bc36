/** What comes in and goes out of the chat, by HTTP and by socket. The OpenAPI document is made from these. */
import { z } from 'zod';
import { EmailText, ObjectIdText, plainText, queryNumber } from './common.schema.ts';

export const MAX_MESSAGE_LENGTH = 2000;
const MAX_HISTORY = 100;
const HISTORY = 50;

/** The cookie and the request header that carry a visit's token. */
export const CHAT_COOKIE = 'feira_chat';
export const CHAT_HEADER = 'Chat-Token';

/** The form of a visit's token. */
export const CHAT_TOKEN = /^[\w-]{32}$/;

const email = EmailText.meta({ description: 'Shown as typed to yourself, masked to everyone else' });

const clientId = z
  .string()
  .regex(/^[\w.:-]{1,64}$/, 'must be 1 to 64 letters, digits or . _ : -')
  .meta({
    description: 'Your own id for the message: sending it again with the same id stores it once',
    example: '0f7a6a8c-5b0e-4a53-9b5f-3a1e3f0a9d11',
  });

const text = plainText(1, MAX_MESSAGE_LENGTH).meta({ description: 'Plain text', example: 'Good morning!' });

const code = z
  .string()
  .trim()
  .regex(/^\d{6}$/, 'must be the six digits of the mail')
  .meta({ description: 'From the mail that confirms that the address is yours', example: '428913' });

export const JoinChat = z
  .strictObject({
    email: email.optional().meta({ description: 'Of a guest; leave it out when you are logged in' }),
    code: code.optional(),
  })
  .meta({ id: 'JoinChat' });
export type JoinChat = z.output<typeof JoinChat>;

export const SendMessage = z.strictObject({ clientId, text }).meta({ id: 'SendMessage' });
export type SendMessage = z.output<typeof SendMessage>;

/** By HTTP the id may be left out; the server then makes one, and a resend is a second message. */
export const PostMessage = SendMessage.partial({ clientId: true }).meta({ id: 'PostMessage' });

const oneDirection = (query: { since?: number | undefined; before?: number | undefined }) =>
  query.since === undefined || query.before === undefined;
const ONE_DIRECTION = { path: ['before'], message: 'cannot be combined with since' };

export const ListMessages = z
  .strictObject({
    since: queryNumber(0, Number.MAX_SAFE_INTEGER).optional().meta({
      description: 'Only messages after this sequence number, oldest first: what you have missed',
    }),
    before: queryNumber(1, Number.MAX_SAFE_INTEGER).optional().meta({
      description: 'Only messages before this sequence number: older pages',
    }),
    limit: queryNumber(1, MAX_HISTORY)
      .default(HISTORY)
      .meta({ description: `At most ${MAX_HISTORY}` }),
  })
  .refine(oneDirection, ONE_DIRECTION);
export type ListMessages = z.output<typeof ListMessages>;

/** The address of one message. */
export const MessageParams = z.strictObject({ sequence: queryNumber(1, Number.MAX_SAFE_INTEGER) });

/** Query of the page. */
export const ChatPageQuery = z.object({ before: queryNumber(1, Number.MAX_SAFE_INTEGER).optional().catch(undefined) });

/** Socket messages. */
export const JoinBySocket = JoinChat.default({});
export const Nothing = z.strictObject({}).default({});
export const MessageHistory = z
  .strictObject({
    since: z.int().min(0).optional(),
    before: z.int().min(1).optional(),
    limit: z.int().min(1).max(MAX_HISTORY).default(HISTORY),
  })
  .refine(oneDirection, ONE_DIRECTION)
  .default({ limit: HISTORY });

const person = {
  name: z.string().nullable().meta({ description: 'Of the account; null for a guest', example: 'Ana Sousa' }),
  verified: z.boolean().meta({ description: 'Is it the owner of the address? Logged in, or confirmed by a code' }),
};

const ParticipantBody = z
  .object({
    id: ObjectIdText,
    email: z.string().meta({ description: 'Masked', example: 'a•••@e•••.com' }),
    ...person,
  })
  .meta({ id: 'ChatParticipant' });

export const MeBody = z
  .object({
    id: ObjectIdText,
    email: z.string().meta({ description: 'As you typed it', example: 'ana@example.com' }),
    ...person,
  })
  .meta({ id: 'ChatMe' });

export const ParticipantListBody = z
  .object({ items: z.array(ParticipantBody), total: z.int() })
  .meta({ id: 'ChatParticipantList' });

export const MessageBody = z
  .object({
    sequence: z.int().meta({ description: 'Numbers the messages of the room without gaps' }),
    participant: ParticipantBody,
    clientId: z.string(),
    text: z.string(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'ChatMessage' });

export const MessageListBody = z
  .object({
    items: z.array(MessageBody).meta({ description: 'Oldest first' }),
    sequence: z.int().meta({ description: 'The number of the last message in the room' }),
    older: z.int().nullable().meta({ description: 'Ask for `before` this to get the page before' }),
    newer: z.int().nullable().meta({ description: 'Ask for `since` this to get the rest' }),
  })
  .meta({ id: 'ChatMessageList' });
