/** People for chat tests, each with an e-mail of their own. */
import { randomBytes, randomUUID } from 'node:crypto';
import request from 'supertest';
import type { ChatJoined } from '../../src/realtime/socket-events.ts';
import type { Feira, TestSocket } from './start-feira.ts';

/** Limits that do not get in the way of tests, and no grace unless a test asks for it. */
export const CHAT_ENV = {
  CHAT_GRACE_MS: '50',
  CHAT_JOINS_PER_MINUTE: '100000',
  CHAT_MESSAGES_PER_TEN_SECONDS: '100000',
};

export const anEmail = (name = 'person') => `${name}.${randomBytes(6).toString('hex')}@mail-of-${name}.example`;
export const aMessage = (text: string) => ({ clientId: randomUUID(), text });

/** What the chat knows of somebody who has typed an e-mail. */
export const GUEST = { name: null, verified: false };

/** Someone who has joined over a socket. @param email a new one when absent. */
export async function joinBySocket(feira: Feira, email = anEmail(), headers: Record<string, string> = {}) {
  const socket = await feira.connectSocket(headers);
  return { socket, email, ...(await join(socket, { email })) };
}

/** @throws when the join is refused */
export async function join(socket: TestSocket, payload: { email?: string; code?: string } = {}): Promise<ChatJoined> {
  const answer = await socket.emitWithAck('chat:join', payload);
  if ('error' in answer) throw new Error(`The join was refused: ${answer.error.detail}`);
  return answer.data;
}

/** Someone who has joined over REST; `as` makes requests with their token. */
export async function joinByRest(feira: Pick<Feira, 'api' | 'url'>, email = anEmail()) {
  const res = await feira.api.post('/api/chat/participants').send({ email });
  if (res.status !== 201) throw new Error(`The join was refused: ${res.text}`);
  const token = String(res.headers['chat-token']);
  const as = (method: 'get' | 'post' | 'delete', path: string) =>
    request(feira.url)[method](path).set('Chat-Token', token);
  return { email, token, id: String(res.body.id), as };
}

/** Every event of a name that a socket gets from now on. */
export function collect<T>(socket: TestSocket, event: string): T[] {
  const events: T[] = [];
  (socket as unknown as { on(name: string, listener: (payload: T) => void): void }).on(event, (payload) => {
    events.push(payload);
  });
  return events;
}

/**
 * Resolves when everything that was sent to a socket before now has arrived: events and answers keep their order.
 */
export async function caughtUp(socket: TestSocket): Promise<void> {
  await socket.emitWithAck('catalogue:changes', { since: 0 });
}
