import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { admin, someone } from '../helpers/accounts.ts';
import { createCart, createProduct } from '../helpers/factories.ts';
import { mailsTo } from '../helpers/mailbox.ts';
import { anEmail, anOrder, checkoutInput } from '../helpers/orders.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { eventually } from '../helpers/wait-for.ts';

let feira: Feira;
let boss: Awaited<ReturnType<typeof admin>>;
beforeAll(async () => {
  feira = await startFeira({ BANK_DETAILS: 'Feira, IBAN PT50 0000' });
  boss = await admin(feira);
});
afterAll(() => feira.stop());

/** The mail to this address whose subject begins so; waits for it. */
async function mailAbout(to: string, subject: string) {
  const find = async () =>
    (await mailsTo(feira.config.mail.outboxDir, to)).filter((mail) => mail.subject.startsWith(subject));
  await eventually(async () => (await find()).length > 0);
  const found = await find();
  expect(found).toHaveLength(1);
  return found[0]!;
}

const linkIn = ({ text }: { text: string }) => new URL(/https?:\/\/\S+/.exec(text)![0]);

describe('the mails about an order', () => {
  it('tell a guest what was ordered, with the link that opens the order, and that it is paid', async () => {
    const product = await createProduct(feira, { title: 'Speckled mug', price: 123_456 });
    const { id, order, token } = await anOrder(feira, {}, [{ product, quantity: 2 }]);
    const placed = await mailAbout(order.email, 'We have your order');
    expect(placed.subject).toBe(`We have your order ${order.number}`);
    expect(placed.text).toContain('Hello Ana Sousa,');
    expect(placed.text).toContain('2 × Speckled mug: €2,469.12');
    expect(placed.text).toMatch(/Total: €[\d,]+\.\d\d\n/);
    expect(placed.html).toContain('€2,469.12');
    expect(linkIn(placed)).toMatchObject({ pathname: `/orders/${id}`, search: `?token=${token}` });
    const sent = linkIn(placed).searchParams.get('token')!;
    await feira.api.get(`/api/orders/${id}`).set('Order-Token', sent).expect(200);
    const paid = await mailAbout(order.email, 'We have your payment');
    expect(paid.text).toContain(`received €`);
  });

  it('tell where to transfer the money, as long as that is open', async () => {
    const { order } = await anOrder(feira, { paymentMethod: 'manual', payment: {} });
    const { text, html } = await mailAbout(order.email, 'We have your order');
    for (const shown of [text, html]) expect(shown).toContain('Feira, IBAN PT50 0000');
    expect(text).toContain(`\n${order.number}\n`);
    const paid = await anOrder(feira);
    expect((await mailAbout(paid.order.email, 'We have your order')).text).not.toContain('IBAN');
  });

  it.each([
    ['pt', 'Recebemos o seu pedido', 'Obrigado pelo pedido', /39,98/],
    ['es', 'Hemos recibido tu pedido', 'Gracias por tu pedido', /39,98/],
  ])('are in the language of the order: %s', async (locale, subject, words, amount) => {
    const product = await createProduct(feira);
    const { order } = await anOrder(feira, { locale }, [{ product, quantity: 2 }]);
    const { text, html } = await mailAbout(order.email, subject);
    expect(text).toContain(words);
    expect(text).toMatch(amount);
    expect(html).toContain(`<html lang="${locale}">`);
  });

  it('send people with an account to their order, without a token, in the language of the account', async () => {
    const person = await someone(feira, { locale: 'pt' });
    const product = await createProduct(feira);
    const cart = await createCart(feira, [{ productId: product.id, quantity: 1 }]);
    const { email: _guest, ...input } = checkoutInput();
    const { body } = await person
      .as('post', `/api/carts/${cart.id}/checkout`)
      .set('Cart-Secret', cart.secret)
      .send({ ...input, locale: 'es' });
    const link = linkIn(await mailAbout(body.email, 'Recebemos o seu pedido'));
    expect([link.pathname, link.search]).toEqual([`/orders/${body.id}`, body.owner ? '' : expect.any(String)]);
  });

  it('tell what becomes of it: declined, cancelled, sent, refunded', async () => {
    const declined = await anOrder(feira, { payment: { outcome: 'decline' } });
    await mailAbout(declined.order.email, 'The payment did not work');
    await declined.asGuest('post', '/cancel').send({}).expect(200);
    await mailAbout(declined.order.email, 'We have cancelled order');

    const { id, order } = await anOrder(feira);
    await boss.as('post', `/api/orders/${id}/fulfil`).send({ tracking: 'CTT RR123456789PT' }).expect(200);
    expect((await mailAbout(order.email, 'On its way')).text).toContain('To follow it: CTT RR123456789PT');
    await boss.as('post', `/api/orders/${id}/refund`).send({ amount: 500, reason: 'Scratched' });
    expect((await mailAbout(order.email, 'A refund')).text).toContain('given back €5.00 so far');
  });

  it('hold the link for whoever asks with the right number and address', async () => {
    const { id, order, token } = await anOrder(feira);
    await feira.api.post('/api/orders/lookup').send({ email: order.email, number: order.number }).expect(202);
    const mail = await mailAbout(order.email, 'The link to your order');
    expect(linkIn(mail)).toMatchObject({ pathname: `/orders/${id}`, search: `?token=${token}` });
  });

  it('are the same mail when one is sent again', async () => {
    const { order } = await anOrder(feira);
    const before = await mailAbout(order.email, 'We have your order');
    const events = mongoose.connection.collection('outbox_events');
    const which = { consumer: 'mail', type: 'order.placed', 'data.orderId': order.id };
    await eventually(async () => (await events.countDocuments({ ...which, doneAt: { $exists: true } })) === 1);
    // As if the process had died before it could note that the mail has left.
    await events.updateOne(which, { $set: { dueAt: new Date() }, $unset: { doneAt: '' } });
    await eventually(
      async () => (await events.countDocuments({ ...which, tries: 2, doneAt: { $exists: true } })) === 1,
    );
    const copies = (await mailsTo(feira.config.mail.outboxDir, order.email)).filter(
      ({ subject }) => subject === before.subject,
    );
    // Its id makes the Message-ID, by which mail programs show it once.
    expect(copies.map(({ id }) => id)).toEqual([before.id, before.id]);
  });

  it('do not fill the mailbox of somebody in whose name a stranger orders', async () => {
    const product = await createProduct(feira, { stock: 50 });
    const email = anEmail();
    const one = () => anOrder(feira, { email, payment: { outcome: 'decline' } }, [{ product }]);
    // Each is told of three times: placed, not paid, cancelled.
    const orders = await Promise.all(Array.from({ length: 12 }, one));
    await Promise.all(orders.map(({ asGuest }) => asGuest('post', '/cancel').send({}).expect(200)));
    const events = mongoose.connection.collection('outbox_events');
    await eventually(async () => (await events.countDocuments({ consumer: 'mail', doneAt: { $exists: false } })) === 0);
    expect(await mailsTo(feira.config.mail.outboxDir, email)).toHaveLength(30);

    const { order } = await anOrder(feira, {}, [{ product }]);
    await mailAbout(order.email, 'We have your order');
    // Whoever it is can still ask for the link, and staff for the money.
    const { number } = (await one()).order;
    await feira.api.post('/api/orders/lookup').send({ email, number }).expect(202);
    await mailAbout(email, 'The link to your order');
  });
});
