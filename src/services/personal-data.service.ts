/** Everything that the shop holds about a person with an account, in one place: to be handed over to them. */
import { type Actor, expectUser } from '../actor.ts';
import { AppError, nullIfNotFound } from '../errors.ts';
import { ApiKey, type ApiKeyDto, toApiKeyDto } from '../models/api-key.model.ts';
import { AuditEntry, type AuditEntryDto, toAuditEntryDto } from '../models/audit-entry.model.ts';
import type { CartDto } from '../models/cart.model.ts';
import { ChatVisit } from '../models/chat-visit.model.ts';
import { Message } from '../models/message.model.ts';
import { OneUseToken } from '../models/one-use-token.model.ts';
import { Participant } from '../models/participant.model.ts';
import { Session, type SessionDto, toSessionDto } from '../models/session.model.ts';
import { toUserDto, User, type UserDto, type UserRecord } from '../models/user.model.ts';
import type { CartService } from './cart.service.ts';

/** Documents that are in memory of a list of any length. */
const AT_ONCE = 200;

/** What the shop holds about somebody: no secrets, and no hashes of them. Long lists are read as they are written. */
export interface PersonalData {
  exportedAt: string;
  account: UserDto;
  logins: SessionDto[];
  apiKeys: ApiKeyDto[];
  cart: CartDto | null;
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

interface PersonalDataServiceDeps {
  carts: Pick<CartService, 'get'>;
}

export class PersonalDataService {
  readonly #carts: Pick<CartService, 'get'>;

  constructor({ carts }: PersonalDataServiceDeps) {
    this.#carts = carts;
  }

  /** Of the person who asks, and of nobody else. @throws AppError UNAUTHENTICATED, FORBIDDEN for a key, NOT_FOUND */
  async export(actor: Actor): Promise<PersonalData> {
    const { id, sessionId } = expectUser(actor);
    const user = await User.findById(id).lean();
    if (!user) throw new AppError('NOT_FOUND', 'The account has been erased.');
    const [logins, keys, cart, links, chatIdentities] = await Promise.all([
      Session.find({ user: id }).sort({ lastUsedAt: -1, _id: -1 }).lean(),
      ApiKey.find({ owner: id }).sort({ _id: 1 }).lean(),
      this.#carts.get({ owner: id }).catch(nullIfNotFound),
      OneUseToken.find({ subject: { $in: [id, user.emailKey] } }).lean(),
      chatIdentitiesOf(user),
    ]);
    return {
      exportedAt: new Date().toISOString(),
      account: toUserDto(user),
      logins: logins.map((login) => toSessionDto(login, sessionId)),
      apiKeys: keys.map(toApiKeyDto),
      cart,
      mailedLinks: links.map(toMailedLink),
      chatIdentities,
      chatMessages: messagesOf(chatIdentities),
      changesByYou: changesBy(id),
      changesOfAccount: changesOf(id),
    };
  }
}

async function chatIdentitiesOf({ _id, emailKey }: UserRecord): Promise<PersonalData['chatIdentities']> {
  const keys = [`account:${_id.toHexString()}`, emailKey];
  const people = await Participant.find({ emailKey: { $in: keys } }).lean();
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
