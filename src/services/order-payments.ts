/**
 * The completion of payments: what has happened to money becomes a change of its order, here alone. Browsers, webhooks,
 * staff and jobs tell the same facts, in any order and number; each counts once.
 */
import type { PaymentFact } from '../adapters/payments/payment-provider.ts';
import type { OrderDto } from '../models/order.model.ts';
import type { Outbox } from './outbox.ts';

export class OrderPayments {
  readonly #outbox: Pick<Outbox, 'add'>;

  constructor({ outbox }: { outbox: Pick<Outbox, 'add'> }) {
    this.#outbox = outbox;
  }

  /**
   * Records a fact, once. Money for an order whose units were given back takes them again if there are, and otherwise is
   * to be paid back. A fact of another amount or currency than the order's is noted for staff.
   * @param event by which it was told, which then has had its effect
   * @throws AppError NOT_FOUND
   */
  record(_fact: PaymentFact, _event?: { provider: string; eventId: string }): Promise<OrderDto> {
    throw new Error(`not yet ${this.#outbox}`);
  }
}
