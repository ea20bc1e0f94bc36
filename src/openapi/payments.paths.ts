/** Payments in the OpenAPI document. */
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { ListPaymentMethods, PaymentMethodsBody, WebhookParams } from '../schemas/payment.schema.ts';
import { byHand, empty, json, jsonBody, notice, read } from './operation.ts';

const payments: [string] = ['Payments'];

export const paymentPaths: ZodOpenApiPathsObject = {
  '/api/payments/methods': {
    get: read({
      operationId: 'listPaymentMethods',
      tags: payments,
      summary: 'How one can pay',
      requestParams: { query: ListPaymentMethods },
      answers: { 200: json(PaymentMethodsBody, 'What can be chosen') },
      refusals: ['INVALID_INPUT'],
    }),
  },
  '/api/payments/{provider}/webhook': {
    post: notice({
      ...byHand('Only the provider can sign it.'),
      operationId: 'receivePaymentWebhook',
      tags: payments,
      summary: 'Tell what has happened to a payment',
      description:
        'For payment providers. Any order and any number of copies is fine: each event counts once. What is signed and ' +
        'unknown is answered 200 and changes nothing.',
      requestParams: { path: WebhookParams },
      requestBody: jsonBody(z.looseObject({}).meta({ description: "The provider's own event, signed in its headers" })),
      answers: { 200: empty('It has had its effect, now or before') },
      refusals: ['WEBHOOK_REFUSED', 'NOT_FOUND', 'INVALID_ID'],
    }),
  },
};
