/** /api/keys: what programs show instead of logging in. */
import { Router } from 'express';
import { expectUser } from '../actor.ts';
import { allowOnly } from '../middleware/error-handler.ts';
import { requirePermission } from '../middleware/require-permission.ts';
import { ApiKeyParams, CreateApiKey } from '../schemas/api-key.schema.ts';
import { parseRequest } from '../schemas/parse-request.ts';
import type { ApiKeyService } from '../services/api-key.service.ts';

export function keysRouter({ apiKeys }: { apiKeys: ApiKeyService }): Router {
  const router = Router();
  // A key makes no keys, whatever it was made for.
  router.use(requirePermission('keys:write'), (req, res, next) => {
    expectUser(req.actor);
    res.setHeader('Cache-Control', 'private, no-store');
    next();
  });

  router
    .route('/')
    .get(async (req, res) => {
      const items = await apiKeys.list(req.actor);
      res.json({ items, total: items.length });
    })
    .post(async (req, res) => {
      const { body } = parseRequest(req, { body: CreateApiKey });
      const { apiKey, key } = await apiKeys.create(req.actor, body);
      res
        .status(201)
        .location(`/api/keys/${apiKey.id}`)
        .json({ ...apiKey, key });
    })
    .all(allowOnly('GET', 'HEAD', 'POST'));

  router
    .route('/:kid')
    .delete(async (req, res) => {
      const { params } = parseRequest(req, { params: ApiKeyParams });
      await apiKeys.remove(req.actor, params.kid);
      res.status(204).end();
    })
    .all(allowOnly('DELETE'));

  return router;
}
