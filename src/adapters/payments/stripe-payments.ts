/**
 * Stripe, by its pages: the buyer pays on a Checkout Session and comes back. `reference` is the session's id. Events only
 * say where to look; what has happened is read from Stripe, so that their order and age do not matter.
 */
import Stripe from 'stripe';
import { AppError } from '../../errors.ts';
import {
  factOf,
  type MadeAttempt,
  noDetails,
  type PaymentFact,
  type PaymentProvider,
  type PaymentRequest,
  refundFactOf,
} from './payment-provider.ts';
import {
  idOf,
  intentOf,
  kindOf,
  paymentOf,
  refundKindOf,
  refundTold,
  resultOf,
  type Session,
} from './stripe-sessions.ts';

/** Stripe's own least is 30 minutes; the order is kept somewhat longer than the page. */
const PAGE_MS = 31 * 60 * 1000;
const HOLD_MS = 35 * 60 * 1000;
const LIMIT_MS = 15_000;
const WINDOW_S = 5 * 60;
/** Stripe counts these in other units than ISO 4217 does. */
const OTHER_UNITS = new Set(['BHD', 'IQD', 'ISK', 'JOD', 'KWD', 'LYD', 'OMR', 'TND', 'UGX']);

const expand = ['payment_intent'];

interface StripePaymentsOptions {
  secretKey: string;
  webhookSecret: string;
  captureLater: boolean;
  /** Another address than Stripe's own. */
  apiUrl?: string | undefined;
}

export function stripePayments({
  secretKey,
  webhookSecret,
  captureLater,
  apiUrl,
}: StripePaymentsOptions): PaymentProvider {
  const stripe = new Stripe(secretKey, {
    timeout: LIMIT_MS,
    maxNetworkRetries: 2,
    telemetry: false,
    ...(apiUrl && addressOf(apiUrl)),
  });
  const { sessions } = stripe.checkout;

  const create = ({ attempt, number, amount, currency, email, orderId, returnUrl, startedAt }: PaymentRequest) => {
    const metadata = { orderId, attempt };
    const price = { currency: currency.toLowerCase(), unit_amount: amount, product_data: { name: number } };
    return sessions.create(
      {
        mode: 'payment',
        client_reference_id: attempt,
        customer_email: email,
        line_items: [{ quantity: 1, price_data: price }],
        metadata,
        payment_intent_data: { capture_method: captureLater ? 'manual' : 'automatic', metadata },
        success_url: returnUrl,
        cancel_url: returnUrl,
        expires_at: Math.floor((startedAt.getTime() + PAGE_MS) / 1000),
      },
      { idempotencyKey: attempt },
    );
  };
  const read = (id: string) => sessions.retrieve(id, { expand });
  /** When the answer that had its id was lost. */
  const search = async ({ attempt, startedAt }: MadeAttempt) => {
    const second = Math.floor(startedAt.getTime() / 1000);
    const created = { gte: second - 60, lte: second + 120 };
    for await (const session of sessions.list({ created, limit: 100, expand: ['data.payment_intent'] }))
      if (session.client_reference_id === attempt) return session;
    return null;
  };
  const sessionWith = async (intent: string) =>
    (await sessions.list({ payment_intent: intent, limit: 1, expand: ['data.payment_intent'] })).data[0] ?? null;

  const sessionOf = async ({ type, data }: Stripe.Event): Promise<Session | null> => {
    const { id } = data.object as { id: string };
    if (type.startsWith('checkout.session.')) return read(id);
    return type.startsWith('payment_intent.') ? sessionWith(id) : null;
  };
  /** Keys are known for a day; what was made with one stays. */
  const madeRefund = async (payment_intent: string, refundId: string) => {
    for await (const refund of stripe.refunds.list({ payment_intent, limit: 100 }))
      if (refund.metadata?.refundId === refundId) return refund;
    return null;
  };
  const factOfRefund = async (refund: Stripe.Refund): Promise<PaymentFact | null> => {
    const kind = refundKindOf(refund);
    const intent = idOf(refund.payment_intent);
    const session = kind && intent ? await sessionWith(intent) : null;
    return kind && session ? refundTold(kind, refund, paymentOf(session)) : null;
  };

  return {
    name: 'stripe',
    title: 'Card and other ways (Stripe)',
    holdMs: HOLD_MS,
    capturesAtOnce: !captureLater,
    accepts: (currency) => !OTHER_UNITS.has(currency),
    checkDetails: noDetails,
    async authorize(request) {
      try {
        return resultOf(await create(request));
      } catch (error) {
        if (!isRefusal(error)) throw error;
        const reason = `The payment provider refuses it (${error.code ?? error.type}).`;
        return { state: 'declined', reference: request.attempt, amount: request.amount, reason };
      }
    },
    async find(attempt) {
      const session = await (attempt.reference ? read(attempt.reference) : search(attempt));
      return session && resultOf(session);
    },
    async capture(payment) {
      let session = await read(payment.reference);
      const intent = intentOf(session);
      if (intent?.status === 'requires_capture') {
        await stripe.paymentIntents.capture(intent.id, {}, { idempotencyKey: payment.key });
        session = await read(payment.reference);
      }
      if (kindOf(session) !== 'captured') throw new AppError('NO_PAYMENT', 'The buyer has not paid yet.');
      return factOf('captured', paymentOf(session));
    },
    async void(payment) {
      const session = await read(payment.reference);
      const intent = intentOf(session);
      if (kindOf(session) === 'captured') return factOf('captured', paymentOf(session));
      if (session.status === 'open') await sessions.expire(session.id);
      else if (intent && intent.status !== 'canceled')
        await stripe.paymentIntents.cancel(intent.id, {}, { idempotencyKey: payment.key });
      return factOf('voided', payment);
    },
    async refund({ refundId, key, ...payment }) {
      const intent = intentOf(await read(payment.reference));
      if (!intent) throw new AppError('NO_PAYMENT', 'The buyer has not paid yet.');
      const metadata = { orderId: payment.orderId, refundId };
      try {
        const made = await madeRefund(intent.id, refundId);
        const request = { payment_intent: intent.id, amount: payment.amount, metadata };
        const refund = made ?? (await stripe.refunds.create(request, { idempotencyKey: key }));
        const kind = refundKindOf(refund);
        return kind ? refundTold(kind, refund, payment) : null;
      } catch (error) {
        if (!isRefusal(error)) throw error;
        return refundFactOf('refund-failed', { ...payment, refundId, reason: error.code ?? error.type });
      }
    },
    async readWebhook(body, headers) {
      const event = verified(body, String(headers['stripe-signature'] ?? ''));
      if (event.type.startsWith('refund.'))
        return { eventId: event.id, fact: await factOfRefund(event.data.object as Stripe.Refund) };
      const session = await sessionOf(event);
      const kind = session?.metadata?.orderId ? kindOf(session) : null;
      return { eventId: event.id, fact: session && kind ? factOf(kind, paymentOf(session)) : null };
    },
  };

  /** @throws AppError WEBHOOK_REFUSED */
  function verified(body: Buffer, signature: string): Stripe.Event {
    try {
      return stripe.webhooks.constructEvent(body, signature, webhookSecret, WINDOW_S);
    } catch {
      throw new AppError('WEBHOOK_REFUSED', 'The signature does not fit, or is more than five minutes old.');
    }
  }
}

function addressOf(apiUrl: string) {
  const { hostname, port, protocol } = new URL(apiUrl);
  return { host: hostname, port, protocol: protocol === 'http:' ? ('http' as const) : ('https' as const) };
}

/** Stripe has understood and done nothing; anything else may have been done. */
const isRefusal = (error: unknown): error is InstanceType<typeof Stripe.errors.StripeError> =>
  error instanceof Stripe.errors.StripeInvalidRequestError || error instanceof Stripe.errors.StripeCardError;
