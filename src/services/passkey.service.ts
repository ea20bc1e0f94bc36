/**
 * Passkeys: a login without a password, by a device that has recognised its owner, so it counts as a login in two steps.
 * The device finds the account: no address is typed, and nothing tells whether one has an account.
 */
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server';
import { type Actor, expectUser, type UserActor } from '../actor.ts';
import { inTransaction, isDuplicateKey } from '../database/transaction.ts';
import { AppError, invalidInput } from '../errors.ts';
import type { EventBus } from '../events.ts';
import { Passkey, type PasskeyDto, type PasskeyRecord, toPasskeyDto } from '../models/passkey.model.ts';
import { Session } from '../models/session.model.ts';
import { toUserDto, User, type UserDto, type UserRecord } from '../models/user.model.ts';
import type { AddPasskey, ProvePassword, RenamePasskey, UsedCredential } from '../schemas/passkey.schema.ts';
import { confirmPassword } from './confirm-password.ts';
import { expireLogins } from './expire-logins.ts';
import type { LoginLimits } from './login-limits.ts';
import type { MailService, TwoFactorChange } from './mail.service.ts';
import { issueToken, takeToken } from './one-use-tokens.ts';
import { hashOfToken, randomToken } from './random-token.ts';
import { expectOwnPasskey } from './second-factor.ts';
import type { LoginOrigin, SessionService } from './session.service.ts';
import { ALGORITHMS, challengeOf, type RelyingParty, relyingPartyOf, verifiedNew, verifiedUse } from './webauthn.ts';

const CHALLENGE_MINUTES = 5;
const MAX_PASSKEYS = 10;

interface PasskeyServiceDeps {
  bus: EventBus;
  limits: LoginLimits;
  sessions: Pick<SessionService, 'endAll'>;
  mail: Pick<MailService, 'send'>;
  /** The address that people use. Called when the shop has one. */
  origin: () => string;
}

export class PasskeyService {
  readonly #bus: EventBus;
  readonly #limits: LoginLimits;
  readonly #sessions: Pick<SessionService, 'endAll'>;
  readonly #mail: Pick<MailService, 'send'>;
  readonly #origin: () => string;

  constructor({ bus, limits, sessions, mail, origin }: PasskeyServiceDeps) {
    this.#bus = bus;
    this.#limits = limits;
    this.#sessions = sessions;
    this.#mail = mail;
    this.#origin = origin;
  }

  /** The only address where passkeys work; null when there is none. */
  get origin(): string | null {
    return relyingPartyOf(this.#origin())?.origin ?? null;
  }

  /** The person's own, the oldest first. @throws AppError UNAUTHENTICATED, FORBIDDEN for a key */
  async list(actor: Actor): Promise<PasskeyDto[]> {
    const docs = await Passkey.find({ user: expectUser(actor).id })
      .sort({ _id: 1 })
      .limit(MAX_PASSKEYS)
      .lean();
    return docs.map(toPasskeyDto);
  }

  /**
   * What a device has to know to make a passkey. `add` takes its answer within five minutes, in the same login.
   * @throws AppError INVALID_INPUT at `password`, TOO_MANY_REQUESTS, LIMIT_REACHED, PASSKEYS_UNAVAILABLE, FORBIDDEN for
   * staff whose passkey has to come first
   */
  async begin(
    actor: Actor,
    { password }: ProvePassword,
    from: LoginOrigin,
  ): Promise<PublicKeyCredentialCreationOptionsJSON> {
    const owner = expectUser(actor);
    const { id, sessionId } = owner;
    const { id: rpID } = this.#relyingParty();
    await expectOwnPasskey(owner);
    const { email, name } = await this.#confirmed(id, password, from);
    const own = await Passkey.find({ user: id }, { credentialId: 1, transports: 1 }).lean();
    if (own.length >= MAX_PASSKEYS) throw tooMany();
    const challenge = await issueToken('new-passkey', id, { sessionId }, CHALLENGE_MINUTES);
    return generateRegistrationOptions({
      ...{ rpID, rpName: 'Feira', userName: email, userDisplayName: name },
      userID: Buffer.from(userHandleOf(id), 'base64url'),
      challenge: Buffer.from(challenge, 'base64url'),
      timeout: CHALLENGE_MINUTES * 60_000,
      attestationType: 'none',
      excludeCredentials: own.map(({ credentialId, transports }) => ({ id: credentialId, transports })),
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      supportedAlgorithmIDs: ALGORITHMS,
    });
  }

  /**
   * Keeps the passkey that a device has made, and tells the owner. The login that asks counts as opened by it.
   * @throws AppError INVALID_INPUT at `response`, INVALID_TOKEN, LIMIT_REACHED, PASSKEYS_UNAVAILABLE
   */
  async add(actor: Actor, { name, response }: AddPasskey): Promise<PasskeyDto> {
    const owner = expectUser(actor);
    const challenge = challengeOf(response) ?? '';
    const credential = await verifiedNew(this.#relyingParty(), response, challenge);
    if (!credential) throw notUsable('was not made for this shop, or without asking who you are');
    const { id: credentialId, publicKey, counter, backedUp } = credential;
    const { transports } = response.response;
    const kept = { credentialId, publicKey: Buffer.from(publicKey).toString('base64url'), counter, backedUp };
    try {
      const { passkey, user } = await addOnce(owner, challenge, { ...kept, name, transports });
      this.#changed(user, 'passkey-added');
      return passkey;
    } catch (error) {
      if (isDuplicateKey(error)) throw notUsable('belongs to an account already');
      throw error;
    }
  }

  /** Calls a passkey something else: nothing but what its owner reads. @throws AppError NOT_FOUND, FORBIDDEN as above */
  async rename(actor: Actor, id: string, { name }: RenamePasskey): Promise<PasskeyDto> {
    const owner = expectUser(actor);
    await expectOwnPasskey(owner);
    const change = { returnDocument: 'after' } as const;
    const doc = await Passkey.findOneAndUpdate({ _id: id, user: owner.id }, { $set: { name } }, change).lean();
    if (!doc) throw notYours();
    return toPasskeyDto(doc);
  }

  /**
   * Forgets a passkey and tells the owner. Other logins that were opened by it end.
   * @throws AppError INVALID_INPUT at `password`, TOO_MANY_REQUESTS, NOT_FOUND, FORBIDDEN as above
   */
  async remove(actor: Actor, id: string, { password }: ProvePassword, from: LoginOrigin): Promise<void> {
    const owner = expectUser(actor);
    await expectOwnPasskey(owner);
    const user = await this.#confirmed(owner.id, password, from);
    const opened = { user: owner.id, passkey: id, except: owner.sessionId };
    await inTransaction(async (session) => {
      const { deletedCount } = await Passkey.deleteOne({ _id: id, user: owner.id }, { session });
      if (deletedCount === 0) throw notYours();
      // A login that it opens at this moment is for the account as it was before.
      await User.updateOne({ _id: owner.id }, { $inc: { version: 1 } }, { session });
      await expireLogins(session, opened);
    });
    await this.#sessions.endAll(opened);
    this.#changed(user, 'passkey-removed');
  }

  /**
   * What a device has to know to log somebody in, whoever it is. Valid for five minutes, once, and for this visitor.
   * @returns also what the visitor shows again with the answer
   * @throws AppError PASSKEYS_UNAVAILABLE
   */
  async beginLogin(): Promise<{ options: PublicKeyCredentialRequestOptionsJSON; visitor: string }> {
    const { id: rpID } = this.#relyingParty();
    const visitor = randomToken();
    const challenge = await issueToken('passkey-login', hashOfToken(visitor), {}, CHALLENGE_MINUTES);
    const options = await generateAuthenticationOptions({
      rpID,
      challenge: Buffer.from(challenge, 'base64url'),
      timeout: CHALLENGE_MINUTES * 60_000,
      userVerification: 'required',
    });
    return { options, visitor };
  }

  /**
   * Whose passkey answers the challenge, which is used up whatever comes of it. A login has to be opened for them then.
   * @returns the person, and the passkey's id for the login
   * @throws AppError PASSKEY_REFUSED, the same for every reason, INVALID_TOKEN for the challenge, TOO_MANY_REQUESTS,
   * FORBIDDEN for the right passkey of an account that staff have disabled, PASSKEYS_UNAVAILABLE
   */
  logIn(response: UsedCredential, visitor: string, address: string): Promise<{ user: UserDto; passkeyId: string }> {
    const relyingParty = this.#relyingParty();
    return this.#limits.passkey(response.id, address, async () => {
      const challenge = challengeOf(response) ?? '';
      const { subject } = await inTransaction((session) => takeToken('passkey-login', challenge, session));
      if (subject !== hashOfToken(visitor)) throw refused();
      return passkeyUsed(relyingParty, response, challenge);
    });
  }

  #relyingParty(): RelyingParty {
    const party = relyingPartyOf(this.#origin());
    if (party) return party;
    throw new AppError('PASSKEYS_UNAVAILABLE', 'Browsers make passkeys for https addresses with a name only.');
  }

  /** Tells everyone who has to know. */
  #changed({ _id, email, name, locale }: UserRecord, what: TwoFactorChange): void {
    this.#bus.publish('user.changed', { userId: _id.toHexString() });
    this.#mail.send({ to: email, template: 'two-factor-changed', locale, data: { name, what } });
  }

  #confirmed(userId: string, password: string, { address }: LoginOrigin): Promise<UserRecord> {
    return confirmPassword(this.#limits, { userId, password, field: 'password', address });
  }
}

type KeptCredential = Omit<PasskeyRecord, '_id' | 'user' | 'createdAt' | 'lastUsedAt'>;

function addOnce({ id, sessionId }: UserActor, challenge: string, credential: KeptCredential) {
  return inTransaction(async (session) => {
    const { subject, data } = await takeToken('new-passkey', challenge, session);
    if (subject !== id || data.sessionId !== sessionId) throw notUsable('was asked for in another login');
    // Two passkeys at once, or one and the end of the account, wait for each other here.
    const user = await User.findOneAndUpdate({ _id: id }, { $inc: { version: 1 } }, { session }).lean();
    if (!user) throw new AppError('NOT_FOUND', 'The account has been erased.');
    if ((await Passkey.countDocuments({ user: id }).session(session)) >= MAX_PASSKEYS) throw tooMany();
    const [doc] = await Passkey.create([{ ...credential, user: id }], { session });
    if (!doc) throw new Error('The database returned no passkey.');
    await Session.updateOne({ _id: sessionId, user: id }, { passkey: doc._id }, { session });
    return { passkey: toPasskeyDto(doc.toObject()), user };
  });
}

async function passkeyUsed(relyingParty: RelyingParty, response: UsedCredential, challenge: string) {
  const passkey = await Passkey.findOne({ credentialId: response.id }).lean();
  if (!passkey || response.response.userHandle !== userHandleOf(passkey.user.toHexString())) throw refused();
  const use = await verifiedUse(relyingParty, passkey, response, challenge);
  if (!use) throw refused();
  const user = await User.findById(passkey.user).lean();
  if (!user) throw refused();
  if (user.disabledAt) throw new AppError('FORBIDDEN', 'This account is disabled. Write to the shop.');
  // The counter is still the one that was looked at: of two answers with the same one, one is refused.
  const { _id, counter } = passkey;
  const noted = await Passkey.updateOne({ _id, counter }, { $set: { ...use, lastUsedAt: new Date() } });
  if (noted.matchedCount === 0) throw refused();
  return { user: toUserDto(user), passkeyId: _id.toHexString() };
}

/** What the device calls the account: its id, base64url. */
const userHandleOf = (userId: string) => Buffer.from(userId, 'hex').toString('base64url');

const refused = () => new AppError('PASSKEY_REFUSED', 'This passkey opens no account here.');
const notYours = () => new AppError('NOT_FOUND', 'You have no passkey with this id.');
const notUsable = (detail: string) => invalidInput([{ pointer: '#/response', detail }]);
const tooMany = () =>
  new AppError('LIMIT_REACHED', `One person has at most ${MAX_PASSKEYS} passkeys.`, { limit: MAX_PASSKEYS });
