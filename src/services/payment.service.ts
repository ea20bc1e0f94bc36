/**
 * Payments of orders. Each attempt is stored before the provider is asked, and an order has one open attempt at most:
 * whatever gets lost on the way, the provider can be asked again, and nobody pays twice. What has happened to money is
 * told to `orders.record`, the one place that changes orders.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { LRUCache } from 'lru-cache';
import { Types } from 'mongoose';
import type { Logger } from 'pino';
import {
  factOf,
  type PaymentDetails,
  type PaymentFact,
  type PaymentProvider,
  type PaymentResult,
  type PaymentState,
} from '../adapters/payments/payment-provider.ts';
import type { Writes } from '../database/writes.ts';
import { AppError, invalidInput, nullIfNotFound } from '../errors.ts';
import { Order, type OrderRecord } from '../models/order.model.ts';
import { PaymentAttempt, type PaymentAttemptRecord } from '../models/payment-attempt.model.ts';
import { openRefunds } from './order-status.ts';
import {
  isRunning,
  latest,
  newAttempt,
  note,
  type PayableOrder,
  running,
  start,
  toAttempt,
  toPayment,
} from './payment-attempts.ts';

export type { PayableOrder };

/** How long what a provider has told stands for whoever only looks. */
const TOLD_MS = 2000;

/** What the buyer is told. 'pending' without `redirect` and `instructions`: the provider has not answered yet. */
export type PaymentAnswer = Pick<PaymentResult, 'state' | 'reason' | 'redirect' | 'instructions'>;

export interface PaymentMethod {
  name: string;
  title: string;
}

/** Something that is written in the transaction that records a fact. */
export type Also = (writes: Writes, order: { before: OrderRecord; after: OrderRecord }) => Promise<void> | void;

/** The same, for whoever has asked for what has happened; they may also be told of what they have not asked for. */
export type AlsoOf = (fact: PaymentFact) => Also | undefined;

/** Where facts become changes of orders; each is recorded once, however often it is told. */
export interface PaymentRecorder {
  /** @param also what is written in the same transaction @throws AppError NOT_FOUND for an unknown order */
  record(fact: PaymentFact, event: { provider: string; eventId: string } | null, also: Also): Promise<unknown>;
}

interface PaymentServiceDeps {
  providers: readonly PaymentProvider[];
  orders: PaymentRecorder;
  /** The address of an order's page for the buyer. */
  linkToOrder: (orderId: string) => string;
  log: Pick<Logger, 'warn'>;
}

/** Methods that ask a provider throw AppError UNAVAILABLE when it does not answer: nothing is lost, try again. */
export class PaymentService {
  readonly #providers: ReadonlyMap<string, PaymentProvider>;
  readonly #orders: PaymentRecorder;
  readonly #linkToOrder: (orderId: string) => string;
  readonly #log: Pick<Logger, 'warn'>;
  /** Answers by the ids of attempts. */
  readonly #told = new LRUCache<string, Promise<PaymentAnswer>>({ max: 1000, ttl: TOLD_MS });

  constructor({ providers, orders, linkToOrder, log }: PaymentServiceDeps) {
    this.#providers = new Map(providers.map((provider) => [provider.name, provider]));
    this.#orders = orders;
    this.#linkToOrder = linkToOrder;
    this.#log = log;
  }

  /** What buyers can choose for an amount in this currency. */
  methods(currency: string): PaymentMethod[] {
    return [...this.#providers.values()]
      .filter((provider) => provider.accepts(currency))
      .map(({ name, title }) => ({ name, title }));
  }

  /** What the buyer must know to pay, where that is known without asking the provider; null otherwise. */
  instructions({ paymentMethod, number }: Pick<PayableOrder, 'paymentMethod' | 'number'>): string | null {
    return this.#providers.get(paymentMethod)?.instructions?.(number) ?? null;
  }

  /**
   * Whether an order can be paid this way: to be asked before there is one.
   * @returns how long an unpaid order is kept, in milliseconds @throws AppError INVALID_INPUT
   */
  check(method: string, currency: string, details: PaymentDetails = {}): { holdMs: number } {
    const provider = this.#providers.get(method);
    if (!provider?.accepts(currency)) {
      const names = this.methods(currency).map(({ name }) => name);
      throw invalidInput([{ pointer: '#/paymentMethod', detail: `must be one of: ${names.join(', ') || '(none)'}` }]);
    }
    provider.checkDetails(details);
    return { holdMs: provider.holdMs };
  }

  /**
   * Asks for the whole total, once: a payment that was made or waits for the buyer is answered again. Resolves when the
   * order has changed too. @throws AppError PAYMENT_RUNNING, INVALID_INPUT
   */
  async pay(order: PayableOrder, details: PaymentDetails = {}): Promise<PaymentAnswer> {
    this.check(order.paymentMethod, order.currency, details);
    const earlier = await this.#giveWay(order);
    if (earlier) return earlier;
    const attempt = await start(order, details);
    // Looked for after the start: from now on nobody else can pay.
    const paid = await PaymentAttempt.findOne({ order: order.id, state: { $in: ['authorized', 'captured'] } }).lean();
    if (paid) {
      await PaymentAttempt.deleteOne({ _id: attempt._id });
      return { state: paid.state as PaymentState };
    }
    return this.proceed(attempt, order);
  }

  /** Stores the first attempt of an order in the transaction that makes the order; `proceed` goes on with it. */
  begin(writes: Writes, order: PayableOrder, details: PaymentDetails = {}): PaymentAttemptRecord {
    const attempt = newAttempt(order, details);
    writes.insert(PaymentAttempt, [attempt]);
    return attempt;
  }

  /** Asks the provider of an attempt that nobody else knows of. Resolves as `pay` does. */
  async proceed(attempt: PaymentAttemptRecord, order: PayableOrder): Promise<PaymentAnswer> {
    const { email } = order;
    const request = { ...toAttempt(attempt), email, returnUrl: this.#linkToOrder(order.id) };
    try {
      return await this.#conclude(attempt, await this.#provider(attempt.provider).authorize(request));
    } catch (error) {
      this.#log.warn({ err: error, attempt: request.attempt }, 'the answer to a payment was lost');
      return this.#ask(attempt).catch((): PaymentAnswer => ({ state: 'pending' }));
    }
  }

  /** Takes the authorized money, or notes that a bank transfer has come. @throws AppError NO_PAYMENT */
  async capture(orderId: string, alsoOf?: AlsoOf): Promise<void> {
    // The process that has asked may have died before it could note the answer.
    if ((await this.resume(orderId, alsoOf))?.state === 'captured') return;
    const attempt = await latest(orderId, ['authorized', 'pending']);
    if (!attempt) throw new AppError('NO_PAYMENT', 'There is nothing that could be captured.');
    const payment = toPayment(attempt, 'capture');
    await this.#record(await this.#asked(() => this.#provider(attempt.provider).capture(payment)), attempt, alsoOf);
  }

  /**
   * Ends what is open or authorized, so that nothing can be paid any more; nothing when there is nothing. Money that was
   * captured in the meantime is recorded as such. @throws AppError PAYMENT_RUNNING
   */
  async void(orderId: string, alsoOf?: AlsoOf): Promise<void> {
    if ((await this.settle(orderId)) === 'captured') return;
    const attempt = await latest(orderId, ['authorized', 'pending', 'running']);
    if (attempt) await this.#void(attempt, alsoOf);
  }

  /** Pays back what the entry `refundId` of the ledger asks for; a repeat does nothing. */
  async refund(orderId: string, refundId: string): Promise<void> {
    const order = await Order.findById(orderId, { ledger: 1, currency: 1 }).lean();
    const wanted = order?.ledger.find(({ id, kind }) => id === refundId && kind === 'refund-requested');
    if (!order || !wanted) throw new AppError('NOT_FOUND', 'The order asks for no such refund.');
    // Providers know the key of a repeat for a day; what a webhook has told of is known for ever.
    if (!openRefunds(order.ledger).includes(wanted)) return;
    const attempt = await PaymentAttempt.findOne({ order: order._id, reference: wanted.reference }).lean();
    if (!attempt) throw new AppError('NO_PAYMENT', 'There is no payment that could be given back.');
    const payment = { ...toPayment(attempt, refundId), amount: wanted.amount, refundId };
    const fact = await this.#asked(() => this.#provider(attempt.provider).refund(payment));
    if (fact) await this.#orders.record(fact, null, () => {});
  }

  /** Asks the provider what became of the open attempt, and records it. @returns null when none is open */
  async settle(orderId: string): Promise<PaymentState | null> {
    return (await this.resume(orderId))?.state ?? null;
  }

  /** The same, with what the buyer has to know or do to go on. */
  async resume(orderId: string, alsoOf?: AlsoOf): Promise<PaymentAnswer | null> {
    const attempt = await PaymentAttempt.findOne({ open: orderId }).lean();
    if (!attempt) return null;
    return isRunning(attempt) ? { state: 'pending' } : this.#ask(attempt, alsoOf);
  }

  /** The same for a page, which can be asked for faster than a provider may be. */
  async look(orderId: string): Promise<PaymentAnswer | null> {
    const attempt = await PaymentAttempt.findOne({ open: orderId }).lean();
    if (!attempt) return null;
    if (isRunning(attempt)) return { state: 'pending' };
    const id = attempt._id.toHexString();
    const told = this.#told.get(id) ?? this.#ask(attempt);
    if (!this.#told.has(id)) this.#told.set(id, told);
    return told;
  }

  /** @throws AppError NOT_FOUND for a provider that sends none, WEBHOOK_REFUSED */
  async receiveWebhook(provider: string, body: Buffer, headers: IncomingHttpHeaders): Promise<void> {
    const notice = await this.#asked(async () => this.#providers.get(provider)?.readWebhook?.(body, headers));
    if (!notice) throw new AppError('NOT_FOUND', 'No webhooks are taken at this address.');
    const { fact, eventId } = notice;
    // Orders of another shop on the same account are nobody's fault.
    if (!fact || !/^[\da-f]{24}$/.test(fact.orderId)) return;
    const attempt = { order: new Types.ObjectId(fact.orderId), reference: fact.reference };
    // Nor is it news that an attempt has failed which was given up.
    if (fact.kind === 'declined' && !(await PaymentAttempt.exists({ ...attempt, open: attempt.order }))) return;
    const noted = (writes: Writes) => note(fact, attempt, writes);
    await this.#orders.record({ ...fact, provider }, { provider, eventId }, noted).catch(nullIfNotFound);
  }

  /** Ends an open attempt that is in the way. @returns the answer when another attempt would be wrong */
  async #giveWay({ id, paymentMethod }: PayableOrder): Promise<PaymentAnswer | null> {
    const open = await PaymentAttempt.findOne({ open: id }).lean();
    if (!open) return null;
    if (isRunning(open)) throw running();
    const answer = await this.#ask(open);
    if (answer.state === 'declined') return null;
    if (answer.state !== 'pending' || open.provider === paymentMethod) return answer;
    const fact = await this.#void((await PaymentAttempt.findById(open._id).lean()) ?? open);
    return fact.kind === 'captured' ? { state: 'captured' } : null;
  }

  async #void(attempt: PaymentAttemptRecord, alsoOf?: AlsoOf): Promise<PaymentFact> {
    if (!attempt.reference) throw running();
    const payment = toPayment(attempt, 'void');
    const fact = await this.#asked(() => this.#provider(attempt.provider).void(payment));
    await this.#record(fact, attempt, alsoOf);
    return fact;
  }

  async #ask(attempt: PaymentAttemptRecord, alsoOf?: AlsoOf): Promise<PaymentAnswer> {
    const result = await this.#asked(() => this.#provider(attempt.provider).find(toAttempt(attempt)));
    if (result) return this.#conclude(attempt, result, alsoOf);
    await PaymentAttempt.updateOne({ _id: attempt._id }, { $set: { state: 'failed' }, $unset: { open: 1 } });
    return { state: 'declined', reason: 'The payment provider did not answer. Nothing was paid.' };
  }

  async #conclude(attempt: PaymentAttemptRecord, result: PaymentResult, alsoOf?: AlsoOf): Promise<PaymentAnswer> {
    const { reference, amount, ...answer } = result;
    const { state } = answer;
    if (state === 'pending')
      await PaymentAttempt.updateOne({ _id: attempt._id, state: 'running' }, { $set: { state, reference } });
    else await this.#record(factOf(state, { ...toPayment(attempt, ''), ...result }), attempt, alsoOf);
    return answer;
  }

  async #record(fact: PaymentFact, { _id, provider }: PaymentAttemptRecord, alsoOf?: AlsoOf): Promise<void> {
    await this.#orders.record({ ...fact, provider }, null, (writes, order) => {
      note(fact, { _id }, writes);
      return alsoOf?.(fact)?.(writes, order);
    });
  }

  #provider(name: string): PaymentProvider {
    const provider = this.#providers.get(name);
    if (provider) return provider;
    throw new AppError('UNAVAILABLE', `The shop does not take payments by ${name} any more.`);
  }

  /** What nobody understands becomes UNAVAILABLE: the same can be asked again later. */
  async #asked<T>(question: () => Promise<T>): Promise<T> {
    try {
      return await question();
    } catch (error) {
      if (error instanceof AppError) throw error;
      this.#log.warn({ err: error }, 'a payment provider does not answer');
      throw new AppError('UNAVAILABLE', 'The payment provider does not answer. Try again.');
    }
  }
}
