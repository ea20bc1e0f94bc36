/** The chat: who is there, and the messages of its one room, numbered without gaps. */
import pLimit from 'p-limit';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { inTransaction, isDuplicateKey } from '../database/transaction.ts';
import { AppError, invalidInput } from '../errors.ts';
import type { EventBus } from '../events.ts';
import { lastNumber, nextNumber } from '../models/counter.model.ts';
import { Message, type MessageDto, toMessageDto } from '../models/message.model.ts';
import { type ParticipantDto, toParticipantDto } from '../models/participant.model.ts';
import type { ListMessages, SendMessage } from '../schemas/chat.schema.ts';
import { beginVisit, type ChatVisitor, endVisit, findVisitor, participantWith } from './chat-visits.ts';
import { Presence } from './presence.ts';

export type { ChatVisitor };

const ROOM = 'main';
const SEQUENCE = `chat:${ROOM}`;

interface ChatServiceDeps {
  bus: EventBus;
  /** See Presence. */
  graceMs: number;
  leaseMs?: number;
  joinsPerMinute: number;
  messagesPerTenSeconds: number;
}

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

export class ChatService {
  readonly #bus: EventBus;
  readonly #presence: Presence;
  readonly #joins: RateLimiterMemory;
  readonly #messages: RateLimiterMemory;
  /** One message at a time in this process, so that events leave in the order of their numbers. */
  readonly #oneAtATime = pLimit(1);
  /** Messages on their way into the database: a resend waits for the first. */
  readonly #sending = new Map<string, Promise<SentMessage>>();

  constructor({ bus, graceMs, leaseMs = 60_000, joinsPerMinute, messagesPerTenSeconds }: ChatServiceDeps) {
    this.#bus = bus;
    this.#joins = new RateLimiterMemory({ points: joinsPerMinute, duration: 60 });
    this.#messages = new RateLimiterMemory({ points: messagesPerTenSeconds, duration: 10 });
    this.#presence = new Presence({
      graceMs,
      leaseMs,
      onJoined: (person, total) => bus.publish('chat.joined', { participant: toParticipantDto(person), total }),
      onLeft: (person, total) => bus.publish('chat.left', { participant: toParticipantDto(person), total }),
    });
  }

  /**
   * Makes or finds the participant with this e-mail. A token that belongs to them stays valid; one of somebody else
   * ends, as if that person had left here.
   * @param address where the request comes from, for the rate limit.
   * @returns the visitor, and the token that proves it from now on.
   * @throws AppError TOO_MANY_REQUESTS
   */
  async join(email: string, address: string, token?: string): Promise<{ visitor: ChatVisitor; token: string }> {
    await consume(this.#joins, address, 'Too many people have joined from this address.');
    const current = await findVisitor(token);
    const me = await participantWith(email);
    if (current && token !== undefined) {
      if (current.me.id === me.id) return { visitor: { me, visit: current.visit }, token };
      await this.leave(current);
    }
    return beginVisit(me);
  }

  /** Who comes with this token. @throws AppError NOT_IN_CHAT */
  async visitorOf(token: string | undefined): Promise<ChatVisitor> {
    const visitor = await findVisitor(token);
    if (!visitor) throw new AppError('NOT_IN_CHAT', 'Join the chat with your e-mail address first.');
    return visitor;
  }

  /** Counts an open connection in. @returns a function that counts it out. */
  connect({ me, visit }: ChatVisitor): () => void {
    return this.#presence.connect(me, visit);
  }

  /** Keeps a visitor without a connection there for another minute. */
  renew({ me, visit }: ChatVisitor): void {
    this.#presence.renew(me, visit);
  }

  /** Ends the visit with its token and all its connections; the person's other browsers stay. */
  async leave(visitor: ChatVisitor): Promise<void> {
    await endVisit(visitor);
    this.#presence.leave(visitor.me.id, visitor.visit);
    this.#bus.publish('chat.visit.ended', { visit: visitor.visit });
  }

  /** Everyone who is there, each once, in the order in which they came. */
  participants(_visitor: ChatVisitor): ParticipantDto[] {
    return this.#presence.list().map(toParticipantDto);
  }

  /** The last messages, or those before or since a sequence number. */
  async messages(_visitor: ChatVisitor, { since, before, limit }: ListMessages): Promise<MessageList> {
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
  async message(_visitor: ChatVisitor, sequence: number): Promise<MessageDto> {
    const doc = await Message.findOne({ room: ROOM, sequence }).lean();
    if (!doc) throw new AppError('NOT_FOUND', 'There is no message with this number.');
    return toMessageDto(doc);
  }

  /**
   * Stores a message and tells the room; sent again with the same client id, it answers what is stored.
   * @throws AppError TOO_MANY_REQUESTS, INVALID_INPUT when the client id was used for another text
   */
  async send(visitor: ChatVisitor, input: SendMessage): Promise<SentMessage> {
    const key = `${visitor.me.id} ${input.clientId}`;
    const stored = await findSent(visitor, input);
    if (stored) return resent(stored, input);
    const running = this.#sending.get(key);
    if (running) return resent((await running).message, input);

    const sending = this.#store(visitor, input).finally(() => this.#sending.delete(key));
    this.#sending.set(key, sending);
    return sending;
  }

  /** To be called before the connections are closed. */
  stop(): void {
    this.#presence.stop();
  }

  async #store(visitor: ChatVisitor, input: SendMessage): Promise<SentMessage> {
    await consume(this.#messages, visitor.me.id, 'You are writing too fast.');
    return this.#oneAtATime(async () => {
      try {
        const message = await inTransaction(async (session) => {
          const doc = new Message({
            room: ROOM,
            sequence: await nextNumber(SEQUENCE, session),
            participant: visitor.me.id,
            email: visitor.me.email,
            clientId: input.clientId,
            text: input.text,
            createdAt: new Date(),
          });
          return toMessageDto(await doc.save({ session }));
        });
        this.#bus.publish('chat.message.posted', message);
        return { message, created: true };
      } catch (error) {
        // A resend was faster, here or in another process.
        const stored = isDuplicateKey(error) ? await findSent(visitor, input) : null;
        if (stored) return resent(stored, input);
        throw error;
      }
    });
  }
}

async function findSent({ me }: ChatVisitor, { clientId }: SendMessage): Promise<MessageDto | null> {
  const doc = await Message.findOne({ participant: me.id, clientId }).lean();
  return doc && toMessageDto(doc);
}

/** @throws AppError INVALID_INPUT rather than pretend that a text was stored. */
function resent(message: MessageDto, { text }: SendMessage): SentMessage {
  if (message.text === text) return { message, created: false };
  throw invalidInput([{ pointer: '#/clientId', detail: 'was used for a message with another text' }]);
}

async function consume(limiter: RateLimiterMemory, key: string, detail: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (error) {
    if (!(error instanceof RateLimiterRes)) throw error;
    const retryAfter = Math.max(1, Math.ceil(error.msBeforeNext / 1000));
    throw new AppError('TOO_MANY_REQUESTS', `${detail} Try again in ${retryAfter} s.`, { retryAfter });
  }
}
