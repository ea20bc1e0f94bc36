/**
 * Login in two steps: after the password a code of an authenticator app, or a recovery code. A code is used up in one
 * transaction with its effect, so none is accepted twice. Between the steps there is a challenge, which is no login.
 */
import { type Actor, authorize, expectUser } from '../actor.ts';
import { inTransaction } from '../database/transaction.ts';
import { AppError } from '../errors.ts';
import type { EventBus } from '../events.ts';
import { Passkey } from '../models/passkey.model.ts';
import { toUserDto, User, type UserDto, type UserRecord } from '../models/user.model.ts';
import type { EnableTwoStep, ProveTwoStep, SecondFactor } from '../schemas/two-step.schema.ts';
import { recordStaffWrites } from './audit.service.ts';
import { confirmPassword } from './confirm-password.ts';
import { expectVersion } from './expect-version.ts';
import { expireLogins } from './expire-logins.ts';
import type { LoginLimits } from './login-limits.ts';
import type { MailService, TwoFactorChange } from './mail.service.ts';
import { issueToken, subjectOfToken, takeToken } from './one-use-tokens.ts';
import { hashOfRecoveryCode, newRecoveryCodes } from './recovery-codes.ts';
import { seal, unseal } from './sealing.ts';
import { digitsOf, expectOwnPasskey, useCode, wrongCode } from './second-factor.ts';
import type { LoginOrigin, SessionService } from './session.service.ts';
import { newTotpSecret, stepOf, totpUri } from './totp.ts';

const CHALLENGE_MINUTES = 5;
const SETUP_MS = 30 * 60_000;
const SWITCHED_OFF = { $set: { twoFactor: null }, $inc: { version: 1 } };

interface TwoStepServiceDeps {
  bus: EventBus;
  limits: LoginLimits;
  sessions: Pick<SessionService, 'endAll'>;
  mail: Pick<MailService, 'send'>;
  /** Seals the secrets of authenticators. 32 bytes */
  encryptionKey: Buffer;
}

/** Whether the person's login asks for a code. */
export interface TwoStepState {
  enabled: boolean;
  since: string | null;
  recoveryCodesLeft: number;
}

/** What an authenticator app is told. Nothing is stored before `setup` comes back with a code. */
export interface TwoStepSetup {
  secret: string;
  /** `otpauth://`, for a QR code. */
  uri: string;
  setup: string;
}

export class TwoStepService {
  readonly #bus: EventBus;
  readonly #limits: LoginLimits;
  readonly #sessions: Pick<SessionService, 'endAll'>;
  readonly #mail: Pick<MailService, 'send'>;
  readonly #key: Buffer;

  constructor({ bus, limits, sessions, mail, encryptionKey }: TwoStepServiceDeps) {
    this.#bus = bus;
    this.#limits = limits;
    this.#sessions = sessions;
    this.#mail = mail;
    this.#key = encryptionKey;
  }

  /** Of the person who asks. @throws AppError UNAUTHENTICATED, FORBIDDEN for a key */
  async state(actor: Actor): Promise<TwoStepState> {
    const user = await User.findById(expectUser(actor).id, { twoFactor: 1 }).lean();
    if (!user) throw new AppError('NOT_FOUND', 'The account has been erased.');
    const { twoFactor } = user;
    return {
      enabled: twoFactor != null,
      since: twoFactor?.since.toISOString() ?? null,
      recoveryCodesLeft: twoFactor?.recoveryCodes.length ?? 0,
    };
  }

  /** A new secret for an authenticator. `enable` takes it within half an hour. */
  begin(actor: Actor): TwoStepSetup {
    const { id, email } = expectUser(actor);
    const secret = newTotpSecret();
    const setup = seal(this.#key, JSON.stringify({ secret, until: Date.now() + SETUP_MS }), `setup ${id}`);
    return { secret, uri: totpUri(secret, email), setup };
  }

  /** What `begin` told this person, to be shown again. @throws AppError INVALID_TOKEN */
  resume(actor: Actor, setup: string): TwoStepSetup {
    const { id, email } = expectUser(actor);
    const { secret, until } = this.#readSetup(setup, id);
    if (until <= Date.now()) throw setupExpired();
    return { secret, uri: totpUri(secret, email), setup };
  }

  /**
   * Asks for a code from now on. All other logins end: they were opened without one.
   * @returns the recovery codes, to be shown once
   * @throws AppError INVALID_TOKEN for the setup, INVALID_INPUT at `password`, WRONG_CODE, TWO_STEP_STATE, FORBIDDEN for
   * staff whose passkey has to come first
   */
  async enable(actor: Actor, { setup, code, password }: EnableTwoStep, from: LoginOrigin): Promise<string[]> {
    const { id, sessionId } = expectUser(actor);
    const { secret } = this.resume(actor, setup);
    await expectOwnPasskey(expectUser(actor));
    await this.#confirmed(id, password, from);
    const lastStep = stepOf(secret, digitsOf(code));
    if (lastStep === null) throw wrongCode();
    const codes = newRecoveryCodes();
    const twoFactor = {
      secret: seal(this.#key, secret, id),
      lastStep,
      since: new Date(),
      recoveryCodes: codes.map(hashOfRecoveryCode),
    };
    const enabled = { $set: { twoFactor }, $inc: { version: 1 } };
    const others = { user: id, except: sessionId };
    const user = await inTransaction(async (session) => {
      await expireLogins(session, others);
      const changed = await User.findOneAndUpdate({ _id: id, twoFactor: null }, enabled, { session }).lean();
      if (!changed) throw wrongState();
      return changed;
    });
    this.#changed(user, 'totp-on');
    await this.#sessions.endAll(others);
    return codes;
  }

  /** Asks for the password alone from now on. @throws AppError INVALID_INPUT at `password`, WRONG_CODE, TWO_STEP_STATE */
  async disable(actor: Actor, proof: ProveTwoStep, from: LoginOrigin): Promise<void> {
    await this.#prove(actor, proof, from, 'totp-off', SWITCHED_OFF);
  }

  /**
   * Replaces the recovery codes; the old ones are worth nothing from now on.
   * @throws AppError INVALID_INPUT at `password`, WRONG_CODE, TWO_STEP_STATE
   */
  async renewRecoveryCodes(actor: Actor, proof: ProveTwoStep, from: LoginOrigin): Promise<string[]> {
    const codes = newRecoveryCodes();
    const hashes = codes.map(hashOfRecoveryCode);
    await this.#prove(actor, proof, from, 'new-recovery-codes', { $set: { 'twoFactor.recoveryCodes': hashes } });
    return codes;
  }

  /**
   * For somebody who has lost theirs, passkeys too: the password alone opens the account from now on, and every login of
   * it ends. It takes a person, so that nobody does it to their own account with a key.
   * @throws AppError UNAUTHENTICATED, FORBIDDEN also for one's own, NOT_FOUND, VERSION_MISMATCH, TWO_STEP_STATE
   */
  async remove(actor: Actor, userId: string, ifVersion?: number): Promise<void> {
    authorize(actor, 'users:write');
    if (expectUser(actor).id === userId) throw new AppError('FORBIDDEN', 'Somebody else has to remove your own.');
    const user = await inTransaction(async (session) => {
      const before = await User.findById(userId).session(session).lean();
      if (!before) throw new AppError('NOT_FOUND', 'There is no account with this id.');
      expectVersion('account', before.version, ifVersion);
      const { deletedCount: passkeys } = await Passkey.deleteMany({ user: userId }, { session });
      const had = { twoStep: before.twoFactor != null, passkeys };
      if (!had.twoStep && passkeys === 0) throw wrongState();
      await User.updateOne({ _id: userId }, SWITCHED_OFF, { session });
      await expireLogins(session, { user: userId });
      const change = { before: had, after: { twoStep: false, passkeys: 0 } };
      await recordStaffWrites(actor, [{ action: 'user.two-step-removed', targetId: userId, ...change }], session);
      return before;
    });
    this.#changed(user, 'removed-by-staff');
    await this.#sessions.endAll({ user: userId });
  }

  /** Of these people, those who have something for `remove`. @throws AppError UNAUTHENTICATED, FORBIDDEN */
  async withFactor(actor: Actor, userIds: readonly string[]): Promise<Set<string>> {
    authorize(actor, 'users:read');
    const [careful, owners] = await Promise.all([
      User.find({ _id: { $in: userIds }, twoFactor: { $ne: null } }, { _id: 1 }).lean(),
      Passkey.find({ user: { $in: userIds } }, { user: 1 }).lean(),
    ]);
    return new Set([...careful.map(({ _id }) => _id), ...owners.map(({ user }) => user)].map((id) => id.toHexString()));
  }

  /** The first step is done: what shows that, for five minutes. An older one of the same person is worth nothing now. */
  challenge(userId: string): Promise<string> {
    return issueToken('second-factor', userId, {}, CHALLENGE_MINUTES);
  }

  /**
   * Whose second step this is; the challenge is used up. A login has to be opened for them then.
   * @throws AppError INVALID_TOKEN for the challenge, WRONG_CODE, TOO_MANY_REQUESTS
   */
  async pass({ challenge, code }: SecondFactor, address: string): Promise<UserDto> {
    const userId = await subjectOfToken('second-factor', challenge);
    return this.#limits.code(userId, address, () =>
      inTransaction(async (session) => {
        await takeToken('second-factor', challenge, session);
        return toUserDto(await useCode(this.#key, { userId, code }, session));
      }),
    );
  }

  async #prove(
    actor: Actor,
    { password, code }: ProveTwoStep,
    from: LoginOrigin,
    what: TwoFactorChange,
    update: object,
  ): Promise<void> {
    const { id } = expectUser(actor);
    const { twoFactor } = await this.#confirmed(id, password, from);
    if (!twoFactor) throw wrongState();
    const user = await this.#limits.code(id, from.address, () =>
      inTransaction(async (session) => {
        await useCode(this.#key, { userId: id, code }, session);
        return User.findByIdAndUpdate(id, update, { session }).lean();
      }),
    );
    this.#changed(user, what);
  }

  /** Tells everyone who has to know. @param user null when there was nothing to change */
  #changed(user: UserRecord | null, what: TwoFactorChange): void {
    if (!user) throw wrongState();
    const { _id, email, name, locale } = user;
    this.#bus.publish('user.changed', { userId: _id.toHexString() });
    this.#mail.send({ to: email, template: 'two-factor-changed', locale, data: { name, what } });
  }

  #confirmed(userId: string, password: string, { address }: LoginOrigin): Promise<UserRecord> {
    return confirmPassword(this.#limits, { userId, password, field: 'password', address });
  }

  #readSetup(setup: string, userId: string): { secret: string; until: number } {
    try {
      return JSON.parse(unseal(this.#key, setup, `setup ${userId}`));
    } catch {
      throw setupExpired();
    }
  }
}

const wrongState = () => new AppError('TWO_STEP_STATE', 'Two-step login is on already, or is not on.');
const setupExpired = () => new AppError('INVALID_TOKEN', 'The set-up has expired. Begin it again.');
