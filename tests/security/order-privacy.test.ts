import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { admin, anAddress, logIn, PASSWORD, signUp, someone, staff } from '../helpers/accounts.ts';
import { createProduct } from '../helpers/factories.ts';
import { nextMail } from '../helpers/mailbox.ts';
import { anOrder, checkoutInput } from '../helpers/orders.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { eventually } from '../helpers/wait-for.ts';
import { webhookReceiver } from '../helpers/webhook-receiver.ts';

let feira: Feira;
let productId: string;
beforeAll(async () => {
  feira = await startFeira({ BANK_DETAILS: 'IBAN PT50 0000', WEBHOOK_ALLOW_PRIVATE: '1' });
  productId = (await createProduct(feira, { stock: 1000 })).id;
});
afterAll(() => feira.stop());

type Person = Awaited<ReturnType<typeof someone>>;

/** An order of an account. */
async function bought({ as }: Pick<Person, 'as'>) {
  await as('post', '/api/carts').send({ items: [{ productId, quantity: 1 }] });
  const { body, status } = await as('post', '/api/carts/mine/checkout').send(checkoutInput({ email: undefined }));
  if (status !== 201) throw new Error(`The checkout was refused: ${status}`);
  return body;
}

/** Documents of a collection that hold one of these texts. */
async function tracesIn(collection: string, ...texts: string[]): Promise<number> {
  const docs = await mongoose.connection.collection(collection).find().toArray();
  return docs.map((doc) => JSON.stringify(doc)).filter((doc) => texts.some((text) => doc.includes(text))).length;
}

describe('an address that had belonged to another account', () => {
  it('neither shows nor erases what that account has bought', async () => {
    const old = await someone(feira);
    const { email } = old.user;
    const order = await bought(old);
    const next = anAddress('moved');
    await old.as('post', '/api/auth/change-email').send({ email: next, password: PASSWORD }).expect(202);
    const { token } = await nextMail(feira, next);
    await feira.api.post('/api/auth/confirm-email').send({ token }).expect(200);

    // About the order, that it is paid, and that the address is another one.
    for (let i = 0; i < 3; i++) await nextMail(feira, email);
    await signUp(feira, { email });
    const heir = await logIn(feira, email);
    const taken = await heir.as('get', '/api/users/export').expect(200);
    expect(taken.body.orders).toEqual([]);
    await heir.as('delete', '/api/users/profile').send({ password: PASSWORD }).expect(204);
    const again = await logIn(feira, next);
    const { body } = await again.as('get', `/api/orders/${order.id}`).expect(200);
    expect(body).toMatchObject({ email, address: { name: 'Ana Sousa' } });
  });
});

describe('what is kept to answer a repeat', () => {
  it('holds nothing of the person: neither of a payment nor of a refund', async () => {
    const support = await staff(feira, 'support');
    const { asGuest, path, order } = await anOrder(feira, { payment: { outcome: 'decline' } });
    const pay = () => asGuest('post', '/pay').set('Idempotency-Key', randomUUID()).send({});
    expect((await pay()).body).toMatchObject({ status: 'paid', payment: { state: 'captured' } });
    const key = randomUUID();
    const refund = () =>
      support.as('post', path('/refund')).set('Idempotency-Key', key).send({ amount: 5, reason: 'Late' });
    const [made, again] = [await refund(), await refund()];
    expect([made.status, again.status, again.headers['idempotent-replayed']]).toEqual([200, 200, 'true']);
    expect([again.body.id, again.body.refunds]).toEqual([order.id, made.body.refunds]);
    expect(await tracesIn('idempotency_keys', 'Ana Sousa', 'Rua das Flores', order.email)).toBe(0);
  });

  it('is nothing to somebody who may not see the order any more', async () => {
    const [boss, support] = await Promise.all([admin(feira), staff(feira, 'support')]);
    const { path } = await anOrder(feira);
    const key = randomUUID();
    const refund = (by: Pick<Person, 'as'>) =>
      by.as('post', path('/refund')).set('Idempotency-Key', key).send({ amount: 5, reason: 'Late' });
    await refund(support).expect(200);
    await boss.as('patch', `/api/users/${support.user.id}`).send({ role: 'customer' }).expect(200);
    const later = await refund(await logIn(feira, support.user.email));
    expect([later.status, later.text.includes('Ana Sousa')]).toEqual([404, false]);
  });
});

describe('a visitor who shows nothing but a key', () => {
  it('needs one that others at the same address do not guess', async () => {
    const create = (key: string) => feira.api.post('/api/carts').set('Idempotency-Key', key).send({});
    expect((await create('1')).body.code).toBe('MALFORMED_REQUEST');
    expect((await create('"my-first-cart"')).status).toBe(400);
    expect((await create(randomUUID())).status).toBe(201);
    const add = feira.api.post(`/api/carts/mine/products/${productId}`).set('Idempotency-Key', 'add').send({});
    expect((await add).status).toBe(400);
  });
});

describe('an erased person', () => {
  it('is in no delivery of a webhook either', async () => {
    const boss = await admin(feira);
    const receiver = await webhookReceiver();
    const { body: hook } = await boss.as('post', '/api/webhooks').send({ url: receiver.url, types: ['order.*'] });
    const ana = await someone(feira);
    const [order, other] = [await bought(ana), await anOrder(feira)];
    const listOf = async () => (await boss.as('get', `/api/webhooks/${hook.id}/deliveries`)).body.items;
    await eventually(async () => (await listOf()).filter(({ state }: never) => state === 'delivered').length === 4);
    await ana.as('delete', '/api/users/profile').send({ password: PASSWORD }).expect(204);
    expect(await tracesIn('webhook_deliveries', ana.user.email, order.id)).toBe(0);
    expect(await tracesIn('webhook_deliveries', other.id)).toBe(2);
    receiver.close();
    await boss.as('delete', `/api/webhooks/${hook.id}`).expect(204);
  });

  it('is in none that is written while the account is erased', async () => {
    const boss = await admin(feira);
    const receiver = await webhookReceiver();
    const hooks: string[] = [];
    for (let i = 0; i < 5; i++) {
      const { body } = await boss.as('post', '/api/webhooks').send({ url: receiver.url, types: ['*'] });
      hooks.push(body.id);
    }
    const people: string[] = [];
    for (let i = 0; i < 6; i++) {
      const ana = await someone(feira);
      people.push(ana.user.email);
      await bought(ana);
      await ana.as('delete', '/api/users/profile').send({ password: PASSWORD }).expect(204);
    }
    const unprepared = { consumer: 'webhooks', doneAt: { $exists: false } };
    await eventually(
      async () => (await mongoose.connection.collection('outbox_events').countDocuments(unprepared)) === 0,
    );
    expect(await tracesIn('webhook_deliveries', ...people)).toBe(0);
    receiver.close();
    for (const id of hooks) await boss.as('delete', `/api/webhooks/${id}`).expect(204);
  });
});
