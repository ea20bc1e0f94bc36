/** /profile/passkeys: where a person adds a passkey, or takes one away. Comes after the profile's pages. */
import { Router } from 'express';
import { loginOrigin } from '../middleware/login-origin.ts';
import { parseRequest } from '../schemas/parse-request.ts';
import { RemovePasskeyForm } from '../schemas/passkey.schema.ts';
import type { PasskeyService } from '../services/passkey.service.ts';
import { password } from './auth-pages.router.ts';
import { type FormField, filledFields, formPage } from './form-page.ts';

const PATH = '/profile/passkeys';
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

  formPage(
    router,
    `${PATH}/remove`,
    {
      title: 'Remove a passkey',
      intro:
        'It opens your account no longer, and what it has logged in elsewhere is logged out. Delete it on the device too.',
      fields: [{ name: 'id', label: '', type: 'hidden' }, password],
      button: 'Remove it',
      links: [{ href: '/profile#passkeys', text: 'Back to your profile' }],
    },
    async (req, res) => {
      const { id, ...proof } = parseRequest(req, { body: RemovePasskeyForm }).body;
      await passkeys.remove(req.actor, id, proof, loginOrigin(req));
      res.redirect(303, '/profile#passkeys');
    },
  );

  return router;
}
