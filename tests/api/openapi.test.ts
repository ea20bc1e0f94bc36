import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import type { Response } from 'supertest';
import type { ApiDocument } from '../../src/openapi/document.ts';
import { API_METHODS, type ApiMethod, misfits, promisedHeaders, readApiDocument } from '../helpers/api-document.ts';
import { appAlone } from '../helpers/app-alone.ts';
import { createCart, createProduct, productInput } from '../helpers/factories.ts';
import { picture } from '../helpers/pictures.ts';
import { registeredRoutes } from '../helpers/registered-routes.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
let document: ApiDocument;
beforeAll(async () => {
  feira = await startFeira();
  document = await readApiDocument(feira);
});
afterAll(() => feira.stop());

const operations = () =>
  Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    API_METHODS.flatMap((method) => (item[method] ? [{ method, path, ...item[method] }] : [])),
  );

describe('GET /openapi.json', () => {
  it('is valid OpenAPI 3.1', async () => {
    const { valid, errors } = await new Validator().validate({ ...document });
    expect({ valid, errors }).toEqual({ valid: true, errors: undefined });
    expect(document.openapi).toMatch(/^3\.1/);
  });

  it('has an entry for every route of the API, and no other', () => {
    const documented = operations().map(({ method, path }) => `${method} ${path}`);
    const routes = registeredRoutes(appAlone(), [...Object.keys(document.paths ?? {}), '/problems']);
    const api = routes.filter((route) => route.includes(' /api') || documented.includes(route));
    expect([...new Set(api)].sort()).toEqual(documented.sort());
  });

  it('names, groups and explains every operation', () => {
    const all = operations();
    expect(new Set(all.map(({ operationId }) => operationId)).size).toBe(all.length);
    const tags = document.tags?.map(({ name }) => name) ?? [];
    expect(new Set(tags).size).toBe(tags.length);
    for (const { tags: [tag] = [], summary, path } of all) {
      expect(tags).toContain(tag);
      expect({ path, summary }).toEqual({ path, summary: expect.stringMatching(/^[A-Z]/) });
    }
  });

  it('declares every parameter of every path', () => {
    for (const { path, parameters = [] } of operations()) {
      const declared = parameters.flatMap((p) => ('in' in p && p.in === 'path' ? [p.name] : []));
      expect({ path, declared }).toEqual({ path, declared: [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name) });
    }
  });

  it('has an ETag and is answered 304 when it is known', async () => {
    const { headers } = await feira.api.get('/openapi.json').expect(200);
    const known = await feira.api.get('/openapi.json').set('If-None-Match', headers.etag!).expect(304);
    expect(misfits(document, 'get', '/openapi.json', known)).toEqual([]);
    expect(promisedHeaders(document, 'get', '/openapi.json', 200)).toContain('ETag');
  });

  it('names the public address as its server', async () => {
    expect(document.servers).toEqual([{ url: '/' }]);
    const { createApiDocument } = await import('../../src/openapi/document.ts');
    expect(createApiDocument('https://shop.example').servers).toEqual([{ url: 'https://shop.example' }]);
  });

  it('tells what to send: numbers and truth values in queries, lengths of texts, examples that are accepted', async () => {
    const parameters = document.paths?.['/api/products']?.get?.parameters;
    expect(parameters).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          name: 'limit',
          schema: expect.objectContaining({ type: 'integer', minimum: 1, maximum: 100, default: 20 }),
        }),
        expect.objectContaining({ name: 'status', schema: expect.objectContaining({ type: 'boolean' }) }),
      ]),
    );
    const create = document.components?.schemas?.CreateProduct;
    expect(create).toMatchObject({
      additionalProperties: false,
      properties: { title: { minLength: 1, maxLength: 200 } },
    });

    const body = document.paths?.['/api/products']?.post?.requestBody;
    const example = body && 'content' in body ? body.content['application/json']?.example : undefined;
    await feira.withKey('post', '/api/products').send(example).expect(201);
  });
});

/** Every answer is a success that the document describes, with the headers that it promises. */
function expectAllToFit(answers: readonly (readonly [ApiMethod, string, Response])[]): void {
  for (const [method, path, answer] of answers) {
    const { ok, headers, text } = answer;
    expect({ method, path, ok, text, misfits: misfits(document, method, path, answer) }).toEqual({
      ...{ method, path, ok: true, text },
      misfits: [],
    });
    const promised = promisedHeaders(document, method, path, answer.status)
      .map((name) => name.toLowerCase())
      // Of repeats alone.
      .filter((name) => name !== 'idempotent-replayed');
    expect({ method, path, sent: Object.keys(headers) }).toEqual({
      ...{ method, path },
      sent: expect.arrayContaining(promised),
    });
  }
}

describe('answers of products', () => {
  const one = '/api/products/{pid}';

  it('fit the document, and hold nothing else', async () => {
    const { id } = await createProduct(feira, { thumbnails: ['/img/mug.jpg'] });
    const at = `/api/products/${id}`;
    const answers = [
      ['get', '/api/products', await feira.api.get('/api/products?limit=1')],
      ['post', '/api/products', await feira.withKey('post', '/api/products').send(productInput())],
      ['get', one, await feira.api.get(at)],
      ['put', one, await feira.withKey('put', at).send(productInput())],
      ['patch', one, await feira.withKey('patch', at).send({ stock: 1 })],
      [
        'post',
        '/api/products/{pid}/upload',
        await feira.withKey('post', `${at}/upload`).attach('file', await picture(), 'mug.png'),
      ],
      ['delete', one, await feira.withKey('delete', at)],
      ['get', '/api/categories', await feira.api.get('/api/categories')],
      ['get', '/healthz', await feira.api.get('/healthz')],
      ['get', '/readyz', await feira.api.get('/readyz')],
      ['get', '/openapi.json', await feira.api.get('/openapi.json')],
    ] as const;
    expectAllToFit(answers);
  });

  it('fit the document when they refuse', async () => {
    const { id, code } = await createProduct(feira);
    const at = `/api/products/${id}`;
    const create = () => feira.withKey('post', '/api/products');
    const answers = [
      ['get', '/api/products', 422, await feira.api.get('/api/products?limit=101')],
      ['post', '/api/products', 400, await create().type('json').send('{')],
      ['post', '/api/products', 401, await feira.api.post('/api/products').send(productInput())],
      ['post', '/api/products', 403, await create().set('Origin', 'https://evil.example').send(productInput())],
      ['post', '/api/products', 409, await create().send(productInput({ code }))],
      ['post', '/api/products', 413, await create().send(productInput({ title: 'x'.repeat(200_000) }))],
      ['post', '/api/products', 415, await create().type('text/plain').send('{}')],
      ['post', '/api/products', 422, await create().send({ price: -1 })],
      ['get', one, 400, await feira.api.get('/api/products/1')],
      ['get', one, 401, await feira.api.get(at).set('Authorization', 'Bearer wrong')],
      ['get', one, 404, await feira.api.get('/api/products/665f1c2ab8a1f0c3d4e5f601')],
      ['patch', one, 412, await feira.withKey('patch', at).set('If-Match', '"9"').send({ stock: 1 })],
    ] as const;
    for (const [method, path, status, answer] of answers)
      expect({ path, status: answer.status, misfits: misfits(document, method, path, answer) }).toEqual({
        path,
        status,
        misfits: [],
      });
  });

  it('would not fit with a member that the schema does not know', async () => {
    const { id } = await createProduct(feira);
    const answer = await feira.api.get(`/api/products/${id}`);
    answer.text = JSON.stringify({ ...answer.body, terms: ['secret'] });
    expect(misfits(document, 'get', one, answer)).toEqual([expect.stringContaining('terms')]);
  });
});

describe('answers of carts', () => {
  const cart = '/api/carts/{cid}';
  const item = '/api/carts/{cid}/products/{pid}';

  it('fit the document, and hold nothing else', async () => {
    const [product, gone] = [await createProduct(feira, { thumbnails: ['/img/mug.jpg'] }), await createProduct(feira)];
    const { request } = await createCart(feira, [{ productId: gone.id, quantity: 1 }]);
    await feira.withKey('delete', `/api/products/${gone.id}`).expect(204);
    const at = `/products/${product.id}`;
    expectAllToFit([
      ['post', '/api/carts', await feira.api.post('/api/carts').send({ items: [] })],
      ['post', item, await request('post', at).send({})],
      ['put', item, await request('put', at).send({ quantity: 3 })],
      ['post', '/api/carts/{cid}/product/{pid}', await request('post', `/product/${product.id}`)],
      ['get', cart, await request('get')],
      ['delete', item, await request('delete', at)],
      ['put', cart, await request('put').send({ items: [{ productId: product.id, quantity: 2 }] })],
      ['delete', cart, await request('delete')],
    ]);
  });

  it('fit the document when they refuse', async () => {
    const { id } = await createProduct(feira, { stock: 1 });
    const { request } = await createCart(feira);
    const answers = [
      ['post', item, 409, await request('post', `/products/${id}`).send({ quantity: 2 })],
      ['post', item, 404, await request('post', '/products/665f1c2ab8a1f0c3d4e5f601')],
      ['post', item, 422, await request('post', `/products/${id}`).send({ quantity: 0 })],
      ['put', cart, 412, await request('put').set('If-Match', '"9"').send({ items: [] })],
      ['get', cart, 404, await feira.api.get('/api/carts/665f1c2ab8a1f0c3d4e5f601')],
    ] as const;
    for (const [method, path, status, answer] of answers) {
      expect(answer.status).toBe(status);
      expect(misfits(document, method, path, answer)).toEqual([]);
    }
  });
});

describe('answers of the chat', () => {
  it('fit the document, and hold nothing else', async () => {
    const joined = await feira.api.post('/api/chat/participants').send({ email: 'ana@example.com' });
    const as = (method: 'get' | 'post' | 'delete', path: string) =>
      feira.api[method](`/api/chat${path}`).set('Chat-Token', joined.headers['chat-token']!);
    const message = { clientId: 'm-1', text: 'Good morning!' };
    expectAllToFit([
      ['post', '/api/chat/participants', joined],
      ['post', '/api/chat/messages', await as('post', '/messages').send(message)],
      ['post', '/api/chat/messages', await as('post', '/messages').send(message)],
      ['get', '/api/chat/messages', await as('get', '/messages?limit=1')],
      ['get', '/api/chat/messages/{sequence}', await as('get', '/messages/1')],
      ['get', '/api/chat/participants', await as('get', '/participants')],
      ['get', '/api/chat/participants/me', await as('get', '/participants/me')],
      ['delete', '/api/chat/participants/me', await as('delete', '/participants/me')],
    ]);
    const refused = await as('get', '/messages');
    expect(refused.status).toBe(401);
    expect(misfits(document, 'get', '/api/chat/messages', refused)).toEqual([]);
  });
});

describe('GET /docs', () => {
  it('shows every operation and every schema in complete HTML', async () => {
    const { text, type } = await feira.page('/docs').expect(200);
    expect(type).toBe('text/html');
    for (const { operationId, path } of operations()) {
      expect(text).toContain(`id="${operationId}"`);
      expect(text).toContain(path);
    }
    for (const name of Object.keys(document.components?.schemas ?? {})) expect(text).toContain(`id="schema-${name}"`);
  });

  it('tells who may call what', async () => {
    const { text } = await feira.page('/docs').expect(200);
    const [, ofUsers = ''] = text.split('id="listUsers"');
    const [words = ''] = ofUsers.split('Answers');
    expect(words).toContain('Needs the permission <code>users:read</code>.');
    expect(words).toMatch(/Bearer key<.+Bearer access token<.+cookie feira_session</);
  });

  it('loads nothing from elsewhere and runs no inline script', async () => {
    const { text, headers } = await feira.page('/docs').expect(200);
    expect(text).not.toMatch(/<script(?![^>]* src="\/)|(?:src|href)="(?:https?:)?\/\/|\sstyle="|\son\w+="/);
    expect(headers['content-security-policy']).not.toContain('unsafe');
  });
});
