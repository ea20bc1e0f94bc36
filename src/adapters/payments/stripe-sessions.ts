/** What Stripe's objects say, in the shop's words. */
import type Stripe from 'stripe';
import { type Payment, type PaymentFact, type PaymentResult, refundFactOf } from './payment-provider.ts';

export type Session = Stripe.Checkout.Session;
type RefundKind = 'refunded' | 'refund-failed';

const REFUNDS: Partial<Record<string, RefundKind>> = {
  succeeded: 'refunded',
  failed: 'refund-failed',
  canceled: 'refund-failed',
};

/** Null for a refund that Stripe has not decided. */
export const refundKindOf = ({ status }: Stripe.Refund) => REFUNDS[status ?? ''] ?? null;

export const idOf = (value: string | { id: string } | null) =>
  typeof value === 'string' ? value : (value?.id ?? null);
/** Null when it was not read along, or nobody has tried to pay. */
export const intentOf = ({ payment_intent: intent }: Session) => (typeof intent === 'string' ? null : intent);

/** What has happened to the money; null when nothing has. */
export function kindOf(session: Session): 'authorized' | 'captured' | 'voided' | 'declined' | null {
  const status = intentOf(session)?.status;
  if (status === 'succeeded') return 'captured';
  if (status === 'requires_capture') return 'authorized';
  if (session.status === 'expired') return 'declined';
  if (session.status !== 'complete') return null;
  if (status === 'canceled') return 'voided';
  return status === 'requires_payment_method' ? 'declined' : null;
}

/** The payment of a session; with a reason when it was declined. */
export function paymentOf(session: Session): Omit<Payment, 'key'> & { reason?: string } {
  const intent = intentOf(session);
  const amount = intent?.status === 'succeeded' ? intent.amount_received : (session.amount_total ?? 0);
  const reason =
    session.status === 'expired' ? 'The time to pay was over.' : (intent?.last_payment_error?.message ?? undefined);
  return {
    orderId: session.metadata?.orderId ?? '',
    reference: session.id,
    amount,
    currency: (session.currency ?? '').toUpperCase(),
    ...(kindOf(session) === 'declined' && reason && { reason }),
  };
}

export function resultOf(session: Session): PaymentResult {
  const kind = kindOf(session);
  const { reference, amount, reason } = paymentOf(session);
  if (kind === null) return { state: 'pending', reference, amount, ...(session.url && { redirect: session.url }) };
  return { state: kind === 'voided' ? 'declined' : kind, reference, amount, ...(reason && { reason }) };
}

export function refundTold(kind: RefundKind, refund: Stripe.Refund, payment: Omit<Payment, 'key'>): PaymentFact {
  const { amount, failure_reason: reason } = refund;
  const told = { ...payment, amount, ...(reason && { reason }) };
  // One that was made on Stripe's own pages has no id of the shop's.
  return refundFactOf(kind, { ...told, refundId: refund.metadata?.refundId ?? refund.id });
}
