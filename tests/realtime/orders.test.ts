import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { WatchedOrder } from '../../src/realtime/socket-events.ts';
import { admin, someone, staff } from '../helpers/accounts.ts';
import { caughtUp, collect } from '../helpers/chat.ts';
import { anOrder } from '../helpers/orders.ts';
import { API_KEY, type Feira, startFeira, type TestSocket } from '../helpers/start-feira.ts';
import { eventually, nextEvent } from '../helpers/wait-for.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

const socketOf = ({ accessToken }: { accessToken: string }) => feira.connectSocket({}, { token: accessToken });

/** @returns the order, or the code of the refusal */
async function watch(socket: TestSocket, payload: { id?: string; token?: string }) {
  const answer = await socket.emitWithAck('order:watch', payload);
  return 'error' in answer ? answer.error.code : answer.data;
}

/** What is told of its end; news of how it was placed may come before. */
const cancelled = (socket: TestSocket, id: string) =>
  nextEvent<WatchedOrder>(socket, 'order:changed', (order) => order.id === id && order.status === 'cancelled');
const unpaid = { payment: { outcome: 'decline' } };

describe('order:watch', () => {
  it('tells a guest who has the token, as a customer sees it', async () => {
    const { id, token, asGuest, order } = await anOrder(feira, unpaid);
    const socket = await feira.connectSocket();
    expect(await watch(socket, { id: order.number, token })).toMatchObject({ id, status: 'pending_payment' });
    const news = cancelled(socket, id);
    await asGuest('post', '/cancel').send({}).expect(200);
    const told = await news;
    expect(told).toMatchObject({ id, status: 'cancelled' });
    expect(told).not.toHaveProperty('ledger');
  });

  it('tells staff, of one order or of all, with what they alone may see', async () => {
    const seller = await socketOf(await staff(feira, 'seller'));
    const support = await socketOf(await staff(feira, 'support'));
    expect(await watch(seller, {})).toBeNull();
    const placed = nextEvent<WatchedOrder>(seller, 'order:changed');
    const { id, asGuest } = await anOrder(feira, unpaid);
    expect(await placed).toMatchObject({ id, ledger: [] });
    await watch(support, { id });
    const news = Promise.all([cancelled(seller, id), cancelled(support, id)]);
    await asGuest('post', '/cancel').send({}).expect(200);
    for (const told of await news) expect(told).toMatchObject({ id, ledger: [] });
  });

  it('refuses those who may not see it', async () => {
    const { id, token } = await anOrder(feira);
    const { id: other } = await anOrder(feira);
    const [guest, person] = [await feira.connectSocket(), await socketOf(await someone(feira))];
    const key = await feira.connectSocket({}, { token: API_KEY });
    for (const socket of [guest, person, key]) expect(await watch(socket, { id })).toBe('NOT_FOUND');
    expect(await watch(guest, { id: other, token })).toBe('NOT_FOUND');
    expect(await watch(guest, { id, token: `${token}x` })).toBe('NOT_FOUND');
    expect(await watch(guest, { id: 'nonsense' })).toBe('INVALID_INPUT');
    expect(await watch(guest, {})).toBe('UNAUTHENTICATED');
    expect(await watch(person, {})).toBe('FORBIDDEN');
  });

  it('tells nobody whose login has ended, or who is no longer staff', async () => {
    const boss = await admin(feira);
    const seller = await staff(feira, 'seller');
    const socket = await socketOf(seller);
    await watch(socket, {});
    const news = collect<WatchedOrder>(socket, 'order:changed');
    const gone = nextEvent(socket, 'disconnect');
    await boss.as('patch', `/api/users/${seller.user.id}`).send({ role: 'customer' }).expect(200);
    await gone;
    const witness = await socketOf(boss);
    await watch(witness, {});
    const seen = nextEvent(witness, 'order:changed');
    await anOrder(feira);
    await seen;
    expect(news).toEqual([]);
  });

  it('does not tell those who watch another one', async () => {
    const [mine, other] = [await anOrder(feira, unpaid), await anOrder(feira, unpaid)];
    const socket = await feira.connectSocket();
    await watch(socket, { id: mine.id, token: mine.token });
    const events = collect<WatchedOrder>(socket, 'order:changed');
    const witness = await socketOf(await admin(feira));
    await watch(witness, { id: other.id });
    const seen = cancelled(witness, other.id);
    await other.asGuest('post', '/cancel').send({}).expect(200);
    await seen;
    await caughtUp(socket);
    expect(events.filter(({ id }) => id === other.id)).toEqual([]);
  });
});

describe('a sale', () => {
  it('tells the catalogue and every page of the new stock, and asks the provider for refunds', async () => {
    const boss = await admin(feira);
    const socket = await feira.connectSocket();
    const sold = nextEvent<{ product: { stock: number } }>(
      socket,
      'product:updated',
      ({ product }) => product.stock === 9,
    );
    const notice = nextEvent<{ id: string }>(socket, 'update_products');
    const { id, product } = await anOrder(feira);
    expect(await sold).toMatchObject({ product: { id: product.id } });
    await notice;
    const orders = () => boss.as('get', `/api/orders/${id}`).expect(200);
    await eventually(async () => (await orders()).body.status === 'paid');
    await boss.as('post', `/api/orders/${id}/refund`).send({ lines: [{ line: 0, quantity: 1 }], reason: 'Broken' });
    await eventually(async () => (await orders()).body.refunded > 0);
  });
});
