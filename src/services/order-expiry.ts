/** Orders that were not paid in time: their units are for sale again, by a job or as soon as somebody wants them. */
import { type QueryFilter, Types } from 'mongoose';
import pLimit from 'p-limit';
import type { Logger } from 'pino';
import { inTransaction } from '../database/transaction.ts';
import { AppError } from '../errors.ts';
import { Order, type OrderFields, type OrderRecord } from '../models/order.model.ts';
import { changeOrder, retrying } from './order-changes.ts';
import { cancelIn } from './order-reversals.ts';
import type { Outbox } from './outbox.ts';
import type { PaymentService } from './payment.service.ts';

const HOUR_MS = 60 * 60 * 1000;
/** Orders that are read at once; also the most that somebody waits for who wants to buy. */
const PAGE = 100;
/** Orders that are settled at the same time: one whose provider hangs is not in the way of the others. */
const AT_ONCE = 5;

interface OrderExpiryDeps {
  outbox: Pick<Outbox, 'add'>;
  payments: Pick<PaymentService, 'settle' | 'void'>;
  log: Pick<Logger, 'error'>;
}

export class OrderExpiry {
  readonly #deps: OrderExpiryDeps;

  constructor(deps: OrderExpiryDeps) {
    this.#deps = deps;
  }

  /** Cancels what was not paid in time. @returns how many orders that were */
  async expire(): Promise<number> {
    let expired = 0;
    for await (const orders of pagesOf(isLate())) expired += await this.#expire(orders);
    return expired;
  }

  /** The same for orders that hold these products, so that they can be bought by others. */
  async expireHolding(productIds: readonly string[]): Promise<number> {
    const ids = productIds.map((id) => new Types.ObjectId(id));
    const filter = { ...isLate(), 'lines.productId': { $in: ids } };
    return this.#expire(await Order.find(filter, { holdUntil: 1 }).sort({ holdUntil: 1 }).limit(PAGE).lean());
  }

  /** Gives up money that is promised for orders that were cancelled meanwhile. */
  async voidCancelled(): Promise<void> {
    for await (const orders of pagesOf({ paymentStatus: 'authorized', status: 'cancelled' }))
      await pLimit(AT_ONCE).map(orders, ({ _id }) =>
        this.#trying(_id, () => this.#deps.payments.void(_id.toHexString())),
      );
  }

  async #expire(orders: readonly HoldingOrder[]): Promise<number> {
    const cancelled = await pLimit(AT_ONCE).map(orders, (order) => this.#expireOne(order));
    return cancelled.filter((isCancelled) => isCancelled).length;
  }

  async #expireOne({ _id, holdUntil }: HoldingOrder): Promise<boolean> {
    const id = _id.toHexString();
    const isAsked = await this.#trying(_id, async () => {
      const state = await this.#deps.payments.settle(id);
      if (state !== 'authorized' && state !== 'captured') await this.#deps.payments.void(id);
      return true;
    });
    // A provider that does not answer for an hour keeps nothing from being sold: money that comes later goes back.
    if (!isAsked && holdUntil && Date.now() - holdUntil.getTime() < HOUR_MS) return false;
    return (await this.#trying(_id, () => this.#cancel(_id))) ?? false;
  }

  /** @returns false when it was paid, cancelled or is kept for longer meanwhile */
  #cancel(id: Types.ObjectId): Promise<boolean> {
    return retrying(() =>
      inTransaction(async (session, writes) => {
        const order = await Order.findOne({ _id: id, ...isLate() })
          .session(session)
          .lean();
        if (!order) return false;
        const change = await cancelIn(writes, order, { by: 'shop', detail: 'It was not paid in time.' });
        changeOrder(writes, order, change);
        this.#deps.outbox.add(writes, ...(change.events ?? []));
        return true;
      }),
    );
  }

  /** @returns null when it has failed, which is logged: the other orders go on */
  async #trying<T>(id: Types.ObjectId, work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      const isRunning = error instanceof AppError && error.code === 'PAYMENT_RUNNING';
      if (!isRunning) this.#deps.log.error({ err: error, orderId: id.toHexString() }, 'an order could not be settled');
      return null;
    }
  }
}

type HoldingOrder = Pick<OrderRecord, '_id' | 'holdUntil'>;

/** All that match, a page after the other: those that stay in the list are in nobody's way. */
async function* pagesOf(filter: QueryFilter<OrderFields>): AsyncGenerator<HoldingOrder[]> {
  let page: HoldingOrder[] = [];
  do {
    const last = page.at(-1);
    page = await Order.find({ ...filter, ...(last && { _id: { $gt: last._id } }) }, { holdUntil: 1 })
      .sort({ _id: 1 })
      .limit(PAGE)
      .lean();
    yield page;
  } while (page.length === PAGE);
}

const isLate = () => ({ stock: 'held' as const, holdUntil: { $lte: new Date() } });
