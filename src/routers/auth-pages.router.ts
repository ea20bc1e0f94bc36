/** The pages by which people come in: sign up, confirm, log in, choose a new password; and the way out. */
import { type Request, type Response, Router } from 'express';
import { toProblem } from '../errors.ts';
import { logInBrowser, logOutBrowser } from '../middleware/browser-session.ts';
import { bringCart } from '../middleware/cart-cookie.ts';
import {
  clearChallenge,
  clearPasskeyVisitor,
  readChallenge,
  readPasskeyVisitor,
  setChallenge,
} from '../middleware/challenge-cookie.ts';
import { credentialCheck } from '../middleware/check-credentials.ts';
import { loginOrigin } from '../middleware/login-origin.ts';
import { failingInTheSameTime, takingTheSameTime } from '../middleware/same-time.ts';
import { ForgotPassword, LogInForm, MailedToken, ResetPassword, SignUp } from '../schemas/auth.schema.ts';
import { parseRequest } from '../schemas/parse-request.ts';
import { LogInPasskeyForm } from '../schemas/passkey.schema.ts';
import { SecondFactorForm } from '../schemas/two-step.schema.ts';
import type { AccountService } from '../services/account.service.ts';
import type { AuthService, UserDto } from '../services/auth.service.ts';
import type { CartHandoverService } from '../services/cart-handover.service.ts';
import type { PasskeyService } from '../services/passkey.service.ts';
import type { SessionService } from '../services/session.service.ts';
import type { TwoStepService } from '../services/two-step.service.ts';
import { type Form, type FormField, formPage, showForm } from './form-page.ts';

interface AuthPagesRouterDeps {
  accounts: AccountService;
  auth: AuthService;
  handover: CartHandoverService;
  passkeys: PasskeyService;
  sessions: SessionService;
  twoStep: TwoStepService;
}

export const email: FormField = {
  name: 'email',
  label: 'E-mail address',
  type: 'email',
  autocomplete: 'username',
  maxlength: 254,
};
const next: FormField = { name: 'next', label: '', type: 'hidden' };
const token: FormField = { name: 'token', label: '', type: 'hidden' };
export const password: FormField = {
  name: 'password',
  label: 'Password',
  type: 'password',
  autocomplete: 'current-password',
};
export const code: FormField = {
  name: 'code',
  label: 'Code',
  type: 'text',
  autocomplete: 'one-time-code',
  hint: 'Six digits of the app, or a recovery code.',
  maxlength: 40,
};
export const newPassword: FormField = {
  ...password,
  autocomplete: 'new-password',
  hint: '8 to 128 characters of any kind. A sentence is easier to keep in mind than a puzzle.',
  minlength: 8,
};
export const languages: FormField['options'] = [
  ['en', 'English'],
  ['pt', 'Português'],
  ['es', 'Español'],
];

/** Where people come in: the forms of these pages carry tokens for visitors too. */
export const authPages = [
  '/login',
  '/login/code',
  '/login/passkey',
  '/signup',
  '/confirm',
  '/forgot-password',
  '/reset-password',
  '/confirm-email',
];

const toLogIn = { href: '/login', text: 'Log in' };
const toSignUp = { href: '/signup', text: 'Create an account' };
const ENDED = 'Your login has ended, so what you have sent was not taken. Log in, and send it again.';
const toForgotten = { href: '/forgot-password', text: 'Forgot your password?' };

export function authPagesRouter(deps: AuthPagesRouterDeps): Router {
  const { accounts, auth, passkeys, sessions, twoStep } = deps;
  const router = Router();
  const checkCredentials = credentialCheck(auth);

  /** What happens when the last step of a login is done. */
  const logIn = async (req: Request, res: Response, user: UserDto, next: string, passkeyId?: string) => {
    const { reduced, leftOut } = await bringCart(req, res, deps.handover, user.id);
    await logInBrowser(req, sessions, user, loginOrigin(req), passkeyId);
    // What did not come along is told in the cart, unless the person was on the way to somewhere.
    const isComplete = reduced.length + leftOut.length === 0;
    res.redirect(303, next === '/' && !isComplete ? '/cart' : next);
  };

  const loginForm: Form = {
    title: 'Log in',
    fields: [email, password, next],
    button: 'Log in',
    links: [toForgotten, toSignUp],
    passkeyOrigin: () => passkeys.origin,
  };
  router.get('/login', (req, res, proceed) => {
    if (req.query.ended === undefined) return proceed();
    showForm(res, '/login', { ...loginForm, intro: ENDED }, { next: req.query.next });
  });
  formPage(router, '/login', loginForm, async (req, res) => {
    const { body } = parseRequest(req, { body: LogInForm });
    const user = await checkCredentials(req, res);
    if (!user.twoStep) return logIn(req, res, user, body.next);
    setChallenge(req, res, await twoStep.challenge(user.id));
    res.redirect(303, `/login/code?next=${encodeURIComponent(body.next)}`);
  });

  router.get('/login/passkey', (_req, res) => res.redirect(303, '/login'));
  router.post('/login/passkey', async (req, res) => {
    try {
      const { body } = parseRequest(req, { body: LogInPasskeyForm });
      const used = passkeys.logIn(body.response, readPasskeyVisitor(req), loginOrigin(req).address);
      const { user, passkeyId } = await failingInTheSameTime(used);
      clearPasskeyVisitor(req, res);
      await logIn(req, res, user, body.next, passkeyId);
    } catch (error) {
      const problem = toProblem(error);
      if (problem.status >= 500) throw error;
      showForm(res, '/login', loginForm, { next: req.body.next }, problem);
    }
  });

  router.get('/login/code', (req, res, proceed) => {
    if (readChallenge(req)) proceed();
    else res.redirect(303, '/login');
  });
  formPage(
    router,
    '/login/code',
    {
      title: 'The second step',
      intro: 'Your authenticator app shows a code. Without it, one of your recovery codes will do.',
      fields: [code, next],
      button: 'Log in',
      links: [{ href: '/login', text: 'Begin again' }],
    },
    async (req, res) => {
      const { body } = parseRequest(req, { body: SecondFactorForm });
      const challenge = readChallenge(req);
      const user = await twoStep.pass({ challenge, code: body.code }, loginOrigin(req).address);
      clearChallenge(req, res);
      await logIn(req, res, user, body.next);
    },
  );

  router.get('/logout', (_req, res) => res.redirect(303, '/'));
  router.post('/logout', async (req, res) => {
    await logOutBrowser(req, res);
    res.redirect(303, '/');
  });

  formPage(
    router,
    '/signup',
    {
      title: 'Create an account',
      fields: [
        { name: 'name', label: 'Name', type: 'text', autocomplete: 'name', maxlength: 100 },
        email,
        newPassword,
        { name: 'locale', label: 'Language of our mails', type: 'select', options: languages },
      ],
      button: 'Create the account',
      links: [toLogIn],
    },
    async (req, res) => {
      const { body } = parseRequest(req, { body: SignUp });
      await takingTheSameTime(auth.signUp(body, loginOrigin(req).address));
      showMailSent(res, body.email);
    },
  );

  formPage(
    router,
    '/confirm',
    {
      title: 'Confirm your address',
      intro: 'One click, and the account is yours.',
      fields: [token],
      button: 'Confirm',
      links: [toSignUp],
    },
    async (req, res) => {
      await auth.confirmSignUp(tokenOf(req));
      showNotice(
        res,
        'Welcome to the market',
        'Your address is confirmed. Log in with the password that you have chosen.',
      );
    },
  );

  formPage(
    router,
    '/forgot-password',
    {
      title: 'Forgot your password?',
      intro: 'We send you a link by which you choose a new one.',
      fields: [email],
      button: 'Send the link',
      links: [toLogIn],
    },
    async (req, res) => {
      const { body } = parseRequest(req, { body: ForgotPassword });
      await takingTheSameTime(accounts.forgotPassword(body.email, loginOrigin(req).address));
      showMailSent(res, body.email);
    },
  );

  formPage(
    router,
    '/reset-password',
    {
      title: 'Choose a new password',
      intro: 'You will be logged out everywhere.',
      fields: [token, newPassword],
      button: 'Set the password',
      links: [toForgotten],
    },
    async (req, res) => {
      const { body } = parseRequest(req, { body: ResetPassword });
      await accounts.resetPassword(body, loginOrigin(req).device);
      showNotice(res, 'The password is the new one', 'You are logged out everywhere. Log in with it now.');
    },
  );

  formPage(
    router,
    '/confirm-email',
    {
      title: 'Confirm your new address',
      fields: [token],
      button: 'Confirm',
      links: [{ href: '/profile', text: 'Your profile' }],
    },
    async (req, res) => {
      const { email } = await accounts.confirmEmail(tokenOf(req));
      showNotice(res, 'The address is the new one', `From now on you log in with ${email}.`);
    },
  );

  return router;
}

const tokenOf = (req: Request) => parseRequest(req, { body: MailedToken }).body.token;

export function showMailSent(res: Response, email: string): void {
  showNotice(
    res,
    'Look into your mail',
    `If ${email} can be used, a mail is on its way to it. Follow the link in it. Nothing there after some minutes? Look ` +
      'into the folder for unwanted mail, or try again.',
  );
}

function showNotice(res: Response, title: string, text: string): void {
  res.setHeader('Cache-Control', 'private, no-store');
  res.render('pages/account/notice', { title, text, styles: ['account'] });
}
