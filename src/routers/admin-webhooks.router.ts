/** /admin/webhooks: which programs are told of what happens, and what became of each message. */
import { type Request, type Response, Router } from 'express';
import type { Problem } from '../errors.ts';
import { VersionForm } from '../schemas/common.schema.ts';
import { parseInput, parseRequest } from '../schemas/parse-request.ts';
import {
  ChangeWebhook,
  CreateWebhook,
  DeliveryParams,
  ListDeliveries,
  WebhookParams,
} from '../schemas/webhook.schema.ts';
import type { WebhookService, WebhookWithSecret } from '../services/webhook.service.ts';
import { only, orShow, showAdmin, textsOf, withoutEmpty } from './admin-page.ts';
import { logView, webhookForm, webhookTyped, webhookView } from './admin-webhook-views.ts';

const mayWrite = only('webhooks:write');

export function adminWebhooksRouter({ webhooks }: { webhooks: WebhookService }): Router {
  const router = Router();

  router.get('/admin/webhooks', mayWrite, async (req, res) => {
    const items = await webhooks.list(req.actor);
    showAdmin(req, res, undefined, 'webhooks', {
      title: 'Webhooks',
      webhooks: items.map((webhook) => ({ ...webhook, ...webhookView(webhook) })),
    });
  });

  const showNew = async (req: Request, res: Response, problem?: Problem) =>
    showAdmin(req, res, problem, 'webhook-new', {
      title: 'New webhook',
      ...webhookForm(webhookTyped(req), problem),
    });
  router.get('/admin/webhooks/new', mayWrite, (req, res) => showNew(req, res));
  router.post('/admin/webhooks/new', mayWrite, (req, res) =>
    orShow(showNew, req, res, async () => {
      const made = await webhooks.create(req.actor, parseInput(CreateWebhook, webhookTyped(req)));
      await showOne(req, res, undefined, made);
    }),
  );

  /** @param made one whose secret is told now */
  const showOne = async (req: Request, res: Response, problem?: Problem, made?: WebhookWithSecret) => {
    const id = made?.id ?? idOf(req);
    const query = ListDeliveries.safeParse(withoutEmpty(req.query)).data ?? ListDeliveries.parse({});
    const webhook = await webhooks.get(req.actor, id);
    const isTyped = problem !== undefined && req.body?.url !== undefined;
    showAdmin(req, res, problem, 'webhook', {
      title: `Webhook ${new URL(webhook.url).host}`,
      scripts: made ? ['copy'] : [],
      secret: made?.secret,
      webhook,
      ...webhookView(webhook),
      isTyped,
      ...webhookForm(isTyped ? webhookTyped(req) : webhook, problem),
      ...logView(await webhooks.deliveries(req.actor, id, query), webhook, query.after),
    });
  };
  router.get('/admin/webhooks/:wid', mayWrite, (req, res) => showOne(req, res));
  // A page that shows a refusal, or a secret, has the address of its form.
  router.get('/admin/webhooks/:wid/*form', mayWrite, (req, res) => res.redirect(303, `/admin/webhooks/${idOf(req)}`));

  const change = (path: string, fieldsOf: (req: Request) => object) =>
    router.post(`/admin/webhooks/:wid${path}`, mayWrite, (req, res) =>
      orShow(showOne, req, res, async () => {
        const input = parseInput(ChangeWebhook, fieldsOf(req));
        const { id } = await webhooks.change(req.actor, idOf(req), input, versionOf(req));
        res.redirect(303, `/admin/webhooks/${id}`);
      }),
    );
  change('', webhookTyped);
  change('/state', (req) => ({ enabled: textsOf(req).enabled === 'true' }));

  router.post('/admin/webhooks/:wid/rotate', mayWrite, (req, res) =>
    orShow(showOne, req, res, async () => {
      await showOne(req, res, undefined, await webhooks.rotate(req.actor, idOf(req), versionOf(req)));
    }),
  );
  router.post('/admin/webhooks/:wid/delete', mayWrite, async (req, res) => {
    await webhooks.remove(req.actor, idOf(req));
    res.redirect(303, '/admin/webhooks');
  });
  router.post('/admin/webhooks/:wid/deliveries/:did/send', mayWrite, async (req, res) => {
    const { wid, did } = parseRequest(req, { params: DeliveryParams }).params;
    const { after } = ListDeliveries.safeParse(withoutEmpty({ after: textsOf(req).after ?? '' })).data ?? {};
    await webhooks.replay(req.actor, wid, did);
    res.redirect(303, `/admin/webhooks/${wid}${after ? `?after=${after}` : ''}#delivery-${did}`);
  });

  return router;
}

/** @throws AppError INVALID_ID */
const idOf = (req: Request) => parseRequest(req, { params: WebhookParams }).params.wid;

const versionOf = (req: Request) => parseInput(VersionForm, { version: req.body?.version }).version;
