/** Orders after the checkout: who sees them, and what is done with them. Money moves through PaymentService alone. */
import { type ClientSession, type QueryFilter, Types } from 'mongoose';
import { type Actor, authorize, isUser } from '../actor.ts';
import { inTransaction } from '../database/transaction.ts';
import type { Writes } from '../database/writes.ts';
import { AppError } from '../errors.ts';
import { emailKeyOf } from '../models/email-key.ts';
import { Order, type OrderDto, type OrderFields, type OrderRecord, orderNumberOf } from '../models/order.model.ts';
import type { ListOrders, PayOrder, RefundOrder } from '../schemas/order.schema.ts';
import type { OrderMove } from '../words.ts';
import { recordStaffWrites } from './audit.service.ts';
import { expectVersion } from './expect-version.ts';
import { inTransactionOnce, type Once, type OnceKey, onceDone } from './idempotency.ts';
import type { LoginLimits } from './login-limits.ts';
import { cancelIn } from './order-cancelling.ts';
import {
  type By,
  changeOrder,
  entry,
  type OrderChange,
  paymentToRefund,
  retrying,
  stockChanged,
  withRefund,
} from './order-changes.ts';
import { isOrderToken } from './order-link.ts';
import { toFilter } from './order-query.ts';
import { refundOf } from './order-refunds.ts';
import { expectCancellable, expectPatience, expectRoom, longerHold, unitsToRestock } from './order-rules.ts';
import { expectMove, moneyOf } from './order-status.ts';
import { changeByGivingUp, changeByRetry, stuckRefundsOf } from './order-stuck-refunds.ts';
import { toOrderDto, toPayable, type Viewer } from './order-view.ts';
import type { Outbox } from './outbox.ts';
import type { AlsoOf, PaymentAnswer, PaymentService } from './payment.service.ts';
import { returnStock } from './stock.ts';

interface OrderServiceDeps {
  limits: Pick<LoginLimits, 'mail'>;
  outbox: Pick<Outbox, 'add'>;
  payments: Pick<PaymentService, 'check' | 'pay' | 'capture' | 'void'>;
  /** Of the tokens of guests. */
  linkSecret: string;
}

/** Who asks for one order: an account, staff, or a guest with the token of the link. */
export interface OrderAccess {
  actor: Actor;
  /** The order's id or number. */
  oid: string;
  token: string | undefined;
}

export interface OrderPage {
  items: OrderDto[];
  /** For the next page; null at the end. */
  next: string | null;
}

interface Seen {
  order: OrderRecord;
  viewer: Viewer;
}

interface Act {
  move: OrderMove;
  ifVersion: number | undefined;
  /** Goes into the transaction of the change. */
  apply(writes: Writes, seen: Seen): Promise<OrderChange> | OrderChange;
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
    const { order, viewer } = await this.#find(access);
    return toOrderDto(order, viewer);
  }

  /**
   * Tries to pay, in the order's way or another one. The units are kept for another while, at most an hour in all. A
   * repeat is answered with the order as it is then.
   * @throws AppError ILLEGAL_MOVE, PAYMENT_RUNNING, LIMIT_REACHED, INVALID_INPUT, IDEMPOTENCY_KEY_REUSED
   */
  async pay(
    access: OrderAccess,
    { paymentMethod, payment }: PayOrder,
    once: OnceKey | null,
  ): Promise<Once<OrderDto & { payment: PaymentAnswer }>> {
    const { result, replayed } = await onceDone(once, async () => {
      const { order } = await this.#find(access);
      const method = paymentMethod ?? order.paymentMethod;
      const { holdMs } = this.#deps.payments.check(method, order.currency, payment);
      const held = await this.#act(access, {
        move: 'pay',
        ifVersion: undefined,
        apply: (_session, { order }) => {
          expectPatience(order);
          return { set: { paymentMethod: method, ...longerHold(order, holdMs) } };
        },
      });
      return this.#deps.payments.pay(toPayable(held.order), payment);
    });
    return { result: { ...(await this.get(access)), payment: result }, replayed };
  }

  /** Takes authorized money, or confirms that a transfer has come. @throws AppError FORBIDDEN, ILLEGAL_MOVE */
  async capture(access: OrderAccess, ifVersion?: number): Promise<OrderDto> {
    const { order } = await this.#find(access, 'orders:write');
    expectVersion('order', order.version, ifVersion);
    expectMove(order, 'capture');
    await this.#deps.payments.capture(order._id.toHexString(), audited(access.actor, 'captured'));
    return toOrderDto((await this.#find(access)).order, 'staff');
  }

  /** @throws AppError ILLEGAL_MOVE, FORBIDDEN */
  fulfil(access: OrderAccess, tracking: string | null, ifVersion?: number): Promise<OrderDto> {
    return this.#move(access, 'fulfil', ifVersion, ({ order, by }) => ({
      set: { fulfilledAt: new Date() },
      timeline: [entry('fulfilled', { ...by, detail: tracking })],
      events: [{ type: 'order.fulfilled', data: { orderId: order._id.toHexString() } }],
    }));
  }

  /** @throws AppError ILLEGAL_MOVE, FORBIDDEN */
  deliver(access: OrderAccess, ifVersion?: number): Promise<OrderDto> {
    return this.#move(access, 'deliver', ifVersion, ({ order, by }) => ({
      set: { deliveredAt: new Date() },
      timeline: [entry('delivered', by)],
      events: [{ type: 'order.delivered', data: { orderId: order._id.toHexString() } }],
    }));
  }

  /**
   * Gives the units back, and what was paid. Buyers cancel what is not paid; staff what is not sent.
   * @throws AppError ILLEGAL_MOVE, FORBIDDEN when money goes back and the caller may not do that
   */
  async cancel(access: OrderAccess, reason: string | null, ifVersion?: number): Promise<OrderDto> {
    const { order, viewer } = await this.#find(access);
    expectCancellable(access.actor, { order, viewer });
    expectVersion('order', order.version, ifVersion);
    // First, so that nothing can be paid any more; what was paid in this moment is seen below.
    const alsoOf = viewer === 'staff' ? audited(access.actor, 'voided') : undefined;
    if (moneyOf(order.ledger).captured === 0) await this.#deps.payments.void(order._id.toHexString(), alsoOf);
    const { order: after } = await this.#act(access, {
      move: 'cancel',
      ifVersion: undefined,
      apply: (session, seen) => {
        expectCancellable(access.actor, seen);
        return cancelIn(session, seen.order, { ...byWhom(access.actor, seen.viewer), detail: reason });
      },
    });
    return toOrderDto(after, viewer);
  }

  /** Asks for money to be given back; the provider is asked behind this. @throws AppError FORBIDDEN, ILLEGAL_MOVE, LIMIT_REACHED */
  async refund(
    access: OrderAccess,
    input: RefundOrder,
    once: OnceKey | null,
    ifVersion?: number,
  ): Promise<Once<OrderDto>> {
    const { actor } = access;
    const { replayed } = await inTransactionOnce(once, async (session, writes) => {
      const { order } = await this.#find(access, 'orders:refund', session);
      expectVersion('order', order.version, ifVersion);
      expectMove(order, 'refund');
      expectRoom(order);
      const refund = refundOf(order, input);
      const restocked = unitsToRestock(order, refund.lines);
      await returnStock(writes, restocked, `refund:${refund.id}`);
      const by = { ...byWhom(actor, 'staff'), detail: input.reason };
      const change = withRefund(
        order,
        {
          set: { refunds: [...order.refunds, refund] },
          timeline: restocked.length > 0 ? [entry('restocked', { ...by, staffOnly: true })] : [],
          events: restocked.length > 0 ? [stockChanged(order)] : [],
        },
        { amount: refund.amount, reference: paymentToRefund(order, refund.amount), refundId: refund.id, ...by },
      );
      await this.#write(writes, actor, 'order.refund-requested', { order, viewer: 'staff' }, change);
      return { refundId: refund.id };
    });
    // Nothing of the person is kept for a repeat, and who may not see it any more does not.
    return { result: await this.get(access), replayed };
  }

  /** Asks once more for a refund that is stuck. @throws AppError FORBIDDEN, REFUND_NOT_STUCK, LIMIT_REACHED */
  async retryRefund(access: OrderAccess, refundId: string, ifVersion?: number): Promise<OrderDto> {
    return retrying(() =>
      inTransaction(async (session, writes) => {
        const { order } = await this.#find(access, 'orders:refund', session);
        expectVersion('order', order.version, ifVersion);
        expectRoom(order);
        const change = changeByRetry(order, refundId, byWhom(access.actor, 'staff'));
        const seen: Seen = { order, viewer: 'staff' };
        return toOrderDto(await this.#write(writes, access.actor, 'order.refund-retried', seen, change), 'staff');
      }),
    );
  }

  /** For the outbox, which does not ask for a refund any more: staff see it then, and can try it again. */
  async giveRefundUp({ orderId, refundId }: { orderId: string; refundId: string }, reason: string): Promise<void> {
    await retrying(() =>
      inTransaction(async (session, writes) => {
        const order = await Order.findById(orderId).session(session).lean();
        const change = order && changeByGivingUp(order, refundId, reason);
        if (change) changeOrder(writes, order, change);
      }),
    );
  }

  /** Adds a line to the timeline that staff alone see. @throws AppError FORBIDDEN, LIMIT_REACHED */
  async note(access: OrderAccess, detail: string): Promise<OrderDto> {
    return retrying(() =>
      inTransaction(async (session, writes) => {
        const { order } = await this.#find(access, 'orders:write', session);
        expectRoom(order);
        const change = { timeline: [entry('note', { ...byWhom(access.actor, 'staff'), detail, staffOnly: true })] };
        const noted = await this.#write(writes, access.actor, 'order.noted', { order, viewer: 'staff' }, change);
        return toOrderDto(noted, 'staff');
      }),
    );
  }

  /** What a refund would be worth, in minor units. @throws AppError FORBIDDEN, ILLEGAL_MOVE, LIMIT_REACHED, INVALID_INPUT */
  async priceRefund(access: OrderAccess, input: RefundOrder): Promise<number> {
    const { order } = await this.#find(access, 'orders:refund');
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

  /** A move of staff that changes nothing but the order. */
  async #move(
    access: OrderAccess,
    move: OrderMove,
    ifVersion: number | undefined,
    changeOf: (seen: { order: OrderRecord; by: By }) => OrderChange,
  ): Promise<OrderDto> {
    await this.#find(access, 'orders:write');
    const { order } = await this.#act(access, {
      move,
      ifVersion,
      apply: (_session, { order, viewer }) => changeOf({ order, by: byWhom(access.actor, viewer) }),
    });
    return toOrderDto(order, 'staff');
  }

  /** Reads, checks and writes in one transaction; again when somebody else was faster. */
  #act(access: OrderAccess, { move, ifVersion, apply }: Act): Promise<Seen> {
    return retrying(() =>
      inTransaction(async (session, writes) => {
        const seen = await this.#find(access, undefined, session);
        expectVersion('order', seen.order.version, ifVersion);
        expectMove(seen.order, move);
        const order = await this.#write(writes, access.actor, ACTIONS[move], seen, await apply(writes, seen));
        return { ...seen, order };
      }),
    );
  }

  async #write(
    writes: Writes,
    actor: Actor,
    action: string,
    { order, viewer }: Seen,
    change: OrderChange,
  ): Promise<OrderRecord> {
    const after = changeOrder(writes, order, change);
    this.#deps.outbox.add(writes, ...(change.events ?? []));
    if (viewer === 'staff') await recordStaffWrites(actor, [staffWrite(action, order, after)], writes.session);
    return after;
  }

  /** @param permission that is needed beyond seeing it. @throws AppError NOT_FOUND, UNAUTHENTICATED, FORBIDDEN */
  async #find(
    { actor, oid, token }: OrderAccess,
    permission?: 'orders:write' | 'orders:refund',
    session: ClientSession | null = null,
  ): Promise<Seen> {
    if (permission) authorize(actor, permission);
    const isStaff = actor.permissions.includes('orders:read');
    const which = /^[\da-f]{24}$/i.test(oid) ? { _id: oid } : { number: orderNumberOf(oid) ?? '' };
    const owned = token === undefined && !isStaff ? { ...which, owner: actor.kind === 'user' ? actor.id : '' } : which;
    const order = 'owner' in owned && owned.owner === '' ? null : await Order.findOne(owned).session(session).lean();
    const isOpen = isStaff || token === undefined || this.#opens(order, token, actor);
    if (!order || !isOpen) throw notFound();
    return { order, viewer: isStaff ? 'staff' : 'customer' };
  }

  /** Reckons the same when there is no order. */
  #opens(order: OrderRecord | null, token: string, { kind, id }: Actor): boolean {
    const isRight = isOrderToken(this.#deps.linkSecret, order?._id.toHexString() ?? '', token);
    const isOwner = kind === 'user' && order?.owner?.toHexString() === id;
    return isRight || isOwner;
  }
}

const notFound = () => new AppError('NOT_FOUND', 'There is no such order, or it is not yours.');

const ACTIONS: Record<OrderMove, string> = {
  pay: 'order.payment-tried',
  capture: 'order.captured',
  cancel: 'order.cancelled',
  fulfil: 'order.fulfilled',
  deliver: 'order.delivered',
  refund: 'order.refund-requested',
};

const byWhom = ({ id }: Actor, viewer: Viewer): By =>
  viewer === 'staff' ? { by: 'staff', actorId: id } : { by: 'customer' };

const staffWrite = (action: string, before: OrderRecord, after: OrderRecord) => ({
  action,
  targetId: after._id.toHexString(),
  before: changing(before),
  after: changing(after),
});

/** The record of what staff have had PaymentService do, written with it. */
const audited =
  (actor: Actor, kind: 'captured' | 'voided'): AlsoOf =>
  (fact) =>
    fact.kind !== kind
      ? undefined
      : ({ session }, { before, after }) =>
          recordStaffWrites(actor, [staffWrite(`order.${kind}`, before, after)], session);

/** What of an order staff can change, for the record. What they say is in the order alone, where it can be erased. */
const changing = (order: OrderRecord) => ({
  status: order.status,
  paymentStatus: order.paymentStatus,
  fulfilmentStatus: order.fulfilmentStatus,
  refunds: order.refunds.map(({ reason: _said, ...refund }) => refund),
  stuckRefunds: stuckRefundsOf(order).map(({ id, amount, why }) => ({ id, amount, why })),
});
