import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import request from 'supertest';
import { admin, someone } from '../helpers/accounts.ts';
import { createProduct } from '../helpers/factories.ts';
import { aBuyer, anEmail, anOrder, changeOrderInStore, checkoutInput, movedOf, stockOf } from '../helpers/orders.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira({ BANK_DETAILS: 'IBAN PT50 0000' });
});
afterAll(async () => {
  await feira.api.get('/healthz').expect(200);
  await feira.stop();
});

const ordersOf = (productId: string) =>
  mongoose.connection
    .collection('orders')
    .countDocuments({ 'lines.productId': new mongoose.Types.ObjectId(productId) });

describe('20 checkouts at once of the last unit', () => {
  it('are one order and nineteen refusals', async () => {
    const product = await createProduct(feira, { stock: 1 });
    const buyers = await Promise.all(Array.from({ length: 20 }, () => aBuyer(feira, [{ product }])));
    const answers = await Promise.all(buyers.map(({ checkOut }) => checkOut()));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(19).fill(409)]);
    expect([await stockOf(product), await movedOf(product), await ordersOf(product.id)]).toEqual([0, 0, 1]);
  });
});

describe('one Idempotency-Key', () => {
  it('is one order for ten at once, refuses another body, and is nothing to somebody else', async () => {
    const product = await createProduct(feira, { stock: 10 });
    const { checkOut } = await aBuyer(feira, [{ product }]);
    const [key, email] = [randomBytes(8).toString('hex'), anEmail()];
    const ask = () => checkOut({ email }, { 'Idempotency-Key': key });
    const answers = await Promise.all(Array.from({ length: 10 }, ask));
    for (const { status } of answers) expect([200, 201, 409]).toContain(status);
    expect(new Set(answers.filter(({ status }) => status < 300).map(({ body }) => body.id)).size).toBe(1);
    expect([await stockOf(product), await ordersOf(product.id)]).toEqual([9, 1]);

    const again = await ask();
    expect([again.status, again.headers['idempotent-replayed']]).toEqual([201, 'true']);
    const changed = await checkOut({ email: anEmail() }, { 'Idempotency-Key': key });
    expect([changed.status, changed.body.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    const other = await (await aBuyer(feira, [{ product }])).checkOut({ email }, { 'Idempotency-Key': key });
    expect([other.status, other.headers['idempotent-replayed']]).toEqual([201, undefined]);
    expect(other.body.id).not.toBe(again.body.id);
    expect(await stockOf(product)).toBe(8);
  });

  it("of a person is theirs alone, on the same address of the account's cart", async () => {
    const product = await createProduct(feira, { stock: 10 });
    const key = { 'Idempotency-Key': '"the same"' };
    const ids: string[] = [];
    for (const person of await Promise.all([someone(feira), someone(feira)])) {
      await person.as('post', '/api/carts').send({ items: [{ productId: product.id, quantity: 1 }] });
      const ask = () =>
        person
          .as('post', '/api/carts/mine/checkout')
          .set(key)
          .send(checkoutInput({ email: undefined }));
      const made = await ask();
      const again = await ask();
      expect([made.status, again.status, again.body.id]).toEqual([201, 201, made.body.id]);
      ids.push(made.body.id);
    }
    expect(new Set(ids).size).toBe(2);
    expect(await stockOf(product)).toBe(8);
  });

  it.each(['', ' ', '"', '""', 'é', 'x'.repeat(256)])('of %j is refused', async (key) => {
    const { checkOut, product } = await aBuyer(feira);
    const refused = await request(feira.url)
      .post('/api/carts/mine/checkout')
      .set('Idempotency-Key', Buffer.from(key).toString('latin1'))
      .send(checkoutInput());
    expect(refused.status).toBeGreaterThanOrEqual(400);
    const answer = await checkOut({}, { 'Idempotency-Key': Buffer.from(key).toString('latin1') });
    expect([answer.status, answer.body.code]).toEqual([400, 'MALFORMED_REQUEST']);
    expect(await stockOf(product)).toBe(10);
  });
});

describe('one use of a coupon', () => {
  it('is one discount in 20 carts at once', async () => {
    const boss = await admin(feira);
    const code = `ONE${randomBytes(4).toString('hex')}`.toUpperCase();
    await boss.as('post', '/api/coupons').send({ code, kind: 'percentage', value: 5000, maxUses: 1 }).expect(201);
    const product = await createProduct(feira, { stock: 50, price: 1000 });
    const buyers = await Promise.all(Array.from({ length: 20 }, () => aBuyer(feira, [{ product }])));
    await Promise.all(buyers.map(({ cart }) => cart.request('put', '/coupon').send({ code }).expect(200)));
    const answers = await Promise.all(buyers.map(({ checkOut }) => checkOut()));
    const made = answers.filter(({ status }) => status === 201);
    expect(made.map(({ body }) => body.totals.discount)).toEqual([500]);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(19);
    expect([await stockOf(product), await ordersOf(product.id)]).toEqual([49, 1]);
    // One cart has one coupon: the same again changes nothing.
    const again = await buyers[0]!.cart.request('put', '/coupon').send({ code });
    expect(again.status).toBeGreaterThanOrEqual(400);
  });
});

describe('what a buyer writes about an order', () => {
  it('is refused: status, owner, sums', async () => {
    const { asGuest, path } = await anOrder(feira, { paymentMethod: 'manual', payment: {} });
    const before = (await asGuest('get')).body;
    const lies = { status: 'paid', paid: true, userId: 'f'.repeat(24), total: 0, refundedAmount: 9 };
    for (const method of ['patch', 'put', 'delete'] as const) {
      const answer = await request(feira.url)
        [method](path())
        .set('Order-Token', before.token ?? '')
        .send(lies);
      expect([answer.status, answer.body.code]).toEqual([405, 'METHOD_NOT_ALLOWED']);
    }
    for (const move of ['/pay', '/cancel']) {
      const answer = await asGuest('post', move).send(lies);
      expect([answer.status, answer.body.code]).toEqual([422, 'INVALID_INPUT']);
    }
    for (const move of ['/capture', '/fulfil', '/deliver', '/refund']) {
      const body = move === '/refund' ? { amount: 1, reason: 'x' } : {};
      expect((await asGuest('post', move).send(body)).status).toBe(401);
    }
    expect((await asGuest('get')).body).toEqual(before);
    const { checkOut } = await aBuyer(feira);
    for (const lie of [{ total: 0 }, { totals: { total: 0 } }, { lines: [] }, { acceptedTotal: -1 }, { owner: 'x' }])
      expect((await checkOut(lie)).status).toBe(422);
  });
});

describe('an order', () => {
  it('is not tried to be paid without end, by which its buyer would get mail after mail', async () => {
    const { asGuest } = await anOrder(feira, { payment: { outcome: 'decline' } });
    const decline = () => asGuest('post', '/pay').send({ payment: { outcome: 'decline' } });
    for (let i = 1; i < 20; i++) expect((await decline()).status).toBe(200);
    expect((await decline()).body).toMatchObject({ status: 409, code: 'LIMIT_REACHED' });
    expect((await asGuest('get')).body.timeline).toHaveLength(21);
    expect((await asGuest('post', '/cancel').send({})).status).toBe(200);
  });

  it('takes no notes and refunds without end', async () => {
    const boss = await admin(feira);
    const { id, path } = await anOrder(feira);
    const { body } = await boss.as('post', path('/notes')).send({ text: 'Called' }).expect(200);
    const timeline = Array.from({ length: 500 }, () => ({ ...body.timeline.at(-1), at: new Date() }));
    await changeOrderInStore(id, { timeline });
    for (const [move, input] of [
      ['/notes', { text: 'Called again' }],
      ['/refund', { amount: 1, reason: 'A cent' }],
    ] as const)
      expect((await boss.as('post', path(move)).send(input)).body.code).toBe('LIMIT_REACHED');
    expect((await boss.as('post', path('/fulfil')).send({})).status).toBe(200);
  });
});

describe("somebody else's orders", () => {
  it('do not exist at any address, in no list and by no filter', async () => {
    const [victim, thief] = await Promise.all([someone(feira), someone(feira)]);
    const product = await createProduct(feira);
    const { body: cart } = await victim
      .as('post', '/api/carts')
      .send({ items: [{ productId: product.id, quantity: 1 }] });
    const { body: order } = await victim
      .as('post', `/api/carts/${cart.id}/checkout`)
      .send(checkoutInput({ email: undefined, paymentMethod: 'manual', payment: {} }));
    const own = await anOrder(feira, { paymentMethod: 'manual', payment: {} });
    expect((await thief.as('post', `/api/carts/${cart.id}/checkout`).send(checkoutInput())).status).toBe(404);
    for (const id of [order.id, order.number]) {
      for (const token of ['', own.token, 'x'.repeat(43)]) {
        const shown = token ? { 'Order-Token': token } : {};
        const ask = (method: 'get' | 'post', move = '') => thief.as(method, `/api/orders/${id}${move}`).set(shown);
        expect((await ask('get')).status).toBe(404);
        for (const move of ['/pay', '/cancel']) expect((await ask('post', move).send({})).status).toBe(404);
        for (const move of ['/capture', '/fulfil', '/deliver'])
          expect((await ask('post', move).send({})).status).toBe(403);
        expect((await ask('post', '/refund').send({ amount: 1, reason: 'x' })).status).toBe(403);
      }
    }
    const q = encodeURIComponent(victim.user.email);
    for (const query of ['', '?mine=false', `?q=${q}`, `?q=${order.number}`, '?status=pending_payment']) {
      const { body } = await thief.as('get', `/api/orders${query}`);
      expect({ query, items: body.items }).toEqual({ query, items: [] });
    }
    for (const query of [`?userId=${victim.user.id}`, `?email=${q}`, '?owner[$ne]=x', '?status[$ne]=x', '?cursor=..'])
      expect((await thief.as('get', `/api/orders${query}`)).status).toBe(422);
    expect((await victim.as('get', `/api/orders/${order.id}`)).body.status).toBe('pending_payment');
  });
});
