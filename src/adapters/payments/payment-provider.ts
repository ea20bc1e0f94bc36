/** How the shop asks for money. Nothing outside this room knows which provider a payment goes by. */
import type { IncomingHttpHeaders } from 'node:http';
import { invalidInput } from '../../errors.ts';

export interface Attempt {
  /** The shop's own id of it, and the key by which a repeat of the request does nothing more. */
  attempt: string;
  orderId: string;
  /** What people call the order. */
  number: string;
  /** In minor units. */
  amount: number;
  currency: string;
  /** The provider's own, as `checkDetails` has let them through. */
  details: PaymentDetails;
  /** When it was stored: the same for each repeat. */
  startedAt: Date;
}

export interface PaymentRequest extends Attempt {
  email: string;
  /** The page of the order, where the buyer comes back to. */
  returnUrl: string;
}

export interface MadeAttempt extends Attempt {
  /** Null when the answer to the request was lost. */
  reference: string | null;
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
  /** By which it was told; the shop adds it. */
  provider?: string;
  reason?: string;
  /** Which refund of the order it is; one that was made on the provider's own pages has the provider's id. */
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
  /** What the buyer of an order must know to pay, where that is known without asking: bank details. */
  instructions?(number: string): string;
  /** Whether it takes payments in this currency. */
  accepts(currency: string): boolean;
  /** @throws AppError INVALID_INPUT for what the buyer sent along */
  checkDetails(details: PaymentDetails): void;
  /** Asks for money. A repeat with the same attempt asks for nothing more. */
  authorize(request: PaymentRequest): Promise<PaymentResult>;
  /** What became of an attempt; null when the provider never heard of it. */
  find(attempt: MadeAttempt): Promise<PaymentResult | null>;
  capture(payment: Payment): Promise<PaymentFact>;
  /** Gives up a payment that was not captured. @returns 'captured' as the fact when it was, after all */
  void(payment: Payment): Promise<PaymentFact>;
  /**
   * Gives money back once for each `refundId`, however much later it is asked again.
   * @returns 'refund-failed' as the fact when asking again would not help, null when a webhook will tell how it ends
   */
  refund(payment: Payment & { refundId: string }): Promise<PaymentFact | null>;
  /** Checks signature and time. @throws AppError WEBHOOK_REFUSED */
  readWebhook?(body: Buffer, headers: IncomingHttpHeaders): Promise<PaymentNotice>;
}

type Told = Omit<PaymentFact, 'id' | 'kind' | 'refundId'>;

/** The one form of facts, so that their ids agree. */
export function factOf(
  kind: Exclude<PaymentFactKind, 'refunded' | 'refund-failed'>,
  { orderId, reference, amount, currency, reason }: Told,
): PaymentFact {
  return { id: `${kind}:${reference}`, kind, orderId, reference, amount, currency, ...(reason && { reason }) };
}

/** The same of a refund that the shop has asked for. */
export function refundFactOf(kind: 'refunded' | 'refund-failed', told: Told & { refundId: string }): PaymentFact {
  const { orderId, reference, amount, currency, reason, refundId } = told;
  const id = `${kind}:${refundId}`;
  return { id, kind, orderId, reference, amount, currency, refundId, ...(reason && { reason }) };
}

/** For providers that need nothing of the buyer. @throws AppError INVALID_INPUT */
export function noDetails(details: PaymentDetails): void {
  const faults = Object.keys(details).map((name) => ({ pointer: `#/payment/${name}`, detail: 'is not a known field' }));
  if (faults.length > 0) throw invalidInput(faults);
}
