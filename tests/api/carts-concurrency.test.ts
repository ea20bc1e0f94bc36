import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createCart, createProduct } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

describe('parallel changes of one cart', () => {
  it('sum up: of 20 that each add one, none is lost', async () => {
    const [mug, bowl] = [await createProduct(feira, { stock: 100 }), await createProduct(feira, { stock: 100 })];
    const cart = await createCart(feira);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => cart.request('post', `/products/${i % 2 ? mug.id : bowl.id}`)),
    );
    expect(answers.map((res) => res.status)).toEqual(Array(20).fill(200));
    expect(answers.map((res) => res.body.version).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 2),
    );
    const { body } = await cart.request('get');
    expect(body).toMatchObject({ quantity: 20, version: 21 });
    expect(body.items.map((item: { quantity: number }) => item.quantity)).toEqual([10, 10]);
  });

  it('never go beyond the stock', async () => {
    const product = await createProduct(feira, { stock: 3 });
    const cart = await createCart(feira);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => cart.request('post', `/products/${product.id}`)),
    );
    expect(answers.filter((res) => res.status === 200)).toHaveLength(3);
    expect(answers.filter((res) => res.body.code === 'OUT_OF_STOCK')).toHaveLength(7);
    expect((await cart.request('get')).body.quantity).toBe(3);
  });

  it('happen once when they depend on one version', async () => {
    const product = await createProduct(feira, { stock: 100 });
    const cart = await createCart(feira);
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => cart.request('post', `/products/${product.id}`).set('If-Match', cart.etag)),
    );
    expect(answers.map((res) => res.status).sort()).toEqual([200, ...Array(7).fill(412)]);
    expect((await cart.request('get')).body.quantity).toBe(1);
  });
});

describe('If-Match', () => {
  it('refuses every change of a cart that has changed since', async () => {
    const product = await createProduct(feira);
    const cart = await createCart(feira);
    const at = `/products/${product.id}`;
    await cart.request('post', at).set('If-Match', cart.etag).expect(200);
    for (const change of [
      cart.request('post', at),
      cart.request('put', at).send({ quantity: 2 }),
      cart.request('delete', at),
      cart.request('put').send({ items: [] }),
      cart.request('delete'),
    ]) {
      const { body } = await change.set('If-Match', cart.etag).expect(412);
      expect(body).toMatchObject({ code: 'VERSION_MISMATCH' });
    }
    const { body, headers } = await cart.request('get');
    expect(body).toMatchObject({ quantity: 1, version: 2 });
    await cart.request('delete').set('If-Match', String(headers.etag)).expect(204);
  });

  it('is about the lines: a new price in between refuses nothing', async () => {
    const product = await createProduct(feira, { price: 100 });
    const cart = await createCart(feira, [{ productId: product.id, quantity: 1 }]);
    await feira.withKey('patch', `/api/products/${product.id}`).send({ price: 90 }).expect(200);
    const { body } = await cart.request('post', `/products/${product.id}`).set('If-Match', cart.etag).expect(200);
    expect(body).toMatchObject({ total: 180 });
  });

  it('takes any version with *, and nothing that is no ETag of ours', async () => {
    const cart = await createCart(feira);
    await cart.request('delete').set('If-Match', '*').expect(204);
    for (const wrong of ['"x"', '2', '"2", "3"', '""']) await cart.request('delete').set('If-Match', wrong).expect(412);
  });
});
