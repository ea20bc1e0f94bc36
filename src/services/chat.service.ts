/** The chat: who may come, who is there, and what they say. */
import type { ClientSession } from 'mongoose';
import type { Logger } from 'pino';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { type Actor, isUser, type UserActor } from '../actor.ts';
import { isDuplicateKey } from '../database/transaction.ts';
import { AppError, invalidInput } from '../errors.ts';
import type { EventBus } from '../events.ts';
import { emailKeyOf } from '../models/email-key.ts';
import { Message, type MessageDto } from '../models/message.model.ts';
import { accountKeyOf, Participant, type ParticipantDto, toParticipantDto } from '../models/participant.model.ts';
import { User, type UserRecord } from '../models/user.model.ts';
import { networkOf } from '../network.ts';
import type { JoinChat, ListMessages, SendMessage } from '../schemas/chat.schema.ts';
import {
  findSent,
  type MessageList,
  readMessage,
  readMessages,
  resent,
  type SentMessage,
  storeMessage,
} from './chat-log.ts';
import {
  beginLoginVisit,
  beginVisit,
  type ChatVisitor,
  endVisit,
  endVisitsOf,
  findLoginVisitor,
  findVisitor,
  guestWith,
  personOf,
} from './chat-visits.ts';
import { consume } from './consume.ts';
import type { LoginLimits } from './login-limits.ts';
import type { MailService } from './mail.service.ts';
import { CODE_MINUTES, issueCode, withCode } from './one-time-codes.ts';
import { Presence } from './presence.ts';
import { Turns } from './turns.ts';

export type { ChatVisitor, MessageList, ParticipantDto, SentMessage };

interface ChatServiceDeps {
  bus: EventBus;
  limits: Pick<LoginLimits, 'mail'>;
  mail: Pick<MailService, 'send'>;
  log: Pick<Logger, 'error'>;
  /** See Presence. */
  graceMs: number;
  leaseMs?: number;
  joinsPerMinute: number;
  messagesPerTenSeconds: number;
}

/** Of one person's messages, for all who write from one network: guests are whoever they say. */
const NETWORK_FACTOR = 5;

/** The token proves a guest from now on; who is logged in needs none. */
export interface Joined {
  visitor: ChatVisitor;
  token?: string;
}

export class ChatService {
  readonly #bus: EventBus;
  readonly #limits: Pick<LoginLimits, 'mail'>;
  readonly #mail: Pick<MailService, 'send'>;
  readonly #presence: Presence;
  readonly #joins: RateLimiterMemory;
  readonly #messages: RateLimiterMemory;
  readonly #messagesOfNetwork: RateLimiterMemory;
  /** One message at a time in this process, so that events leave in the order of their numbers. */
  readonly #turns = new Turns();
  /** Messages on their way into the database: a resend waits for the first. */
  readonly #sending = new Map<string, Promise<SentMessage>>();

  constructor(deps: ChatServiceDeps) {
    const { bus, limits, mail, log, graceMs, leaseMs = 60_000, joinsPerMinute, messagesPerTenSeconds } = deps;
    this.#bus = bus;
    this.#limits = limits;
    this.#mail = mail;
    this.#joins = new RateLimiterMemory({ points: joinsPerMinute, duration: 60 });
    this.#messages = new RateLimiterMemory({ points: messagesPerTenSeconds, duration: 10 });
    this.#messagesOfNetwork = new RateLimiterMemory({ points: NETWORK_FACTOR * messagesPerTenSeconds, duration: 10 });
    this.#presence = new Presence({
      graceMs,
      leaseMs,
      onJoined: (person, total) => bus.publish('chat.joined', { participant: toParticipantDto(person), total }),
      onLeft: (person, total) => bus.publish('chat.left', { participant: toParticipantDto(person), total }),
    });
    bus.subscribe('user.changed', ({ userId }) => {
      this.#followAccount(userId).catch((err) =>
        log.error({ err }, 'what has become of an account could not be seen in the chat'),
      );
    });
  }

  /**
   * Lets somebody in: as their account when they are logged in, otherwise as a guest with this e-mail. An e-mail that
   * belongs to an account needs the code that is mailed to it, and makes them that account. A token that belongs to the
   * same person stays valid; one of somebody else ends, as if that person had left here.
   * @param address where the request comes from, for the rate limits.
   * @throws AppError TOO_MANY_REQUESTS, INVALID_INPUT, CONFIRMATION_NEEDED when a code is on its way, INVALID_TOKEN for a
   * wrong one
   */
  async join(actor: Actor, input: JoinChat, address: string, token?: string): Promise<Joined> {
    await consume(this.#joins, networkOf(address), 'Too many people have joined from this address.');
    const current = await findVisitor(token);
    const joined = isUser(actor)
      ? await this.#joinAs(actor, input)
      : await this.#joinAsGuest(input, address, token === undefined || !current ? null : { visitor: current, token });
    if (current && current.visit !== joined.visitor.visit) await this.leave(current);
    return joined;
  }

  /**
   * Who comes with this token, or with this login when there is no token.
   * @throws AppError NOT_IN_CHAT also for somebody who is logged in and has not joined
   */
  async visitorOf(actor: Actor, token: string | undefined): Promise<ChatVisitor> {
    const byLogin = token === undefined && isUser(actor);
    const visitor = byLogin ? await findLoginVisitor(actor) : await findVisitor(token);
    if (visitor) return visitor;
    throw new AppError(
      'NOT_IN_CHAT',
      byLogin ? 'Join the chat first.' : 'Join the chat with your e-mail address first.',
    );
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
  messages(_visitor: ChatVisitor, query: ListMessages): Promise<MessageList> {
    return readMessages(query);
  }

  /** @throws AppError NOT_FOUND */
  message(_visitor: ChatVisitor, sequence: number): Promise<MessageDto> {
    return readMessage(sequence);
  }

  /**
   * Stores a message and tells the room; sent again with the same client id, it answers what is stored.
   * @param address as for `join`
   * @throws AppError TOO_MANY_REQUESTS, INVALID_INPUT when the client id was used for another text
   */
  async send(visitor: ChatVisitor, input: SendMessage, address: string): Promise<SentMessage> {
    const key = `${visitor.me.id} ${input.clientId}`;
    const stored = await findSent(visitor.me.id, input);
    if (stored) return resent(stored, input);
    const running = this.#sending.get(key);
    if (running) return resent((await running).message, input);

    const sending = this.#store(visitor, input, address).finally(() => this.#sending.delete(key));
    this.#sending.set(key, sending);
    return sending;
  }

  /**
   * Takes name and address of an account out of the chat, in the transaction that erases it; what was said stays. Those
   * who are there as this account leave when `user.changed` is published.
   */
  async forget({ id, email }: { id: string; email: string }, session: ClientSession): Promise<void> {
    const emailKey = { $in: [accountKeyOf(id), emailKeyOf(email)] };
    const people = await Participant.find({ emailKey }, { _id: 1 }).session(session).lean();
    const participant = { $in: people.map(({ _id }) => _id) };
    await Message.updateMany({ participant }, { $set: { email: '', name: null, verified: false } }, { session });
    // The account's own is needed until those who are there as it have left.
    await Participant.updateOne({ emailKey: accountKeyOf(id) }, { $set: { email: '' } }, { session });
    await Participant.deleteOne({ emailKey: emailKeyOf(email) }, { session });
  }

  /** To be called before the connections are closed. */
  stop(): void {
    this.#presence.stop();
  }

  async #joinAs(actor: UserActor, { email }: JoinChat): Promise<Joined> {
    if (email !== undefined && emailKeyOf(email) !== emailKeyOf(actor.email))
      throw invalidInput([{ pointer: '#/email', detail: 'is not yours: leave it out, you are logged in' }]);
    return { visitor: await beginLoginVisit(actor) };
  }

  async #joinAsGuest({ email, code }: JoinChat, address: string, current: Required<Joined> | null): Promise<Joined> {
    if (email === undefined) throw invalidInput([{ pointer: '#/email', detail: 'is needed to join as a guest' }]);
    const owner = await User.findOne({ emailKey: emailKeyOf(email) }).lean();
    if (owner) {
      if (current?.visitor.userId === owner._id.toHexString()) return current;
      return code === undefined ? this.#askForCode(owner, address) : joinByCode(owner, code);
    }
    if (code !== undefined) throw new AppError('INVALID_TOKEN', 'The code is wrong, was used or has expired.');
    const me = await guestWith(email);
    return current?.visitor.me.id === me.id
      ? { ...current, visitor: { ...current.visitor, me } }
      : beginVisit(me, null);
  }

  /** @throws AppError CONFIRMATION_NEEDED, also when no mail leaves, TOO_MANY_REQUESTS */
  async #askForCode({ _id, email, name, locale, disabledAt }: UserRecord, address: string): Promise<never> {
    const mayBeSent = await this.#limits.mail(email, address);
    const code = mayBeSent && !disabledAt ? await issueCode('chat-join', _id.toHexString()) : null;
    if (code !== null)
      this.#mail.send({ to: email, template: 'login-code', locale, data: { name, code, minutes: CODE_MINUTES } });
    throw new AppError(
      'CONFIRMATION_NEEDED',
      'This address belongs to an account. A code was sent to it: join with that code, or log in.',
    );
  }

  /** Ends the visits of an account that is disabled or gone; any other may have a new name. */
  async #followAccount(userId: string): Promise<void> {
    const participant = await Participant.findOne({ emailKey: accountKeyOf(userId) }, { _id: 1 }).lean();
    if (!participant) return;
    const id = participant._id.toHexString();
    const user = await User.findOne({ _id: userId, disabledAt: null }).lean();
    if (user) return this.#presence.rename({ id, email: user.email, name: user.name, verified: true });
    for (const visit of await endVisitsOf(id)) {
      this.#presence.leave(id, visit);
      this.#bus.publish('chat.visit.ended', { visit });
    }
  }

  async #store({ me, userId }: ChatVisitor, input: SendMessage, address: string): Promise<SentMessage> {
    await consume(this.#messages, me.id, 'You are writing too fast.');
    await consume(this.#messagesOfNetwork, networkOf(address), 'Too much is written from this address.');
    const sender = userId === null ? me : await senderNow(me, userId);
    return this.#turns.take('messages', async () => {
      try {
        const message = await storeMessage(sender, input);
        this.#bus.publish('chat.message.posted', message);
        return { message, created: true };
      } catch (error) {
        // A resend was faster, here or in another process.
        const stored = isDuplicateKey(error) ? await findSent(me.id, input) : null;
        if (stored) return resent(stored, input);
        throw error;
      }
    });
  }
}

/** Makes them who the account is. @throws AppError INVALID_TOKEN */
async function joinByCode(owner: UserRecord, code: string): Promise<Required<Joined>> {
  const { email, name } = owner;
  const userId = owner._id.toHexString();
  const me = await personOf({ id: userId, email, name });
  return withCode('chat-join', userId, code, (session) => beginVisit(me, userId, session));
}

/** An account as it is at this moment. @throws AppError NOT_IN_CHAT when it was disabled or erased meanwhile */
async function senderNow(me: ChatVisitor['me'], userId: string): Promise<ChatVisitor['me']> {
  const user = await User.findOne({ _id: userId, disabledAt: null }).lean();
  if (!user) throw new AppError('NOT_IN_CHAT', 'This account cannot be used any more.');
  return { ...me, email: user.email, name: user.name };
}
