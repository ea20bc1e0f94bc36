import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { logInBrowser } from '../helpers/accounts.ts';
import { createProduct, createRedAndBlue, productInput } from '../helpers/factories.ts';
import { movedOf } from '../helpers/orders.ts';
import { picture } from '../helpers/pictures.ts';
import { ADMIN, type Feira, startFeira } from '../helpers/start-feira.ts';
import { hiddenFields, type WebVisitor } from '../helpers/web-visitor.ts';

let feira: Feira;
let boss: WebVisitor;
beforeAll(async () => {
  feira = await startFeira();
  boss = await logInBrowser(feira, ADMIN.email, ADMIN.password);
});
afterAll(() => feira.stop());

type Fields = Record<string, string>;
const pageOf = ({ id }: { id: string }) => `/admin/products/${id}`;
const read = async ({ id }: { id: string }) => (await feira.withKey('get', `/api/products/${id}`)).body;

/** The form of a product as it was opened: what it was made from, and how it is sent. */
async function opened(product: { id: string }) {
  const { text } = await boss.open(pageOf(product));
  const { base: escaped = '', ...hidden } = hiddenFields(text, pageOf(product));
  const base = escaped
    .replaceAll('&quot;', '"')
    .replaceAll('&#x3D;', '=')
    .replaceAll('&amp;', '&')
    .replaceAll('&#x27;', "'");
  const send = (changes: Fields, fields: Fields = JSON.parse(base)) =>
    boss.agent
      .post(pageOf(product))
      .type('form')
      .send({ ...hidden, base, ...fields, ...changes });
  return { text, send, base: JSON.parse(base) as Fields };
}

describe('products, for staff', () => {
  it('are listed, found by word and state, drafts apart', async () => {
    const title = 'Cork trivet';
    const shown = await createProduct(feira, { title, stock: 0 });
    const draft = await createProduct(feira, { title, draft: true });
    const list = async (search: string) => (await boss.open(`/admin/products?q=trivet&${search}`)).text;
    expect(await list('')).toContain(pageOf(shown));
    expect(await list('')).not.toContain(pageOf(draft));
    expect(await list('draft=true')).toContain(pageOf(draft));
    expect(await list('inStock=true')).toContain('No product fits.');
    expect(await list('sort=none')).toContain('These filters do not fit together');
  });

  it('are made, with what is wrong beside its field', async () => {
    const { code } = productInput();
    const page = '/admin/products/new';
    const wrong = await boss.submit(page, {
      title: '',
      code,
      category: 'Cork',
      price: 'ten',
      currency: 'EUR',
      stock: '3',
    });
    expect(wrong.status).toBe(422);
    expect(wrong.text).toContain('Title must not be empty.');
    expect(wrong.text).toContain('Price must be a sum such as 12.50.');
    expect(wrong.text).toContain(`value="${code}"`);
    const made = await boss.submit(page, {
      ...{ title: 'Cork mat', code, category: 'Cork', price: '12,50', currency: 'EUR', stock: '3', status: 'on' },
    });
    expect(made.status).toBe(303);
    const [, id = ''] = /products\/([\da-f]{24})/.exec(String(made.headers.location))!;
    expect(await read({ id })).toMatchObject({ title: 'Cork mat', price: 1250, stock: 3, draft: false, status: true });
    expect(
      (await boss.submit(page, { title: 'Again', code, category: 'Cork', price: '1', currency: 'EUR', stock: '3' }))
        .text,
    ).toContain('has this code');
  });

  it('are made with variants, which need a price', async () => {
    const { code } = productInput();
    const shape = { 'option-0-name': 'Colour', 'option-0-values': 'Red\nBlue', combine: 'on' };
    const fields = { title: 'Cap', code, category: 'Cork', currency: 'EUR', ...shape };
    const wrong = await boss.submit('/admin/products/new', { ...fields, price: '' });
    expect(wrong.text).toContain('Price must be a sum such as 12.50.');
    expect(wrong.text).toContain('>Red\nBlue</textarea>');
    const { headers } = await boss.submit('/admin/products/new', { ...fields, price: '8', stock: '' });
    const [, id = ''] = /products\/([\da-f]{24})/.exec(String(headers.location))!;
    expect(await read({ id })).toMatchObject({
      price: 800,
      variants: [{ values: ['Red'], price: 800 }, { values: ['Blue'] }],
    });
  });

  it('refuse odd forms as input, not as a fault of the shop', async () => {
    const product = await createProduct(feira);
    const { send } = await opened(product);
    for (const odd of [
      { currency: 'E' },
      { currency: '€€€', price: '1' },
      { price: ['1', '2'] },
      { 'option-0-name': 'X' },
    ])
      expect({ odd, status: (await send(odd as never)).status }).toEqual({ odd, status: 422 });
    expect((await send({ base: 'null' })).status).toBe(400);
    expect(
      (await boss.submit(pageOf(product), { how: 'change', units: 'some', reason: 'Why' }, `${pageOf(product)}/stock`))
        .text,
    ).toContain('The units must be a whole number.');
    expect((await read(product)).version).toBe(1);
  });

  it('are changed, taken from the public, and deleted', async () => {
    const [product, other] = [await createProduct(feira), await createProduct(feira)];
    const { send } = await opened(product);
    const changes = { description: 'Line\r\nbreaks', listPrice: '25', draft: 'on', related: other.code };
    expect((await send(changes)).headers.location).toBe(`${pageOf(product)}?saved=1&merged=`);
    expect(await read(product)).toMatchObject({
      description: 'Line\nbreaks',
      listPrice: 2500,
      draft: true,
      related: [other.id],
    });
    expect((await opened(product)).text).toContain('>Line\nbreaks</textarea>');
    expect((await feira.page(`/products/${product.id}`)).status).toBe(404);
    expect((await (await opened(product)).send({ related: 'NOPE-1' })).text).toContain(
      'names NOPE-1, which no product has',
    );
    await boss.submit(pageOf(product), {}, `${pageOf(product)}/delete`);
    expect((await boss.open(pageOf(product))).status).toBe(404);
  });

  it('get options and a variant of each combination', async () => {
    const product = await createProduct(feira, { price: 1000 });
    const shape = {
      'option-0-name': 'Colour',
      'option-0-values': 'Red\nSky blue',
      'option-1-name': 'Size',
      'option-1-values': 'S\nL',
    };
    expect((await (await opened(product)).send({ ...shape, combine: 'on' })).status).toBe(303);
    const { variants } = await read(product);
    expect(variants.map(({ values }: { values: string[] }) => values.join())).toEqual([
      'Red,S',
      'Red,L',
      'Sky blue,S',
      'Sky blue,L',
    ]);
    expect(variants[2]).toMatchObject({ code: `${product.code}-SKYBLUE-S`, price: 1000, stock: 0 });
    const { send } = await opened(product);
    await send({
      'option-0-values': 'Crimson\nSky blue',
      [`variant-${variants[0].id}-price`]: '15',
      [`remove-${variants[3].id}`]: 'on',
    });
    const after = await read(product);
    expect(after.variants).toMatchObject([
      { values: ['Crimson', 'S'], price: 1500 },
      { values: ['Crimson', 'L'] },
      { values: ['Sky blue', 'S'] },
    ]);
    const wrong = await (await opened(product)).send({ [`variant-${variants[1].id}-price`]: 'much' });
    expect(wrong.status).toBe(422);
    expect(wrong.text).toContain('value="much"');
  });

  it('get more units, or what was counted, and show what moved them', async () => {
    const { product, red } = await createRedAndBlue(feira);
    const change = (fields: Fields) => boss.submit(pageOf(product), fields, `${pageOf(product)}/stock`);
    await change({ how: 'change', units: '+5', reason: 'Delivery of Monday', variantId: red.id });
    await change({ how: 'counted', units: '12', reason: 'Stocktaking', variantId: red.id });
    expect((await read(product)).stock).toBe(22);
    expect(await movedOf(product)).toBe(22);
    const { text } = await boss.open(pageOf(product));
    for (const told of ['Delivery of Monday', 'Stocktaking', '−3', '+5']) expect(text).toContain(told);
    const refused = await change({ how: 'change', units: '-99', reason: 'Broken', variantId: red.id });
    expect(refused.text).toContain('There are only 12.');
    expect(refused.text).toContain('value="Broken"');
  });

  it('get pictures, in an order, with words, and lose them', async () => {
    const product = await createProduct(feira);
    const { text } = await boss.open(pageOf(product));
    const { _csrf = '' } = hiddenFields(text, `${pageOf(product)}/pictures`);
    const sent = boss.agent.post(`${pageOf(product)}/pictures`).field('_csrf', _csrf);
    for (const kind of ['png', 'jpeg'] as const) sent.attach('file', await picture(kind), `one.${kind}`);
    expect((await sent).status).toBe(303);
    const [first, second] = (await read(product)).images;
    const arrange = `${pageOf(product)}/pictures/arrange`;
    await boss.submit(
      pageOf(product),
      { [`position-${first.id}`]: '2', [`position-${second.id}`]: '1', [`alt-${first.id}`]: 'Two halves' },
      arrange,
    );
    expect((await read(product)).images).toMatchObject([{ id: second.id }, { id: first.id, alt: 'Two halves' }]);
    await boss.submit(pageOf(product), {}, `${pageOf(product)}/pictures/${first.id}/remove`);
    expect((await read(product)).images).toHaveLength(1);
    const none = await boss.agent
      .post(`${pageOf(product)}/pictures`)
      .field('_csrf', _csrf)
      .attach('file', Buffer.from('no'), 'a.png');
    expect(none.status).toBe(415);
  });
});

describe('a product that two change at once', () => {
  it('keeps both changes, and says so', async () => {
    const product = await createProduct(feira);
    const [mine, theirs] = [await opened(product), await opened(product)];
    await theirs.send({ title: 'Speckled bowl' });
    const saved = await mine.send({ price: '21.00' });
    expect(await read(product)).toMatchObject({ title: 'Speckled bowl', price: 2100 });
    expect((await boss.open(String(saved.headers.location))).text).toContain('it is kept: Title.');
  });

  it('is not saved when both have changed the same, until one of them has chosen', async () => {
    const product = await createProduct(feira);
    const [mine, theirs] = [await opened(product), await opened(product)];
    await theirs.send({ title: 'Their title', description: 'Their words' });
    const asked = await mine.send({ title: 'My title', price: '5' });
    expect(asked.status).toBe(409);
    expect(asked.text).toContain('<q>Their title</q>');
    expect(asked.text).toContain('<q>My title</q>');
    expect(asked.text).toContain('Their words');
    expect(await read(product)).toMatchObject({ title: 'Their title', price: 1999 });

    const again = await opened(product);
    const typed = { ...again.base, title: 'My title', price: '5' };
    await again.send({ 'take-title': 'theirs' }, typed);
    expect(await read(product)).toMatchObject({ title: 'Their title', price: 500 });
    await (await opened(product)).send({ title: 'My title', 'take-title': 'mine' });
    expect((await read(product)).title).toBe('My title');
  });

  it('does not mind what is sold meanwhile', async () => {
    const product = await createProduct(feira, { stock: 10 });
    const { send } = await opened(product);
    await feira.withKey('post', `/api/products/${product.id}/stock`).send({ change: -4, reason: 'Sold' });
    expect((await send({ title: 'New title' })).status).toBe(303);
    expect(await read(product)).toMatchObject({ title: 'New title', stock: 6 });
  });

  it('is left alone by a form that changes nothing', async () => {
    const product = await createProduct(feira);
    await (await opened(product)).send({ combine: 'on' });
    expect((await read(product)).version).toBe(1);
  });

  it('refuses a form that is not whole', async () => {
    const product = await createProduct(feira);
    const { send } = await opened(product);
    expect((await send({ base: 'no' })).status).toBe(400);
  });
});
