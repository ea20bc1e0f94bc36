import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Validator } from '@seriousme/openapi-schema-validator';
import { pino } from 'pino';
import { type AppDeps, createApp } from '../../src/app.ts';
import type { ApiDocument } from '../../src/openapi/document.ts';
import { API_METHODS, misfits, promisedHeaders, readApiDocument } from '../helpers/api-document.ts';
import { createProduct, productInput } from '../helpers/factories.ts';
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
    const routes = registeredRoutes(createApp(unusedDeps(feira)), [...Object.keys(document.paths ?? {}), '/problems']);
    const api = routes.filter((route) => route.includes(' /api') || documented.includes(route));
    expect([...new Set(api)].sort()).toEqual(documented.sort());
  });

  it('names, groups and explains every operation', () => {
    const all = operations();
    expect(new Set(all.map(({ operationId }) => operationId)).size).toBe(all.length);
    const tags = document.tags?.map(({ name }) => name);
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
    await feira.api.get('/openapi.json').set('If-None-Match', headers.etag!).expect(304);
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
      ['delete', one, await feira.withKey('delete', at)],
      ['get', '/api/categories', await feira.api.get('/api/categories')],
      ['get', '/healthz', await feira.api.get('/healthz')],
      ['get', '/readyz', await feira.api.get('/readyz')],
      ['get', '/openapi.json', await feira.api.get('/openapi.json')],
    ] as const;
    for (const [method, path, answer] of answers) {
      expect({ method, path, ok: answer.ok, misfits: misfits(document, method, path, answer) }).toEqual({
        method,
        path,
        ok: true,
        misfits: [],
      });
      const promised = promisedHeaders(document, method, path, answer.status);
      expect(Object.keys(answer.headers)).toEqual(expect.arrayContaining(promised.map((name) => name.toLowerCase())));
    }
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

  it('loads nothing from elsewhere and runs no inline script', async () => {
    const { text, headers } = await feira.page('/docs').expect(200);
    expect(text).not.toMatch(/<script(?![^>]* src="\/)|(?:src|href)="(?:https?:)?\/\/|\sstyle="|\son\w+="/);
    expect(headers['content-security-policy']).not.toContain('unsafe');
  });
});

/** Routes are registered without calling any service. */
function unusedDeps({ config }: Feira): AppDeps {
  const unused: object = new Proxy(() => unused, { get: () => unused });
  const deps = { config, log: pino({ level: 'silent' }) };
  return new Proxy(deps, { get: (known, name) => Reflect.get(known, name) ?? unused }) as AppDeps;
}
