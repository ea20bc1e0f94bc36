/** /api/auth: sign up, log in, and the person's logins. Browsers use the pages; programs get tokens here. */
import { type Request, type Response, Router } from 'express';
import { expectUser, isUser } from '../actor.ts';
import { AppError } from '../errors.ts';
import { logOutBrowser } from '../middleware/browser-session.ts';
import { bringCart } from '../middleware/cart-cookie.ts';
import { clearPasskeyVisitor, readPasskeyVisitor, setPasskeyVisitor } from '../middleware/challenge-cookie.ts';
import { credentialCheck } from '../middleware/check-credentials.ts';
import { allowOnly } from '../middleware/error-handler.ts';
import { loginOrigin } from '../middleware/login-origin.ts';
import { failingInTheSameTime, takingTheSameTime } from '../middleware/same-time.ts';
import {
  ChangeEmail,
  ChangePassword,
  ForgotPassword,
  LogIn,
  LogOut,
  MailedToken,
  RefreshToken,
  ResetPassword,
  SessionParams,
  SignUp,
} from '../schemas/auth.schema.ts';
import { parseRequest } from '../schemas/parse-request.ts';
import { LogInPasskey } from '../schemas/passkey.schema.ts';
import { SecondFactor } from '../schemas/two-step.schema.ts';
import type { AccountService } from '../services/account.service.ts';
import type { AuthService, UserDto } from '../services/auth.service.ts';
import type { CartHandoverService } from '../services/cart-handover.service.ts';
import type { PasskeyService } from '../services/passkey.service.ts';
import type { SessionService } from '../services/session.service.ts';
import type { TwoStepService } from '../services/two-step.service.ts';

interface AuthRouterDeps {
  accounts: AccountService;
  auth: AuthService;
  handover: CartHandoverService;
  passkeys: PasskeyService;
  sessions: SessionService;
  twoStep: TwoStepService;
}

/** The same for an address that has an account, for one that has none, and for one that is not in use. */
const MAIL_IS_ON_ITS_WAY = 'If the address can be used, a mail is on its way to it. Follow the link in it.';

export function authRouter({ accounts, auth, handover, passkeys, sessions, twoStep }: AuthRouterDeps): Router {
  const router = Router();
  const checkCredentials = credentialCheck(auth);

  /** What happens when the last step of a login is done. */
  const logIn = async (req: Request, res: Response, user: UserDto, passkeyId?: string) => {
    const cart = await bringCart(req, res, handover, user.id);
    const tokens = await sessions.openForProgram(user, loginOrigin(req), passkeyId);
    res.json({ ...tokens, user, cart });
  };

  router.use((_req, res, next) => {
    res.setHeader('Cache-Control', 'private, no-store');
    next();
  });

  router
    .route('/signup')
    .post(async (req, res) => {
      const { body } = parseRequest(req, { body: SignUp });
      await takingTheSameTime(auth.signUp(body, loginOrigin(req).address));
      res.status(202).json({ detail: MAIL_IS_ON_ITS_WAY });
    })
    .all(allowOnly('POST'));

  router
    .route('/verify-email')
    .post(async (req, res) => {
      const { body } = parseRequest(req, { body: MailedToken });
      const user = await auth.confirmSignUp(body.token);
      res.status(201).location('/api/users/profile').json(user);
    })
    .all(allowOnly('POST'));

  router
    .route('/forgot-password')
    .post(async (req, res) => {
      const { body } = parseRequest(req, { body: ForgotPassword });
      await takingTheSameTime(accounts.forgotPassword(body.email, loginOrigin(req).address));
      res.status(202).json({ detail: MAIL_IS_ON_ITS_WAY });
    })
    .all(allowOnly('POST'));

  router
    .route('/reset-password')
    .post(async (req, res) => {
      const { body } = parseRequest(req, { body: ResetPassword });
      await accounts.resetPassword(body, loginOrigin(req).device);
      res.status(204).end();
    })
    .all(allowOnly('POST'));

  router
    .route('/change-password')
    .post(async (req, res) => {
      expectUser(req.actor);
      const { body } = parseRequest(req, { body: ChangePassword });
      await accounts.changePassword(req.actor, body, loginOrigin(req));
      res.status(204).end();
    })
    .all(allowOnly('POST'));

  router
    .route('/change-email')
    .post(async (req, res) => {
      expectUser(req.actor);
      const { body } = parseRequest(req, { body: ChangeEmail });
      await takingTheSameTime(accounts.changeEmail(req.actor, body, loginOrigin(req)));
      res.status(202).json({ detail: MAIL_IS_ON_ITS_WAY });
    })
    .all(allowOnly('POST'));

  router
    .route('/confirm-email')
    .post(async (req, res) => {
      const { body } = parseRequest(req, { body: MailedToken });
      res.json(await accounts.confirmEmail(body.token));
    })
    .all(allowOnly('POST'));

  router
    .route('/login')
    .post(async (req, res) => {
      parseRequest(req, { body: LogIn });
      const user = await checkCredentials(req, res);
      if (!user.twoStep) return logIn(req, res, user);
      const challenge = await twoStep.challenge(user.id);
      throw new AppError('SECOND_FACTOR_NEEDED', 'Send a code with the challenge within five minutes.', { challenge });
    })
    .all(allowOnly('POST'));

  router
    .route('/login/second-factor')
    .post(async (req, res) => {
      const { body } = parseRequest(req, { body: SecondFactor });
      await logIn(req, res, await twoStep.pass(body, loginOrigin(req).address));
    })
    .all(allowOnly('POST'));

  router
    .route('/login/passkey/options')
    .post(async (req, res) => {
      const { options, visitor } = await passkeys.beginLogin();
      setPasskeyVisitor(req, res, visitor);
      res.json(options);
    })
    .all(allowOnly('POST'));

  router
    .route('/login/passkey')
    .post(async (req, res) => {
      const { response } = parseRequest(req, { body: LogInPasskey }).body;
      const used = passkeys.logIn(response, readPasskeyVisitor(req), loginOrigin(req).address);
      const { user, passkeyId } = await failingInTheSameTime(used);
      clearPasskeyVisitor(req, res);
      await logIn(req, res, user, passkeyId);
    })
    .all(allowOnly('POST'));

  router
    .route('/refresh')
    .post(async (req, res) => {
      const { body } = parseRequest(req, { body: RefreshToken });
      res.json(await sessions.refresh(body.refreshToken));
    })
    .all(allowOnly('POST'));

  router
    .route('/logout')
    .post(async (req, res) => {
      const { refreshToken } = parseRequest(req, { body: LogOut }).body;
      if (refreshToken !== undefined) await sessions.endByRefreshToken(refreshToken);
      else if (req.session.actor) await logOutBrowser(req, res);
      else if (isUser(req.actor)) await sessions.end(req.actor, req.actor.sessionId);
      res.status(204).end();
    })
    .all(allowOnly('POST'));

  router
    .route('/sessions')
    .get(async (req, res) => {
      const items = await sessions.list(req.actor);
      res.json({ items, total: items.length });
    })
    .delete(async (req, res) => {
      await sessions.endOthers(req.actor);
      res.status(204).end();
    })
    .all(allowOnly('GET', 'HEAD', 'DELETE'));

  router
    .route('/sessions/:sid')
    .delete(async (req, res) => {
      const { params } = parseRequest(req, { params: SessionParams });
      await sessions.end(req.actor, params.sid);
      res.status(204).end();
    })
    .all(allowOnly('DELETE'));

  return router;
}
