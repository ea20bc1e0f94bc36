import { request as httpRequest } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ProductDto } from '../../src/models/product.model.ts';
import { createProduct, productInput } from '../helpers/factories.ts';
import { API_KEY, type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
let made: ProductDto;
let before: Awaited<ReturnType<typeof catalogue>>;
beforeAll(async () => {
  feira = await startFeira();
  made = await createProduct(feira);
});
beforeEach(async () => {
  before = await catalogue();
});
afterAll(() => feira.stop());

/** Everything in the catalogue, and the number of its last change. */
async function catalogue() {
  const { body, headers } = await feira.api.get('/api/products?limit=100').expect(200);
  return { products: body.items, version: headers.etag };
}

/** The refusal is a problem document that gives nothing away, the process lives, and nothing was stored. */
async function expectRefusal(answer: { status: number; text: string }, status: number, code: string) {
  expect({ status: answer.status, text: answer.text }).toEqual({ status, text: expect.stringContaining(`"${code}"`) });
  expect(JSON.parse(answer.text)).toMatchObject({ status, code, requestId: expect.any(String) });
  expect(answer.text).not.toMatch(/node_modules|\.ts:\d|Error:|mongo/i);
  expect(answer.text.length).toBeLessThan(5000);
  await feira.api.get('/healthz').expect(200);
  expect(await catalogue()).toEqual(before);
}

const inPointer = (field: string) => field.slice(0, 60).replaceAll('~', '~0').replaceAll('/', '~1');

const create = () => feira.withKey('post', '/api/products');
const change = (method: 'put' | 'patch') => feira.withKey(method, `/api/products/${made.id}`);

describe('a body that is not the JSON of an object', () => {
  it.each(['{', '{"a":}', "{'a':1}", '{"a":1}}', 'undefined', '"text"', '1', 'null', 'true', '\u0000'])(
    '%s is malformed',
    async (text) => {
      await expectRefusal(await create().type('json').send(text), 400, 'MALFORMED_REQUEST');
      await expectRefusal(await change('patch').type('json').send(text), 400, 'MALFORMED_REQUEST');
    },
  );

  it.each(['[]', '[{}]', '{}', ''])('%j is well-formed and not valid', async (text) => {
    await expectRefusal(await create().type('json').send(text), 422, 'INVALID_INPUT');
    await expectRefusal(await change('patch').type('json').send(text), 422, 'INVALID_INPUT');
  });

  it('may be nested deeply without effect', async () => {
    const deep = (open: string, close: string) => `{"title":${open.repeat(20_000)}1${close.repeat(20_000)}}`;
    await expectRefusal(await create().type('json').send(deep('[', ']')), 422, 'INVALID_INPUT');
    await expectRefusal(await change('patch').type('json').send(deep('[', ']')), 422, 'INVALID_INPUT');
    const objects = `${'{"a":'.repeat(15_000)}1${'}'.repeat(15_000)}`;
    await expectRefusal(await change('patch').type('json').send(objects), 422, 'INVALID_INPUT');
  });

  it('may be large, packed or cut off without effect', async () => {
    const megabyte = JSON.stringify(productInput({ title: 'x'.repeat(1024 * 1024) }));
    await expectRefusal(await create().type('json').send(megabyte), 413, 'TOO_LARGE');
    const send = (body: Buffer, encoding: string) =>
      raw('POST', '/api/products', { 'Content-Type': 'application/json', 'Content-Encoding': encoding }, body);
    const bomb = gzipSync(Buffer.alloc(20 * 1024 * 1024, ' '));
    await expectRefusal(await send(bomb, 'gzip'), 413, 'TOO_LARGE');
    await expectRefusal(await send(Buffer.from('{}'), 'gzip'), 400, 'MALFORMED_REQUEST');
    await expectRefusal(await send(bomb.subarray(0, 100), 'gzip'), 400, 'MALFORMED_REQUEST');
    await expectRefusal(await send(Buffer.from('{}'), 'unknown'), 415, 'UNSUPPORTED_MEDIA_TYPE');
  });
});

describe('a body of another type', () => {
  const body = JSON.stringify(productInput());

  it.each([
    'text/plain',
    'text/json',
    'application/x-www-form-urlencoded',
    'application/xml',
    'application/jsonp',
    'application/vnd.api+json',
    'application/octet-stream',
    'application/json; charset=utf-7',
    'application/json; charset=utf-16',
    'application/json; charset=latin1',
    'multipart/form-data; boundary=x',
    'nonsense',
    '',
  ])('%j is refused', async (type) => {
    for (const [method, path] of [
      ['POST', '/api/products'],
      ['PUT', `/api/products/${made.id}`],
      ['PATCH', `/api/products/${made.id}`],
    ] as const)
      await expectRefusal(await raw(method, path, { 'Content-Type': type }, body), 415, 'UNSUPPORTED_MEDIA_TYPE');
  });

  it('is refused when its length is not told', async () => {
    const headers = { 'Content-Type': 'text/plain', 'Transfer-Encoding': 'chunked' };
    await expectRefusal(await raw('POST', '/api/products', headers, body), 415, 'UNSUPPORTED_MEDIA_TYPE');
  });

  it('that a form of another site sends is refused, key or not', async () => {
    for (const origin of ['https://evil.example', 'null', feira.url.replace('127.0.0.1', 'localhost')]) {
      const cross = create().set('Origin', origin).type('text/plain').send(body);
      await expectRefusal(await cross, 403, 'FOREIGN_ORIGIN');
    }
    const told = create().set('Sec-Fetch-Site', 'cross-site').type('text/plain').send(body);
    await expectRefusal(await told, 403, 'FOREIGN_ORIGIN');
    await expectRefusal(
      await create().set('Origin', feira.url).type('text/plain').send(body),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    );
    await expectRefusal(await feira.api.post('/api/products').send(productInput()), 401, 'UNAUTHENTICATED');
  });
});

describe('a body in UTF-8', () => {
  it.each(['application/json; charset=utf-8', 'application/json;charset="UTF-8"', 'application/json; v=1'])(
    'is taken as %s',
    async (type) => {
      const text = JSON.stringify(productInput({ title: 'Açaí 🥭' }));
      const answer = await raw('POST', '/api/products', { 'Content-Type': type }, text);
      expect(answer.status).toBe(201);
      expect(JSON.parse(answer.text).title).toBe('Açaí 🥭');
    },
  );

  it('may hold broken bytes without harm', async () => {
    const bytes = Buffer.concat([
      Buffer.from(JSON.stringify(productInput()).slice(0, -2)),
      Buffer.from([0xc0, 0xaf]),
      Buffer.from('"}'),
    ]);
    const answer = await raw('POST', '/api/products', { 'Content-Type': 'application/json' }, bytes);
    expect(answer.status).toBe(201);
    expect(JSON.parse(answer.text).category).toMatch(/\ufffd$/);
  });
});

describe('an id', () => {
  it.each([
    '1',
    'undefined',
    'null',
    '[object Object]',
    'z'.repeat(24),
    'a'.repeat(23),
    'a'.repeat(25),
    '$ne',
    '{"$ne":null}',
    '%00',
    '665f1c2ab8a1f0c3d4e5f601%00',
    '..%2f..%2fetc%2fpasswd',
    '__proto__',
    'constructor',
    '665f1c2ab8a1f0c3d4e5f601%0a',
    'x'.repeat(5000),
  ])('%s is not well-formed', async (id) => {
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
      const body = method === 'GET' || method === 'DELETE' ? undefined : '{"price":1}';
      const headers: Record<string, string> = body ? { 'Content-Type': 'application/json' } : {};
      const path = `/api/products/${id.replace(/[ {}"]/g, encodeURIComponent)}`;
      await expectRefusal(await raw(method, path, headers, body), 400, 'INVALID_ID');
    }
  });

  it('that cannot be decoded is malformed', async () => {
    for (const id of ['%', '%zz', '%c0%ae%c0%ae', '%ff'])
      await expectRefusal(await raw('GET', `/api/products/${id}`), 400, 'MALFORMED_REQUEST');
  });
});

describe('fields that nobody may write', () => {
  it.each([
    ['id', '665f1c2ab8a1f0c3d4e5f601'],
    ['_id', '665f1c2ab8a1f0c3d4e5f601'],
    ['version', 9],
    ['deleted', true],
    ['terms', ['x']],
    ['titleKey', 'x'],
    ['images', []],
    ['createdAt', '2020-01-01T00:00:00.000Z'],
    ['updatedAt', '2020-01-01T00:00:00.000Z'],
    ['isAdmin', true],
    ['$set', { price: 1 }],
    ['price.amount', 1],
    ['constructor', { prototype: { isAdmin: true } }],
    ['hasOwnProperty', 1],
    ['a/b~c', 1],
    ['x'.repeat(10_000), 1],
  ])('%s', async (field, value) => {
    for (const sent of [
      create().send({ ...productInput(), [field]: value }),
      change('put').send({ ...productInput(), [field]: value }),
      change('patch').send({ price: 1, [field]: value }),
    ]) {
      const answer = await sent;
      await expectRefusal(answer, 422, 'INVALID_INPUT');
      expect(answer.body.errors).toEqual([{ pointer: `#/${inPointer(field)}`, detail: 'is not a known field' }]);
    }
  });

  it('are reported twenty at a time at most', async () => {
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_each, i) => [`field${i}`, 1]));
    const answer = await change('patch').send(many);
    await expectRefusal(answer, 422, 'INVALID_INPUT');
    expect(answer.body.errors).toHaveLength(20);
  });
});

describe('prototype pollution', () => {
  it.each([
    '{"__proto__":{"isAdmin":true}}',
    '{"__proto__":{"permissions":["products:write"]},"price":1}',
    '{"constructor":{"prototype":{"isAdmin":true}}}',
    '{"price":{"__proto__":{"isAdmin":true}}}',
  ])('%s changes nothing', async (text) => {
    for (const method of ['put', 'patch'] as const)
      await expectRefusal(await change(method).type('json').send(text), 422, 'INVALID_INPUT');
    await expectRefusal(await create().type('json').send(text), 422, 'INVALID_INPUT');
    await expectRefusal(await feira.api.post('/api/products').type('json').send(text), 401, 'UNAUTHENTICATED');
    expect(({} as Record<string, unknown>).isAdmin).toBeUndefined();
    expect(({} as Record<string, unknown>).permissions).toBeUndefined();
  });

  it.each([
    '__proto__[isAdmin]=1',
    '__proto__=1',
    'constructor[prototype][isAdmin]=1',
    'toString=1',
    'hasOwnProperty=1',
  ])('?%s changes nothing', async (query) => {
    await expectRefusal(await feira.api.get(`/api/products?${query}`), 422, 'INVALID_INPUT');
    expect(({} as Record<string, unknown>).isAdmin).toBeUndefined();
  });
});

describe('a field of the wrong kind', () => {
  const NOBODY = [null, true, [], ['x'], {}, { $gt: 0 }, { $ne: null }, { $inc: 1 }];
  const WRONG: Record<string, unknown[]> = {
    code: [...NOBODY, 7, '', ' ', 'a b', 'a\u0000b', '<script>', 'é', 'x'.repeat(65)],
    title: [...NOBODY, 7, '', '  ', '\u202e\u0000', '\u200b\u3164\u2800', 'x'.repeat(201), 'x'.repeat(90_000)],
    description: [...NOBODY, 7, 'x'.repeat(5001)],
    price: [...NOBODY, '1999', 19.99, -1, 1e21, 1_000_000_001, 2 ** 53],
    stock: [...NOBODY, '10', 0.5, -1, 1_000_001],
    currency: [...NOBODY, 7, 'eur', 'EURO', 'E', ''],
    status: [null, [], {}, 'true', 1, 0, { $ne: true }],
    category: [...NOBODY, 7, '', ' ', 'x'.repeat(61)],
    thumbnails: [
      null,
      'x',
      {},
      { $each: [] },
      [7],
      [null],
      [['/a']],
      [''],
      ['a.jpg'],
      ['javascript:alert(1)'],
      [' javascript:alert(1)'],
      ['JaVaScRiPt:alert(1)'],
      ['data:text/html,x'],
      ['//evil.example/x.png'],
      ['/\\evil.example/x.png'],
      ['http://'],
      ['/a b'],
      [`/${'x'.repeat(2000)}`],
      Array(21).fill('/a'),
    ],
  };

  it.each(Object.keys(WRONG))('%s', async (field) => {
    for (const value of WRONG[field]!) {
      for (const [sent, rest] of [
        [create(), productInput()],
        [change('put'), productInput()],
        [change('patch'), {}],
      ] as const) {
        const answer = await sent.send({ ...rest, [field]: value });
        expect({ value, status: answer.status, errors: answer.body.errors }).toEqual({
          value,
          status: 422,
          errors: expect.arrayContaining([
            { pointer: expect.stringMatching(`^#/${field}(/|$)`), detail: expect.any(String) },
          ]),
        });
      }
    }
    expect(await catalogue()).toEqual(before);
    await feira.api.get('/healthz').expect(200);
  });
});

describe('a query that asks for more than it may', () => {
  it('is refused with every unknown word of it', async () => {
    const query = 'price[$where]=1&sort=-passwordHash&select=%2BpasswordHash&populate=user';
    const answer = await feira.api.get(`/api/products?${query}`);
    await expectRefusal(answer, 422, 'INVALID_INPUT');
    const pointers = answer.body.errors.map(({ pointer }: { pointer: string }) => pointer);
    expect(pointers.sort()).toEqual(['#/populate', '#/price[$where]', '#/select', '#/sort']);
    expect(answer.text).not.toContain('-passwordHash');
  });

  it.each([
    'q[$ne]=x',
    'q[$regex]=.*',
    'category[$gt]=',
    'status[$ne]=true',
    'minPrice[$gt]=0',
    'limit[]=1',
    'limit=1&limit=2',
    'page=1&page=1',
    'q=a&q=b',
    'category=a&category=b',
    'sort=price&sort=title',
    '$where=sleep(1000)',
    'limit=1;limit=2',
    'limit=0x10',
    'limit=%00',
    'minPrice=1e3',
    'maxPrice=9999999999999999',
    'page=NaN',
    'sort=$natural',
    'sort=price,title',
    'sort[price]=1',
  ])('%s', async (query) => {
    await expectRefusal(await raw('GET', `/api/products?${query}`), 422, 'INVALID_INPUT');
  });

  it.each([
    'category=%00',
    'category=$ne',
    'q=%00',
    'q=%F0%9F%8D%8A',
    'q=%EF%BF%BF',
    'q=(((((',
    'q=.*%2B%3F%5E%24',
    'q=$where',
    'category=%FF%FE',
    `q=${'a%20'.repeat(49)}`,
  ])('%s is only text', async (query) => {
    const answer = await raw('GET', `/api/products?${query}`);
    expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 200 });
  });

  it('may be long without effect', async () => {
    await expectRefusal(await raw('GET', `/api/products?q=${'x'.repeat(10_000)}`), 422, 'INVALID_INPUT');
    const keys = Array.from({ length: 900 }, (_each, i) => `k${i}=1`).join('&');
    await expectRefusal(await raw('GET', `/api/products?${keys}`), 422, 'INVALID_INPUT');
    expect((await raw('GET', `/api/products?q=${'x'.repeat(20_000)}`)).status).toBe(431);
    await feira.api.get('/healthz').expect(200);
  });
});

describe('text that would be markup', () => {
  it('is stored as text and shown as text', async () => {
    const title = '<img src=x onerror=alert(1)>';
    const description = '</script><script>alert(1)</script> javascript:alert(1) {{title}}';
    const product = await createProduct(feira, { title, description, category: '"><b>' });
    expect(product).toMatchObject({ title, description, category: '"><b>' });
    const json = await feira.api.get(`/api/products/${product.id}`).set('Accept', 'text/html').expect(200);
    expect(json.type).toBe('application/json');
    expect(json.headers['x-content-type-options']).toBe('nosniff');
    for (const path of ['/', `/products/${product.id}`]) {
      const { text } = await feira.page(path).expect(200);
      expect(text).not.toMatch(/<img src=x|<script>alert|"><b>/);
    }
  });

  it('loses what reorders or hides its neighbours', async () => {
    const { title } = await createProduct(feira, { title: 'a\u202eb\u2066c\u0000d\u001b[31me\ufeff\ud800f' });
    expect(title).toBe('abcd[31mef');
    expect((await feira.api.get(`/api/products?q=abcd`)).body.items[0].title).toBe(title);
  });
});

/** A request as it stands: no client in between encodes or completes it. */
function raw(method: string, path: string, headers: Record<string, string> = {}, body?: string | Buffer) {
  const withKey = { Authorization: `Bearer ${API_KEY}`, ...headers };
  return new Promise<{ status: number; text: string }>((resolve, reject) => {
    const { hostname, port } = new URL(feira.url);
    const req = httpRequest({ hostname, port, method, path, headers: withKey }, (res) => {
      let text = '';
      res
        .setEncoding('utf8')
        .on('data', (chunk) => (text += chunk))
        .on('end', () => resolve({ status: res.statusCode ?? 0, text }));
    });
    req.on('error', reject).end(body);
  });
}
