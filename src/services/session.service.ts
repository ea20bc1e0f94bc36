/**
 * Logins. Whoever comes with one gets the rights that their account has now: an answer is remembered for five seconds
 * at most, and forgotten at once in the process that ends the login or changes the account.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { Types } from 'mongoose';
import { type Actor, expectUser, type UserActor } from '../actor.ts';
import { AppError } from '../errors.ts';
import type { EventBus } from '../events.ts';
import { Passkey } from '../models/passkey.model.ts';
import { Session, type SessionDto, type SessionRecord, toSessionDto } from '../models/session.model.ts';
import { User, type UserDto, type UserRecord } from '../models/user.model.ts';
import { rightsOf } from '../permissions.ts';
import type { LoginKind } from '../words.ts';
import { ACCESS_TOKEN_SECONDS, type ProvenLogin, readAccessToken, signAccessToken } from './access-token.ts';
import { type Logins, theseLogins } from './expire-logins.ts';
import { hashOfToken, randomToken } from './random-token.ts';

const REMEMBERED_MS = 5000;
const KEPT_MS = 30 * 24 * 60 * 60 * 1000;
/** How exactly the last use of a login is noted. */
const USE_NOTED_MS = 60_000;
const MAX_SESSIONS = 50;

interface SessionServiceDeps {
  bus: EventBus;
  accessSecret: string;
  refreshSecret: string;
  /** Whether staff without a second factor are without permissions too. */
  staffNeedTwoStep: boolean;
}

/** Where a login comes from. */
export interface LoginOrigin {
  /** In words for people, such as "Firefox on Linux". */
  device: string;
  address: string;
}

/** Whose login is opened: the account as it was when they proved that it is theirs. */
export type LoginOwner = Pick<UserDto, 'id' | 'version'>;

/** What a program gets when it logs in. `expiresIn` is in seconds. */
export interface TokenPair {
  accessToken: string;
  tokenType: 'Bearer';
  expiresIn: number;
  refreshToken: string;
}

/** What a login is known by. */
interface Proof {
  kind: LoginKind;
  tokenHash: string;
  passkey: string | undefined;
}

type Remembered = { actor: UserActor; expiresAt: number; usedAt: number };

export class SessionService {
  readonly #bus: EventBus;
  readonly #accessSecret: string;
  readonly #refreshSecret: string;
  readonly #staffNeedTwoStep: boolean;
  readonly #known = new LRUCache<string, Remembered>({ max: 10_000, ttl: REMEMBERED_MS });
  /** What access tokens have proved: a signature is checked once. */
  readonly #proven = new LRUCache<string, ProvenLogin>({ max: 10_000 });
  /** The ids of sessions by the hash of a browser's cookie; a hash never changes its session. */
  readonly #browsers = new LRUCache<string, string>({ max: 10_000 });

  constructor({ bus, accessSecret, refreshSecret, staffNeedTwoStep }: SessionServiceDeps) {
    this.#bus = bus;
    this.#accessSecret = accessSecret;
    this.#refreshSecret = refreshSecret;
    this.#staffNeedTwoStep = staffNeedTwoStep;
    bus.subscribe('user.changed', ({ userId }) => this.#forgetUser(userId));
    bus.subscribe('session.ended', ({ sessionId }) => this.#known.delete(sessionId));
  }

  /**
   * Opens a login for a browser whose cookie will carry `cookieId`.
   * @param passkey the id of the passkey that opens it, if one does
   * @returns the id of the session
   * @throws AppError CONCURRENT_CHANGE
   */
  openForBrowser(owner: LoginOwner, cookieId: string, origin: LoginOrigin, passkey?: string): Promise<string> {
    return this.#open(owner, { kind: 'browser', tokenHash: hashOfToken(cookieId), passkey }, origin);
  }

  /**
   * Opens a login for a program. @param passkey the id of the passkey that opens it, if one does
   * @throws AppError CONCURRENT_CHANGE
   */
  async openForProgram(owner: LoginOwner, origin: LoginOrigin, passkey?: string): Promise<TokenPair> {
    const secret = randomToken();
    const id = await this.#open(owner, { kind: 'api', tokenHash: hashOfToken(secret), passkey }, origin);
    return this.#tokens(owner.id, id, secret);
  }

  /**
   * New tokens for a refresh token, which is worth nothing from now on. One that was used before is in wrong hands, or
   * its successor is: the login ends.
   * @throws AppError UNAUTHENTICATED
   */
  async refresh(refreshToken: string): Promise<TokenPair> {
    const { id, secret } = this.#readRefreshToken(refreshToken);
    const next = randomToken();
    const now = Date.now();
    const session = await Session.findOneAndUpdate(
      { _id: id, kind: 'api', tokenHash: hashOfToken(secret), expiresAt: { $gt: new Date(now) } },
      { $set: { tokenHash: hashOfToken(next), lastUsedAt: new Date(now), expiresAt: new Date(now + KEPT_MS) } },
    ).lean();
    if (!session) {
      await this.#end([id]);
      throw new AppError('UNAUTHENTICATED', 'The refresh token is not valid any more. Log in again.');
    }
    const userId = session.user.toHexString();
    if (!(await this.actorOf(id))) throw new AppError('UNAUTHENTICATED', 'The account cannot be used.');
    return this.#tokens(userId, id, next);
  }

  /** Ends the login that a refresh token belongs to; one that is worth nothing changes nothing. */
  async endByRefreshToken(refreshToken: string): Promise<void> {
    await this.#end([this.#readRefreshToken(refreshToken).id]);
  }

  /** Who comes with an access token; null when it proves nothing. */
  async byAccessToken(token: string): Promise<UserActor | null> {
    const proven = this.#proven.get(token) ?? (await readAccessToken(this.#accessSecret, token));
    if (!proven || proven.until <= Date.now()) return null;
    this.#proven.set(token, proven);
    return this.actorOf(proven.sessionId);
  }

  /** Who comes with a browser's cookie; null when the login has ended. */
  async byCookie(cookieId: string): Promise<UserActor | null> {
    const tokenHash = hashOfToken(cookieId);
    const known = this.#browsers.get(tokenHash);
    if (known) return this.actorOf(known);
    const session = await Session.findOne({ kind: 'browser', tokenHash }, { _id: 1 }).lean();
    if (!session) return null;
    const id = session._id.toHexString();
    this.#browsers.set(tokenHash, id);
    return this.actorOf(id);
  }

  /** Ends the login of a browser's cookie, if there is one. */
  async endByCookie(cookieId: string): Promise<void> {
    const session = await Session.findOne({ kind: 'browser', tokenHash: hashOfToken(cookieId) }, { _id: 1 }).lean();
    if (session) await this.#end([session._id.toHexString()]);
  }

  /** Who a login belongs to, with the rights of this moment; null when it has ended or the account is disabled. */
  async actorOf(sessionId: string): Promise<UserActor | null> {
    const now = Date.now();
    const known = this.#known.get(sessionId) ?? (await this.#read(sessionId));
    if (!known || known.expiresAt <= now) return null;
    if (now - known.usedAt > USE_NOTED_MS) await this.#noteUse(sessionId, known, now);
    return known.actor;
  }

  /** As `actorOf` for many logins at once, and as the database has them now; those that have ended are missing. */
  async actorsOf(sessionIds: readonly string[]): Promise<Map<string, UserActor>> {
    if (sessionIds.length === 0) return new Map();
    const sessions = await Session.find({ _id: { $in: sessionIds }, expiresAt: { $gt: new Date() } }).lean();
    const users = await User.find({ _id: { $in: sessions.map(({ user }) => user) }, disabledAt: null }).lean();
    const usersById = new Map(users.map((user) => [user._id.toHexString(), user]));
    const passkeys = await passkeysOf(sessions);
    return new Map(
      sessions.flatMap((session) => {
        const user = usersById.get(session.user.toHexString());
        const id = session._id.toHexString();
        return user ? [[id, this.#toActor(user, session, passkeys)] as const] : [];
      }),
    );
  }

  /** The person's logins, the last used first. */
  async list(actor: Actor): Promise<SessionDto[]> {
    const { id, sessionId } = expectUser(actor);
    const docs = await Session.find({ user: id, expiresAt: { $gt: new Date() } })
      .sort({ lastUsedAt: -1, _id: -1 })
      .limit(MAX_SESSIONS)
      .lean();
    return docs.map((doc) => toSessionDto(doc, sessionId));
  }

  /** Ends one of the person's logins. @throws AppError NOT_FOUND */
  async end(actor: Actor, sessionId: string): Promise<void> {
    const { id } = expectUser(actor);
    if (!(await Session.exists({ _id: sessionId, user: id })))
      throw new AppError('NOT_FOUND', 'You have no login with this id.');
    await this.#end([sessionId]);
  }

  /** Ends the person's logins but the one that asks. */
  async endOthers(actor: Actor): Promise<void> {
    const { id, sessionId } = expectUser(actor);
    await this.endAll({ user: id, except: sessionId });
  }

  /** Ends them, with their sockets, also those that were opened while `expireLogins` ran. */
  async endAll(logins: Logins): Promise<void> {
    const sessions = await Session.find(theseLogins(logins), { _id: 1 }).lean();
    await this.#end(sessions.map(({ _id }) => _id.toHexString()));
  }

  async #open({ id: userId, version }: LoginOwner, proof: Proof, origin: LoginOrigin): Promise<string> {
    const now = Date.now();
    const { _id } = await Session.create({
      ...origin,
      ...proof,
      user: userId,
      lastUsedAt: new Date(now),
      expiresAt: new Date(now + KEPT_MS),
    });
    // A new password that came in between has not seen this login when it ended all of them.
    if (!(await User.exists({ _id: userId, version }))) {
      await this.#end([_id.toHexString()]);
      throw new AppError('CONCURRENT_CHANGE', 'The account was changed at the same moment. Log in again.');
    }
    const old = await Session.find({ user: userId }, { _id: 1 }).sort({ lastUsedAt: -1 }).skip(MAX_SESSIONS).lean();
    await this.#end(old.map((session) => session._id.toHexString()));
    return _id.toHexString();
  }

  async #end(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await Session.deleteMany({ _id: { $in: ids } });
    for (const sessionId of ids) this.#bus.publish('session.ended', { sessionId });
  }

  async #read(sessionId: string): Promise<Remembered | null> {
    if (!Types.ObjectId.isValid(sessionId)) return null;
    const session = await Session.findById(sessionId).lean();
    const user = session && (await User.findOne({ _id: session.user, disabledAt: null }).lean());
    if (!user) return null;
    const { expiresAt, lastUsedAt } = session;
    const known = {
      actor: this.#toActor(user, session, await passkeysOf([session])),
      expiresAt: expiresAt.getTime(),
      usedAt: lastUsedAt.getTime(),
    };
    this.#known.set(sessionId, known);
    return known;
  }

  async #noteUse(sessionId: string, known: Remembered, now: number): Promise<void> {
    known.usedAt = now;
    known.expiresAt = now + KEPT_MS;
    const use = { lastUsedAt: new Date(now), expiresAt: new Date(now + KEPT_MS) };
    await Session.updateOne({ _id: sessionId, expiresAt: { $gt: new Date(now) } }, use);
  }

  #forgetUser(userId: string): void {
    for (const [sessionId, { actor }] of this.#known.entries()) if (actor.id === userId) this.#known.delete(sessionId);
  }

  #toActor(user: UserRecord, session: SessionRecord, passkeys: readonly Types.ObjectId[]): UserActor {
    const { _id, email, name, locale, role, twoFactor = null } = user;
    const passkey = passkeys.find((id) => id.equals(session.passkey)) ?? null;
    const rights = rightsOf({ role, twoFactor, passkey }, { staffNeedTwoStep: this.#staffNeedTwoStep });
    const [id, sessionId] = [_id.toHexString(), session._id.toHexString()];
    return { kind: 'user', id, sessionId, email, name, locale, role, ...rights };
  }

  async #tokens(userId: string, sessionId: string, secret: string): Promise<TokenPair> {
    return {
      accessToken: await signAccessToken(this.#accessSecret, userId, sessionId),
      tokenType: 'Bearer',
      expiresIn: ACCESS_TOKEN_SECONDS,
      refreshToken: `${sessionId}.${secret}.${this.#sign(sessionId, secret)}`,
    };
  }

  /** Signed, so that only a token that was once ours can end a login. @throws AppError UNAUTHENTICATED */
  #readRefreshToken(token: string): { id: string; secret: string } {
    const [, id, secret, signature] = /^([\da-f]{24})\.([\w-]{43})\.([\w-]{43})$/.exec(token) ?? [];
    if (id && secret && signature && isSame(signature, this.#sign(id, secret))) return { id, secret };
    throw new AppError('UNAUTHENTICATED', 'This is not a refresh token.');
  }

  #sign(sessionId: string, secret: string): string {
    return createHmac('sha256', this.#refreshSecret).update(`${sessionId}.${secret}`).digest('base64url');
  }
}

/** Those that have opened these logins and were not removed since. */
async function passkeysOf(sessions: readonly SessionRecord[]): Promise<Types.ObjectId[]> {
  const ids = sessions.flatMap(({ passkey }) => passkey ?? []);
  if (ids.length === 0) return [];
  return (await Passkey.find({ _id: { $in: ids } }, { _id: 1 }).lean()).map(({ _id }) => _id);
}

const isSame = (a: string, b: string) => timingSafeEqual(Buffer.from(a), Buffer.from(b));
