import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ProductDto } from '../../src/models/product.model.ts';
import { createProduct } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

const patch = (id: string, change: object) => feira.withKey('patch', `/api/products/${id}`).send(change).expect(200);
const itemsOf = (body: { items: ProductDto[] }) => body.items;

describe('GET /api/products/:pid', () => {
  it('answers the product itself, to anyone', async () => {
    const made = await createProduct(feira);
    const res = await feira.api
      .get(`/api/products/${made.id}`)
      .expect(200)
      .expect('Content-Type', /^application\/json/);
    expect(res.body).toEqual(made);
    expect(Object.keys(res.body).sort()).toEqual(
      // biome-ignore format: one line is easier to compare with the README
      ['category', 'categoryPath', 'code', 'createdAt', 'currency', 'description', 'draft', 'id', 'images', 'listPrice', 'lowestPrice30Days', 'options', 'price', 'related', 'status', 'stock', 'thumbnails', 'title', 'updatedAt', 'variants', 'version'],
    );
  });

  it('takes the id in capitals too', async () => {
    const { id } = await createProduct(feira);
    expect((await feira.api.get(`/api/products/${id.toUpperCase()}`).expect(200)).body.id).toBe(id);
  });

  it('answers 404 for a product that is not there and 400 for what is no id', async () => {
    const missing = await feira.api.get('/api/products/665f1c2ab8a1f0c3d4e5f601').expect(404);
    expect(missing.body.code).toBe('NOT_FOUND');
    expect((await feira.api.get('/api/products/1').expect(400)).body.code).toBe('INVALID_ID');
  });
});

describe('ETag and If-None-Match', () => {
  it.each([
    ['one product', (id: string) => `/api/products/${id}`],
    ['a list', () => '/api/products?limit=3'],
    ['the categories', () => '/api/categories'],
  ])('spare the body of %s until it changes', async (_what, pathOf) => {
    const { id } = await createProduct(feira);
    const path = pathOf(id);
    const etag = (await feira.api.get(path).expect(200)).headers.etag!;
    for (const header of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const same = await feira.api.get(path).set('If-None-Match', header).expect(304);
      expect(same.text).toBe('');
      expect(same.headers).toMatchObject({ etag, 'x-request-id': expect.any(String) });
    }
    await feira.api.get(path).set('If-None-Match', '"other"').expect(200);

    await patch(id, { category: `Changed ${id}` });
    const changed = await feira.api.get(path).set('If-None-Match', etag).expect(200);
    expect(changed.headers.etag).not.toBe(etag);
  });

  it('work for those who send a key or a cookie as well', async () => {
    const { id } = await createProduct(feira);
    const { headers } = await feira.api.get(`/api/products/${id}`).set('Cookie', 'a=1').expect(200);
    await feira.api.get(`/api/products/${id}`).set('Cookie', 'a=1').set('If-None-Match', headers.etag!).expect(304);
  });
});

describe('HEAD', () => {
  it('answers the headers of GET without a body', async () => {
    const { id } = await createProduct(feira);
    for (const path of [`/api/products/${id}`, '/api/products?limit=2', '/api/categories']) {
      const get = await feira.api.get(path).expect(200);
      const head = await feira.api.head(path).expect(200);
      expect(head.text ?? '').toBe('');
      for (const name of ['etag', 'content-type', 'link', 'cache-control', 'vary'])
        expect([name, head.headers[name]]).toEqual([name, get.headers[name]]);
      await feira.api.head(path).set('If-None-Match', get.headers.etag!).expect(304);
    }
    await feira.api.head('/api/products/665f1c2ab8a1f0c3d4e5f601').expect(404);
  });
});

describe('a write is visible in the next read', () => {
  it('of the product, of lists and of categories, again and again', async () => {
    const { id } = await createProduct(feira, { category: 'Seen at once' });
    for (let stock = 100; stock < 120; stock++) {
      await patch(id, { stock });
      expect((await feira.api.get(`/api/products/${id}`)).body.stock).toBe(stock);
      const list = await feira.api.get('/api/products?category=Seen%20at%20once');
      expect(itemsOf(list.body)[0]?.stock).toBe(stock);
    }
    await patch(id, { category: 'Seen elsewhere' });
    expect((await feira.api.get('/api/products?category=Seen%20at%20once')).body.total).toBe(0);
    const names = (await feira.api.get('/api/categories')).body.items.map(({ name }: { name: string }) => name);
    expect(names).toContain('Seen elsewhere');
    expect(names).not.toContain('Seen at once');
    await feira.withKey('delete', `/api/products/${id}`).expect(204);
    await feira.api.get(`/api/products/${id}`).expect(404);
  });

  it('while many others read and write', async () => {
    const made = await Promise.all([0, 1, 2, 3].map(() => createProduct(feira, { category: 'Busy' })));
    const acknowledged = new Map(made.map(({ id, version }) => [id, version]));
    let writing = true;
    let stale = 0;
    const readers = Array.from({ length: 8 }, async (_each, i) => {
      while (writing) {
        const before = new Map(acknowledged);
        const { id } = made[i % made.length]!;
        const answer = await feira.api.get(i % 2 ? `/api/products/${id}` : '/api/products?category=Busy');
        const seen: ProductDto[] = i % 2 ? [answer.body] : itemsOf(answer.body);
        for (const product of seen) if (product.version < before.get(product.id)!) stale++;
      }
    });
    await Promise.all(
      made.map(async ({ id }) => {
        for (let stock = 0; stock < 15; stock++) acknowledged.set(id, (await patch(id, { stock })).body.version);
      }),
    );
    writing = false;
    await Promise.all(readers);
    expect(stale).toBe(0);
    expect([...acknowledged.values()]).toEqual([16, 16, 16, 16]);
  });
});

describe('the answer to everyone', () => {
  it('is the same in every encoding, from the first time on', async () => {
    await Promise.all(
      Array.from({ length: 5 }, () => createProduct(feira, { description: 'Long words. '.repeat(40) })),
    );
    const texts = new Set<string>();
    for (const encoding of ['identity', 'gzip', 'br', 'gzip', 'br', 'gzip;q=0, br;q=0', '*'])
      texts.add(await (await fetch(`${feira.url}/api/products`, { headers: { 'Accept-Encoding': encoding } })).text());
    expect(texts.size).toBe(1);
    const { headers } = await fetch(`${feira.url}/api/products`, { headers: { 'Accept-Encoding': 'br' } });
    expect(headers.get('Content-Encoding')).toBe('br');
    expect(headers.get('Vary')).toMatch(/Accept-Encoding/);
    expect(headers.get('Cache-Control')).toBe('no-cache');
  });

  it('has an id of its own each time, and keeps the one that was sent', async () => {
    const ids = new Set<string>();
    for (let i = 0; i < 3; i++) ids.add((await feira.api.get('/api/products')).headers['x-request-id']!);
    expect(ids.size).toBe(3);
    for (const path of ['/api/products', '/api/products', '/api/products/1']) {
      const res = await feira.api.get(path).set('X-Request-Id', 'order-7:a.b_c');
      expect(res.headers['x-request-id']).toBe('order-7:a.b_c');
    }
    for (const bad of ['has space', '<script>', 'x'.repeat(65), ''])
      expect((await feira.api.get('/api/products').set('X-Request-Id', bad)).headers['x-request-id']).not.toBe(bad);
  });
});

describe('a method that is not taken', () => {
  it.each([
    ['patch', '/api/products', 'GET, HEAD, POST'],
    ['delete', '/api/products', 'GET, HEAD, POST'],
    ['post', '/api/products/665f1c2ab8a1f0c3d4e5f601', 'GET, HEAD, PUT, PATCH, DELETE'],
    ['get', '/api/products/665f1c2ab8a1f0c3d4e5f601/upload', 'POST'],
    ['put', '/api/categories', 'GET, HEAD, POST'],
    ['delete', '/openapi.json', 'GET, HEAD'],
  ] as const)('%s %s is answered 405 with the ones that are', async (method, path, allow) => {
    const res = await feira.api[method](path).expect(405);
    expect(res.headers.allow).toBe(allow);
    expect(res.body.code).toBe('METHOD_NOT_ALLOWED');
    const options = await feira.api.options(path).expect(204);
    expect(options.headers.allow).toBe(allow);
  });
});

describe('a refusal', () => {
  it('is a problem document with the id of the request', async () => {
    const res = await feira.api.get('/api/products?limit=101').set('X-Request-Id', 'mine').expect(422);
    expect(res.type).toBe('application/problem+json');
    expect(res.headers).toMatchObject({ 'x-request-id': 'mine', 'cache-control': 'no-store' });
    expect(res.headers.etag).toBeUndefined();
    expect(res.body).toEqual({
      type: '/problems/invalid-input',
      title: 'The input is not valid',
      status: 422,
      detail: '#/limit must be at most 100',
      code: 'INVALID_INPUT',
      requestId: 'mine',
      errors: [{ pointer: '#/limit', detail: 'must be at most 100' }],
    });
  });

  it('has a page that its type leads to', async () => {
    const { body } = await feira.api.get('/api/products/1').expect(400);
    const page = await feira.page(body.type).expect(200);
    expect(page.text).toContain(body.title);
  });

  it('stays JSON below /api, whatever the caller would rather have', async () => {
    for (const path of ['/api/nothing', '/api/products/1', '/api/products/%', '/api/products/a/b/c'])
      expect((await feira.api.get(path).set('Accept', 'text/html')).type).toBe('application/problem+json');
    expect((await feira.api.get('/api/nothing').expect(404)).body.code).toBe('NOT_FOUND');
  });
});
