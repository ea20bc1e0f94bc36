import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ProductDto } from '../../src/models/product.model.ts';
import { createProduct, productInput } from '../helpers/factories.ts';
import { API_KEY, type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

const read = async (id: string): Promise<ProductDto> => (await feira.api.get(`/api/products/${id}`).expect(200)).body;

const ISO = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

describe('POST /api/products', () => {
  it('answers 201 with the product, its address and its version', async () => {
    const input = productInput({ code: 'POT-1/a', thumbnails: ['/img/pot.webp', 'https://cdn.example/pot.jpg'] });
    const res = await feira.withKey('post', '/api/products').send(input).expect(201);
    expect(res.body).toEqual({
      ...input,
      id: expect.stringMatching(/^[\da-f]{24}$/),
      currency: 'EUR',
      status: true,
      categoryPath: expect.any(String),
      images: [],
      options: [],
      variants: [],
      draft: false,
      listPrice: null,
      lowestPrice30Days: null,
      related: [],
      version: 1,
      createdAt: ISO,
      updatedAt: ISO,
    });
    expect(res.headers).toMatchObject({ location: `/api/products/${res.body.id}`, etag: '"1"' });
    expect(await read(res.body.id)).toEqual(res.body);
  });

  it('fills in what may be left out', async () => {
    const { code, title, price, stock, category } = productInput();
    const { body } = await feira.withKey('post', '/api/products').send({ code, title, price, stock, category });
    expect(body).toMatchObject({ description: '', currency: 'EUR', status: true, thumbnails: [], images: [] });
  });

  it('cleans texts and keeps their meaning', async () => {
    const product = await createProduct(feira, {
      title: '  Cafe\u0301 \u202egnp.exe\u202c\u0000 cup ',
      description: 'First line\r\nsecond\u0007 line\tend',
    });
    expect(product.title).toBe('Café gnp.exe cup');
    expect(product.description).toBe('First line\nsecond line\tend');
  });

  it('names every fault at once', async () => {
    const bad = { ...productInput({ price: 19.99, stock: -1, title: ' ' }), colour: 'red' };
    const { body } = await feira.withKey('post', '/api/products').send(bad).expect(422);
    expect(body.errors.map(({ pointer }: { pointer: string }) => pointer).sort()).toEqual([
      '#/colour',
      '#/price',
      '#/stock',
      '#/title',
    ]);
  });

  it('says of what is missing that it must be there', async () => {
    const { body } = await feira.withKey('post', '/api/products').send({ price: 5, stock: 1 }).expect(422);
    const missing = ['#/code', '#/title', '#/category'].map((pointer) => ({ pointer, detail: 'must be there' }));
    expect(body.errors).toEqual(missing);
    const { body: kind } = await feira
      .withKey('post', '/api/products')
      .send(productInput({ title: 7 }))
      .expect(422);
    expect(kind.errors).toEqual([{ pointer: '#/title', detail: expect.stringContaining('string') }]);
  });

  it('refuses a code that another product has, and names the reason', async () => {
    const { code } = await createProduct(feira);
    const { body } = await feira.withKey('post', '/api/products').send(productInput({ code })).expect(409);
    expect(body).toMatchObject({ code: 'CODE_TAKEN', status: 409 });
  });

  it('makes one product of ten parallel requests with one code', async () => {
    const code = 'ONLY-ONE';
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => feira.withKey('post', '/api/products').send(productInput({ code }))),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(9).fill(409)]);
    expect((await feira.api.get('/api/products?q=only-one')).body.total).toBe(1);
  });
});

describe('PUT /api/products/:pid', () => {
  it('replaces every field; what is left out goes back to its default, pictures stay', async () => {
    const made = await createProduct(feira, { status: false, thumbnails: ['/img/a.webp'], currency: 'USD' });
    const { code, title, price, stock, category } = productInput({ title: 'New' });
    const res = await feira
      .withKey('put', `/api/products/${made.id}`)
      .send({ code, title, price, stock, category })
      .expect(200);
    expect(res.body).toEqual({
      ...made,
      ...{ code, title, price, stock, category },
      description: '',
      currency: 'EUR',
      status: true,
      version: 2,
      updatedAt: ISO,
    });
    expect(res.headers.etag).toBe('"2"');
    expect(await read(made.id)).toEqual(res.body);
  });

  it('refuses a part of a product', async () => {
    const { id } = await createProduct(feira);
    await feira.withKey('put', `/api/products/${id}`).send({ price: 5 }).expect(422);
  });
});

describe('PATCH /api/products/:pid', () => {
  it('changes what it names and nothing else', async () => {
    const made = await createProduct(feira);
    const res = await feira.withKey('patch', `/api/products/${made.id}`).send({ price: 5, status: false }).expect(200);
    expect(res.body).toEqual({ ...made, price: 5, status: false, version: 2, updatedAt: ISO });
    expect(Date.parse(res.body.updatedAt)).toBeGreaterThanOrEqual(Date.parse(made.updatedAt));
    expect(await read(made.id)).toEqual(res.body);
  });

  it('is found by its new words and no longer by the old ones', async () => {
    const { id } = await createProduct(feira, { title: 'Quokka figure' });
    await feira.withKey('patch', `/api/products/${id}`).send({ title: 'Wombat figure' }).expect(200);
    expect((await feira.api.get('/api/products?q=quokka')).body.total).toBe(0);
    expect((await feira.api.get('/api/products?q=wombat')).body.total).toBe(1);
  });

  it('refuses an empty change and the code of another product', async () => {
    const [one, other] = [await createProduct(feira), await createProduct(feira)];
    await feira.withKey('patch', `/api/products/${one.id}`).send({}).expect(422);
    await feira.withKey('patch', `/api/products/${one.id}`).send({ code: other.code }).expect(409);
    expect(await read(one.id)).toEqual(one);
  });
});

describe('DELETE /api/products/:pid', () => {
  it('takes the product away and gives its code free', async () => {
    const { id, code } = await createProduct(feira);
    const res = await feira.withKey('delete', `/api/products/${id}`).expect(204);
    expect(res.text).toBe('');
    await feira.api.get(`/api/products/${id}`).expect(404);
    await feira.withKey('delete', `/api/products/${id}`).expect(404);
    await feira.withKey('patch', `/api/products/${id}`).send({ price: 1 }).expect(404);
    await feira.withKey('put', `/api/products/${id}`).send(productInput()).expect(404);
    expect((await createProduct(feira, { code })).code).toBe(code);
  });
});

describe('If-Match', () => {
  const patch = (id: string, ifMatch: string) =>
    feira.withKey('patch', `/api/products/${id}`).set('If-Match', ifMatch).send({ price: 7 });

  it('lets a change of the current version through, and of any with *', async () => {
    const { id } = await createProduct(feira);
    expect((await patch(id, '"1"').expect(200)).headers.etag).toBe('"2"');
    await patch(id, '*').expect(200);
    await feira.withKey('put', `/api/products/${id}`).set('If-Match', '"3"').send(productInput()).expect(200);
    await feira.withKey('delete', `/api/products/${id}`).set('If-Match', '"4"').expect(204);
  });

  it.each(['"2"', '"0"', '1', 'x', '"1", "2"', '""'])('refuses %s for version 1', async (tag) => {
    const made = await createProduct(feira);
    const at = `/api/products/${made.id}`;
    const refused = await patch(made.id, tag).expect(412);
    expect(refused.body.code).toBe('VERSION_MISMATCH');
    await feira.withKey('put', at).set('If-Match', tag).send(productInput()).expect(412);
    await feira.withKey('delete', at).set('If-Match', tag).expect(412);
    expect(await read(made.id)).toEqual(made);
  });

  it('lets one of twenty parallel changes of one version through', async () => {
    const { id } = await createProduct(feira);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_each, i) =>
        feira.withKey('patch', `/api/products/${id}`).set('If-Match', '"1"').send({ stock: i }),
      ),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(412)]);
    const winner = answers.find(({ status }) => status === 200);
    expect(await read(id)).toEqual(winner?.body);
  });

  it('without it, parallel changes all count', async () => {
    const { id } = await createProduct(feira);
    const changes = [{ price: 1 }, { stock: 2 }, { title: 'Third' }, { category: 'Fourth' }, { status: false }];
    await Promise.all(changes.map((change) => feira.withKey('patch', `/api/products/${id}`).send(change).expect(200)));
    expect(await read(id)).toMatchObject({ ...Object.assign({}, ...changes), version: 6 });
  });
});

describe('the key', () => {
  const WRITES = [
    ['post', '/api/products', productInput()],
    ['put', '/api/products/:pid', productInput()],
    ['patch', '/api/products/:pid', { price: 1 }],
    ['delete', '/api/products/:pid', undefined],
  ] as const;

  it.each(WRITES)('is needed for %s %s', async (method, path, body) => {
    const made = await createProduct(feira);
    const at = path.replace(':pid', made.id);
    for (const authorization of [undefined, 'Bearer wrong-key', 'Bearer', `Basic ${API_KEY}`, API_KEY, 'Bearer a b']) {
      const request = feira.api[method](at);
      if (authorization !== undefined) request.set('Authorization', authorization);
      const res = await request.send(body).expect(401);
      expect(res.body.code).toBe('UNAUTHENTICATED');
      expect(res.headers['www-authenticate']).toBe('Bearer');
    }
    expect(await read(made.id)).toEqual(made);
  });

  it('is checked wherever it is sent', async () => {
    await feira.api.get('/api/products').set('Authorization', 'Bearer wrong-key').expect(401);
    await feira.api.get('/api/products').set('Authorization', `Bearer ${API_KEY}`).expect(200);
  });

  it('is asked for before the input is judged', async () => {
    await feira.api.post('/api/products').send({ nonsense: true }).expect(401);
    await feira.api.delete('/api/products/665f1c2ab8a1f0c3d4e5f601').expect(401);
  });

  it('is never repeated in an answer', async () => {
    const { text } = await feira.api.post('/api/products').set('Authorization', 'Bearer secret-9').send({}).expect(401);
    expect(text).not.toContain('secret-9');
  });
});
