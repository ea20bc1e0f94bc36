/** What is done with orders after the checkout, by buyers and staff. Money moves through PaymentService alone. */
import type { ClientSession } from 'mongoose';
import type { Actor } from '../actor.ts';
import { inTransaction } from '../database/transaction.ts';
import type { Writes } from '../database/writes.ts';
import { Order, type OrderDto } from '../models/order.model.ts';
import type { PayOrder, RefundOrder } from '../schemas/order.schema.ts';
import { expectVersion } from './expect-version.ts';
import { inTransactionOnce, type Once, type OnceKey, onceDone } from './idempotency.ts';
import type { OrderService } from './order.service.ts';
import { findOrder, type OrderAccess, type OrderPermission, type SeenOrder } from './order-access.ts';
import { audited, recordOrderWrite } from './order-audit.ts';
import { changeByDelivery, changeOrder, entry, type OrderChange, retrying } from './order-changes.ts';
import { refundOf } from './order-refunds.ts';
import { cancelIn, refundIn } from './order-reversals.ts';
import { byWhom, expectCancellable, expectPayable, expectRoom, longerHold } from './order-rules.ts';
import { expectMove, moneyOf } from './order-status.ts';
import { changeByGivingUp, changeByRetry } from './order-stuck-refunds.ts';
import { toOrderDto, toPayable } from './order-view.ts';
import type { Outbox } from './outbox.ts';
import type { PaymentAnswer, PaymentService } from './payment.service.ts';

interface OrderMovesServiceDeps {
  orders: Pick<OrderService, 'get'>;
  outbox: Pick<Outbox, 'add'>;
  payments: Pick<PaymentService, 'check' | 'pay' | 'capture' | 'void'>;
  /** Of the tokens of guests. */
  linkSecret: string;
}

/** Checks, and adds what else is written in the transaction. */
type ChangeOf = (seen: SeenOrder, writes: Writes) => Promise<OrderChange> | OrderChange;

/** Every method with an access throws AppError NOT_FOUND when there is no such order, or when it is not the caller's. */
export class OrderMovesService {
  readonly #deps: OrderMovesServiceDeps;

  constructor(deps: OrderMovesServiceDeps) {
    this.#deps = deps;
  }

  /**
   * Tries to pay, in the order's way or another one. The units are kept for another while, at most an hour in all. A
   * repeat is answered with the order as it is then.
   * @throws AppError ILLEGAL_MOVE, FORBIDDEN, PAYMENT_RUNNING, LIMIT_REACHED, INVALID_INPUT, VERSION_MISMATCH,
   * IDEMPOTENCY_KEY_REUSED
   */
  async pay(
    access: OrderAccess,
    { paymentMethod, payment }: PayOrder,
    once: OnceKey | null,
    ifVersion?: number,
  ): Promise<Once<OrderDto & { payment: PaymentAnswer }>> {
    const { result, replayed } = await onceDone(once, async () => {
      const { order } = await this.#find(access);
      const method = paymentMethod ?? order.paymentMethod;
      const { holdMs } = this.#deps.payments.check(method, order.currency, payment);
      const held = await this.#act(access, 'order.payment-tried', null, (seen) => {
        expectVersion('order', seen.order.version, ifVersion);
        expectPayable(access.actor, seen);
        return { set: { paymentMethod: method, ...longerHold(seen.order, holdMs) } };
      });
      return this.#deps.payments.pay(toPayable(held.order), payment);
    });
    return { result: { ...(await this.#deps.orders.get(access)), payment: result }, replayed };
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
    return this.#ship(access, 'fulfilled', tracking, ifVersion);
  }

  /** @throws AppError ILLEGAL_MOVE, FORBIDDEN */
  deliver(access: OrderAccess, ifVersion?: number): Promise<OrderDto> {
    return this.#ship(access, 'delivered', null, ifVersion);
  }

  /**
   * Gives the units back, and what was paid. Buyers cancel what is not paid; staff what is not sent.
   * @throws AppError ILLEGAL_MOVE, FORBIDDEN when money goes back and the caller may not do that
   */
  async cancel(access: OrderAccess, reason: string | null, ifVersion?: number): Promise<OrderDto> {
    const { actor } = access;
    const { order, viewer } = await this.#find(access);
    expectCancellable(actor, { order, viewer });
    expectVersion('order', order.version, ifVersion);
    // First, so that nothing can be paid any more; what was paid in this moment is seen below.
    const alsoOf = viewer === 'staff' ? audited(actor, 'voided') : undefined;
    if (moneyOf(order.ledger).captured === 0) await this.#deps.payments.void(order._id.toHexString(), alsoOf);
    const { order: after } = await this.#act(access, 'order.cancelled', null, (seen, writes) => {
      expectCancellable(actor, seen);
      return cancelIn(writes, seen.order, { ...byWhom(actor, seen.viewer), detail: reason });
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
      const change = await refundIn(writes, order, refund, byWhom(actor, 'staff'));
      await this.#write(writes, actor, 'order.refund-requested', { order, viewer: 'staff' }, change);
      return { refundId: refund.id };
    });
    // Nothing of the person is kept for a repeat, and who may not see it any more does not.
    return { result: await this.#deps.orders.get(access), replayed };
  }

  /** Asks once more for a refund that is stuck. @throws AppError FORBIDDEN, REFUND_NOT_STUCK, LIMIT_REACHED */
  async retryRefund(access: OrderAccess, refundId: string, ifVersion?: number): Promise<OrderDto> {
    const { order } = await this.#act(access, 'order.refund-retried', 'orders:refund', ({ order, viewer }) => {
      expectVersion('order', order.version, ifVersion);
      expectRoom(order);
      return changeByRetry(order, refundId, byWhom(access.actor, viewer));
    });
    return toOrderDto(order, 'staff');
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

  /** Adds a line to the timeline that staff alone see. @throws AppError FORBIDDEN, LIMIT_REACHED, VERSION_MISMATCH */
  async note(access: OrderAccess, detail: string, ifVersion?: number): Promise<OrderDto> {
    const { order } = await this.#act(access, 'order.noted', 'orders:write', ({ order, viewer }) => {
      expectVersion('order', order.version, ifVersion);
      expectRoom(order);
      return { timeline: [entry('note', { ...byWhom(access.actor, viewer), detail, staffOnly: true })] };
    });
    return toOrderDto(order, 'staff');
  }

  async #ship(access: OrderAccess, step: 'fulfilled' | 'delivered', detail: string | null, ifVersion?: number) {
    const { order } = await this.#act(access, `order.${step}`, 'orders:write', ({ order, viewer }) => {
      expectVersion('order', order.version, ifVersion);
      expectMove(order, step === 'fulfilled' ? 'fulfil' : 'deliver');
      return changeByDelivery(order, step, { ...byWhom(access.actor, viewer), detail });
    });
    return toOrderDto(order, 'staff');
  }

  /**
   * Reads, checks and writes in one transaction; again when somebody else was faster.
   * @param action its name in the record of what staff have done
   * @param permission that is needed, if any
   */
  #act(access: OrderAccess, action: string, permission: OrderPermission | null, changeOf: ChangeOf) {
    return retrying(() =>
      inTransaction(async (session, writes) => {
        const seen = await this.#find(access, permission, session);
        const order = await this.#write(writes, access.actor, action, seen, await changeOf(seen, writes));
        return { ...seen, order };
      }),
    );
  }

  async #write(writes: Writes, actor: Actor, action: string, { order, viewer }: SeenOrder, change: OrderChange) {
    const after = changeOrder(writes, order, change);
    this.#deps.outbox.add(writes, ...(change.events ?? []));
    if (viewer === 'staff') await recordOrderWrite(actor, action, { before: order, after }, writes.session);
    return after;
  }

  #find(access: OrderAccess, permission?: OrderPermission | null, session?: ClientSession): Promise<SeenOrder> {
    return findOrder(this.#deps.linkSecret, access, permission, session);
  }
}
