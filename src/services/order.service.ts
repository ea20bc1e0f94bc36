/** Orders after the checkout, for whoever may see them. What is done with them is in order-moves.service.ts. */
import { type QueryFilter, Types } from 'mongoose';
import { type Actor, authorize, isUser } from '../actor.ts';
import { inTransaction } from '../database/transaction.ts';
import { emailKeyOf } from '../models/email-key.ts';
import { Order, type OrderDto, type OrderFields, orderNumberOf } from '../models/order.model.ts';
import type { ListOrders, RefundOrder } from '../schemas/order.schema.ts';
import type { LoginLimits } from './login-limits.ts';
import { findOrder, type OrderAccess } from './order-access.ts';
import { toFilter } from './order-query.ts';
import { refundOf } from './order-refunds.ts';
import { expectMove } from './order-status.ts';
import { toOrderDto } from './order-view.ts';
import type { Outbox } from './outbox.ts';

interface OrderServiceDeps {
  limits: Pick<LoginLimits, 'mail'>;
  outbox: Pick<Outbox, 'add'>;
  /** Of the tokens of guests. */
  linkSecret: string;
}

export interface OrderPage {
  items: OrderDto[];
  /** For the next page; null at the end. */
  next: string | null;
}

/** Every method for one order throws AppError NOT_FOUND when there is none, or when it is not the caller's. */
export class OrderService {
  readonly #deps: OrderServiceDeps;

  constructor(deps: OrderServiceDeps) {
    this.#deps = deps;
  }

  /** The newest first: one's own, or everybody's for staff. @throws AppError UNAUTHENTICATED, FORBIDDEN for a key */
  async list(actor: Actor, query: ListOrders): Promise<OrderPage> {
    const { limit, mine } = query;
    const isStaff = actor.permissions.includes('orders:read') && mine === 'false';
    if (!isStaff && !isUser(actor)) authorize(actor, 'orders:read');
    const filter: QueryFilter<OrderFields> = {
      ...(!isStaff && { owner: actor.id }),
      ...toFilter(query),
    };
    const docs = await Order.find(filter)
      .sort({ _id: -1 })
      .limit(limit + 1)
      .lean();
    const items = docs.slice(0, limit).map((doc) => toOrderDto(doc, isStaff ? 'staff' : 'customer'));
    const last = docs.length > limit && items.at(-1);
    return { items, next: last ? Buffer.from(last.id, 'hex').toString('base64url') : null };
  }

  async get(access: OrderAccess): Promise<OrderDto> {
    const { order, viewer } = await findOrder(this.#deps.linkSecret, access);
    return toOrderDto(order, viewer);
  }

  /** What a refund would be worth, in minor units. @throws AppError FORBIDDEN, ILLEGAL_MOVE, LIMIT_REACHED, INVALID_INPUT */
  async priceRefund(access: OrderAccess, input: RefundOrder): Promise<number> {
    const { order } = await findOrder(this.#deps.linkSecret, access, 'orders:refund');
    expectMove(order, 'refund');
    return refundOf(order, input).amount;
  }

  /**
   * Sends the link to an order to its own address, if both belong together. Neither the answer nor its time tells
   * whether they do: the same is asked and written. @throws AppError TOO_MANY_REQUESTS
   */
  async lookUp({ email, number: typed }: { email: string; number: string }, address: string): Promise<void> {
    if (!(await this.#deps.limits.mail(email, address))) return;
    const which = { number: orderNumberOf(typed) ?? '', emailKey: emailKeyOf(email) };
    const { _id } = (await Order.findOne(which, { _id: 1 }).lean()) ?? { _id: new Types.ObjectId() };
    // Of an order that there is not, nothing is mailed.
    const orderId = _id.toHexString();
    await inTransaction(async (_session, writes) =>
      this.#deps.outbox.add(writes, { type: 'order.link_wanted', data: { orderId } }),
    );
  }
}
