/**
 * What people do with their own password and address. Links in mails are valid once and for a short time; a new
 * password ends every other login and tells the owner.
 */
import { type Actor, expectUser } from '../actor.ts';
import { inTransaction, isDuplicateKey } from '../database/transaction.ts';
import { AppError } from '../errors.ts';
import type { EventBus } from '../events.ts';
import { emailKeyOf } from '../models/email-key.ts';
import { maskEmail } from '../models/participant.model.ts';
import { toUserDto, User, type UserDto, type UserRecord } from '../models/user.model.ts';
import type { ChangeEmail, ChangePassword, ResetPassword } from '../schemas/auth.schema.ts';
import { confirmPassword } from './confirm-password.ts';
import { expireLogins } from './expire-logins.ts';
import type { LoginLimits } from './login-limits.ts';
import type { MailService } from './mail.service.ts';
import { forgetTokens, issueToken, subjectOfToken, takeToken } from './one-use-tokens.ts';
import { hashNewPassword } from './passwords.ts';
import type { LoginOrigin, SessionService } from './session.service.ts';

const RESET_MINUTES = 30;
const EMAIL_HOURS = 24;

interface AccountServiceDeps {
  bus: EventBus;
  limits: LoginLimits;
  sessions: Pick<SessionService, 'endAll'>;
  mail: Pick<MailService, 'send'>;
  /** The address that people use, for a path of the shop. */
  linkTo: (path: string) => string;
}

export class AccountService {
  readonly #bus: EventBus;
  readonly #limits: LoginLimits;
  readonly #sessions: Pick<SessionService, 'endAll'>;
  readonly #mail: Pick<MailService, 'send'>;
  readonly #linkTo: (path: string) => string;

  constructor({ bus, limits, sessions, mail, linkTo }: AccountServiceDeps) {
    this.#bus = bus;
    this.#limits = limits;
    this.#sessions = sessions;
    this.#mail = mail;
    this.#linkTo = linkTo;
  }

  /**
   * Mails a link for choosing a new password, if the address has an account that can be used.
   * @throws AppError TOO_MANY_REQUESTS
   */
  async forgotPassword(email: string, address: string): Promise<void> {
    const wanted = await this.#limits.mail(email, address);
    const user = await User.findOne({ emailKey: emailKeyOf(email), disabledAt: null }).lean();
    if (!user || !wanted) return;
    const token = await issueToken('reset-password', user._id.toHexString(), {}, RESET_MINUTES);
    this.#mail.send({
      to: user.email,
      template: 'reset-password',
      locale: user.locale,
      data: { name: user.name, link: this.#linkTo(`/reset-password?token=${token}`), minutes: RESET_MINUTES },
    });
  }

  /**
   * Sets the password with a mailed link; all logins end.
   * @throws AppError INVALID_TOKEN, INVALID_INPUT for a common password: the link stays valid then
   */
  async resetPassword({ token, password }: ResetPassword, device: string): Promise<void> {
    const owner = await User.findById(await subjectOfToken('reset-password', token)).lean();
    const passwordHash = await hashNewPassword(password, owner ? [owner.email, owner.name] : []);
    const user = await inTransaction(async (session) => {
      const { subject } = await takeToken('reset-password', token, session);
      await forgetTokens(subject, session);
      await expireLogins(session, { user: subject });
      const account = { _id: subject, disabledAt: null };
      const changed = await User.findOneAndUpdate(account, setPassword(passwordHash), { session }).lean();
      if (!changed) throw new AppError('INVALID_TOKEN', 'This account cannot be used any more.');
      return changed;
    });
    await this.#passwordChanged(user, device);
  }

  /** @throws AppError INVALID_INPUT at `current` when that is not the password, TOO_MANY_REQUESTS */
  async changePassword(actor: Actor, { current, password }: ChangePassword, from: LoginOrigin): Promise<void> {
    const { id, sessionId } = expectUser(actor);
    const before = await this.#confirmed(id, current, 'current', from);
    const passwordHash = await hashNewPassword(password, [before.email, before.name]);
    const user = await inTransaction(async (session) => {
      await forgetTokens(id, session);
      await expireLogins(session, { user: id, except: sessionId });
      const account = { _id: id, passwordHash: before.passwordHash };
      const changed = await User.findOneAndUpdate(account, setPassword(passwordHash), { session }).lean();
      if (!changed) throw new AppError('CONCURRENT_CHANGE', 'The password was changed elsewhere at the same moment.');
      return changed;
    });
    await this.#passwordChanged(user, from.device, sessionId);
  }

  /**
   * Mails a link to the new address, which becomes the account's when it is followed. Whether another account has that
   * address is not told here, but to the one who reads its mail.
   * @throws AppError INVALID_INPUT at `password` when that is not the password, TOO_MANY_REQUESTS
   */
  async changeEmail(actor: Actor, { email, password }: ChangeEmail, from: LoginOrigin): Promise<void> {
    const { id } = expectUser(actor);
    const { name, locale } = await this.#confirmed(id, password, 'password', from);
    if (!(await this.#limits.mail(email, from.address))) return;
    const [token, taken] = await Promise.all([
      issueToken('change-email', id, { email }, EMAIL_HOURS * 60),
      User.findOne({ emailKey: emailKeyOf(email) }).lean(),
    ]);
    if (taken)
      this.#mail.send({
        to: taken.email,
        template: 'already-registered',
        locale: taken.locale,
        data: { name: taken.name, loginLink: this.#linkTo('/login'), resetLink: this.#linkTo('/forgot-password') },
      });
    else
      this.#mail.send({
        to: email,
        template: 'confirm-email-change',
        locale,
        data: { name, link: this.#linkTo(`/confirm-email?token=${token}`), hours: EMAIL_HOURS },
      });
  }

  /** Gives the account its new address and tells the old one. @throws AppError INVALID_TOKEN */
  async confirmEmail(token: string): Promise<UserDto> {
    const { before, after } = await this.#takeEmail(token);
    this.#bus.publish('user.changed', { userId: after.id });
    this.#mail.send({
      to: before.email,
      template: 'email-changed',
      locale: before.locale,
      data: { name: before.name, newEmail: maskEmail(after.email) },
    });
    return after;
  }

  async #takeEmail(token: string): Promise<{ before: UserRecord; after: UserDto }> {
    try {
      return await inTransaction(async (session) => {
        const { subject, data } = await takeToken('change-email', token, session);
        // Whoever reads the old address sets no password of this account by a link that lies there.
        await forgetTokens(subject, session);
        const before = await User.findOneAndUpdate(
          { _id: subject, disabledAt: null },
          { $set: { email: data.email, emailKey: emailKeyOf(data.email) }, $inc: { version: 1 } },
          { session },
        ).lean();
        if (!before) throw new AppError('INVALID_TOKEN', 'This account cannot be used any more.');
        return { before, after: { ...toUserDto(before), email: data.email, version: before.version + 1 } };
      });
    } catch (error) {
      if (isDuplicateKey(error)) throw new AppError('INVALID_TOKEN', 'This address belongs to another account.');
      throw error;
    }
  }

  #confirmed(userId: string, password: string, field: string, { address }: LoginOrigin): Promise<UserRecord> {
    return confirmPassword(this.#limits, { userId, password, field, address });
  }

  async #passwordChanged({ _id, email, name, locale }: UserRecord, device: string, except?: string): Promise<void> {
    await this.#sessions.endAll({ user: _id.toHexString(), except });
    this.#mail.send({ to: email, template: 'password-changed', locale, data: { name, when: new Date(), device } });
  }
}

const setPassword = (passwordHash: string) => ({ $set: { passwordHash }, $inc: { version: 1 } });
