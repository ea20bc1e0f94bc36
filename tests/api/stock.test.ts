import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { admin } from '../helpers/accounts.ts';
import { createProduct, createRedAndBlue } from '../helpers/factories.ts';
import { aBuyer, anOrder, movedOf } from '../helpers/orders.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

const change = (id: string, body: object) => feira.withKey('post', `/api/products/${id}/stock`).send(body);

describe('POST /api/products/:pid/stock', () => {
  it('adds and takes away, with a movement and a line in the record of changes', async () => {
    const { id } = await createProduct(feira, { stock: 10 });
    const { body, headers } = await change(id, { change: 5, reason: 'Delivery' }).expect(200);
    expect(body).toMatchObject({ stock: 15, version: 2 });
    expect(headers.etag).toBe('"2"');
    await change(id, { change: -2, reason: 'Broken' }).expect(200);
    expect(await movedOf({ id })).toBe(13);
    const { items } = (await feira.withKey('get', `/api/products/${id}/stock`).expect(200)).body;
    expect(items).toMatchObject([
      { change: -2, reason: 'Broken', variantId: null },
      { change: 5, reason: 'Delivery' },
      { change: 10, reason: null },
    ]);
    const { body: audit } = await (await admin(feira)).as('get', `/api/audit?targetId=${id}&limit=1`);
    expect(audit.items[0]).toMatchObject({
      action: 'product.updated',
      changes: { stock: { before: 15, after: 13 }, reason: { after: 'Broken' } },
    });
  });

  it('honours If-Match', async () => {
    const { id } = await createProduct(feira, { stock: 10 });
    const { body } = await change(id, { counted: 7, reason: 'Stocktaking' }).set('If-Match', '"2"').expect(412);
    expect(body.code).toBe('VERSION_MISMATCH');
    await change(id, { counted: 8, reason: 'Stocktaking' }).set('If-Match', '"1"').expect(200);
    expect(await movedOf({ id })).toBe(8);
  });

  it('takes what was counted', async () => {
    const { id } = await createProduct(feira, { stock: 10 });
    expect((await change(id, { counted: 7, reason: 'Stocktaking' })).body.stock).toBe(7);
    expect(await movedOf({ id })).toBe(7);
  });

  it('changes one variant', async () => {
    const { product, red } = await createRedAndBlue(feira);
    const { body } = await change(product.id, { change: 3, reason: 'Delivery', variantId: red.id }).expect(200);
    expect(body).toMatchObject({ stock: 23, variants: [{ stock: 13 }, { stock: 10 }] });
    const { items } = (await feira.withKey('get', `/api/products/${product.id}/stock?limit=1`)).body;
    expect(items).toMatchObject([{ change: 3, variantId: red.id }]);
    expect((await change(product.id, { change: 3, reason: 'Delivery' })).status).toBe(422);
  });

  it('stays the sum of the variants when a sold unit comes back to a product that has got some since', async () => {
    const product = await createProduct(feira, { stock: 5 });
    const order = await anOrder(feira, { payment: { outcome: 'decline' } }, [{ product, quantity: 2 }]);
    const variants = [{ code: `${product.code}-R`, values: ['Red'], price: 2500, stock: 4 }];
    const options = [{ name: 'Colour', values: ['Red'] }];
    await feira.withKey('patch', `/api/products/${product.id}`).send({ options, variants }).expect(200);
    await order.asGuest('post', '/cancel').send({}).expect(200);
    const { body } = await feira.withKey('get', `/api/products/${product.id}`);
    expect([body.stock, body.variants[0].stock, await movedOf(product)]).toEqual([4, 4, 4]);
  });

  it('loses nothing when units are sold and brought at the same time', async () => {
    const product = await createProduct(feira, { stock: 20 });
    const buyers = await Promise.all(Array.from({ length: 5 }, () => aBuyer(feira, [{ product, quantity: 2 }])));
    const all = await Promise.all([
      ...buyers.map(({ checkOut }) => checkOut()),
      ...Array.from({ length: 5 }, () => change(product.id, { change: 3, reason: 'Delivery' })),
    ]);
    expect(all.map(({ status }) => status)).toEqual([...Array(5).fill(201), ...Array(5).fill(200)]);
    expect((await feira.withKey('get', `/api/products/${product.id}`)).body.stock).toBe(25);
    expect(await movedOf(product)).toBe(25);
  });

  it('refuses to take away what is not there, and what says nothing', async () => {
    const { id } = await createProduct(feira, { stock: 1 });
    const { status, body } = await change(id, { change: -2, reason: 'Broken' });
    expect({ status, available: body.available }).toEqual({ status: 409, available: 1 });
    for (const input of [
      { change: 1 },
      { reason: 'Why' },
      { change: 1, counted: 1, reason: 'Both' },
      { counted: -1, reason: 'Below' },
      { change: 1_000_000, reason: 'Too many' },
      { change: 1.5, reason: 'Half' },
    ])
      expect({ input, status: (await change(id, input)).status }).toEqual({ input, status: 422 });
    expect(await movedOf({ id })).toBe(1);
  });
});

describe('GET /api/products/:pid/stock', () => {
  it('tells what orders have taken, page by page', async () => {
    const { product, id } = await anOrder(feira);
    const first = (await feira.withKey('get', `/api/products/${product.id}/stock?limit=1`)).body;
    expect(first.items).toMatchObject([{ change: -1, cause: `order:${id}` }]);
    const second = (await feira.withKey('get', `/api/products/${product.id}/stock?limit=1&after=${first.next}`)).body;
    expect(second).toMatchObject({ items: [{ change: 10 }], next: null });
  });
});
