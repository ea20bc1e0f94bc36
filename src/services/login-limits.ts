/**
 * How often somebody may try to come in. The counters are in the database, so they hold for all processes and across a
 * restart. Whoever guesses is stopped for their own address; the owner comes in from elsewhere.
 */
import mongoose from 'mongoose';
import { RateLimiterMongo } from 'rate-limiter-flexible';
import { emailKeyOf } from '../models/email-key.ts';
import { RateLimit } from '../models/rate-limit.model.ts';
import { Session } from '../models/session.model.ts';
import { User, type UserRecord } from '../models/user.model.ts';
import { networkOf } from '../network.ts';
import { consume, isExhausted, tooMany, tryConsume } from './consume.ts';
import { hashOfToken } from './random-token.ts';
import { Turns } from './turns.ts';

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** Failures, or mails, in a number of seconds. The README lists them. */
export const LIMITS = {
  /** Failed logins of one account from one address. */
  login: { points: 10, duration: 15 * MINUTE },
  /** Failed logins from one address, whatever the account. */
  address: { points: 50, duration: 15 * MINUTE },
  /** Failed logins of one account from addresses that it was never used from. */
  account: { points: 50, duration: HOUR },
  /** Wrong second factors of one account from one address. */
  code: { points: 5, duration: 15 * MINUTE },
  /** Wrong second factors of one account from addresses that it was never used from. */
  codes: { points: 20, duration: HOUR },
  /** Mails to one person that one address asks for. */
  mail: { points: 5, duration: HOUR },
  /** Mails that one address asks for, to whomever. */
  mailer: { points: 30, duration: HOUR },
  /** Mails to one person, whoever asks for them: beyond, none is sent, and nobody is told. */
  mailbox: { points: 20, duration: HOUR },
  /** Mails about orders to one guest, whoever has placed them: beyond, none is sent, and nobody is told. */
  guest: { points: 30, duration: HOUR },
  /** Codes that no coupon has, from one address. */
  coupon: { points: 50, duration: 15 * MINUTE },
} as const;

type LimitName = keyof typeof LIMITS;

/** A try to log in to an account; null when the e-mail has none. */
type Attempt<T> = (user: UserRecord | null) => Promise<T>;

export class LoginLimits {
  readonly #limiters: Record<LimitName, RateLimiterMongo>;
  readonly #turns = new Turns();

  constructor() {
    const connection = mongoose.connection;
    const limiter = (name: LimitName) =>
      new RateLimiterMongo({
        ...LIMITS[name],
        keyPrefix: name,
        storeClient: connection.getClient(),
        dbName: connection.name,
        tableName: RateLimit.collection.collectionName,
        disableIndexesCreation: true,
      });
    this.#limiters = {
      login: limiter('login'),
      address: limiter('address'),
      account: limiter('account'),
      code: limiter('code'),
      codes: limiter('codes'),
      mail: limiter('mail'),
      mailer: limiter('mailer'),
      mailbox: limiter('mailbox'),
      guest: limiter('guest'),
      coupon: limiter('coupon'),
    };
  }

  /**
   * Runs a login; one that fails counts. Counted before it is tried, so that many at once are no way around.
   * @throws AppError TOO_MANY_REQUESTS, and what `attempt` throws
   */
  login<T>(email: string, address: string, attempt: Attempt<T>): Promise<T> {
    // One after the other, so that right ones that come at once are not counted as failures of each other.
    return this.#turns.take(`${emailKeyOf(email)} ${networkOf(address)}`, () => this.#login(email, address, attempt));
  }

  async #login<T>(email: string, address: string, attempt: Attempt<T>): Promise<T> {
    const [who, where] = [keyOf(emailKeyOf(email)), networkOf(address)];
    const pair = `${who} ${where}`;
    await this.#consume('address', where, 'Too many logins have failed from your address.');
    await this.#consume('login', pair, 'Too many logins with this e-mail have failed.');
    const user = await User.findOne({ emailKey: emailKeyOf(email) }).lean();
    // Also asked for nobody, so that both cases take the same time.
    const isCounted = !(await isKnownAddress(user?._id.toHexString() ?? null, address));
    if (isCounted) await this.#consume('account', who, 'Too many logins with this e-mail have failed.');
    const result = await attempt(user);
    await Promise.all([
      this.#limiters.login.delete(pair),
      this.#limiters.address.reward(where),
      isCounted && this.#limiters.account.reward(who),
    ]);
    return result;
  }

  /**
   * Runs a login with a passkey; one that fails counts for the address, and for the passkey from there.
   * @throws AppError TOO_MANY_REQUESTS, and what `attempt` throws
   */
  passkey<T>(credentialId: string, address: string, attempt: () => Promise<T>): Promise<T> {
    const where = networkOf(address);
    const pair = `${keyOf(`passkey ${credentialId}`)} ${where}`;
    return this.#turns.take(pair, async () => {
      await this.#consume('address', where, 'Too many logins have failed from your address.');
      await this.#consume('login', pair, 'Too many logins with this passkey have failed.');
      const result = await attempt();
      await Promise.all([this.#limiters.login.delete(pair), this.#limiters.address.reward(where)]);
      return result;
    });
  }

  /**
   * Runs a try of a second factor, after the first; one that fails counts, in the same way.
   * @throws AppError TOO_MANY_REQUESTS, and what `attempt` throws
   */
  async code<T>(userId: string, address: string, attempt: () => Promise<T>): Promise<T> {
    const pair = `${userId} ${networkOf(address)}`;
    await this.#consume('code', pair, 'Too many codes were wrong.');
    const isCounted = !(await isKnownAddress(userId, address));
    if (isCounted) await this.#consume('codes', userId, 'Too many codes were wrong.');
    const result = await attempt();
    await Promise.all([this.#limiters.code.delete(pair), isCounted && this.#limiters.codes.reward(userId)]);
    return result;
  }

  /**
   * Counts a mail that somebody asks for, to an address that may be another person's.
   * @returns false when the person has had enough of them: it is not to be sent, and the answer stays the same
   * @throws AppError TOO_MANY_REQUESTS
   */
  async mail(email: string, address: string): Promise<boolean> {
    const [who, where] = [keyOf(emailKeyOf(email)), networkOf(address)];
    await this.#consume('mailer', where, 'Too many mails were asked for from your address.');
    await this.#consume('mail', `${who} ${where}`, 'Too many mails to this address were asked for.');
    return this.#mayBeSent('mailbox', who);
  }

  /**
   * Counts a mail about an order of a guest: anybody can order in anybody's name.
   * @returns false when the address has had enough of them
   */
  guestMail(email: string): Promise<boolean> {
    return this.#mayBeSent('guest', keyOf(emailKeyOf(email)));
  }

  /**
   * Looks for a coupon; one that there is not counts. Counted after it was looked for, so that many buyers with the right
   * code are not in each other's way. @returns null when there is none @throws AppError TOO_MANY_REQUESTS
   */
  async coupon<T>(address: string, find: () => Promise<T | null>): Promise<T | null> {
    const where = networkOf(address);
    const state = await this.#limiters.coupon.get(where);
    if (state && state.consumedPoints >= LIMITS.coupon.points)
      throw tooMany(state, 'Too many coupons from your address were wrong.');
    const found = await find();
    // The last one is answered like those before it.
    if (!found) await tryConsume(this.#limiters.coupon, where).catch(unlessExhausted);
    return found;
  }

  #mayBeSent(name: LimitName, who: string): Promise<boolean> {
    return tryConsume(this.#limiters[name], who).then(
      () => true,
      (error) => {
        if (isExhausted(error)) return false;
        throw error;
      },
    );
  }

  #consume(name: LimitName, key: string, detail: string): Promise<void> {
    return consume(this.#limiters[name], key, detail);
  }
}

function unlessExhausted(error: unknown): void {
  if (!isExhausted(error)) throw error;
}

/** No addresses of people in the counters. */
const keyOf = (text: string) => hashOfToken(text).slice(0, 22);

/** Is somebody logged in to this account from there? A device changes its address within a network of IPv6 every day. */
async function isKnownAddress(userId: string | null, address: string): Promise<boolean> {
  const logins = await Session.find({ user: userId }, { address: 1 }).lean();
  return logins.some((login) => networkOf(login.address) === networkOf(address));
}
