import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { OrderExpiry } from '../../src/services/order-expiry.ts';
import { admin, PASSWORD, someone } from '../helpers/accounts.ts';
import { misfits, readApiDocument } from '../helpers/api-document.ts';
import { createCoupon, createProduct } from '../helpers/factories.ts';
import { aBuyer, anOrder, checkoutInput, letExpire, tellOfMoney } from '../helpers/orders.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
let boss: Awaited<ReturnType<typeof admin>>;
beforeAll(async () => {
  feira = await startFeira({ BANK_DETAILS: 'IBAN PT50 0000' });
  boss = await admin(feira);
});
afterAll(() => feira.stop());

type Person = Awaited<ReturnType<typeof someone>>;
const erase = ({ as }: Person) => as('delete', '/api/users/profile').send({ password: PASSWORD }).expect(204);

/** What the whole database holds, as text. */
async function everything(): Promise<string> {
  const collections = await mongoose.connection.db!.listCollections().toArray();
  const docs = collections.map(({ name }) => mongoose.connection.collection(name).find().toArray());
  return JSON.stringify(await Promise.all(docs));
}

async function anOrderOf({ as }: Person, overrides: object = {}, coupon?: string) {
  const product = await createProduct(feira);
  const items = [{ productId: product.id, quantity: 2 }];
  const { body: cart } = await as('post', '/api/carts').send({ items }).expect(201);
  if (coupon) await as('put', `/api/carts/${cart.id}/coupon`).send({ code: coupon }).expect(200);
  return (await as('post', `/api/carts/${cart.id}/checkout`).send(checkoutInput(overrides)).expect(201)).body;
}

describe('erasing an account takes from its orders', () => {
  it('what staff and the buyer wrote into them; what was done, and the money, stays', async () => {
    const ana = await someone(feira);
    const { id } = await anOrderOf(ana);
    const move = (name: string, body: object) => boss.as('post', `/api/orders/${id}/${name}`).send(body).expect(200);
    await move('notes', { text: 'Unika has moved to the blue house.' });
    await move('fulfil', { tracking: 'Unika-1Z999' });
    const lines = [{ line: 0, quantity: 1, restock: true }];
    await move('refund', { lines, reason: 'Unika has an allergy.' });
    const guest = await anOrder(feira, { email: ana.user.email, paymentMethod: 'manual', payment: {} });
    await guest.asGuest('post', '/cancel').send({ reason: 'Unika has died.' }).expect(200);
    expect(await everything()).toContain('Unika');
    await erase(ana);

    expect(await everything()).not.toContain('Unika');
    const read = await boss.as('get', `/api/orders/${id}`).expect(200);
    expect(misfits(await readApiDocument(feira), 'get', '/api/orders/{oid}', read)).toEqual([]);
    expect(read.body.refunds).toMatchObject([{ reason: null, amount: 1999, lines }]);
    const told = read.body.timeline.map(({ event, by, detail }: Record<string, string>) => [event, by, detail]);
    expect(told).toEqual(
      expect.arrayContaining([
        ['note', 'staff', null],
        ['fulfilled', 'staff', null],
        ['restocked', 'staff', null],
        ['refund-requested', 'staff', null],
      ]),
    );
    const { body: cancelled } = await boss.as('get', guest.path()).expect(200);
    expect(cancelled.timeline.at(-1)).toMatchObject({ event: 'cancelled', by: 'customer', detail: null });
    // Whoever looks after the money goes on.
    await move('notes', { text: 'The parcel came back.' });
    await move('refund', { lines, reason: 'It came back.' });
  });

  it('leaves what the shop says of itself, and the orders of others', async () => {
    const [ana, bea] = [await someone(feira), await someone(feira)];
    const declined = await anOrderOf(ana, { payment: { outcome: 'decline' } });
    const other = await anOrderOf(bea);
    await boss.as('post', `/api/orders/${other.id}/fulfil`).send({ tracking: 'of Bea' }).expect(200);
    await erase(ana);
    const { body } = await boss.as('get', `/api/orders/${declined.id}`).expect(200);
    expect(body.timeline.at(-1)).toMatchObject({ event: 'payment-declined', by: 'shop', detail: expect.any(String) });
    const kept = await bea.as('get', `/api/orders/${other.id}`).expect(200);
    expect(kept.body.timeline.at(-1)).toMatchObject({ event: 'fulfilled', detail: 'of Bea' });
  });
});

describe('of the coupons of somebody who is erased', () => {
  const usesOf = ({ id }: { id: string }) =>
    mongoose.connection
      .collection<{ _id: string; count: number; until?: Date }>('coupon_uses')
      .find({ _id: { $regex: `^${id}:` } })
      .toArray();

  /** A checkout of a guest with a coupon. */
  async function useAsGuest(email: string, code: string, overrides: object = {}) {
    const { cart, checkOut } = await aBuyer(feira);
    await cart.request('put', '/coupon').send({ code }).expect(200);
    return checkOut({ email, ...overrides });
  }

  it('nobody remembers who has used them, when their orders are sent or cancelled', async () => {
    const ana = await someone(feira);
    const coupon = await createCoupon(boss, { maxPerCustomer: 1 });
    await anOrderOf(ana, {}, coupon.code);
    const { body: sent } = await useAsGuest(ana.user.email, coupon.code);
    expect((await useAsGuest(ana.user.email, coupon.code)).body.code).toBe('COUPON_NOT_VALID');
    await boss.as('post', `/api/orders/${sent.id}/fulfil`).send({}).expect(200);
    expect(await usesOf(coupon)).toHaveLength(2);
    await erase(ana);

    expect(await usesOf(coupon)).toEqual([]);
    const { body: counted } = await boss.as('get', `/api/coupons/${coupon.id}`).expect(200);
    expect(counted.used).toBe(2);
    expect((await useAsGuest(ana.user.email, coupon.code)).status).toBe(201);
  });

  it('a use that an open order counts on is no second one yet, and is forgotten within a month', async () => {
    const ana = await someone(feira);
    const coupon = await createCoupon(boss, { maxPerCustomer: 2 });
    const { body: sent } = await useAsGuest(ana.user.email, coupon.code);
    await boss.as('post', `/api/orders/${sent.id}/fulfil`).send({}).expect(200);
    const { body: open } = await useAsGuest(ana.user.email, coupon.code, { paymentMethod: 'manual', payment: {} });
    await erase(ana);

    const day = 24 * 60 * 60 * 1000;
    const [use, ...others] = await usesOf(coupon);
    expect([use?.count, others]).toEqual([1, []]);
    const left = use!.until!.getTime() - Date.now();
    expect([left > 27 * day, left <= 30 * day]).toEqual([true, true]);
    await boss.as('post', `/api/orders/${open.id}/capture`).send({}).expect(200);
    // Who comes back with the address is a customer as any other, and is remembered as one.
    expect((await useAsGuest(ana.user.email, coupon.code)).status).toBe(201);
    expect(await usesOf(coupon)).toEqual([{ _id: use!._id, count: 2 }]);
    expect((await useAsGuest(ana.user.email, coupon.code)).body.code).toBe('COUPON_NOT_VALID');
  });

  it('a use comes back with an order that is cancelled, and is gone again when it was paid after all', async () => {
    const ana = await someone(feira);
    const coupon = await createCoupon(boss, { maxUses: 1 });
    const order = await anOrderOf(ana, { payment: { outcome: 'decline' } }, coupon.code);
    await erase(ana);
    await letExpire(order.id);
    const none = async () => {};
    const payments = { settle: async () => null, void: none };
    await new OrderExpiry({ outbox: { add: none }, payments, log: { error: none } }).expire();
    const used = async () => (await boss.as('get', `/api/coupons/${coupon.id}`).expect(200)).body.used;
    expect(await used()).toBe(0);
    const tell = await tellOfMoney(feira, order.id, order.totals.total);
    await tell().expect(200);
    expect((await boss.as('get', `/api/orders/${order.id}`)).body.status).toBe('paid');
    expect(await used()).toBe(1);
  });
});
