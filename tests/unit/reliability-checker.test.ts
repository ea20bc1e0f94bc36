import { expect, it } from '@jest/globals';
import type { Db, Document } from 'mongodb';
import { faultsIn, type Sale } from '../reliability/checker.ts';

const sale: Sale = {
  ...{ orderId: 'o1', number: 'F-1', cart: 'c1', email: 'ana@example.com', productIds: ['p1'] },
  ...{ coupon: 'TEN', total: 2400, status: 'paid' },
};

/** One unit of three is sold with a coupon, and paid. */
const world = (): Record<string, Document[]> => ({
  orders: [
    {
      ...{ _id: 'o1', number: 'F-1', cart: 'c1', email: 'ana@example.com', status: 'paid', stock: 'taken' },
      lines: [{ productId: 'p1', quantity: 1, unitPrice: 2000 }],
      totals: { discount: 100, shipping: 500, tax: 0, taxIncluded: true, total: 2400 },
      ...{ address: { line1: 'Rua 1' }, shipping: { method: 'standard' }, coupon: { id: 'k1', code: 'TEN' } },
      ...{ ledger: [{ kind: 'captured', amount: 2400 }], cancelledAt: null },
    },
  ],
  products: [{ _id: 'p1', stock: 2 }],
  stock_movements: [
    { unit: 'p1', change: 3, cause: 'staff:1' },
    { unit: 'p1', change: -1, cause: 'order:o1' },
  ],
  carts: [{ _id: 'c1', order: 'o1' }, { _id: 'c2' }],
  coupons: [{ _id: 'k1', code: 'TEN', used: 1, maxUses: 1 }],
  coupon_uses: [{ _id: 'k1:ana', count: 1 }],
  payment_attempts: [{ order: 'o1', state: 'captured' }],
  idempotency_keys: [{ result: { orderId: 'o1' } }],
  outbox_events: [
    { event: 'e1', consumer: 'mail', type: 'order.placed', data: { orderId: 'o1' }, doneAt: 1 },
    { event: 'e2', consumer: 'mail', type: 'order.paid', data: { orderId: 'o1' }, doneAt: 1 },
  ],
});

function faultsOf(docs: Record<string, Document[]>, mails = ['e1', 'e2']): Promise<string[]> {
  const db = { collection: (name: string) => ({ find: () => ({ toArray: async () => docs[name] ?? [] }) }) };
  return faultsIn(db as unknown as Db, { start: new Map([['p1', 3]]), sales: [sale], mails: new Set(mails) });
}

it('finds no fault where there is none', async () => {
  expect(await faultsOf(world())).toEqual([]);
});

it('misses a mail', async () => {
  expect(await faultsOf(world(), ['e1'])).toEqual(['no mail of order.paid e2 for order o1']);
});

it.each<[string, RegExp, (docs: Record<string, Document[]>) => unknown]>([
  ['a lost order', /is lost/, (docs) => docs.orders?.pop()],
  [
    'another total than was told',
    /its buyer was told/,
    ({ orders }) => Object.assign(orders![0]!.totals, { total: 1 }),
  ],
  ['an order without lines', /not whole/, ({ orders }) => orders![0]!.lines.pop()],
  ['a second order of a cart', /two orders/, ({ orders }) => orders!.push({ ...orders![0]!, _id: 'o2' })],
  ['a cart closed for nothing', /closed carts/, ({ carts }) => carts!.push({ _id: 'c3', order: 'o3' })],
  ['a unit too many in stock', /p1: 3 \+ 1/, ({ products }) => Object.assign(products![0]!, { stock: 3 })],
  [
    'a unit that was taken twice',
    /movements sum to 1/,
    (docs) => docs.stock_movements!.push(docs.stock_movements![1]!),
  ],
  ['a movement of no order', /order:o2/, (docs) => Object.assign(docs.stock_movements![1]!, { cause: 'order:o2' })],
  ['money twice', /got 4800 of 2400/, ({ orders }) => orders![0]!.ledger.push(orders![0]!.ledger[0])],
  ['two payments', /paid twice/, (docs) => docs.payment_attempts!.push(docs.payment_attempts![0]!)],
  ['money that is gone', /told to be paid/, ({ orders }) => orders![0]!.ledger.pop()],
  ['a status that is not so', /it must be paid/, ({ orders }) => Object.assign(orders![0]!, { status: 'cancelled' })],
  ['a use of a coupon too many', /TEN allows 1/, ({ coupons }) => Object.assign(coupons![0]!, { used: 2 })],
  ['an event that nobody handled', /not handled/, (docs) => Object.assign(docs.outbox_events![0]!, { doneAt: null })],
  ['an event twice', /events against orders \+1/, (docs) => docs.outbox_events!.push(docs.outbox_events![1]!)],
  ['an order of no key', /keys/, (docs) => docs.idempotency_keys!.pop()],
])('finds %s', async (_what, fault, spoil) => {
  const docs = world();
  spoil(docs);
  expect((await faultsOf(docs)).join('\n')).toMatch(fault);
});
