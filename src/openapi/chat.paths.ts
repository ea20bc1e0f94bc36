/** The chat in the OpenAPI document. */
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import {
  JoinChat,
  ListMessages,
  MeBody,
  MessageBody,
  MessageListBody,
  MessageParams,
  ParticipantListBody,
  PostMessage,
} from '../schemas/chat.schema.ts';
import { change, empty, json, jsonBody, needsChatToken, read } from './operation.ts';
import { idempotencyKeyHeader } from './parameters.ts';

const chat: [string] = ['Chat'];

export const chatPaths: ZodOpenApiPathsObject = {
  '/api/chat/participants': {
    get: read({
      ...needsChatToken,
      tags: chat,
      operationId: 'listParticipants',
      summary: 'Who is in the chat',
      description: 'Everyone once, in the order in which they came; e-mail addresses are masked.',
      answers: { 200: json(ParticipantListBody, 'Who is there') },
      refusals: ['NOT_IN_CHAT'],
    }),
    post: change({
      tags: chat,
      operationId: 'joinChat',
      summary: 'Join the chat',
      description:
        'Keep the header `Chat-Token` of the answer and send it from now on. Without an open socket you stay there for ' +
        'a minute after each request. Who is logged in leaves the e-mail out, is there by name, and needs no token. An ' +
        'e-mail that belongs to an account is refused: a code is mailed to it, and with that code you are the account.',
      requestBody: jsonBody(JoinChat, { email: 'ana@example.com' }),
      answers: {
        201: json(MeBody, 'You, as you are in the chat; a token for guests', 'Location', 'Chat-Token', 'Set-Cookie'),
      },
      refusals: ['CONFIRMATION_NEEDED', 'INVALID_TOKEN'],
    }),
  },
  '/api/chat/participants/me': {
    get: read({
      ...needsChatToken,
      tags: chat,
      operationId: 'getMe',
      summary: 'Who you are in the chat',
      answers: { 200: json(MeBody, 'You') },
      refusals: ['NOT_IN_CHAT'],
    }),
    delete: change({
      ...needsChatToken,
      tags: chat,
      operationId: 'leaveChat',
      summary: 'Leave the chat',
      description: 'The token ends, and with it every connection that was opened with it.',
      answers: { 204: empty('You have left', 'Set-Cookie') },
      refusals: ['NOT_IN_CHAT'],
    }),
  },
  '/api/chat/messages': {
    get: read({
      ...needsChatToken,
      tags: chat,
      operationId: 'listMessages',
      summary: 'Read messages',
      description: 'The last ones; with `before` those before a message, with `since` what you have missed.',
      requestParams: { query: ListMessages },
      answers: { 200: json(MessageListBody, 'Messages, oldest first') },
      refusals: ['NOT_IN_CHAT', 'INVALID_INPUT'],
    }),
    post: change({
      ...needsChatToken,
      tags: chat,
      operationId: 'sendMessage',
      summary: 'Send a message',
      description:
        'Stored before it is answered, then told to everyone who is there. With the same `clientId` it is stored once, ' +
        'however often you send it; an `Idempotency-Key` does the same for who sends none.',
      requestParams: { header: z.object({ ...idempotencyKeyHeader }) },
      requestBody: jsonBody(PostMessage, { clientId: 'm-1', text: 'Good morning!' }),
      answers: {
        200: json(MessageBody, 'It was stored before', 'Location', 'Idempotent-Replayed'),
        201: json(MessageBody, 'The message', 'Location'),
      },
      refusals: ['NOT_IN_CHAT', 'IDEMPOTENCY_KEY_REUSED'],
    }),
  },
  '/api/chat/messages/{sequence}': {
    get: read({
      ...needsChatToken,
      tags: chat,
      operationId: 'getMessage',
      summary: 'Read one message',
      requestParams: { path: MessageParams },
      answers: { 200: json(MessageBody, 'The message') },
      refusals: ['NOT_IN_CHAT', 'INVALID_ID', 'NOT_FOUND'],
    }),
  },
};
