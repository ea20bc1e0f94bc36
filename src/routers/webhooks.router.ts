/** /api/webhooks: whom the shop tells of what happens in it. */
import { Router } from 'express';
import { allowOnly } from '../middleware/error-handler.ts';
import { requirePermission } from '../middleware/require-permission.ts';
import { parseRequest } from '../schemas/parse-request.ts';
import {
  ChangeWebhook,
  CreateWebhook,
  DeliveryParams,
  ListDeliveries,
  WebhookParams,
} from '../schemas/webhook.schema.ts';
import type { WebhookService } from '../services/webhook.service.ts';
import { ifMatch, sendVersioned } from './versions.ts';

export function webhooksRouter({ webhooks }: { webhooks: WebhookService }): Router {
  const router = Router();
  router.use(requirePermission('webhooks:write'), (_req, res, next) => {
    res.setHeader('Cache-Control', 'private, no-store');
    next();
  });

  router
    .route('/')
    .get(async (req, res) => {
      const items = await webhooks.list(req.actor);
      res.json({ items, total: items.length });
    })
    .post(async (req, res) => {
      const { body } = parseRequest(req, { body: CreateWebhook });
      const made = await webhooks.create(req.actor, body);
      sendVersioned(res.status(201).location(`/api/webhooks/${made.id}`), made);
    })
    .all(allowOnly('GET', 'HEAD', 'POST'));

  router
    .route('/:wid')
    .get(async (req, res) => {
      const { params } = parseRequest(req, { params: WebhookParams });
      sendVersioned(res, await webhooks.get(req.actor, params.wid));
    })
    .patch(async (req, res) => {
      const { params, body } = parseRequest(req, { params: WebhookParams, body: ChangeWebhook });
      sendVersioned(res, await webhooks.change(req.actor, params.wid, body, ifMatch(req)));
    })
    .delete(async (req, res) => {
      const { params } = parseRequest(req, { params: WebhookParams });
      await webhooks.remove(req.actor, params.wid, ifMatch(req));
      res.status(204).end();
    })
    .all(allowOnly('GET', 'HEAD', 'PATCH', 'DELETE'));

  router
    .route('/:wid/rotate')
    .post(async (req, res) => {
      const { params } = parseRequest(req, { params: WebhookParams });
      sendVersioned(res, await webhooks.rotate(req.actor, params.wid, ifMatch(req)));
    })
    .all(allowOnly('POST'));

  router
    .route('/:wid/deliveries')
    .get(async (req, res) => {
      const { params, query } = parseRequest(req, { params: WebhookParams, query: ListDeliveries });
      res.json(await webhooks.deliveries(req.actor, params.wid, query));
    })
    .all(allowOnly('GET', 'HEAD'));

  router
    .route('/:wid/deliveries/:did/replay')
    .post(async (req, res) => {
      const { params } = parseRequest(req, { params: DeliveryParams });
      res.status(202).json(await webhooks.replay(req.actor, params.wid, params.did));
    })
    .all(allowOnly('POST'));

  return router;
}
