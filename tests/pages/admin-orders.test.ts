import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { logInBrowser, staff } from '../helpers/accounts.ts';
import { createProduct } from '../helpers/factories.ts';
import { anEmail, anOrder, stockOf } from '../helpers/orders.ts';
import { ADMIN, type Feira, startFeira } from '../helpers/start-feira.ts';
import { eventually } from '../helpers/wait-for.ts';
import { hiddenFields, type WebVisitor } from '../helpers/web-visitor.ts';

let feira: Feira;
let boss: WebVisitor;
beforeAll(async () => {
  feira = await startFeira({ BANK_DETAILS: 'IBAN PT50 0000' });
  boss = await logInBrowser(feira, ADMIN.email, ADMIN.password);
});
afterAll(() => feira.stop());

const asRole = async (role: 'seller' | 'support') => logInBrowser(feira, (await staff(feira, role)).user.email);
const pageOf = (order: { number: string }) => `/admin/orders/${order.number}`;
const textOf = async (order: { number: string }) => (await boss.open(pageOf(order))).text;
const move = (order: { number: string }, name: string, fields: Record<string, string> = {}, visitor = boss) =>
  visitor.submit(pageOf(order), fields, `${pageOf(order)}/${name}`);

describe('orders, for staff', () => {
  it('are listed, the newest first, and found by state, number, e-mail and day', async () => {
    const email = anEmail();
    const { order: paid } = await anOrder(feira, { email });
    const { order: unpaid } = await anOrder(feira, { paymentMethod: 'manual', payment: {} });
    const { text } = await boss.open('/admin/orders');
    expect(text.indexOf(unpaid.number)).toBeLessThan(text.indexOf(paid.number));
    expect(text).toContain('>to be paid</span>');

    const today = new Date().toISOString().slice(0, 10);
    for (const search of ['status=paid', `q=${paid.number}`, `q=${email}`, `q=${email}&from=${today}&to=${today}`]) {
      const found = (await boss.open(`/admin/orders?${search}`)).text;
      expect({ search, paid: found.includes(paid.number) }).toEqual({ search, paid: true });
      expect({ search, unpaid: found.includes(unpaid.number) }).toEqual({ search, unpaid: false });
    }
    expect((await boss.open(`/admin/orders?q=${email}&to=2020-01-01`)).text).toContain('No order fits.');
    for (const search of ['status=lost', 'from=today', 'to=%2B275760-09-13'])
      expect((await boss.open(`/admin/orders?${search}`)).text).toContain('These filters do not fit together');
  });

  it('come in pages', async () => {
    for (let i = 0; i < 3; i += 1) await anOrder(feira);
    const numbers = (text: string) =>
      [...text.matchAll(/href="\/admin\/orders\/(F-[\w-]+)"/g)].map(([, found]) => found);
    const first = (await boss.open('/admin/orders?limit=2')).text;
    const [, older = ''] = /href="([^"]*)" rel="next"/.exec(first)!;
    const second = (await boss.open(older.replaceAll('&#x3D;', '=').replaceAll('&amp;', '&'))).text;
    expect(new Set([...numbers(first), ...numbers(second)]).size).toBe(4);
  });
});

describe('one order, for staff', () => {
  it('is paid, sent and delivered by the buttons that are legal', async () => {
    const { order, asGuest } = await anOrder(feira, { paymentMethod: 'manual', payment: {} });
    const moves = (text: string) =>
      ['capture', 'fulfil', 'deliver', 'cancel', 'refund'].filter((name) =>
        text.includes(`action="${pageOf(order)}/${name}"`),
      );
    expect(moves(await textOf(order))).toEqual(['capture', 'cancel']);
    expect((await move(order, 'capture')).status).toBe(303);
    expect(moves(await textOf(order))).toEqual(['fulfil', 'cancel', 'refund']);
    await move(order, 'fulfil', { tracking: 'CTT RR123456785PT' });
    expect(await textOf(order)).toContain('CTT RR123456785PT');
    expect(moves(await textOf(order))).toEqual(['deliver', 'refund']);
    await move(order, 'deliver');
    expect(moves(await textOf(order))).toEqual(['refund']);
    expect((await asGuest('get')).body).toMatchObject({ status: 'delivered', paymentStatus: 'paid' });
  });

  it('that waits for a transfer after another payment was given up says that the money must have arrived', async () => {
    const { order, asGuest } = await anOrder(feira, { payment: { outcome: 'delay' } });
    await asGuest('post', '/pay').send({ paymentMethod: 'manual' }).expect(200);
    const text = await textOf(order);
    expect(text).toContain(`must have arrived with the reference ${order.number}.`);
    expect(text).not.toContain('>Take the');
  });

  it('is cancelled with a reason, and its units come back', async () => {
    const product = await createProduct(feira, { stock: 5 });
    const { order, asGuest } = await anOrder(feira, {}, [{ product, quantity: 2 }]);
    expect(await textOf(order)).toContain('go back to the customer');
    await move(order, 'cancel', { reason: 'Sold by mistake' });
    expect(await stockOf(product)).toBe(5);
    expect((await asGuest('get')).body).toMatchObject({ status: 'cancelled' });
    expect(await textOf(order)).toContain('Sold by mistake');
  });

  it('is refunded by units, of which some go back into stock', async () => {
    const product = await createProduct(feira, { price: 2000, stock: 5 });
    const { order, asGuest } = await anOrder(feira, {}, [{ product, quantity: 2 }]);
    const chosen = { 'quantity-0': '1', 'restock-0': 'on', reason: 'Chipped' };
    expect((await move(order, 'refund', chosen)).status).toBe(303);
    await eventually(async () => (await asGuest('get')).body.refunded === 2000);
    expect(await stockOf(product)).toBe(4);
    const { text } = await boss.open(pageOf(order));
    expect(text).toContain('Chipped');
    expect(text).toContain('1 refunded');
  });

  it('shows a refund that the provider has refused, and tries it again', async () => {
    const { order, asGuest } = await anOrder(feira, { payment: { outcome: 'refund-fails' } });
    await move(order, 'refund', { 'quantity-0': '1', reason: 'Chipped' });
    await eventually(async () => (await textOf(order)).includes('is stuck'));
    const text = await textOf(order);
    expect(text).toContain('<q>The test provider refuses the first refund, as asked.</q>');
    const retry = `${pageOf(order)}/retry`;
    expect(text).toContain(`action="${retry}"`);
    const seen = (await (await asRole('seller')).open(pageOf(order))).text;
    expect([seen.includes('is stuck'), seen.includes(`action="${retry}"`)]).toEqual([true, false]);
    const fields = hiddenFields(text, retry);
    expect((await boss.agent.post(retry).type('form').send(fields)).status).toBe(303);
    await eventually(async () => (await asGuest('get')).body.refunded > 0);
    const after = await textOf(order);
    expect([after.includes('is stuck'), after.includes('Refund tried again')]).toEqual([false, true]);
    const { version } = (await asGuest('get')).body;
    const late = await boss.agent
      .post(retry)
      .type('form')
      .send({ ...fields, version });
    expect(late.status).toBe(409);
    expect(late.text).toContain('The refund has come about.');
  });

  it('shows what a refund is worth, and keeps what was typed', async () => {
    const product = await createProduct(feira, { price: 2000, stock: 5 });
    const { order } = await anOrder(feira, {}, [{ product, quantity: 2 }]);
    const { text } = await boss.agent
      .post(`${pageOf(order)}/refund/sum`)
      .type('form')
      .send({ ...hiddenFields(await textOf(order), `${pageOf(order)}/refund`), 'quantity-0': '2', reason: 'Late' });
    expect(text).toContain('Goes back: <strong>€40.00</strong>');
    expect(text).toContain('value="Late"');
    const refused = await move(order, 'refund', { 'quantity-0': '3', reason: 'Late' });
    expect(refused.status).toBe(422);
    expect(refused.text).toContain('must be at most 2');
    expect(refused.text).toContain('value="3"');
    const tooMuch = await move(order, 'refund', { amount: '999,50', reason: 'Late' });
    expect(tooMuch.text).toContain('more than what is left to refund');
    const { text: noSum } = await move(order, 'refund', { amount: 'some', reason: 'Late' });
    expect(noSum).toContain('must be a sum such as 12.50');
    expect(noSum).toContain('value="some"');
  });

  it('is not moved on the ground of an old page', async () => {
    const { order } = await anOrder(feira);
    await move(order, 'notes', { text: 'Gift: no invoice in the box' });
    const stale = await move(order, 'fulfil', { version: String(order.version) });
    expect(stale.status).toBe(412);
    expect(stale.text).toContain('The order is at version');
  });

  it('carries notes that its customer does not see', async () => {
    const { order, asGuest } = await anOrder(feira);
    expect((await move(order, 'notes', { text: '<b>Ring twice</b>' })).status).toBe(303);
    const text = await textOf(order);
    expect(text).toContain('&lt;b&gt;Ring twice&lt;/b&gt;');
    expect(text).toContain('staff only');
    expect(JSON.stringify((await asGuest('get')).body)).not.toContain('Ring twice');
    expect((await move(order, 'notes', { text: '  ' })).status).toBe(422);
  });

  it('offers what the role may do', async () => {
    const { order } = await anOrder(feira);
    const { text } = await (await asRole('seller')).open(pageOf(order));
    // Money is given back by others, and so is what was paid not cancelled by sellers.
    expect(text).toContain(`${pageOf(order)}/fulfil"`);
    expect(text).not.toContain(`${pageOf(order)}/refund"`);
    expect(text).not.toContain(`${pageOf(order)}/cancel"`);
    expect((await (await asRole('support')).open(pageOf(order))).text).toContain(`${pageOf(order)}/refund"`);
  });
});
