/**
 * Payments of orders. Each attempt is stored before the provider is asked, and an order has one open attempt at most:
 * whatever gets lost on the way, the provider can be asked again, and nobody pays twice. What has happened to money is
 * told to `orders.record`, the one place that changes orders.
 */
import type { IncomingHttpHeaders } from 'node:http';
import type {
  PaymentDetails,
  PaymentFact,
  PaymentProvider,
  PaymentResult,
  PaymentState,
} from '../adapters/payments/payment-provider.ts';
import { AppError } from '../errors.ts';

/** What a payment needs of its order. `total` in minor units. */
export interface PayableOrder {
  id: string;
  number: string;
  email: string;
  currency: string;
  total: number;
  paymentMethod: string;
}

/** What the buyer is told. 'pending' without `redirect` and `instructions`: the provider has not answered yet. */
export type PaymentAnswer = Pick<PaymentResult, 'state' | 'reason' | 'redirect' | 'instructions'>;

export interface PaymentMethod {
  name: string;
  title: string;
}

/** Where facts become changes of orders; each is recorded once, however often it is told. */
export interface PaymentRecorder {
  /** @throws AppError NOT_FOUND for an unknown order */
  record(fact: PaymentFact, event?: { provider: string; eventId: string }): Promise<unknown>;
}

interface PaymentServiceDeps {
  providers: readonly PaymentProvider[];
  orders: PaymentRecorder;
  /** The address of an order's page for the buyer. */
  linkToOrder: (orderId: string) => string;
}

const notYet = () => new AppError('UNAVAILABLE', 'Payments are not ready.');

export class PaymentService {
  readonly #providers: ReadonlyMap<string, PaymentProvider>;

  constructor({ providers }: PaymentServiceDeps) {
    this.#providers = new Map(providers.map((provider) => [provider.name, provider]));
  }

  /** What buyers can choose for an amount in this currency. */
  methods(currency: string): PaymentMethod[] {
    return [...this.#providers.values()]
      .filter((provider) => provider.accepts(currency))
      .map(({ name, title }) => ({ name, title }));
  }

  /**
   * Whether an order can be paid this way: to be asked before there is one.
   * @returns how long an unpaid order is kept, in milliseconds @throws AppError INVALID_INPUT
   */
  check(_method: string, _currency: string, _details: PaymentDetails): { holdMs: number } {
    throw notYet();
  }

  /**
   * Asks for the whole total. An attempt of the same method that waits for the buyer is answered again instead. Resolves
   * when the order has changed too. @throws AppError PAYMENT_RUNNING, INVALID_INPUT
   */
  async pay(_order: PayableOrder, _details: PaymentDetails = {}): Promise<PaymentAnswer> {
    throw notYet();
  }

  /** Takes the authorized money, or notes that a bank transfer has come. @throws AppError NO_PAYMENT */
  async capture(_orderId: string): Promise<void> {
    throw notYet();
  }

  /**
   * Ends what is open or authorized, so that nothing can be paid any more; nothing when there is nothing. Money that was
   * captured in the meantime is recorded as such.
   */
  async void(_orderId: string): Promise<void> {
    throw notYet();
  }

  /** Pays back what the entry `refundId` of the ledger asks for; a repeat does nothing. */
  async refund(_orderId: string, _refundId: string): Promise<void> {
    throw notYet();
  }

  /** Asks the provider what became of the open attempt, and records it. @returns null when none is open */
  async settle(_orderId: string): Promise<PaymentState | null> {
    throw notYet();
  }

  /** @throws AppError NOT_FOUND for a provider that sends none, WEBHOOK_REFUSED */
  async receiveWebhook(_provider: string, _body: Buffer, _headers: IncomingHttpHeaders): Promise<void> {
    throw notYet();
  }
}
