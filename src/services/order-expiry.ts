/** Orders that were not paid in time: their units are for sale again, by a job or as soon as somebody wants them. */
import { Types } from 'mongoose';
import type { Logger } from 'pino';
import { inTransaction } from '../database/transaction.ts';
import { AppError } from '../errors.ts';
import { Order } from '../models/order.model.ts';
import { cancelIn } from './order-cancelling.ts';
import { changeOrder, retrying } from './order-changes.ts';
import type { Outbox } from './outbox.ts';
import type { PaymentService } from './payment.service.ts';

const HOUR_MS = 60 * 60 * 1000;
/** Orders that one run looks at. */
const AT_ONCE = 100;

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
  expire(): Promise<number> {
    return this.#expire({});
  }

  /** The same for orders that hold these products, so that they can be bought by others. */
  expireHolding(productIds: readonly string[]): Promise<number> {
    const ids = productIds.map((id) => new Types.ObjectId(id));
    return this.#expire({ 'lines.productId': { $in: ids } });
  }

  /** Gives up money that is promised for orders that were cancelled meanwhile. */
  async voidCancelled(): Promise<void> {
    const orders = await Order.find({ paymentStatus: 'authorized', status: 'cancelled' }, { _id: 1 })
      .limit(AT_ONCE)
      .lean();
    for (const { _id } of orders) await this.#trying(_id, () => this.#deps.payments.void(_id.toHexString()));
  }

  async #expire(filter: Record<string, unknown>): Promise<number> {
    const orders = await Order.find({ ...isLate(), ...filter }, { holdUntil: 1 })
      .sort({ holdUntil: 1 })
      .limit(AT_ONCE)
      .lean();
    let expired = 0;
    for (const { _id, holdUntil } of orders) {
      const id = _id.toHexString();
      const isAsked = await this.#trying(_id, async () => {
        const state = await this.#deps.payments.settle(id);
        if (state !== 'authorized' && state !== 'captured') await this.#deps.payments.void(id);
      });
      // A provider that does not answer for an hour keeps nothing from being sold: money that comes later goes back.
      if (!isAsked && holdUntil && Date.now() - holdUntil.getTime() < HOUR_MS) continue;
      if (await this.#expireOne(_id)) expired += 1;
    }
    return expired;
  }

  /** @returns false when it was paid, cancelled or is kept for longer meanwhile */
  #expireOne(id: Types.ObjectId): Promise<boolean> {
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

  /** @returns false when it has failed, which is logged */
  async #trying(id: Types.ObjectId, work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      const isRunning = error instanceof AppError && error.code === 'PAYMENT_RUNNING';
      if (!isRunning) this.#deps.log.error({ err: error, orderId: id.toHexString() }, 'a payment could not be settled');
      return false;
    }
  }
}

const isLate = () => ({ stock: 'held' as const, holdUntil: { $lte: new Date() } });
