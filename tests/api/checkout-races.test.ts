import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { OrderPayments } from '../../src/services/order-payments.ts';
import { admin } from '../helpers/accounts.ts';
import { createProduct } from '../helpers/factories.ts';
import { aBuyer, anOrder, letExpire, movedOf, stockOf, tellOfMoney } from '../helpers/orders.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { eventually } from '../helpers/wait-for.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

const ordersOf = (productId: string) =>
  mongoose.connection
    .collection('orders')
    .find({ 'lines.productId': new mongoose.Types.ObjectId(productId) })
    .toArray();

describe('many at once', () => {
  it('100 buyers of one unit make one order', async () => {
    const product = await createProduct(feira, { stock: 1 });
    const buyers = await Promise.all(Array.from({ length: 100 }, () => aBuyer(feira, [{ product }])));
    const began = performance.now();
    const answers = await Promise.all(buyers.map(({ checkOut }) => checkOut()));
    const seconds = (performance.now() - began) / 1000;
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409)).toHaveLength(99);
    for (const { status, body } of answers) if (status === 409) expect(body.code).toBe('OUT_OF_STOCK');
    expect([await stockOf(product), await movedOf(product), (await ordersOf(product.id)).length]).toEqual([0, 0, 1]);
    process.stdout.write(`100 buyers of one unit: ${seconds.toFixed(2)} s\n`);
  });

  it('buyers of the same products in any order lose nothing', async () => {
    const [a, b] = await Promise.all([createProduct(feira, { stock: 6 }), createProduct(feira, { stock: 4 })]);
    const buyers = await Promise.all(
      Array.from({ length: 12 }, (_, i) =>
        aBuyer(
          feira,
          (i % 2 ? [a, b] : [b, a]).map((product) => ({ product })),
        ),
      ),
    );
    const answers = await Promise.all(buyers.map(({ checkOut }) => checkOut()));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(4);
    expect([await stockOf(a), await movedOf(a), await stockOf(b), await movedOf(b)]).toEqual([2, 2, 0, 0]);
  });

  it('one cart that is checked out ten times is one order', async () => {
    const product = await createProduct(feira, { stock: 1 });
    const { checkOut } = await aBuyer(feira, [{ product }]);
    const answers = await Promise.all(Array.from({ length: 10 }, () => checkOut()));
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(9).fill(200), 201]);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    const order = (await ordersOf(product.id))[0]!;
    expect([order.status, order.ledger.length]).toEqual(['paid', 1]);
  });

  it('copies of one checkout under one key answer the same, whenever they come', async () => {
    const product = await createProduct(feira, { stock: 20 });
    for (let i = 0; i < 20; i++) {
      const { checkOut } = await aBuyer(feira, [{ product }]);
      const copy = () => checkOut({ email: 'copy@example.com' }, { 'Idempotency-Key': 'one' });
      const answers = await Promise.all(
        Array.from({ length: 8 }, async (_, wait) => {
          // So that some come in the moment in which the first one commits.
          for (let turn = 0; turn < wait * 8; turn++) await new Promise((resolve) => setImmediate(resolve));
          return copy();
        }),
      );
      expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(201));
      expect(answers.filter(({ headers }) => headers['idempotent-replayed'] === 'true')).toHaveLength(7);
      for (const { body } of answers) {
        expect(body.id).toBe(answers[0]!.body.id);
        expect(body.payment.state).toBe(body.status === 'paid' ? 'captured' : 'pending');
      }
    }
  });

  it('refunds at once give back what there is, and no more', async () => {
    const { id, order } = await anOrder(feira);
    const boss = await admin(feira);
    const amount = Math.ceil(order.totals.total / 2);
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => boss.as('post', `/api/orders/${id}/refund`).send({ amount, reason: 'Broken' })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });
});

/** An order that nobody has paid in time, and whose units somebody else has got then. */
async function tooLate(quantity: number) {
  const product = await createProduct(feira, { stock: quantity });
  const other = await aBuyer(feira, [{ product, quantity }]);
  const late = await anOrder(feira, { payment: { outcome: 'decline' } }, [{ product, quantity }]);
  await letExpire(late.id);
  const next = await other.checkOut({ payment: { outcome: 'decline' } }).expect(201);
  const giveUp = () =>
    feira.api
      .post(`/api/orders/${next.body.id}/cancel`)
      .set('Order-Token', String(next.headers['order-token']))
      .send({});
  return { product, late, giveUp, total: late.order.totals.total as number };
}

type Entry = { kind: string; amount: number };
/** The sums of which the shop has asked that they go back. */
const askedOf = ({ ledger }: { ledger: Entry[] }) =>
  ledger.filter(({ kind }) => kind === 'refund-requested').map(({ amount }) => amount);

describe('what comes late', () => {
  it('money for an order that has expired takes its units again, once for any number of copies', async () => {
    const { product, late, giveUp, total } = await tooLate(2);
    expect((await late.asGuest('get')).body.status).toBe('cancelled');
    await giveUp().expect(200);
    expect(await stockOf(product)).toBe(2);
    const tell = await tellOfMoney(feira, late.id, total);
    const copies = await Promise.all(Array.from({ length: 5 }, () => tell()));
    expect(copies.map(({ status }) => status)).toEqual(Array(5).fill(200));
    const { body } = await late.asGuest('get');
    expect([body.status, body.captured]).toEqual(['paid', total]);
    expect(body.timeline.map(({ event }: { event: string }) => event).slice(-2)).toEqual(['reopened', 'paid']);
    expect([await stockOf(product), await movedOf(product)]).toEqual([0, 0]);
  });

  it('money for units that somebody else has goes back', async () => {
    const { product, late, total } = await tooLate(1);
    await (await tellOfMoney(feira, late.id, total))().expect(200);
    const stored = (await ordersOf(product.id)).find(({ _id }) => _id.toHexString() === late.id)!;
    expect([stored.status, stored.ledger[0].kind, stored.ledger[1].kind, stored.ledger[1].amount]).toEqual([
      'cancelled',
      'captured',
      'refund-requested',
      total,
    ]);
    expect([await stockOf(product), await movedOf(product)]).toEqual([0, 0]);
  });

  it('money for an order that the buyer has cancelled goes back', async () => {
    const product = await createProduct(feira, { stock: 1 });
    const late = await anOrder(feira, { payment: { outcome: 'decline' } }, [{ product }]);
    await late.asGuest('post', '/cancel').send({}).expect(200);
    await (await tellOfMoney(feira, late.id, late.order.totals.total))().expect(200);
    const { body } = await late.asGuest('get');
    expect([body.status, await stockOf(product)]).toEqual(['cancelled', 1]);
  });

  it('money twice goes back once', async () => {
    const paid = await anOrder(feira);
    const { total } = paid.order.totals;
    await (await tellOfMoney(feira, paid.id, total))().expect(200);
    const { body } = await (await admin(feira)).as('get', paid.path());
    expect([body.status, body.captured]).toEqual(['paid', 2 * total]);
    expect(body.ledger.filter(({ kind }: { kind: string }) => kind === 'refund-requested')).toEqual([
      expect.objectContaining({ amount: total }),
    ]);
  });

  it('money three times goes back twice, also when the first return is still on its way', async () => {
    const paid = await anOrder(feira);
    const { total } = paid.order.totals;
    for (let i = 0; i < 2; i++) await (await tellOfMoney(feira, paid.id, total))().expect(200);
    const { body } = await (await admin(feira)).as('get', paid.path());
    expect(body.captured).toBe(3 * total);
    expect(askedOf(body)).toEqual([total, total]);
  });

  it('money twice goes back whole, also when a part of the order was refunded before', async () => {
    const boss = await admin(feira);
    const paid = await anOrder(feira);
    const { total } = paid.order.totals;
    await boss.as('post', paid.path('/refund')).send({ amount: 500, reason: 'Scratched' }).expect(200);
    await eventually(async () => (await paid.asGuest('get')).body.refunded === 500);
    await (await tellOfMoney(feira, paid.id, total))().expect(200);
    expect(askedOf((await boss.as('get', paid.path())).body)).toEqual([500, total]);
  });

  it('money twice goes back once, also when another process has taken the units again meanwhile', async () => {
    const { late, giveUp, total } = await tooLate(1);
    await giveUp().expect(200);
    // Whoever knows the order best is not the one that opens it again.
    await (await tellOfMoney(feira, late.id, 1))().expect(200);
    const elsewhere = new OrderPayments({ outbox: { add: () => {} } });
    const money = { kind: 'captured' as const, orderId: late.id, amount: total, currency: 'EUR' };
    await elsewhere.record({ ...money, id: 'captured:elsewhere', reference: 'elsewhere' });
    await (await tellOfMoney(feira, late.id, total))().expect(200);
    const { body } = await (await admin(feira)).as('get', late.path());
    expect([body.status, body.captured, askedOf(body)]).toEqual(['paid', 2 * total, [total]]);
  });

  it.each([
    ['amount', { amount: 1 }],
    ['currency', { currency: 'USD' }],
  ])('another %s makes no order paid, and staff see it', async (_what, overrides) => {
    const late = await anOrder(feira, { payment: { outcome: 'decline' } });
    await (await tellOfMoney(feira, late.id, late.order.totals.total, overrides))().expect(200);
    const { body } = await late.asGuest('get');
    expect([body.status, body.captured]).toEqual(['pending_payment', 0]);
    const { body: seen } = await (await admin(feira)).as('get', late.path());
    expect(seen.timeline.at(-1)).toMatchObject({ event: 'payment-mismatch', staffOnly: true });
  });
});
