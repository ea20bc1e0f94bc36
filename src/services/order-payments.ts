/**
 * The completion of payments: what has happened to money becomes a change of its order, here alone. Browsers, webhooks,
 * staff and jobs tell the same facts, in any order and number; each counts once.
 */
import { LRUCache } from 'lru-cache';
import type { ClientSession } from 'mongoose';
import type { PaymentFact } from '../adapters/payments/payment-provider.ts';
import { inTransaction, isDuplicateKey } from '../database/transaction.ts';
import type { Writes } from '../database/writes.ts';
import { AppError } from '../errors.ts';
import { Order, type OrderDto, type OrderRecord } from '../models/order.model.ts';
import { PaymentEvent } from '../models/payment-event.model.ts';
import { redeemCoupon } from './coupon-uses.ts';
import {
  changeByFact,
  changeOrder,
  entry,
  isDueMoney,
  knowsFact,
  type OrderChange,
  stockChanged,
  unitsOf,
} from './order-changes.ts';
import { toOrderDto } from './order-view.ts';
import type { Outbox } from './outbox.ts';
import type { Also } from './payment.service.ts';
import { takeStock } from './stock.ts';
import { Turns } from './turns.ts';

const ATTEMPTS = 10;
const nothing: Also = () => {};

/** By which the fact was told: of those, too, each has its effect once. */
interface ProviderEvent {
  provider: string;
  eventId: string;
}

export class OrderPayments {
  readonly #outbox: Pick<Outbox, 'add'>;
  readonly #turns = new Turns();
  /** Orders as this process has written them last: a change is tried on these, by their version, without a read. */
  readonly #recent = new LRUCache<string, OrderRecord>({ max: 200 });

  constructor({ outbox }: { outbox: Pick<Outbox, 'add'> }) {
    this.#outbox = outbox;
  }

  /**
   * Records a fact, once. Money for an order that has expired takes its units again if there are; otherwise, and when it
   * was cancelled by somebody, it is to be paid back. A fact of another amount or currency is noted for staff.
   * @param event by which it was told, if it was one
   * @param also what is written in the same transaction
   * @returns the order as staff see it
   * @throws AppError NOT_FOUND, CONCURRENT_CHANGE
   */
  async record(fact: PaymentFact, event: ProviderEvent | null = null, also: Also = nothing): Promise<OrderDto> {
    const order = await this.#turns.take(fact.orderId, () => this.#record(fact, event, also));
    return toOrderDto(order, 'staff');
  }

  /** An order that was made just now: its payment follows. */
  remember(order: OrderRecord): void {
    this.#recent.set(order._id.toHexString(), order);
  }

  /** The order as this process has left it; null when it has not, or no longer knows. */
  recent(orderId: string): OrderRecord | null {
    return this.#recent.get(orderId) ?? null;
  }

  async #record(fact: PaymentFact, event: ProviderEvent | null, also: Also): Promise<OrderRecord> {
    let reopens = true;
    for (let attempt = 1; ; attempt++) {
      try {
        const order = await inTransaction(async (session, writes) => {
          const before = this.recent(fact.orderId) ?? (await find(fact.orderId, session));
          if (event) keepEvent(writes, event);
          const after = knowsFact(before, fact) ? before : await this.#apply(writes, before, fact, reopens);
          await also(writes, { before, after });
          return after;
        });
        this.remember(order);
        return order;
      } catch (error) {
        this.#recent.delete(fact.orderId);
        // The event has had its effect, in another process or before.
        if (isDuplicateKey(error) && event && (await isKept(event))) return find(fact.orderId, null);
        if (attempt === ATTEMPTS) throw error;
        // The key of a movement: another process has opened the order again since it was read.
        if (isDuplicateKey(error)) continue;
        if (!(error instanceof AppError) || error.code === 'NOT_FOUND') throw error;
        if (error.code !== 'CONCURRENT_CHANGE') reopens = false;
      }
    }
  }

  /** @param reopens whether an expired order gets its units again. @throws AppError when they are not there any more */
  async #apply(writes: Writes, order: OrderRecord, fact: PaymentFact, reopens: boolean): Promise<OrderRecord> {
    const isLate = isDueMoney(order, fact) && hasExpired(order);
    const reopened = isLate && reopens ? await reopen(writes, order) : null;
    const change = changeByFact(reopened ? { ...order, ...reopened.set } : order, fact);
    const whole = reopened ? joined(reopened, change) : change;
    const after = changeOrder(writes, order, whole);
    this.#outbox.add(writes, ...(whole.events ?? []));
    return after;
  }
}

/** Cancelled because nobody has paid in time: not because somebody wanted it. */
const hasExpired = ({ stock, cancelledAt, timeline }: OrderRecord) =>
  cancelledAt !== null &&
  stock === 'returned' &&
  timeline.findLast(({ event }) => event === 'cancelled')?.by === 'shop';

/** Takes the units, and the use of the coupon, again. @throws AppError when they are gone */
async function reopen(writes: Writes, order: OrderRecord): Promise<OrderChange> {
  takeStock(writes, unitsOf(order), `reopen:${order._id.toHexString()}:${order.version}`);
  if (order.coupon) await redeemCoupon(writes.session, order.coupon.id, customerOf(order));
  return {
    set: { cancelledAt: null, stock: 'taken', holdUntil: null },
    timeline: [entry('reopened')],
    events: [stockChanged(order)],
  };
}

/** Who has used the coupon: the account, or the address of a guest; nobody who was erased. */
export const customerOf = ({ owner, emailKey }: Pick<OrderRecord, 'owner' | 'emailKey'>) =>
  owner?.toHexString() ?? emailKey;

const joined = (first: OrderChange, second: OrderChange): OrderChange => ({
  set: { ...first.set, ...second.set },
  ledger: [...(first.ledger ?? []), ...(second.ledger ?? [])],
  timeline: [...(first.timeline ?? []), ...(second.timeline ?? [])],
  events: [...(first.events ?? []), ...(second.events ?? [])],
});

function keepEvent(writes: Writes, event: ProviderEvent): void {
  writes.insert(PaymentEvent, [{ _id: idOfEvent(event), at: new Date() }]);
}

const idOfEvent = ({ provider, eventId }: ProviderEvent) => `${provider}:${eventId}`;

const isKept = async (event: ProviderEvent) => (await PaymentEvent.exists({ _id: idOfEvent(event) })) !== null;

/** @throws AppError NOT_FOUND */
async function find(id: string, session: ClientSession | null): Promise<OrderRecord> {
  const order = await Order.findById(id).session(session).lean();
  if (!order) throw new AppError('NOT_FOUND', 'There is no such order.');
  return order;
}
