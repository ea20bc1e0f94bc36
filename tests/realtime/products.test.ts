import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createProduct, productInput } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { nextEvent } from '../helpers/wait-for.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

describe('update_products', () => {
  it('reaches every client after each change of a product', async () => {
    const [first, second] = [await feira.connectSocket(), await feira.connectSocket()];
    const told = [first, second].map((socket) => nextEvent(socket, 'update_products'));
    const product = await createProduct(feira, { title: 'Blue bowl' });
    const notice = { id: product.id, msg: expect.stringContaining('Blue bowl') };
    expect(await Promise.all(told)).toEqual([notice, notice]);

    for (const [method, body] of [
      ['put', productInput({ code: product.code, title: product.title, stock: 3 })],
      ['patch', { price: 5 }],
      ['delete', undefined],
    ] as const) {
      const next = nextEvent(first, 'update_products');
      await feira
        .withKey(method, `/api/products/${product.id}`)
        .send(body)
        .expect((res) => expect(res.status).toBeLessThan(300));
      expect(await next).toEqual(notice);
    }
  });
});

describe('product:created, product:updated, product:deleted', () => {
  it('carry the product and a sequence without gaps', async () => {
    const socket = await feira.connectSocket();
    const created = nextEvent<{ sequence: number; product: object }>(socket, 'product:created');
    const product = await createProduct(feira);
    const { sequence, product: sent } = await created;
    expect(sent).toEqual(product);

    const updated = nextEvent<{ sequence: number; product: object }>(socket, 'product:updated');
    const { body } = await feira.withKey('patch', `/api/products/${product.id}`).send({ stock: 1 });
    expect(await updated).toEqual({ sequence: sequence + 1, product: body });

    const deleted = nextEvent<{ sequence: number }>(socket, 'product:deleted');
    await feira.withKey('delete', `/api/products/${product.id}`).expect(204);
    expect((await deleted).sequence).toBe(sequence + 2);
  });
});

describe('catalogue:changes', () => {
  it('gives a client what it has missed, in order', async () => {
    const socket = await feira.connectSocket();
    const created = nextEvent<{ sequence: number }>(socket, 'product:created');
    const product = await createProduct(feira);
    const { sequence } = await created;
    await feira.withKey('patch', `/api/products/${product.id}`).send({ stock: 7 }).expect(200);

    const answer = await socket.emitWithAck('catalogue:changes', { since: sequence });
    expect(answer).toMatchObject({
      data: {
        complete: true,
        sequence: sequence + 1,
        changes: [{ type: 'updated', product: { id: product.id, stock: 7 } }],
      },
    });
  });

  it('says when it cannot know everything any more', async () => {
    const socket = await feira.connectSocket();
    const answer = await socket.emitWithAck('catalogue:changes', { since: 1_000_000 });
    expect(answer).toMatchObject({ data: { complete: false, changes: [] } });
  });

  it('refuses a payload that does not fit with a problem', async () => {
    const socket = await feira.connectSocket();
    for (const payload of [{ since: { $gt: 0 } }, { since: -1 }, {}, 'x', null, [1]]) {
      const answer = await socket.emitWithAck('catalogue:changes', payload as never);
      expect(answer).toMatchObject({ error: { code: 'INVALID_INPUT', status: 422 } });
    }
  });
});
