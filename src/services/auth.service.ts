/**
 * Signing up and logging in. Nobody learns here whether an address has an account: answers are the same in words, and
 * the same work is done for them.
 */
import { inTransaction, isDuplicateKey } from '../database/transaction.ts';
import { AppError } from '../errors.ts';
import { emailKeyOf } from '../models/email-key.ts';
import { toUserDto, User, type UserDto, type UserRecord } from '../models/user.model.ts';
import type { LogIn, SignUp } from '../schemas/auth.schema.ts';
import type { LoginLimits } from './login-limits.ts';
import type { MailService } from './mail.service.ts';
import { issueToken, takeToken } from './one-use-tokens.ts';
import { hashNewPassword, isPassword } from './passwords.ts';

export type { UserDto };

const SIGNUP_HOURS = 24;

interface AuthServiceDeps {
  limits: LoginLimits;
  mail: Pick<MailService, 'send'>;
  /** The address that people use, for a path of the shop. */
  linkTo: (path: string) => string;
}

export class AuthService {
  readonly #limits: LoginLimits;
  readonly #mail: Pick<MailService, 'send'>;
  readonly #linkTo: (path: string) => string;

  constructor({ limits, mail, linkTo }: AuthServiceDeps) {
    this.#limits = limits;
    this.#mail = mail;
    this.#linkTo = linkTo;
  }

  /**
   * Sends a link by which the person confirms the address; the account is made then. To an address that has an
   * account, a mail that says so.
   * @throws AppError TOO_MANY_REQUESTS, INVALID_INPUT for a common password
   */
  async signUp({ email, password, name, locale }: SignUp, address: string): Promise<void> {
    const wanted = await this.#limits.mail(email, address);
    const passwordHash = await hashNewPassword(password, [email, name]);
    // The link of the last mail that was sent stays valid.
    if (!wanted) return;
    const subject = emailKeyOf(email);
    const [token, existing] = await Promise.all([
      issueToken('signup', subject, { email, name, locale, passwordHash }, SIGNUP_HOURS * 60),
      User.findOne({ emailKey: subject }).lean(),
    ]);
    if (existing)
      this.#mail.send({
        to: existing.email,
        template: 'already-registered',
        locale: existing.locale,
        data: { name: existing.name, loginLink: this.#linkTo('/login'), resetLink: this.#linkTo('/forgot-password') },
      });
    else
      this.#mail.send({
        to: email,
        template: 'confirm-signup',
        locale,
        data: { name, link: this.#linkTo(`/confirm?token=${token}`), hours: SIGNUP_HOURS },
      });
  }

  /** Makes the account that was asked for. @throws AppError INVALID_TOKEN */
  async confirmSignUp(token: string): Promise<UserDto> {
    try {
      return await inTransaction(async (session) => {
        const { subject, data } = await takeToken('signup', token, session);
        const [user] = await User.create([{ ...data, emailKey: subject }], { session });
        if (!user) throw new Error('The database returned no account.');
        return toUserDto(user.toObject());
      });
    } catch (error) {
      // Somebody else has confirmed the same address in the meantime.
      if (isDuplicateKey(error)) throw new AppError('INVALID_TOKEN', 'This address has an account already: log in.');
      throw error;
    }
  }

  /**
   * Whose e-mail and password these are. A login has to be opened for them then.
   * @throws AppError TOO_MANY_REQUESTS, INVALID_CREDENTIALS, FORBIDDEN for the right password of an account that staff have disabled
   */
  checkCredentials({ email, password }: LogIn, address: string): Promise<UserDto> {
    return this.#limits.login(email, address, (user) => checkPassword(user, password));
  }
}

async function checkPassword(user: UserRecord | null, password: string): Promise<UserDto> {
  if (!(await isPassword(password, user?.passwordHash ?? null)) || !user)
    throw new AppError('INVALID_CREDENTIALS', 'The e-mail or the password is wrong, or the address is not confirmed.');
  if (user.disabledAt) throw new AppError('FORBIDDEN', 'This account is disabled. Write to the shop.');
  return toUserDto(user);
}
