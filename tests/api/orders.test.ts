import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import mongoose from 'mongoose';
import { AuditEntry } from '../../src/models/audit-entry.model.ts';
import { admin, logIn, someone, staff } from '../helpers/accounts.ts';
import { misfits, readApiDocument } from '../helpers/api-document.ts';
import { createProduct } from '../helpers/factories.ts';
import { mailsTo } from '../helpers/mailbox.ts';
import { anEmail, anOrder, checkoutInput, movedOf, stockOf } from '../helpers/orders.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { eventually } from '../helpers/wait-for.ts';

let feira: Feira;
let boss: Awaited<ReturnType<typeof admin>>;
beforeAll(async () => {
  feira = await startFeira({ BANK_DETAILS: 'IBAN PT50 0000' });
  boss = await admin(feira);
});
afterAll(() => feira.stop());

const manual = { paymentMethod: 'manual', payment: {} };
type Entry = { event: string; staffOnly?: boolean };
const eventsOf = (order: { timeline: Entry[] }) => order.timeline.map(({ event }) => event);

describe('GET /api/orders/:oid', () => {
  it('opens to the token of the guest, by id and by number, and to staff', async () => {
    const { order, asGuest, token, path } = await anOrder(feira, manual);
    const read = await asGuest('get');
    expect(read.status).toBe(200);
    expect(misfits(await readApiDocument(feira), 'get', '/api/orders/{oid}', read)).toEqual([]);
    const { payment: _payment, ...rest } = order;
    expect(read.body).toEqual(rest);
    const byNumber = await feira.api
      .get(`/api/orders/${order.number.toLowerCase().replaceAll('-', '')}`)
      .set('Order-Token', token);
    expect(byNumber.body.id).toBe(order.id);
    const forStaff = await boss.as('get', path());
    expect(forStaff.body).toMatchObject({ number: order.number, ledger: [], moves: ['pay', 'capture', 'cancel'] });
    expect((await boss.as('get', path()).set('If-None-Match', String(forStaff.headers.etag))).status).toBe(304);
  });

  it('does not exist for anybody else', async () => {
    const { path, token, order } = await anOrder(feira, manual);
    const [stranger, other] = await Promise.all([someone(feira), anOrder(feira, manual)]);
    for (const answer of [
      await feira.api.get(path()),
      await feira.api.get(path()).set('Order-Token', other.token),
      await feira.api.get(path()).set('Order-Token', `${token}x`),
      await stranger.as('get', path()),
      await stranger.as('get', `/api/orders/${order.number}`),
      await stranger.as('post', path('/cancel')).send({}),
      await stranger.as('post', path('/pay')).send({}),
    ])
      expect([answer.status, answer.body.code]).toEqual([404, 'NOT_FOUND']);
    const noOrder = new mongoose.Types.ObjectId().toHexString();
    const [there, not] = await Promise.all(
      [path(), `/api/orders/${noOrder}`].map((url) => feira.api.get(url).set('Order-Token', other.token)),
    );
    expect(there!.body).toEqual({ ...not!.body, requestId: there!.body.requestId });
    expect((await feira.api.get('/api/orders/nonsense')).status).toBe(400);
  });
});

describe('GET /api/orders', () => {
  it('lists one own orders by cursor, and everybody for staff with filters', async () => {
    const ana = await someone(feira);
    const product = await createProduct(feira, { stock: 20 });
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      const { body: cart } = await ana
        .as('post', '/api/carts')
        .send({ items: [{ productId: product.id, quantity: 1 }] });
      const made = await ana.as('post', `/api/carts/${cart.id}/checkout`).send(checkoutInput(i === 1 ? manual : {}));
      expect(made.status).toBe(201);
      ids.unshift(made.body.id);
    }
    const idsOf = ({ body }: { body: { items: { id: string }[] } }) => body.items.map(({ id }) => id);
    const first = await ana.as('get', '/api/orders?limit=2');
    expect(misfits(await readApiDocument(feira), 'get', '/api/orders', first)).toEqual([]);
    expect(idsOf(first)).toEqual(ids.slice(0, 2));
    const second = await ana.as('get', `/api/orders?limit=2&cursor=${first.body.next}`);
    expect([idsOf(second), second.body.next]).toEqual([ids.slice(2), null]);
    expect(idsOf(await ana.as('get', '/api/orders?status=pending_payment'))).toEqual([ids[1]]);
    expect(idsOf(await ana.as('get', `/api/orders?from=${new Date(Date.now() + 60_000).toISOString()}`))).toEqual([]);

    const [newest, , oldest] = (await ana.as('get', '/api/orders')).body.items;
    const from = `from=${oldest.createdAt}`;
    expect(idsOf(await ana.as('get', `/api/orders?${from}`))).toEqual(ids);
    expect(idsOf(await ana.as('get', `/api/orders?${from}&to=${newest.createdAt}`))).toEqual(ids.slice(1));
    const years = 'from=0001-01-01T00:00:00Z&to=9999-01-01T00:00:00Z';
    expect(idsOf(await ana.as('get', `/api/orders?${years}&limit=2&cursor=${first.body.next}`))).toEqual(ids.slice(2));

    const q = encodeURIComponent(ana.user.email.toUpperCase());
    expect(idsOf(await boss.as('get', `/api/orders?q=${q}&paymentStatus=paid`))).toEqual([ids[0], ids[2]]);
    const { number } = first.body.items[0];
    expect(idsOf(await boss.as('get', `/api/orders?q=${number}&fulfilmentStatus=unfulfilled`))).toEqual([ids[0]]);
    expect(idsOf(await boss.as('get', '/api/orders?mine=true'))).toEqual([]);
    expect((await feira.api.get('/api/orders')).status).toBe(401);
    expect((await ana.as('get', '/api/orders?owner=x')).status).toBe(422);
  });
});

describe('the life of an order', () => {
  it('is confirmed, sent and delivered by staff, which is recorded', async () => {
    const { path, asGuest, id } = await anOrder(feira, manual);
    const seller = await staff(feira, 'seller');
    const captured = await seller.as('post', path('/capture')).send({});
    expect([captured.status, captured.body.status]).toEqual([200, 'paid']);
    const early = await seller.as('post', path('/deliver')).send({});
    expect([early.status, early.body.code, early.body.allowed]).toEqual([
      409,
      'ILLEGAL_MOVE',
      ['cancel', 'fulfil', 'refund'],
    ]);
    for (const [move, body] of [
      ['/fulfil', {}],
      ['/notes', { text: 'By phone' }],
    ] as const)
      await seller.as('post', path(move)).set('If-Match', '"1"').send(body).expect(412);
    await asGuest('post', '/pay').set('If-Match', '"1"').send({}).expect(412);
    const sent = await seller.as('post', path('/fulfil')).send({ tracking: 'PT-123' });
    expect(sent.body).toMatchObject({ status: 'fulfilled', fulfilmentStatus: 'fulfilled' });
    const there = await seller.as('post', path('/deliver')).send({});
    expect(there.body).toMatchObject({ status: 'delivered', moves: ['refund'] });
    const seen = (await asGuest('get')).body;
    expect(eventsOf(seen)).toEqual(['placed', 'paid', 'fulfilled', 'delivered']);
    expect(seen.timeline[2]).toMatchObject({ by: 'staff', detail: 'PT-123' });
    expect(seen.timeline[2]).not.toHaveProperty('actorId');
    const { body: audit } = await boss.as('get', `/api/audit?targetId=${id}`);
    expect(audit.items.map(({ action }: { action: string }) => action)).toEqual([
      'order.delivered',
      'order.fulfilled',
      'order.captured',
    ]);
    expect(audit.items[1]).toMatchObject({
      actor: { id: seller.user.id },
      changes: { fulfilmentStatus: { before: 'unfulfilled', after: 'fulfilled' } },
    });
  });

  it('is moved by staff, and recorded as that, also when a key that cannot read orders shows the token of the guest', async () => {
    const { path, token, id, asGuest } = await anOrder(feira, manual);
    const { body: made } = await boss.as('post', '/api/keys').send({ name: 'dispatch', permissions: ['orders:write'] });
    for (const move of ['/capture', '/fulfil', '/deliver']) {
      const moving = feira.api.post(path(move)).set('Authorization', `Bearer ${made.key}`).set('Order-Token', token);
      expect((await moving.send({})).status).toBe(200);
    }
    expect((await asGuest('get')).body.timeline.map(({ by }: { by: string }) => by)).toEqual([
      'customer',
      'shop',
      'staff',
      'staff',
    ]);
    const { body: audit } = await boss.as('get', `/api/audit?targetId=${id}`);
    expect(audit.items.map(({ action }: { action: string }) => action)).toEqual([
      'order.delivered',
      'order.fulfilled',
      'order.captured',
    ]);
  });

  it('is neither moved nor kept for longer by a key that may only see orders', async () => {
    const { path, asGuest } = await anOrder(feira, { payment: { outcome: 'decline' } });
    const { body: made } = await boss.as('post', '/api/keys').send({ name: 'reports', permissions: ['orders:read'] });
    const ask = (method: 'get' | 'post', move = '') =>
      feira.api[method](path(move)).set('Authorization', `Bearer ${made.key}`);
    expect((await ask('get')).status).toBe(200);
    const before = (await asGuest('get')).body;
    for (const [move, body] of [
      ['/pay', { paymentMethod: 'manual' }],
      ['/pay', {}],
      ['/cancel', {}],
    ] as const)
      expect([move, (await ask('post', move).send(body)).body.code]).toEqual([move, 'FORBIDDEN']);
    expect((await asGuest('get')).body).toEqual(before);
  });

  it('is confirmed by staff also when the process that had placed it died before it could say how to pay', async () => {
    const { path, id } = await anOrder(feira, manual);
    await mongoose.connection
      .collection('payment_attempts')
      .updateOne(
        { order: new mongoose.Types.ObjectId(id) },
        { $set: { state: 'running', reference: null, startedAt: new Date(Date.now() - 600_000) } },
      );
    const captured = await boss.as('post', path('/capture')).send({});
    expect([captured.status, captured.body.status]).toEqual([200, 'paid']);
  });

  it('is confirmed or given up by staff with the record of who has done it, or not at all', async () => {
    const [paid, cancelled] = [await anOrder(feira, manual), await anOrder(feira, manual)];
    const actionsOf = async ({ id }: { id: string }) => {
      const { body } = await boss.as('get', `/api/audit?targetId=${id}`);
      return body.items.map(({ action }: { action: string }) => action);
    };
    const broken = jest.spyOn(AuditEntry, 'insertMany');
    for (const { path, asGuest, order } of [paid, cancelled]) {
      broken.mockRejectedValueOnce(new Error('The disk is full.'));
      const refused = await boss.as('post', path(path === paid.path ? '/capture' : '/cancel')).send({});
      expect(refused.status).toBe(500);
      const { body } = await asGuest('get');
      expect([body.status, body.version]).toEqual(['pending_payment', order.version]);
    }
    broken.mockRestore();
    expect((await boss.as('post', paid.path('/capture')).send({})).body.status).toBe('paid');
    expect((await boss.as('post', cancelled.path('/cancel')).send({})).body.status).toBe('cancelled');
    expect(await actionsOf(paid)).toEqual(['order.captured']);
    expect(await actionsOf(cancelled)).toEqual(['order.cancelled', 'order.voided']);
  });

  it('can be cancelled by the buyer while it is not paid, and gives its units back', async () => {
    const product = await createProduct(feira, { stock: 4 });
    const { asGuest } = await anOrder(feira, manual, [{ product, quantity: 3 }]);
    expect(await stockOf(product)).toBe(1);
    const cancelled = await asGuest('post', '/cancel').send({ reason: 'Too slow' });
    expect(cancelled.body).toMatchObject({ status: 'cancelled', holdUntil: null, moves: [] });
    const again = await asGuest('post', '/cancel').send({});
    expect([again.status, again.body.allowed]).toEqual([409, []]);
    expect([await stockOf(product), await movedOf(product)]).toEqual([4, 4]);
    const paying = await asGuest('post', '/pay').send({});
    expect([paying.status, paying.body.code]).toEqual([409, 'ILLEGAL_MOVE']);
  });

  it('is cancelled by staff when it is paid, with the money given back', async () => {
    const product = await createProduct(feira, { stock: 4 });
    const { asGuest, path } = await anOrder(feira, {}, [{ product }]);
    const refused = await asGuest('post', '/cancel').send({});
    expect([refused.status, refused.body.code]).toEqual([409, 'ILLEGAL_MOVE']);
    const seller = await staff(feira, 'seller');
    expect((await seller.as('post', path('/cancel')).send({})).status).toBe(403);
    const support = await staff(feira, 'support');
    const cancelled = await support.as('post', path('/cancel')).send({ reason: 'Damaged in stock' });
    expect(cancelled.body).toMatchObject({ status: 'cancelled', paymentStatus: 'paid' });
    expect(cancelled.body.ledger.at(-1)).toMatchObject({ kind: 'refund-requested', amount: cancelled.body.captured });
    expect(await stockOf(product)).toBe(4);
  });

  it('is refunded in parts, with units that go back into stock, once for one key', async () => {
    const product = await createProduct(feira, { stock: 5, price: 999 });
    const { path, order } = await anOrder(feira, {}, [{ product, quantity: 3 }]);
    const support = await staff(feira, 'support');
    const refund = (input: object, key = `k${Math.random()}`) =>
      support
        .as('post', path('/refund'))
        .set('Idempotency-Key', key)
        .send({ reason: 'Broken', ...input });

    const two = { lines: [{ line: 0, quantity: 2, restock: true }] };
    const made = await Promise.all([refund(two, 'one'), refund(two, 'one'), refund(two, 'one')]);
    expect(made.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(made.filter(({ headers }) => headers['idempotent-replayed'] === 'true')).toHaveLength(2);
    expect(made[0]!.body.refunds).toEqual([expect.objectContaining({ amount: 1998, lines: [expect.anything()] })]);
    expect(made[0]!.body.lines[0].refunded).toBe(2);
    expect([await stockOf(product), await movedOf(product)]).toEqual([4, 4]);

    const more = await refund(two);
    expect([more.status, more.body.errors]).toEqual([
      422,
      [{ pointer: '#/lines/0/quantity', detail: 'must be at most 1' }],
    ]);
    const tooMuch = await refund({ amount: order.totals.total });
    expect([tooMuch.status, tooMuch.body.code, tooMuch.body.refundable]).toEqual([409, 'LIMIT_REACHED', 999 + 490]);
    const rest = await refund({ lines: [{ line: 0, quantity: 1 }], shipping: true });
    expect(rest.body.refunds.at(-1)).toMatchObject({ amount: 1489, shipping: 490 });
    expect((await refund({ amount: 1 })).body.code).toBe('ILLEGAL_MOVE');
    expect((await refund({})).status).toBe(422);
    const seller = await staff(feira, 'seller');
    expect((await seller.as('post', path('/refund')).send({ amount: 1, reason: 'x' })).status).toBe(403);
  });

  it('is refunded in another way when a refund has failed, and its units go into stock once', async () => {
    const product = await createProduct(feira, { stock: 5, price: 999 });
    const outcome = 'refund-fails';
    const { path, asGuest } = await anOrder(feira, { payment: { outcome } }, [{ product, quantity: 3 }]);
    const refund = (input: object) => boss.as('post', path('/refund')).send({ reason: 'Broken', ...input });
    const two = { lines: [{ line: 0, quantity: 2, restock: true }], shipping: true };
    expect((await refund(two)).body.lines[0].refunded).toBe(2);
    await eventually(async () => eventsOf((await boss.as('get', path())).body).includes('refund-failed'));
    expect((await asGuest('get')).body).toMatchObject({ status: 'paid', refunded: 0, lines: [{ refunded: 0 }] });
    expect(await stockOf(product)).toBe(4);

    const again = await refund(two);
    expect([again.status, again.body.errors]).toEqual([
      422,
      [{ pointer: '#/lines/0/restock', detail: 'must not be: 2 are back in stock already' }],
    ]);
    const other = await refund({ lines: [{ line: 0, quantity: 3 }], shipping: true });
    expect(misfits(await readApiDocument(feira), 'post', '/api/orders/{oid}/refund', other)).toEqual([]);
    expect(other.body.refunds.at(-1)).toMatchObject({ amount: 3 * 999 + 490, lines: [{ cost: 3 * 999 }] });
    await eventually(async () => (await asGuest('get')).body.status === 'refunded');
    expect([await stockOf(product), await movedOf(product)]).toEqual([4, 4]);
  });

  it('is given back in the end, and told as that', async () => {
    const { path, asGuest, order } = await anOrder(feira);
    const support = await staff(feira, 'support');
    await support.as('post', path('/refund')).send({ shipping: true, reason: 'Late' }).expect(200);
    await eventually(async () => (await asGuest('get')).body.refunded === 490);
    expect((await asGuest('get')).body).toMatchObject({ status: 'partly_refunded', paymentStatus: 'partly_refunded' });
    await support.as('post', path('/cancel')).send({}).expect(200);
    await eventually(async () => (await asGuest('get')).body.refunded === order.totals.total);
    expect((await asGuest('get')).body).toMatchObject({ status: 'cancelled', paymentStatus: 'refunded', moves: [] });
  });

  it('is paid in another way, and keeps its units for longer', async () => {
    const { asGuest, order, path } = await anOrder(feira, { payment: { outcome: 'decline' } });
    const kept = Date.parse(order.holdUntil);
    expect(kept - Date.now()).toBeLessThanOrEqual(15 * 60_000);
    const other = await asGuest('post', '/pay').send({ paymentMethod: 'manual' });
    expect(other.body).toMatchObject({
      paymentMethod: 'manual',
      status: 'pending_payment',
      payment: { state: 'pending', instructions: expect.any(String) },
    });
    expect(Date.parse(other.body.holdUntil)).toBeGreaterThan(kept + 24 * 3_600_000);
    expect((await boss.as('post', path('/capture')).send({})).body.status).toBe('paid');
  });

  it('is told by webhooks too, in any order and twice', async () => {
    for (const outcome of ['delay', 'webhook-first', 'webhook-twice']) {
      const { asGuest, order, path } = await anOrder(feira, { payment: { outcome } });
      await eventually(async () => (await asGuest('get')).body.status === 'paid');
      const { body } = await boss.as('get', path());
      expect({ outcome, captured: body.captured, ledger: body.ledger.length }).toEqual({
        outcome,
        captured: order.totals.total,
        ledger: 1,
      });
      expect(eventsOf(body).filter((event) => event === 'paid')).toHaveLength(1);
    }
  });

  it('is the same payment for one Idempotency-Key', async () => {
    const { asGuest } = await anOrder(feira, { payment: { outcome: 'decline' } });
    const pay = (payment: object) => asGuest('post', '/pay').set('Idempotency-Key', '"pay"').send({ payment });
    const answers = await Promise.all([pay({ outcome: 'approve' }), pay({ outcome: 'approve' })]);
    expect(answers.map(({ status, body }) => [status, body.status])).toEqual([
      [200, 'paid'],
      [200, 'paid'],
    ]);
    expect(answers.map(({ headers }) => headers['idempotent-replayed'] ?? 'new').sort()).toEqual(['new', 'true']);
    expect((await pay({ outcome: 'decline' })).body.code).toBe('IDEMPOTENCY_KEY_REUSED');
  });
});

describe('POST /api/orders/lookup', () => {
  it('answers the same whether there is such an order or not, after the same work', async () => {
    const { order } = await anOrder(feira, manual);
    const nobody = anEmail();
    const events = mongoose.connection.collection('outbox_events');
    const asked = { type: 'order.link_wanted' };
    const ask = (email: string, number: string) => feira.api.post('/api/orders/lookup').send({ email, number });
    for (const [email, number] of [
      [order.email, order.number],
      [order.email, 'F-0000-0000'],
      [nobody, order.number],
      [nobody, 'no number'],
    ] as const) {
      const before = await events.countDocuments(asked);
      const answer = await ask(email, number);
      expect([answer.status, answer.body]).toEqual([202, {}]);
      expect(await events.countDocuments(asked)).toBe(before + 1);
    }
    await eventually(async () => (await events.countDocuments({ ...asked, doneAt: { $exists: false } })) === 0);
    const links = async (email: string) =>
      (await mailsTo(feira.config.mail.outboxDir, email)).filter(({ subject }) => subject.includes('The link'));
    expect([(await links(order.email)).length, (await links(nobody)).length]).toEqual([1, 0]);
    expect((await ask('no address', order.number)).status).toBe(422);
  });
});

describe('whoever signs in again', () => {
  it('sees their orders in what they take along, and is not in them any more when they are erased', async () => {
    const ana = await someone(feira);
    const product = await createProduct(feira);
    const { body: cart } = await ana.as('post', '/api/carts').send({ items: [{ productId: product.id, quantity: 1 }] });
    const { body: order } = await ana.as('post', `/api/carts/${cart.id}/checkout`).send(checkoutInput());
    const guest = await anOrder(feira, { email: ana.user.email.toUpperCase() });
    const taken = await ana.as('get', '/api/users/export').expect(200);
    expect(misfits(await readApiDocument(feira), 'get', '/api/users/export', taken)).toEqual([]);
    expect(taken.body.orders.map(({ id }: { id: string }) => id)).toEqual([guest.id, order.id]);
    expect(taken.body.orders[1]).toMatchObject({ number: order.number, address: { name: 'Ana Sousa' } });

    await logIn(feira, ana.user.email);
    await ana.as('delete', '/api/users/profile').send({ password: 'correct horse battery staple' }).expect(204);
    for (const id of [order.id, guest.id]) {
      const { body, text } = await boss.as('get', `/api/orders/${id}`);
      expect(body).toMatchObject({
        email: null,
        owner: null,
        address: { name: null, line1: null, city: null, postalCode: null, phone: null, country: 'PT' },
        totals: { total: expect.any(Number) },
        lines: [expect.objectContaining({ quantity: 1 })],
        status: 'paid',
      });
      expect(text).not.toMatch(/Ana Sousa|Rua das Flores/);
      expect(text.toLowerCase()).not.toContain(ana.user.email);
    }
  });
});
