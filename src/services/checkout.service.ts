/**
 * From cart to order. The order, its units, its coupon and the end of the cart are one transaction; payment comes after
 * it, and can be taken up again at any point: whoever asks again, in whatever process, gets the same order.
 */
import { Types } from 'mongoose';
import type { Logger } from 'pino';
import { type Actor, isUser } from '../actor.ts';
import { isDuplicateKey } from '../database/transaction.ts';
import { AppError, invalidInput } from '../errors.ts';
import type { ShopEvent } from '../events.ts';
import type { CheckoutCart, CheckoutNotice } from '../models/cart.model.ts';
import { emailKeyOf } from '../models/email-key.ts';
import { newOrderNumber, Order, type OrderDto, type OrderRecord } from '../models/order.model.ts';
import type { PaymentAttemptRecord } from '../models/payment-attempt.model.ts';
import type { ProblemCode } from '../problem-codes.ts';
import type { Checkout } from '../schemas/order.schema.ts';
import type { CartHandoverService } from './cart-handover.service.ts';
import { type CartKey, closeCart } from './cart-store.ts';
import { redeemCoupon } from './coupon-uses.ts';
import { expectVersion } from './expect-version.ts';
import { inTransactionOnce, type OnceKey, replayOf } from './idempotency.ts';
import { entry, inFuture, stockChanged } from './order-changes.ts';
import type { OrderExpiry } from './order-expiry.ts';
import { orderTokenOf } from './order-link.ts';
import { customerOf, type OrderPayments } from './order-payments.ts';
import { statusesOf } from './order-status.ts';
import { paymentAnswerOf, toOrderDto, toPayable } from './order-view.ts';
import type { Outbox } from './outbox.ts';
import type { PaymentAnswer, PaymentService } from './payment.service.ts';
import type { ProductService } from './product.service.ts';
import { takeStock } from './stock.ts';
import { Turns } from './turns.ts';

const ATTEMPTS = 5;

interface CheckoutServiceDeps {
  handover: Pick<CartHandoverService, 'readForCheckout'>;
  expiry: Pick<OrderExpiry, 'expireHolding'>;
  outbox: Pick<Outbox, 'add'>;
  payments: Pick<PaymentService, 'check' | 'pay' | 'begin' | 'proceed' | 'resume'>;
  products: Pick<ProductService, 'announce'>;
  /** Makes the tokens of guests. */
  linkSecret: string;
  log: Pick<Logger, 'error'>;
  /** Completes the payments. */
  completion: Pick<OrderPayments, 'remember' | 'recent'>;
}

export interface CheckedOut {
  order: OrderDto & { payment: PaymentAnswer | null };
  /** False when the cart was checked out before. */
  created: boolean;
  /** An earlier request with this key has made it. */
  replayed: boolean;
  /** What opens the order for a guest; null for an account's. */
  token: string | null;
}

/** With where, and in which language, the buyer is written to. */
type Reachable = Checkout & Required<Pick<Checkout, 'email' | 'locale'>>;

interface Placed {
  orderId: string;
  created: boolean;
  replayed: boolean;
  /** When it was made just now, with the first attempt to get it paid. */
  order?: OrderRecord;
  attempt?: PaymentAttemptRecord | null;
}

export class CheckoutService {
  readonly #deps: CheckoutServiceDeps;
  readonly #turns = new Turns();

  constructor(deps: CheckoutServiceDeps) {
    this.#deps = deps;
  }

  /**
   * Makes the order of a cart and asks for its payment. A declined payment leaves an order that can be paid again.
   * @throws AppError NOT_FOUND, CART_EMPTY, CART_CHANGED with `changes` and `total`, OUT_OF_STOCK, NOT_FOR_SALE,
   * COUPON_NOT_VALID, INVALID_INPUT, CONCURRENT_CHANGE, VERSION_MISMATCH, IDEMPOTENCY_KEY_REUSED
   */
  async checkout(
    actor: Actor,
    key: CartKey,
    input: Checkout,
    once: OnceKey | null,
    ifVersion?: number,
  ): Promise<CheckedOut> {
    const { email, locale = 'en' } = isUser(actor) ? actor : input;
    if (email === undefined) throw invalidInput([{ pointer: '#/email', detail: 'must be there for guests' }]);
    const placed = await this.#place(key, { ...input, email, locale }, once, ifVersion);
    const payment = await this.#pay(placed, input);
    const recent = placed.order && this.#deps.completion.recent(placed.orderId);
    const order = recent ?? (await find(placed.orderId));
    const token = order.owner ? null : orderTokenOf(this.#deps.linkSecret, placed.orderId);
    // What another request was waiting for may have come about meanwhile.
    const known = payment?.state === 'pending' ? paymentAnswerOf(order) : null;
    const isOver = known && known.state !== 'declined';
    return {
      ...placed,
      order: { ...toOrderDto(order, 'customer'), payment: isOver ? known : payment },
      token,
    };
  }

  async #place(key: CartKey, input: Reachable, once: OnceKey | null, ifVersion?: number): Promise<Placed> {
    // Of an account's own cart nothing is left to read when it was checked out.
    const before = once && (await replayOf<{ orderId: string }>(once));
    if (before) return { ...before.result, created: true, replayed: true };
    const { address, shippingMethod: method } = input;
    const delivery = { country: address.country, region: address.region, method };
    let hasFreed = false;
    for (let attempt = 1; ; attempt++) {
      const cart = await this.#deps.handover.readForCheckout(key, delivery);
      if ('order' in cart) return madeBefore(cart.order, once);
      try {
        expectVersion('cart', cart.version, ifVersion);
        expectAgreed(cart, input);
        return await this.#insert(cart, input, once);
      } catch (error) {
        // Whatever it was refused for: another request may have bought this very cart.
        const made = await Order.findOne({ cart: cart.id }, { _id: 1 }).lean();
        if (made) return madeBefore(made._id.toHexString(), once);
        if (!hasFreed && isRefusal(error, 'OUT_OF_STOCK')) {
          hasFreed = true;
          if (await this.#freeUnits(cart)) continue;
        }
        if (attempt === ATTEMPTS || !(isDuplicateKey(error) || isRefusal(error, 'CONCURRENT_CHANGE'))) throw error;
      }
    }
  }

  /** The transaction. Checkouts of one product in this process take turns: otherwise they would disturb each other. */
  async #insert(cart: CheckoutCart, input: Reachable, once: OnceKey | null): Promise<Placed> {
    const { holdMs } = this.#deps.payments.check(input.paymentMethod, cart.currency, input.payment);
    const order = newOrder(cart, input, holdMs);
    const orderId = order._id.toHexString();
    const units = cart.lines.map(({ unit, quantity }) => ({ ...unit, quantity }));
    const products = [...new Set(units.map(({ productId }) => productId))].sort();
    let attempt: PaymentAttemptRecord | null = null;
    const { result, replayed } = await this.#inTurns(products, () =>
      inTransactionOnce(once, async (session, writes) => {
        if (order.coupon) await redeemCoupon(session, order.coupon.id, customerOf(order));
        takeStock(writes, units, `order:${orderId}`);
        writes.insert(Order, [order]);
        closeCart(writes, cart, order._id);
        this.#deps.outbox.add(writes, ...eventsOf(order));
        if (order.totals.total > 0) attempt = this.#deps.payments.begin(writes, toPayable(order), input.payment);
        return { orderId };
      }),
    );
    if (replayed) return { ...result, created: true, replayed };
    this.#deps.completion.remember(order);
    return { ...result, created: true, replayed, order, attempt };
  }

  /** One after the other by each of the names, which are sorted: nobody waits for somebody who waits for them. */
  #inTurns<T>([name, ...others]: readonly string[], work: () => Promise<T>): Promise<T> {
    return name === undefined ? work() : this.#turns.take(name, () => this.#inTurns(others, work));
  }

  /** Units that orders hold which were not paid in time are for sale: a late job is no reason to refuse. */
  async #freeUnits({ lines, notices }: CheckoutCart): Promise<boolean> {
    const ids = [...lines.map(({ unit }) => unit.productId), ...notices.flatMap(({ productId }) => productId ?? [])];
    const freed = await this.#deps.expiry.expireHolding(ids);
    // What is read of products may be kept until a change is announced.
    if (freed > 0) await this.#deps.products.announce(ids);
    return freed > 0;
  }

  /** Asks for the payment; of an order that was there already, only when nobody has asked before. */
  async #pay({ orderId, order: fresh, attempt }: Placed, { payment }: Checkout): Promise<PaymentAnswer | null> {
    const order = fresh ?? (await find(orderId));
    if (order.totals.total === 0) return null;
    const known = paymentAnswerOf(order);
    const { payments } = this.#deps;
    try {
      // After one that came to nothing, another one may be on its way.
      if (known) return (known.state === 'declined' && (await payments.resume(orderId))) || known;
      return await (attempt ? payments.proceed(attempt, toPayable(order)) : payments.pay(toPayable(order), payment));
    } catch (error) {
      // The order is there and can be paid: whoever asks learns what became of it.
      if (!isRefusal(error, 'PAYMENT_RUNNING')) this.#deps.log.error({ err: error, orderId }, 'a payment has failed');
      return { state: 'pending' };
    }
  }
}

/** By another request: by one with the same key, if that was stored by now. */
async function madeBefore(orderId: string, once: OnceKey | null): Promise<Placed> {
  const replayed = once !== null && (await replayOf(once)) !== null;
  return { orderId, created: replayed, replayed };
}

/** @throws Changed when it is not what the buyer has seen, or has agreed to by its total */
function expectAgreed(cart: CheckoutCart, { acceptedTotal }: Checkout): void {
  const { total } = cart.totals;
  const isAccepted = acceptedTotal === total;
  const changes = cart.notices.filter(({ code }) => !(isAccepted && code === 'PRICE_CHANGED'));
  if (changes.length > 0 || (acceptedTotal !== undefined && !isAccepted)) throw refusalOf(cart, changes);
}

function refusalOf({ totals, currency }: CheckoutCart, changes: readonly CheckoutNotice[]): AppError {
  const members = { changes, total: totals.total, currency };
  const short = changes.find(({ code }) => code === 'OUT_OF_STOCK' || code === 'INSUFFICIENT_STOCK');
  if (short) return new AppError('OUT_OF_STOCK', `${short.title}: ${short.detail}`, members);
  return new AppError('CART_CHANGED', 'The cart is not what the buyer has seen and agreed to.', members);
}

function newOrder(cart: CheckoutCart, input: Reachable, holdMs: number): OrderRecord {
  const { lines: parts, ...totals } = cart.totals;
  const isFree = totals.total === 0;
  const now = new Date();
  const order = {
    _id: new Types.ObjectId(),
    number: newOrderNumber(),
    cart: new Types.ObjectId(cart.id),
    owner: cart.owner ? new Types.ObjectId(cart.owner) : null,
    email: input.email,
    emailKey: emailKeyOf(input.email),
    locale: input.locale,
    currency: cart.currency,
    lines: cart.lines.map(({ unit, quantity, thumbnail }, i) => ({
      productId: new Types.ObjectId(unit.productId),
      variantId: unit.variantId ? new Types.ObjectId(unit.variantId) : null,
      code: unit.code,
      title: unit.title,
      picture: thumbnail,
      unitPrice: unit.price,
      quantity,
      ...(parts[i] ?? { total: unit.price * quantity, discount: 0, tax: 0 }),
    })),
    address: input.address,
    shipping: cart.shipping,
    coupon: cart.coupon,
    totals,
    paymentMethod: input.paymentMethod,
    ledger: [],
    refunds: [],
    stock: isFree ? ('taken' as const) : ('held' as const),
    holdUntil: isFree ? null : inFuture(holdMs),
    cancelledAt: null,
    fulfilledAt: null,
    deliveredAt: null,
    timeline: [entry('placed', { by: 'customer' }), ...(isFree ? [entry('paid', { amount: 0 })] : [])],
    version: 1,
    createdAt: now,
    updatedAt: now,
  };
  return { ...order, ...statusesOf(order) };
}

function eventsOf(order: OrderRecord): ShopEvent[] {
  const data = { orderId: order._id.toHexString() };
  const paid: ShopEvent[] = order.status === 'paid' ? [{ type: 'order.paid', data }] : [];
  return [{ type: 'order.placed', data }, ...paid, stockChanged(order)];
}

const isRefusal = (error: unknown, code: ProblemCode) => error instanceof AppError && error.code === code;

/** @throws AppError NOT_FOUND */
async function find(id: string): Promise<OrderRecord> {
  const order = await Order.findById(id).lean();
  if (!order) throw new AppError('NOT_FOUND', 'There is no such order.');
  return order;
}
