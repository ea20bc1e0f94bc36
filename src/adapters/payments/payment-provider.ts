/** How the shop asks for money. Nothing outside this room knows which provider a payment goes by. */
import type { IncomingHttpHeaders } from 'node:http';

export interface PaymentRequest {
  /** The shop's own id of this attempt, and the key by which a repeat of the request does nothing more. */
  attempt: string;
  orderId: string;
  /** What people call the order. */
  number: string;
  /** In minor units. */
  amount: number;
  currency: string;
  email: string;
  /** The provider's own, as `checkDetails` has let them through. */
  details: PaymentDetails;
  /** The page of the order, where the buyer comes back to. */
  returnUrl: string;
}

export type PaymentDetails = Readonly<Record<string, string>>;

export type PaymentState = 'authorized' | 'captured' | 'pending' | 'declined';

export interface PaymentResult {
  state: PaymentState;
  reference: string;
  amount: number;
  /** Why it was declined, for the buyer. */
  reason?: string;
  /** Where the buyer goes on. */
  redirect?: string;
  /** What the buyer must know: bank details. */
  instructions?: string;
}

/** What the shop remembers of an attempt. */
export interface KnownAttempt extends PaymentRequest {
  /** Null when the answer to the request was lost. */
  reference: string | null;
  startedAt: Date;
}

/** A payment, for what is done with it later. */
export interface Payment {
  orderId: string;
  reference: string;
  amount: number;
  currency: string;
  /** A repeat with the same key does nothing more and answers the same fact. */
  key: string;
}

export type PaymentFactKind = 'authorized' | 'captured' | 'voided' | 'refunded' | 'refund-failed' | 'declined';

/** Something that has happened to money, told by an answer or by a webhook: the same fact has the same id by both ways. */
export interface PaymentFact {
  id: string;
  kind: PaymentFactKind;
  orderId: string;
  /** Of the payment, also for its refunds. */
  reference: string;
  amount: number;
  currency: string;
  reason?: string;
  /** Which refund of the order has come about or failed; a refund that was made at the provider's own site has none. */
  refundId?: string;
}

export interface PaymentNotice {
  eventId: string;
  /** Null for events that change nothing here. */
  fact: PaymentFact | null;
}

/** An AppError is a refusal; any other error means that nobody knows what has happened: ask `find`, or try again. */
export interface PaymentProvider {
  readonly name: string;
  readonly title: string;
  /** How long an unpaid order is kept, in milliseconds. */
  readonly holdMs: number;
  readonly capturesAtOnce: boolean;
  /** Whether it takes payments in this currency. */
  accepts(currency: string): boolean;
  /** @throws AppError INVALID_INPUT for what the buyer sent along */
  checkDetails(details: PaymentDetails): void;
  authorize(request: PaymentRequest): Promise<PaymentResult>;
  /** What became of an attempt; null when the provider never heard of it. */
  find(attempt: KnownAttempt): Promise<PaymentResult | null>;
  capture(payment: Payment): Promise<PaymentFact>;
  /** Gives up a payment that was not captured. @returns 'captured' as the fact when it was, after all */
  void(payment: Payment): Promise<PaymentFact>;
  /** @returns 'refund-failed' as the fact when asking again would not help */
  refund(payment: Payment & { refundId: string }): Promise<PaymentFact>;
  /** Checks signature and time. @throws AppError WEBHOOK_REFUSED */
  readWebhook?(body: Buffer, headers: IncomingHttpHeaders): Promise<PaymentNotice>;
}

/** The one form of facts, so that their ids agree. */
export function factOf(
  kind: Exclude<PaymentFactKind, 'refunded' | 'refund-failed'>,
  { orderId, reference, amount, currency, reason }: Omit<PaymentFact, 'id' | 'kind' | 'refundId'>,
): PaymentFact {
  return { id: `${kind}:${reference}`, kind, orderId, reference, amount, currency, ...(reason && { reason }) };
}
