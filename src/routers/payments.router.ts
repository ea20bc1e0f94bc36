/** /api/payments: how one can pay, and where providers tell what has happened. */
import express, { type RequestHandler, Router } from 'express';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { AppError } from '../errors.ts';
import { allowOnly } from '../middleware/error-handler.ts';
import { networkOf } from '../network.ts';
import { parseRequest } from '../schemas/parse-request.ts';
import { ListPaymentMethods, WebhookParams } from '../schemas/payment.schema.ts';
import type { PaymentService } from '../services/payment.service.ts';

const BODY_LIMIT = '256kb';
const REFUSED_PER_MINUTE = 60;

interface PaymentsRouterDeps {
  payments: PaymentService;
  /** The shop's own. */
  currency: string;
}

export function paymentsRouter({ payments, currency }: PaymentsRouterDeps): Router {
  const router = Router();
  router
    .route('/methods')
    .get((req, res) => {
      const { query } = parseRequest(req, { query: ListPaymentMethods });
      res.json({ items: payments.methods(query.currency ?? currency) });
    })
    .all(allowOnly('GET', 'HEAD'));
  return router;
}

/**
 * To be mounted before bodies are parsed, since the signature is over the bytes. Whoever signs is not limited; an
 * address that sends what is refused is, before its body is read.
 */
export function paymentWebhooksRouter({ payments }: Pick<PaymentsRouterDeps, 'payments'>): Router {
  const refused = new RateLimiterMemory({ points: REFUSED_PER_MINUTE, duration: 60 });
  const limit: RequestHandler = async (req, res, next) => {
    const state = await refused.get(networkOf(req.ip ?? ''));
    if (!state || state.consumedPoints < REFUSED_PER_MINUTE) return next();
    const retryAfter = Math.max(1, Math.ceil(state.msBeforeNext / 1000));
    res.setHeader('RateLimit-Policy', `"refused-webhooks";q=${REFUSED_PER_MINUTE};w=60`);
    res.setHeader('RateLimit', `"refused-webhooks";r=0;t=${retryAfter}`);
    throw new AppError('TOO_MANY_REQUESTS', 'Too many webhooks from there were refused.', { retryAfter });
  };
  const router = Router();
  router
    .route('/:provider/webhook')
    .post(limit, express.raw({ type: () => true, limit: BODY_LIMIT, inflate: false }), async (req, res) => {
      const { params } = parseRequest(req, { params: WebhookParams });
      const body = Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0);
      await payments.receiveWebhook(params.provider, body, req.headers).catch(async (error: unknown) => {
        if (error instanceof AppError && error.code === 'WEBHOOK_REFUSED')
          await refused.penalty(networkOf(req.ip ?? ''));
        throw error;
      });
      res.status(200).end();
    })
    .all(allowOnly('POST'));
  return router;
}
