/** The chat over sockets: those who have joined are in one room, and only they hear what happens there. */

import type { Logger } from 'pino';
import { isUser } from '../actor.ts';
import type { Config } from '../config.ts';
import { AppError } from '../errors.ts';
import type { EventBus } from '../events.ts';
import { JoinBySocket, type JoinChat, MessageHistory, Nothing, SendMessage } from '../schemas/chat.schema.ts';
import type { ChatService, ChatVisitor, Joined } from '../services/chat.service.ts';
import { chatTokenOf, heldChatTokenOf } from './authenticate-socket.ts';
import { safeHandler } from './safe-handler.ts';
import type { ChatJoined, FeiraServer, FeiraSocket } from './socket-events.ts';

interface ChatSocketDeps {
  config: Pick<Config, 'http'>;
  bus: EventBus;
  chat: ChatService;
  log: Logger;
  /** Where a socket comes from, for the limits of joins and messages. */
  addressOf: (request: FeiraSocket['request']) => string;
}

const ROOM = 'chat:main';
const HISTORY = 50;

/** What a socket that has joined holds. */
interface Stay {
  visitor: ChatVisitor;
  token: string | undefined;
  /** Counts the connection out of the presence. */
  disconnect: () => void;
}

export function attachChat(io: FeiraServer, { config, bus, chat, log, addressOf }: ChatSocketDeps): void {
  const { secure } = config.http;
  const stays = new Map<FeiraSocket, Stay>();

  bus.subscribe('chat.joined', (event) => io.to(ROOM).emit('chat:joined', event));
  bus.subscribe('chat.left', (event) => io.to(ROOM).emit('chat:left', event));
  bus.subscribe('chat.message.posted', (message) => io.to(ROOM).emit('chat:message', message));
  bus.subscribe('chat.visit.ended', ({ visit }) => {
    for (const [socket, { visitor }] of stays) {
      if (visitor.visit !== visit) continue;
      exit(socket);
      socket.emit('chat:ended', { reason: 'You have left the chat.' });
    }
  });

  function enter(socket: FeiraSocket, visitor: ChatVisitor, token: string | undefined): void {
    if (!socket.connected) throw new AppError('NOT_IN_CHAT', 'The connection has closed.');
    const stay = stays.get(socket);
    if (stay?.visitor.visit === visitor.visit) return;
    exit(socket);
    socket.join(ROOM);
    stays.set(socket, { visitor, token, disconnect: chat.connect(visitor) });
  }

  function exit(socket: FeiraSocket): void {
    stays.get(socket)?.disconnect();
    stays.delete(socket);
    socket.leave(ROOM);
  }

  /** @throws AppError NOT_IN_CHAT */
  function visitorOn(socket: FeiraSocket): ChatVisitor {
    const stay = stays.get(socket);
    if (!stay) throw new AppError('NOT_IN_CHAT', 'Send chat:join first.');
    return stay.visitor;
  }

  /** Looked up again by one who would hear of the end: a visit that ended on the way in. @throws AppError NOT_IN_CHAT */
  async function stayIfWelcome(socket: FeiraSocket, { visit }: ChatVisitor, token: string | undefined): Promise<void> {
    try {
      await chat.visitorOf(socket.data.actor, token);
    } catch (error) {
      if (stays.get(socket)?.visitor.visit === visit) exit(socket);
      throw error;
    }
  }

  /** Without an e-mail: whoever has joined before, or is logged in. */
  async function admit(socket: FeiraSocket, input: JoinChat): Promise<Joined> {
    const { actor } = socket.data;
    const stay = stays.get(socket);
    if (input.email === undefined) {
      const token = stay?.token ?? chatTokenOf(socket, secure);
      const visitor = await chat.visitorOf(actor, token).catch((error) => {
        if (!isUser(actor) || !(error instanceof AppError && error.code === 'NOT_IN_CHAT')) throw error;
      });
      if (visitor) return { visitor, ...(token !== undefined && { token }) };
    }
    return chat.join(actor, input, addressOf(socket.request), stay?.token ?? heldChatTokenOf(socket, secure));
  }

  async function join(socket: FeiraSocket, input: JoinChat): Promise<ChatJoined> {
    const known = stays.get(socket)?.token ?? heldChatTokenOf(socket, secure);
    const { visitor, token } = await admit(socket, input);
    enter(socket, visitor, token);
    await stayIfWelcome(socket, visitor, token);
    // The history is read by one who is in the room already: what is posted meanwhile comes twice rather than never.
    const { items, sequence, older } = await chat.messages(visitor, { limit: HISTORY });
    return {
      me: { ...visitor.me },
      participants: chat.participants(visitor),
      messages: items,
      sequence,
      older,
      ...(token !== undefined && token !== known && { token }),
    };
  }

  io.on('connection', (socket) => {
    socket.on(
      'chat:join',
      safeHandler(log, JoinBySocket, (input) => join(socket, input)),
    );
    socket.on(
      'chat:leave',
      safeHandler(log, Nothing, async () => {
        const visitor = visitorOn(socket);
        exit(socket);
        await chat.leave(visitor);
        return {};
      }),
    );
    socket.on(
      'chat:send',
      safeHandler(log, SendMessage, async (input) => {
        const { message } = await chat.send(visitorOn(socket), input, addressOf(socket.request));
        return message;
      }),
    );
    socket.on(
      'chat:history',
      safeHandler(log, MessageHistory, (query) => chat.messages(visitorOn(socket), query)),
    );
    socket.on('disconnect', () => exit(socket));
  });
}
