/** Outgoing webhooks, in the OpenAPI document. */
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import {
  ChangeWebhook,
  CreateWebhook,
  DeliveryBody,
  DeliveryListBody,
  DeliveryParams,
  ListDeliveries,
  WebhookBody,
  WebhookListBody,
  WebhookParams,
  WebhookSecretBody,
} from '../schemas/webhook.schema.ts';
import { byHand, change, empty, json, jsonBody, needsPermission, notModified, read } from './operation.ts';
import { ifMatchHeader, ifNoneMatchHeader } from './parameters.ts';

const staff: [string] = ['Webhooks'];
const asAdmin = { ...needsPermission('webhooks:write'), tags: staff };
const ifMatch = z.object({ ...ifMatchHeader });

export const webhookPaths: ZodOpenApiPathsObject = {
  '/api/webhooks': {
    get: read({
      ...asAdmin,
      operationId: 'listWebhooks',
      summary: 'Whom the shop tells of what happens',
      answers: { 200: json(WebhookListBody, 'The webhooks, the oldest first') },
    }),
    post: change({
      ...asAdmin,
      operationId: 'createWebhook',
      summary: 'Have events sent to an address',
      description:
        'Signed after [Standard Webhooks](https://www.standardwebhooks.com). Tried ten times over three days; an answer ' +
        'counts when its status is 2xx and it comes within 15 seconds. 410 switches the webhook off. At most 20.',
      requestBody: jsonBody(CreateWebhook, { url: 'https://erp.example/feira', types: ['order.*'] }),
      answers: {
        201: json(WebhookSecretBody, 'The webhook, with the secret that checks signatures', 'Location', 'ETag'),
      },
      refusals: ['LIMIT_REACHED'],
    }),
  },
  '/api/webhooks/{wid}': {
    get: read({
      ...asAdmin,
      operationId: 'getWebhook',
      summary: 'One webhook',
      requestParams: { path: WebhookParams, header: z.object({ ...ifNoneMatchHeader }) },
      answers: { 200: json(WebhookBody, 'The webhook', 'ETag'), 304: notModified },
      refusals: ['INVALID_ID', 'NOT_FOUND'],
    }),
    patch: change({
      ...asAdmin,
      operationId: 'changeWebhook',
      summary: 'Change a webhook, or switch it off and on',
      requestParams: { path: WebhookParams, header: ifMatch },
      requestBody: jsonBody(ChangeWebhook, { enabled: true }),
      answers: { 200: json(WebhookBody, 'The webhook', 'ETag') },
      refusals: ['INVALID_ID', 'NOT_FOUND', 'VERSION_MISMATCH'],
    }),
    delete: change({
      ...asAdmin,
      operationId: 'deleteWebhook',
      summary: 'End a webhook',
      requestParams: { path: WebhookParams, header: ifMatch },
      answers: { 204: empty('It is told nothing any more') },
      refusals: ['INVALID_ID', 'NOT_FOUND', 'VERSION_MISMATCH'],
    }),
  },
  '/api/webhooks/{wid}/rotate': {
    post: change({
      ...asAdmin,
      operationId: 'rotateWebhookSecret',
      summary: 'A new secret',
      description: 'The one before also signs for 24 hours.',
      requestParams: { path: WebhookParams, header: ifMatch },
      answers: { 200: json(WebhookSecretBody, 'The webhook, with the new secret', 'ETag') },
      refusals: ['INVALID_ID', 'NOT_FOUND', 'VERSION_MISMATCH'],
    }),
  },
  '/api/webhooks/{wid}/deliveries': {
    get: read({
      ...asAdmin,
      operationId: 'listWebhookDeliveries',
      summary: 'What was sent, and what was answered',
      description: 'The newest first; kept for 30 days.',
      requestParams: { path: WebhookParams, query: ListDeliveries },
      answers: { 200: json(DeliveryListBody, 'A page of deliveries') },
      refusals: ['INVALID_ID', 'NOT_FOUND', 'INVALID_INPUT'],
    }),
  },
  '/api/webhooks/{wid}/deliveries/{did}/replay': {
    post: change({
      ...asAdmin,
      ...byHand('Fill in did: the id of a delivery.'),
      operationId: 'replayWebhookDelivery',
      summary: 'Send it once more',
      description: 'The same message: its id and body stay.',
      requestParams: { path: DeliveryParams },
      answers: { 202: json(DeliveryBody, 'It will be sent') },
      refusals: ['INVALID_ID', 'NOT_FOUND'],
    }),
  },
};
