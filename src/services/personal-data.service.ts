/**
 * Everything that the shop holds about a person with an account, in one place: to be handed over to them, and to be
 * erased. What the shop holds in a new place belongs into both.
 */
import type { ClientSession, Types } from 'mongoose';
import { type Actor, expectUser } from '../actor.ts';
import { inTransaction } from '../database/transaction.ts';
import { AppError, nullIfNotFound } from '../errors.ts';
import type { EventBus } from '../events.ts';
import { ApiKey, type ApiKeyDto, toApiKeyDto } from '../models/api-key.model.ts';
import { AuditEntry, type AuditEntryDto, toAuditEntryDto } from '../models/audit-entry.model.ts';
import { Cart, type CartDto } from '../models/cart.model.ts';
import { ChatVisit } from '../models/chat-visit.model.ts';
import { Message } from '../models/message.model.ts';
import { OneUseToken } from '../models/one-use-token.model.ts';
import type { OrderDto } from '../models/order.model.ts';
import { accountKeyOf, Participant } from '../models/participant.model.ts';
import { Passkey, type PasskeyDto, toPasskeyDto } from '../models/passkey.model.ts';
import { Session, type SessionDto, toSessionDto } from '../models/session.model.ts';
import { toUserDto, User, type UserDto, type UserRecord } from '../models/user.model.ts';
import type { EraseAccount } from '../schemas/auth.schema.ts';
import { recordStaffWrites } from './audit.service.ts';
import type { AvatarService } from './avatar.service.ts';
import type { CartService } from './cart.service.ts';
import type { ChatService } from './chat.service.ts';
import { confirmPassword } from './confirm-password.ts';
import { expectVersion } from './expect-version.ts';
import { keepingAnAdmin } from './keep-an-admin.ts';
import type { LoginLimits } from './login-limits.ts';
import type { MailService } from './mail.service.ts';
import { forgetTokens } from './one-use-tokens.ts';
import { forgetBuyer, forgetTold, ordersOf } from './order-privacy.ts';

/** Documents that are in memory of a list of any length. */
const AT_ONCE = 200;

/** Challenges of a login: nobody is sent these. */
const NOT_MAILED = ['second-factor', 'new-passkey'];

/** What the shop holds about somebody: no secrets, and no hashes of them. Long lists are read as they are written. */
export interface PersonalData {
  exportedAt: string;
  account: UserDto;
  logins: SessionDto[];
  apiKeys: ApiKeyDto[];
  passkeys: PasskeyDto[];
  cart: CartDto | null;
  /** Theirs, and those that they placed as a guest with their address. */
  orders: AsyncIterable<OrderDto>;
  /** Links that were mailed and wait to be followed. */
  mailedLinks: { purpose: string; newEmail: string | null; expiresAt: string }[];
  /** Who they are, or were as guests, in the chat, and when their browsers and programs were last there. */
  chatIdentities: { id: string; email: string; createdAt: string; visits: { lastUsedAt: string }[] }[];
  chatMessages: AsyncIterable<{
    sequence: number;
    identityId: string;
    text: string;
    clientId: string;
    createdAt: string;
  }>;
  /** What they have changed as staff. */
  changesByYou: AsyncIterable<Omit<AuditEntryDto, 'actor'>>;
  /** What staff have changed about their account. */
  changesOfAccount: AsyncIterable<Omit<AuditEntryDto, 'actor' | 'requestId'>>;
}

/** What ends with an account, to be told when it is gone. */
interface Erased {
  user: UserRecord;
  sessionIds: string[];
  orders: Types.ObjectId[];
}

interface PersonalDataServiceDeps {
  bus: EventBus;
  avatars: Pick<AvatarService, 'discard'>;
  carts: Pick<CartService, 'get'>;
  chat: Pick<ChatService, 'forget'>;
  limits: LoginLimits;
  mail: Pick<MailService, 'send'>;
}

export class PersonalDataService {
  readonly #bus: EventBus;
  readonly #avatars: Pick<AvatarService, 'discard'>;
  readonly #carts: Pick<CartService, 'get'>;
  readonly #chat: Pick<ChatService, 'forget'>;
  readonly #limits: LoginLimits;
  readonly #mail: Pick<MailService, 'send'>;

  constructor({ bus, avatars, carts, chat, limits, mail }: PersonalDataServiceDeps) {
    this.#bus = bus;
    this.#avatars = avatars;
    this.#carts = carts;
    this.#chat = chat;
    this.#limits = limits;
    this.#mail = mail;
  }

  /** Of the person who asks, and of nobody else. @throws AppError UNAUTHENTICATED, FORBIDDEN for a key, NOT_FOUND */
  async export(actor: Actor): Promise<PersonalData> {
    const { id, sessionId } = expectUser(actor);
    const user = await User.findById(id).lean();
    if (!user) throw new AppError('NOT_FOUND', 'The account has been erased.');
    const [logins, keys, passkeys, cart, links, chatIdentities] = await Promise.all([
      Session.find({ user: id }).sort({ lastUsedAt: -1, _id: -1 }).lean(),
      ApiKey.find({ owner: id }).sort({ _id: 1 }).lean(),
      Passkey.find({ user: id }).sort({ _id: 1 }).lean(),
      this.#carts.get({ owner: id }).catch(nullIfNotFound),
      OneUseToken.find({ subject: { $in: [id, user.emailKey] }, purpose: { $nin: NOT_MAILED } }).lean(),
      chatIdentitiesOf(user),
    ]);
    return {
      exportedAt: new Date().toISOString(),
      account: toUserDto(user),
      logins: logins.map((login) => toSessionDto(login, sessionId)),
      apiKeys: keys.map(toApiKeyDto),
      passkeys: passkeys.map(toPasskeyDto),
      cart,
      orders: ordersOf({ id, emailKey: user.emailKey }, AT_ONCE),
      mailedLinks: links.map(toMailedLink),
      chatIdentities,
      chatMessages: messagesOf(chatIdentities),
      changesByYou: changesBy(id),
      changesOfAccount: changesOf(id),
    };
  }

  /**
   * Erases the person who asks. What they said in the chat and changed as staff stays, with nothing that tells who it
   * was. All logins, keys and links end; the address can sign up anew, as somebody else.
   * @throws AppError UNAUTHENTICATED, FORBIDDEN for a key, INVALID_INPUT at `password` when that is not the password,
   * TOO_MANY_REQUESTS, VERSION_MISMATCH, LAST_ADMIN, CONCURRENT_CHANGE
   */
  async erase(actor: Actor, { password }: EraseAccount, address: string, ifVersion?: number): Promise<void> {
    const { id } = expectUser(actor);
    const confirmed = await confirmPassword(this.#limits, { userId: id, password, field: 'password', address });
    const { user, sessionIds, orders } = await inTransaction(async (session) => {
      const erased = await this.#erase(actor, confirmed, session);
      expectVersion('account', erased.user.version, ifVersion);
      return erased;
    });
    for (const sessionId of sessionIds) this.#bus.publish('session.ended', { sessionId });
    this.#bus.publish('user.changed', { userId: id });
    const { email, locale, name } = user;
    this.#mail.send({ to: email, template: 'account-erased', locale, data: { name } });
    await forgetTold(orders);
    await this.#avatars.discard(user.avatar ?? null);
  }

  /** Everything, or nothing. @throws AppError LAST_ADMIN, CONCURRENT_CHANGE */
  async #erase(actor: Actor, confirmed: UserRecord, session: ClientSession): Promise<Erased> {
    const user = await removeUser(confirmed, session);
    const id = user._id.toHexString();
    const logins = await Session.find({ user: id }, { _id: 1 }).session(session).lean();
    await Session.deleteMany({ user: id }, { session });
    await ApiKey.deleteMany({ owner: id }, { session });
    await Passkey.deleteMany({ user: id }, { session });
    await Cart.deleteMany({ $or: [{ owner: id }, { buyer: id }] }, { session });
    const orders = await forgetBuyer({ id, emailKey: user.emailKey }, session);
    await forgetTokens(id, session);
    await forgetTokens(user.emailKey, session);
    await this.#chat.forget({ id, email: user.email }, session);
    await recordStaffWrites(actor, [{ action: 'user.erased', targetId: id, before: null, after: null }], session);
    return { user, sessionIds: logins.map((login) => login._id.toHexString()), orders };
  }
}

/** @throws AppError LAST_ADMIN, CONCURRENT_CHANGE when the password is another one meanwhile, or the account is gone */
async function removeUser({ _id, passwordHash }: UserRecord, session: ClientSession): Promise<UserRecord> {
  // Whoever becomes an admin at this moment changes the account, so one of the two has to try again.
  const { role } = (await User.findById(_id, { role: 1 }).session(session).lean()) ?? {};
  const remove = () => User.findOneAndDelete({ _id, passwordHash }, { session }).lean();
  const user = await (role === 'admin' ? keepingAnAdmin(session, remove) : remove());
  if (!user) throw new AppError('CONCURRENT_CHANGE', 'The account was changed or erased elsewhere at the same moment.');
  return user;
}

/** As an account, and as a guest with its address. */
const chatKeysOf = ({ _id, emailKey }: UserRecord) => [accountKeyOf(_id.toHexString()), emailKey];

async function chatIdentitiesOf(user: UserRecord): Promise<PersonalData['chatIdentities']> {
  const people = await Participant.find({ emailKey: { $in: chatKeysOf(user) } }).lean();
  const visits = await ChatVisit.find({ participant: { $in: people.map((person) => person._id) } }).lean();
  return people.map((person) => ({
    id: person._id.toHexString(),
    email: person.email,
    createdAt: person.createdAt.toISOString(),
    visits: visits
      .filter(({ participant }) => participant.equals(person._id))
      .map(({ usedAt }) => ({ lastUsedAt: usedAt.toISOString() })),
  }));
}

function toMailedLink({ purpose, data, expiresAt }: { purpose: string; data: unknown; expiresAt: Date }) {
  const { email }: { email?: unknown } = Object(data);
  return { purpose, newEmail: typeof email === 'string' ? email : null, expiresAt: expiresAt.toISOString() };
}

async function* messagesOf(identities: readonly { id: string }[]): PersonalDataRows<'chatMessages'> {
  const participant = { $in: identities.map(({ id }) => id) };
  const cursor = Message.find({ participant })
    .sort({ participant: 1, sequence: 1 })
    .lean()
    .cursor({ batchSize: AT_ONCE });
  try {
    for await (const { sequence, participant, text, clientId, createdAt } of cursor)
      yield { sequence, identityId: participant.toHexString(), text, clientId, createdAt: createdAt.toISOString() };
  } finally {
    await cursor.close();
  }
}

async function* changesBy(actorId: string): PersonalDataRows<'changesByYou'> {
  const cursor = AuditEntry.find({ actorId }).sort({ actorId: 1, _id: -1 }).lean().cursor({ batchSize: AT_ONCE });
  try {
    for await (const doc of cursor) {
      const { actor: _you, ...entry } = toAuditEntryDto(doc, null);
      yield entry;
    }
  } finally {
    await cursor.close();
  }
}

/** Without who it was: that is about somebody else. */
async function* changesOf(targetId: string): PersonalDataRows<'changesOfAccount'> {
  const cursor = AuditEntry.find({ targetId }).sort({ targetId: 1, _id: -1 }).lean().cursor({ batchSize: AT_ONCE });
  try {
    for await (const doc of cursor) {
      const { actor: _staff, requestId: _theirs, ...entry } = toAuditEntryDto(doc, null);
      yield entry;
    }
  } finally {
    await cursor.close();
  }
}

type PersonalDataRows<Name extends 'chatMessages' | 'changesByYou' | 'changesOfAccount'> =
  PersonalData[Name] extends AsyncIterable<infer Row> ? AsyncGenerator<Row> : never;
