/** What comes in and goes out where people sign up and log in. */
import { z } from 'zod';
import { LOGIN_KINDS } from '../words.ts';
import { CartMergeBody } from './cart.schema.ts';
import { EmailText, ObjectIdText } from './common.schema.ts';
import { LocaleText, PersonName, UserBody } from './user.schema.ts';

const MIN_LENGTH = 8;
const MAX_LENGTH = 128;
/** No character has more code units than this after composition; the cheap check before the exact one. */
const MAX_UNITS = MAX_LENGTH * 4;

const length = (text: string) => [...text.normalize('NFKC')].length;

/** A password that somebody chooses: 8 to 128 characters of any script. */
const NewPassword = z
  .string()
  .max(MAX_UNITS, `must have at most ${MAX_LENGTH} characters`)
  .refine((text) => length(text) >= MIN_LENGTH, `must have at least ${MIN_LENGTH} characters`)
  .refine((text) => length(text) <= MAX_LENGTH, `must have at most ${MAX_LENGTH} characters`)
  .meta({ description: `${MIN_LENGTH} to ${MAX_LENGTH} characters of any kind`, example: 'a long sentence is good' });

/** A password that is compared with a stored one. */
export const password = z.string().min(1, 'must not be empty').max(MAX_UNITS, 'is too long');

export const SignUp = z
  .strictObject({
    email: EmailText,
    password: NewPassword,
    name: PersonName,
    locale: LocaleText.default('en'),
  })
  .meta({ id: 'SignUp' });
export type SignUp = z.output<typeof SignUp>;

export const LogIn = z.strictObject({ email: EmailText, password }).meta({ id: 'LogIn' });
export type LogIn = z.output<typeof LogIn>;

/** A path of the shop itself, to go on to; anything else leads to the home page. */
export const next = z
  .string()
  .regex(/^\/(?![/\\])[\w\-./?=&%]*$/)
  .max(500)
  .catch('/');

export const LogInForm = LogIn.extend({ next });

export const MailedToken = z
  .strictObject({
    token: z
      .string()
      .regex(/^[\w-]{43}$/, 'is not complete')
      .meta({ description: 'From the link in the mail' }),
  })
  .meta({ id: 'MailedToken' });

export const ForgotPassword = z.strictObject({ email: EmailText }).meta({ id: 'ForgotPassword' });

export const ResetPassword = MailedToken.extend({ password: NewPassword }).meta({ id: 'ResetPassword' });
export type ResetPassword = z.output<typeof ResetPassword>;

export const ChangePassword = z
  .strictObject({ current: password.meta({ description: 'The password of now' }), password: NewPassword })
  .meta({ id: 'ChangePassword' });
export type ChangePassword = z.output<typeof ChangePassword>;

export const ChangeEmail = z
  .strictObject({ email: EmailText, password: password.meta({ description: 'The password of the account' }) })
  .meta({ id: 'ChangeEmail' });
export type ChangeEmail = z.output<typeof ChangeEmail>;

export const EraseAccount = z
  .strictObject({ password: password.meta({ description: 'The password of the account' }) })
  .meta({ id: 'EraseAccount' });
export type EraseAccount = z.output<typeof EraseAccount>;

export const RefreshToken = z
  .strictObject({ refreshToken: z.string().min(1).max(200) })
  .meta({ id: 'RefreshToken', description: 'The refresh token of the last login or refresh' });

/** Without a token it is the login that asks. */
export const LogOut = RefreshToken.partial().meta({ id: 'LogOut' });

export const SessionParams = z.strictObject({ sid: ObjectIdText });

/** The answer that tells nobody whether an address has an account. */
export const AcceptedBody = z.object({ detail: z.string() }).meta({ id: 'Accepted' });

const tokens = {
  accessToken: z.string().meta({ description: 'Send it as "Authorization: Bearer <token>"' }),
  tokenType: z.literal('Bearer'),
  expiresIn: z.int().meta({ description: 'Seconds that the access token is valid', example: 600 }),
  refreshToken: z.string().meta({ description: 'Valid once, for 30 days' }),
};

export const TokensBody = z.object(tokens).meta({ id: 'Tokens' });
export const LoggedInBody = z.object({ ...tokens, user: UserBody, cart: CartMergeBody }).meta({ id: 'LoggedIn' });

export const SessionBody = z
  .object({
    id: ObjectIdText,
    kind: z.enum(LOGIN_KINDS),
    device: z.string().meta({ example: 'Firefox on Linux' }),
    address: z.string().meta({ example: '203.0.113.7' }),
    current: z.boolean().meta({ description: 'Is it the login that asks?' }),
    createdAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime(),
    expiresAt: z.iso.datetime(),
  })
  .meta({ id: 'Session' });

export const SessionListBody = z.object({ items: z.array(SessionBody), total: z.int() }).meta({ id: 'SessionList' });
