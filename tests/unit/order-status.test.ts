import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Types } from 'mongoose';
import type { PaymentFact } from '../../src/adapters/payments/payment-provider.ts';
import { AppError } from '../../src/errors.ts';
import type { OrderRecord } from '../../src/models/order.model.ts';
import {
  changeByFact,
  knowsFact,
  type OrderChange,
  paymentToRefund,
  unitsBack,
  withRefund,
} from '../../src/services/order-changes.ts';
import { refundOf } from '../../src/services/order-refunds.ts';
import {
  expectMove,
  liveRefunds,
  moneyOf,
  movesOf,
  openRefunds,
  refundStates,
  statusesOf,
} from '../../src/services/order-status.ts';
import { changeByRetry, stuckRefundsOf } from '../../src/services/order-stuck-refunds.ts';
import { calculateTotals } from '../../src/services/order-totals.ts';

const TOTAL = 1000;

function anOrder(overrides: Partial<OrderRecord> = {}): OrderRecord {
  const order = {
    _id: new Types.ObjectId(),
    currency: 'EUR',
    totals: { subtotal: TOTAL, discount: 0, shipping: 0, tax: 0, total: TOTAL, taxIncluded: true },
    lines: [],
    ledger: [],
    refunds: [],
    timeline: [],
    stock: 'held',
    holdUntil: new Date(),
    cancelledAt: null,
    fulfilledAt: null,
    deliveredAt: null,
    paymentMethod: 'manual',
    version: 1,
    ...overrides,
  } as unknown as OrderRecord;
  return { ...order, ...statusesOf(order) };
}

/** What writing a change makes of an order, without a store. */
function changed(order: OrderRecord, { set = {}, ledger = [], timeline = [] }: OrderChange): OrderRecord {
  const after = {
    ...order,
    ...set,
    ledger: [...order.ledger, ...ledger],
    timeline: [...order.timeline, ...timeline],
    version: order.version + 1,
  };
  return { ...after, ...statusesOf(after) };
}

const told = (order: OrderRecord, fact: PaymentFact) =>
  knowsFact(order, fact) ? order : changed(order, changeByFact(order, fact));

const aFact = (overrides: Partial<PaymentFact>): PaymentFact => {
  const fact = {
    kind: 'captured' as const,
    orderId: '',
    reference: 'p1',
    amount: TOTAL,
    currency: 'EUR',
    ...overrides,
  };
  return { id: `${fact.kind}:${fact.reference}`, ...fact, ...overrides };
};

/** Something that happens to an order: a fact, or a move that is made when it is legal. */
type Step =
  | { fact: Pick<PaymentFact, 'kind' | 'reference' | 'amount'> }
  | { move: 'cancel' | 'fulfil' | 'deliver' }
  | { refund: number }
  | { settles: boolean }
  | { retries: true };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    fact: fc.record({
      kind: fc.constantFrom('authorized', 'captured', 'voided', 'declined'),
      reference: fc.constantFrom('p1', 'p2'),
      amount: fc.constantFrom(TOTAL, TOTAL, TOTAL, TOTAL - 1),
    }),
  }),
  fc.record({ move: fc.constantFrom('cancel', 'fulfil', 'deliver') }),
  fc.record({ refund: fc.integer({ min: 1, max: TOTAL }) }),
  fc.record({ settles: fc.boolean() }),
  fc.record({ retries: fc.constant(true as const) }),
);

function taken(order: OrderRecord, one: Step): OrderRecord {
  if ('fact' in one) return told(order, aFact(one.fact));
  if ('refund' in one) {
    if (!movesOf(order).includes('refund') || one.refund > moneyOf(order.ledger).refundable) return order;
    return changed(order, withRefund(order, {}, { amount: one.refund, reference: paymentToRefund(order, one.refund) }));
  }
  if ('settles' in one) {
    const asked = order.ledger.find(
      ({ kind, id }) => kind === 'refund-requested' && !order.ledger.some(({ refundId }) => refundId === id),
    );
    if (!asked) return order;
    const kind = one.settles ? ('refunded' as const) : ('refund-failed' as const);
    const { amount, reference, id: refundId } = asked;
    return told(order, aFact({ id: `${kind}:${refundId}`, kind, amount, reference, refundId }));
  }
  if ('retries' in one) {
    const [stuck] = stuckRefundsOf(order);
    return stuck ? changed(order, changeByRetry(order, stuck.id, { by: 'staff' })) : order;
  }
  if (!movesOf(order).includes(one.move)) return order;
  const at = new Date();
  if (one.move === 'fulfil') return changed(order, { set: { fulfilledAt: at } });
  if (one.move === 'deliver') return changed(order, { set: { deliveredAt: at } });
  const { refundable: amount } = moneyOf(order.ledger);
  const change: OrderChange = { set: { cancelledAt: at, stock: 'returned', holdUntil: null } };
  return changed(
    order,
    amount > 0 ? withRefund(order, change, { amount, reference: paymentToRefund(order, amount) }) : change,
  );
}

const reachable = fc.array(step, { maxLength: 12 }).map((steps) => steps.reduce(taken, anOrder()));

describe('statuses', () => {
  it('are a function of the ledger as a set, and the dates: whatever the order in which it was written', () => {
    fc.assert(
      fc.property(reachable, fc.infiniteStream(fc.nat()), (order, random) => {
        const shuffled = order.ledger.map((entry) => ({ entry, at: random.next().value as number }));
        const ledger = shuffled.sort((a, b) => a.at - b.at).map(({ entry }) => entry);
        const { ledger: _ledger, totals, cancelledAt, fulfilledAt, deliveredAt, paymentMethod } = order;
        expect(statusesOf({ ledger, totals, cancelledAt, fulfilledAt, deliveredAt, paymentMethod })).toEqual({
          status: order.status,
          paymentStatus: order.paymentStatus,
          fulfilmentStatus: order.fulfilmentStatus,
        });
      }),
    );
  });

  it('never come of more given back than was received', () => {
    fc.assert(
      fc.property(reachable, ({ ledger }) => {
        const { captured, refunded, refundable, kept } = moneyOf(ledger);
        expect(refunded).toBeLessThanOrEqual(captured);
        expect([refundable >= 0, kept >= 0]).toEqual([true, true]);
      }),
    );
  });

  it('do not change when facts are told again, in any number', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 8 }), (steps) => {
        const facts = steps.filter((one) => 'fact' in one);
        const once = facts.reduce(taken, anOrder());
        const again = facts.reduce(taken, once);
        expect(again).toEqual(once);
      }),
    );
  });

  it('are paid by the whole total alone, and keep no more than that', () => {
    fc.assert(
      fc.property(reachable, (order) => {
        const { ledger, status } = order;
        const { captured, refundable } = moneyOf(ledger);
        if (['paid', 'fulfilled', 'delivered'].includes(status)) expect(captured).toBeGreaterThanOrEqual(TOTAL);
        // What is too much, or came too late, is on its way back, unless that has failed.
        const hasFailed = ledger.some(({ kind }) => kind === 'refund-failed');
        if (!hasFailed) expect(refundable).toBeLessThanOrEqual(order.cancelledAt ? 0 : TOTAL);
      }),
    );
  });

  it('say for every reachable order what can be done with it, and nothing else is', () => {
    fc.assert(
      fc.property(reachable, (order) => {
        const moves = movesOf(order);
        const legal: Record<string, boolean> = {
          pending_payment: moves.includes('pay') || moves.includes('capture'),
          paid: moves.includes('fulfil') && moves.includes('cancel'),
          fulfilled: moves.includes('deliver'),
          delivered: !moves.some((move) => ['pay', 'cancel', 'fulfil', 'deliver'].includes(move)),
          cancelled: moves.every((move) => move === 'refund'),
          partly_refunded: !moves.includes('pay'),
          refunded: !moves.some((move) => ['pay', 'cancel', 'fulfil'].includes(move)),
        };
        expect({ status: order.status, isLegal: legal[order.status] }).toEqual({ status: order.status, isLegal: true });
        for (const move of ['pay', 'capture', 'cancel', 'fulfil', 'deliver', 'refund'] as const) {
          const attempt = () => expectMove(order, move);
          if (moves.includes(move)) attempt();
          else expect(attempt).toThrow(expect.objectContaining({ code: 'ILLEGAL_MOVE', members: { allowed: moves } }));
        }
      }),
    );
  });
});

describe('refunds that failed', () => {
  it('are given back once, however often they are tried again', () => {
    const trial = fc.record({ settles: fc.boolean() });
    fc.assert(
      fc.property(reachable, fc.array(trial, { maxLength: 5 }), (order, trials) => {
        const after = trials.reduce((current, one) => [{ retries: true as const }, one].reduce(taken, current), order);
        const { captured, refunded, refundable } = moneyOf(after.ledger);
        const open = openRefunds(after.ledger).reduce((sum, { amount }) => sum + amount, 0);
        expect(refunded + open + refundable).toBe(captured);
        const states = refundStates(after.ledger);
        const sumOf = (state: string) => states.reduce((sum, one) => (one.state === state ? sum + one.amount : sum), 0);
        expect([sumOf('refunded'), sumOf('open')]).toEqual([refunded, open]);
      }),
    );
  });
});

describe('refunds', () => {
  const bought = fc
    .record({
      lines: fc.array(fc.record({ unitPrice: fc.nat(100_000), quantity: fc.integer({ min: 1, max: 20 }) }), {
        minLength: 1,
        maxLength: 5,
      }),
      discount: fc.nat(10_000),
      shipping: fc.nat(5000),
      tax: fc.record({ rate: fc.nat(3000), included: fc.boolean() }),
    })
    .map(({ lines, discount, shipping, tax }) => {
      const { lines: parts, ...totals } = calculateTotals({
        lines,
        discount: { kind: 'percentage', value: discount },
        shipping,
        tax,
      });
      const entry = { id: 'c', kind: 'captured' as const, amount: totals.total, reference: 'p1', at: new Date() };
      const whole = lines.map((line, i) => ({ ...line, ...parts[i]! }));
      return anOrder({ lines: whole as never, totals, ledger: totals.total > 0 ? [entry] : [] });
    });

  it('of all units and of shipping, in whatever parts, are exactly what was paid', () => {
    fc.assert(
      fc.property(bought, fc.infiniteStream(fc.integer({ min: 1, max: 5 })), (order, sizes) => {
        let current = order;
        const refund = (input: object) => {
          try {
            const made = refundOf(current, { lines: [], shipping: false, reason: 'x', ...input });
            current = { ...current, refunds: [...current.refunds, made] };
            return made.amount;
          } catch (error) {
            // Units that cost nothing: nothing is given back for them.
            expect(error).toMatchObject({ code: 'INVALID_INPUT' });
            return 0;
          }
        };
        let sum = refund({ shipping: true });
        order.lines.forEach(({ quantity: whole }, line) => {
          for (let left = whole; left > 0; ) {
            const quantity = Math.min(left, sizes.next().value as number);
            const amount = refund({ lines: [{ line, quantity, restock: false }] });
            if (amount === 0)
              current = {
                ...current,
                refunds: [...current.refunds, { lines: [{ line, quantity, restock: false }], shipping: 0 } as never],
              };
            sum += amount;
            left -= quantity;
          }
        });
        expect(sum).toBe(order.totals.total);
      }),
    );
  });

  it('of all units are exactly what was paid also when some have failed, and their units go into stock once', () => {
    const wish = fc.record({ line: fc.nat(4), quantity: fc.integer({ min: 1, max: 20 }), restock: fc.boolean() });
    const plan = fc.array(fc.record({ wish, shipping: fc.boolean(), fails: fc.boolean() }), { maxLength: 20 });
    fc.assert(
      fc.property(bought, plan, (order, wishes) => {
        let current = order;
        const refund = (input: object, kind: 'refunded' | 'refund-failed') => {
          try {
            const made = refundOf(current, { lines: [], shipping: false, reason: 'x', ...input });
            const { id: refundId, amount } = made;
            current = { ...current, refunds: [...current.refunds, made] };
            current = changed(current, withRefund(current, {}, { amount, reference: 'p1', refundId }));
            current = told(current, aFact({ id: `${kind}:${refundId}`, kind, amount, refundId }));
          } catch (error) {
            // More than there is, of nothing, or of a line that is not there.
            expect(error).toMatchObject({ code: 'INVALID_INPUT' });
          }
        };
        for (const { wish, shipping, fails } of wishes)
          refund({ lines: [wish], shipping }, fails ? 'refund-failed' : 'refunded');
        refund({ shipping: true }, 'refunded');
        const restockedOf = (i: number) => unitsBack(current.refunds, i, true);
        order.lines.forEach(({ quantity }, i) => {
          expect(restockedOf(i)).toBeLessThanOrEqual(quantity);
          const left = quantity - unitsBack(liveRefunds(current), i);
          if (left > 0) refund({ lines: [{ line: i, quantity: left, restock: false }] }, 'refunded');
        });
        const { captured, refunded, refundable } = moneyOf(current.ledger);
        expect([refunded, refundable]).toEqual([captured, 0]);
      }),
    );
  });

  it('that the bank sends back are not given back', () => {
    const paid = told(anOrder(), aFact({}));
    const asked = changed(paid, withRefund(paid, {}, { amount: 300, reference: 'p1', refundId: 'r1' }));
    const facts = (['refunded', 'refund-failed'] as const).map((kind) =>
      aFact({ id: `${kind}:r1`, kind, amount: 300, refundId: 'r1' }),
    );
    for (const order of [facts.reduce(told, asked), facts.reverse().reduce(told, asked)]) {
      expect(moneyOf(order.ledger)).toMatchObject({ refunded: 0, refundable: TOTAL });
      expect(refundStates(order.ledger)).toMatchObject([{ id: 'r1', amount: 300, state: 'failed' }]);
      expect(order.status).toBe('paid');
    }
  });

  it('are refused beyond what is left', () => {
    const order = anOrder({
      ledger: [{ id: 'c', kind: 'captured', amount: TOTAL, reference: 'p1', at: new Date() }],
    });
    const attempt = () => refundOf(order, { lines: [], shipping: false, amount: TOTAL + 1, reason: 'x' });
    expect(attempt).toThrow(AppError);
    expect(attempt).toThrow(expect.objectContaining({ code: 'LIMIT_REACHED' }));
  });
});
