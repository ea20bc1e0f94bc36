/** /api/auth/passkeys: the passkeys of the person who asks. */
import { Router } from 'express';
import { expectUser } from '../actor.ts';
import { allowOnly } from '../middleware/error-handler.ts';
import { loginOrigin } from '../middleware/login-origin.ts';
import { parseRequest } from '../schemas/parse-request.ts';
import { AddPasskey, PasskeyParams, ProvePassword, RenamePasskey } from '../schemas/passkey.schema.ts';
import type { PasskeyService } from '../services/passkey.service.ts';

export function passkeysRouter({ passkeys }: { passkeys: PasskeyService }): Router {
  const router = Router();

  router
    .route('/')
    .get(async (req, res) => {
      const items = await passkeys.list(req.actor);
      res.json({ items, total: items.length });
    })
    .post(async (req, res) => {
      expectUser(req.actor);
      const { body } = parseRequest(req, { body: AddPasskey });
      const passkey = await passkeys.add(req.actor, body);
      res.status(201).location(`/api/auth/passkeys/${passkey.id}`).json(passkey);
    })
    .all(allowOnly('GET', 'HEAD', 'POST'));

  router
    .route('/options')
    .post(async (req, res) => {
      expectUser(req.actor);
      const { body } = parseRequest(req, { body: ProvePassword });
      res.json(await passkeys.begin(req.actor, body, loginOrigin(req)));
    })
    .all(allowOnly('POST'));

  router
    .route('/:kid')
    .patch(async (req, res) => {
      expectUser(req.actor);
      const { params, body } = parseRequest(req, { params: PasskeyParams, body: RenamePasskey });
      res.json(await passkeys.rename(req.actor, params.kid, body));
    })
    .delete(async (req, res) => {
      expectUser(req.actor);
      const { params, body } = parseRequest(req, { params: PasskeyParams, body: ProvePassword });
      await passkeys.remove(req.actor, params.kid, body, loginOrigin(req));
      res.status(204).end();
    })
    .all(allowOnly('PATCH', 'DELETE'));

  return router;
}
