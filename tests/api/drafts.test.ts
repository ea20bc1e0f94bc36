import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ProductDto } from '../../src/models/product.model.ts';
import { createProduct } from '../helpers/factories.ts';
import { type Feira, startFeira, type TestSocket } from '../helpers/start-feira.ts';
import { nextEvent } from '../helpers/wait-for.ts';

let feira: Feira;
let socket: TestSocket;
beforeAll(async () => {
  feira = await startFeira();
  socket = await feira.connectSocket();
});
afterAll(() => feira.stop());

const patch = (product: ProductDto, fields: object) =>
  feira.withKey('patch', `/api/products/${product.id}`).send(fields).expect(200);
const asStaff = (path: string) => feira.withKey('get', path);
const changesSince = (since: number) => socket.emitWithAck('catalogue:changes', { since });
async function sequence(): Promise<number> {
  const answer = await changesSince(0);
  return 'data' in answer ? answer.data.sequence : Number.NaN;
}

describe('a draft', () => {
  it('does not exist for the public, and does for the staff', async () => {
    const before = await sequence();
    const draft = await createProduct(feira, { draft: true, category: 'Unheard of', title: 'Secret' });
    await feira.api.get(`/api/products/${draft.id}`).expect(404);
    await feira.page(`/products/${draft.id}`).expect(404);
    expect((await feira.api.get(`/api/products?q=${draft.code}`)).body.items).toEqual([]);
    expect((await feira.api.get('/api/categories')).text).not.toContain('Unheard of');
    expect(await sequence()).toBe(before);

    const seen = await asStaff(`/api/products/${draft.id}`).expect(200).expect('Cache-Control', 'private, no-cache');
    expect(seen.body).toEqual(draft);
    const list = await asStaff('/api/products?draft=true').expect(200).expect('Cache-Control', 'no-store');
    expect(list.body.items).toContainEqual(draft);
    await feira.api.get(`/api/products/${draft.id}`).expect(404);
    await feira.api.get('/api/products?draft=true').expect(401);
  });

  it('cannot be put into a cart', async () => {
    const draft = await createProduct(feira, { draft: true });
    const { body } = await feira.api.post('/api/carts').send({ items: [{ productId: draft.id, quantity: 1 }] });
    expect(body.id).toBeUndefined();
  });

  it('is told as created when it is published, and as deleted when it is hidden', async () => {
    const draft = await createProduct(feira, { draft: true, title: 'Soon' });
    await patch(draft, { price: 700 });
    const created = nextEvent<{ product: ProductDto }>(socket, 'product:created');
    const notice = nextEvent(socket, 'update_products');
    const { body: published } = await patch(draft, { draft: false });
    expect((await created).product).toEqual(published);
    expect(await notice).toEqual({ id: draft.id, msg: 'Product created: Soon' });
    await feira.api.get(`/api/products/${draft.id}`).expect(200);

    const deleted = nextEvent<{ product: ProductDto }>(socket, 'product:deleted');
    await patch(draft, { draft: true, title: 'Not for your eyes' });
    expect((await deleted).product).toEqual({ ...published, version: published.version + 1 });
    await feira.api.get(`/api/products/${draft.id}`).expect(404);
    expect(JSON.stringify(await changesSince(0))).not.toContain('Not for your eyes');
  });

  it('is not told of when it is changed or deleted', async () => {
    const draft = await createProduct(feira, { draft: true });
    const before = await sequence();
    await patch(draft, { title: 'Another' });
    await feira.withKey('delete', `/api/products/${draft.id}`).expect(204);
    expect(await sequence()).toBe(before);
  });
});
