/** /profile/passkeys: where a person adds a passkey, gives it another name, or takes it away. Comes after the profile's pages. */
import { Router } from 'express';
import { loginOrigin } from '../middleware/login-origin.ts';
import { parseRequest } from '../schemas/parse-request.ts';
import { RemovePasskeyForm, RenamePasskeyForm } from '../schemas/passkey.schema.ts';
import type { PasskeyService } from '../services/passkey.service.ts';
import { password } from './auth-pages.router.ts';
import { type FormField, filledFields, formPage } from './form-page.ts';

const PATH = '/profile/passkeys';
const BACK = { href: '/profile#passkeys', text: 'Back to your profile' };
const NAME: FormField = {
  name: 'name',
  label: 'Name',
  type: 'text',
  hint: 'By which you recognise it, such as "My telephone".',
  maxlength: 60,
};

export function passkeyPagesRouter({ passkeys }: { passkeys: PasskeyService }): Router {
  const router = Router();

  router.get(PATH, (_req, res) => res.redirect(303, '/profile#passkeys'));

  // Its form is sent by a script: without one there are no passkeys.
  router.get(`${PATH}/new`, (_req, res) => {
    res.setHeader('Cache-Control', 'private, no-store');
    res.render('pages/account/passkey-new', {
      title: 'Add a passkey',
      styles: ['account'],
      scripts: ['passkeys'],
      passkeyOrigin: passkeys.origin,
      fields: filledFields([NAME, password], {}),
    });
  });

  // The profile has its form too; what is refused there is shown here.
  formPage(
    router,
    `${PATH}/rename`,
    {
      title: 'Rename a passkey',
      intro: 'The name is for you alone: by it you know which device it is.',
      fields: [{ name: 'id', label: '', type: 'hidden' }, NAME],
      button: 'Rename it',
      links: [BACK],
      current: async ({ actor, query }) => ({ ...(await passkeys.list(actor)).find(({ id }) => id === query.id) }),
    },
    async (req, res) => {
      const { id, name } = parseRequest(req, { body: RenamePasskeyForm }).body;
      await passkeys.rename(req.actor, id, { name });
      res.redirect(303, '/profile#passkeys');
    },
  );

  formPage(
    router,
    `${PATH}/remove`,
    {
      title: 'Remove a passkey',
      intro:
        'It opens your account no longer, and what it has logged in elsewhere is logged out. Delete it on the device too.',
      fields: [{ name: 'id', label: '', type: 'hidden' }, password],
      button: 'Remove it',
      links: [BACK],
    },
    async (req, res) => {
      const { id, ...proof } = parseRequest(req, { body: RemovePasskeyForm }).body;
      await passkeys.remove(req.actor, id, proof, loginOrigin(req));
      res.redirect(303, '/profile#passkeys');
    },
  );

  return router;
}
