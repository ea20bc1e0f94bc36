/** /profile: what a person sees and changes of their account. Visitors are led to the login. */
import { type Request, type RequestHandler, type Response, Router } from 'express';
import { isUser } from '../actor.ts';
import { type Problem, problemText, toProblem } from '../errors.ts';
import { logOutBrowser } from '../middleware/browser-session.ts';
import { loginOrigin } from '../middleware/login-origin.ts';
import { takingTheSameTime } from '../middleware/same-time.ts';
import { uploadedPaths } from '../middleware/upload-images.ts';
import { ChangeEmail, ChangePassword, EraseAccount, SessionParams } from '../schemas/auth.schema.ts';
import { parseRequest } from '../schemas/parse-request.ts';
import { EditUser } from '../schemas/user.schema.ts';
import type { AccountService } from '../services/account.service.ts';
import type { AvatarService } from '../services/avatar.service.ts';
import type { PasskeyService } from '../services/passkey.service.ts';
import type { PersonalDataService } from '../services/personal-data.service.ts';
import type { SessionService } from '../services/session.service.ts';
import type { UserService } from '../services/user.service.ts';
import { email, languages, newPassword, password, showMailSent } from './auth-pages.router.ts';
import { formPage } from './form-page.ts';

interface ProfilePagesRouterDeps {
  accounts: AccountService;
  avatars: AvatarService;
  passkeys: PasskeyService;
  personalData: PersonalDataService;
  sessions: SessionService;
  users: UserService;
}

const toProfile = { href: '/profile', text: 'Back to your profile' };

const expectLogin: RequestHandler = (req, res, next) => {
  if (isUser(req.actor)) next();
  else res.redirect(303, `/login?next=${encodeURIComponent(req.originalUrl)}`);
};

export function profilePagesRouter({
  accounts,
  avatars,
  passkeys,
  personalData,
  sessions,
  users,
}: ProfilePagesRouterDeps): Router {
  const router = Router();

  // For somebody who is nobody any more.
  router.get('/profile/erased', (_req, res) => {
    res.setHeader('Cache-Control', 'private, no-store');
    res.render('pages/account/notice', {
      title: 'Your account is erased',
      text: 'A last mail says so. Thank you for having been at the market; come back whenever you like.',
      styles: ['account'],
      home: true,
    });
  });

  router.use('/profile', expectLogin);

  const showProfile = async (req: Request, res: Response, problem?: Problem) => {
    const [user, logins, ownPasskeys] = await Promise.all([
      users.profile(req.actor),
      sessions.list(req.actor),
      passkeys.list(req.actor),
    ]);
    res.status(problem?.status ?? 200).setHeader('Cache-Control', 'private, no-store');
    res.render('pages/account/profile', {
      title: 'Your profile',
      active: 'profile',
      styles: ['account'],
      user,
      language: languages?.find(([value]) => value === user.locale)?.[1],
      logins,
      passkeys: ownPasskeys,
      hasOthers: logins.some(({ current }) => !current),
      avatarProblem: problem && problemText(problem),
    });
  };

  router.get('/profile', (req, res) => showProfile(req, res));

  // A page that shows a refusal has the address of its form; asked for again, that is the profile.
  router.get(['/profile/avatar', '/profile/avatar/remove', '/profile/sessions/:sid/end'], (_req, res) =>
    res.redirect(303, '/profile'),
  );

  router.post('/profile/avatar', async (req, res) => {
    try {
      const [path = ''] = uploadedPaths(req);
      await avatars.set(req.actor, path);
      res.redirect(303, '/profile');
    } catch (error) {
      const problem = toProblem(error);
      if (problem.status >= 500) throw error;
      await showProfile(req, res, problem);
    }
  });

  router.post('/profile/avatar/remove', async (req, res) => {
    await avatars.remove(req.actor);
    res.redirect(303, '/profile');
  });

  router.post('/profile/sessions/others/end', async (req, res) => {
    await sessions.endOthers(req.actor);
    res.redirect(303, '/profile');
  });

  router.post('/profile/sessions/:sid/end', async (req, res) => {
    const { params } = parseRequest(req, { params: SessionParams });
    await sessions.end(req.actor, params.sid);
    res.redirect(303, '/profile');
  });

  formPage(
    router,
    '/profile/edit',
    {
      title: 'Your name and language',
      fields: [
        { name: 'name', label: 'Name', type: 'text', autocomplete: 'name', maxlength: 100 },
        { name: 'locale', label: 'Language of our mails', type: 'select', options: languages },
      ],
      button: 'Save',
      links: [toProfile],
      current: async (req) => ({ ...(await users.profile(req.actor)) }),
    },
    async (req, res) => {
      await users.edit(req.actor, parseRequest(req, { body: EditUser }).body);
      res.redirect(303, '/profile');
    },
  );

  formPage(
    router,
    '/profile/password',
    {
      title: 'Change your password',
      intro: 'You stay logged in here and are logged out everywhere else.',
      fields: [
        { ...password, name: 'current', label: 'Password of now' },
        { ...newPassword, label: 'New password' },
      ],
      button: 'Change the password',
      links: [toProfile],
    },
    async (req, res) => {
      const { body } = parseRequest(req, { body: ChangePassword });
      await accounts.changePassword(req.actor, body, loginOrigin(req));
      res.redirect(303, '/profile');
    },
  );

  formPage(
    router,
    '/profile/email',
    {
      title: 'Change your e-mail address',
      intro: 'We send a link to the new address; it becomes yours when you follow it.',
      fields: [{ ...email, label: 'New address', autocomplete: 'email' }, password],
      button: 'Send the link',
      links: [toProfile],
    },
    async (req, res) => {
      const { body } = parseRequest(req, { body: ChangeEmail });
      await takingTheSameTime(accounts.changeEmail(req.actor, body, loginOrigin(req)));
      showMailSent(res, body.email);
    },
  );

  formPage(
    router,
    '/profile/erase',
    {
      title: 'Erase your account',
      intro:
        'Name, address, picture, password, logins, keys and cart are deleted at once, and cannot be brought back. What ' +
        'you wrote in the chat stays, without name or address; so does what you changed in the shop if you are staff. ' +
        'Your orders stay for the books: what was bought, for how much, to which country, and nothing of you.',
      fields: [password],
      button: 'Erase the account for good',
      links: [{ href: '/api/users/export', text: 'Take your data with you first' }, toProfile],
    },
    async (req, res) => {
      const { body } = parseRequest(req, { body: EraseAccount });
      await personalData.erase(req.actor, body, loginOrigin(req).address);
      await logOutBrowser(req, res);
      res.redirect(303, '/profile/erased');
    },
  );

  return router;
}
