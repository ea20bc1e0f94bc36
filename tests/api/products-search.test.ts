import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import type { ProductDto } from '../../src/models/product.model.ts';
import { createProduct } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

/** A category of its own for each test, so that tests do not see one another's products. */
let category: string;
let shelves = 0;
beforeEach(() => {
  category = `Shelf ${++shelves}`;
});

const shelve = (...products: object[]) =>
  Promise.all(products.map((product) => createProduct(feira, { category, ...product })));
const read = async (query: object = {}) =>
  (
    await feira.api
      .get('/api/products')
      .query({ category, sort: 'createdAt', ...query })
      .expect(200)
  ).body;
const titles = async (query: object) => (await read(query)).items.map(({ title }: ProductDto) => title);
const facets = async (query: object = {}) => (await read({ facets: true, ...query })).facets;
const countOf = ({ categories }: { categories: { name: string; count: number }[] }, name: string) =>
  categories.find((one) => one.name === name)?.count;

describe('inStock', () => {
  it('finds what there are units of, or what is sold out', async () => {
    await createProduct(feira, { category, title: 'Bowl', stock: 3 });
    await createProduct(feira, { category, title: 'Plate', stock: 0 });
    expect(await titles({ inStock: true })).toEqual(['Bowl']);
    expect(await titles({ inStock: false })).toEqual(['Plate']);
    expect(await titles({})).toEqual(['Bowl', 'Plate']);
  });

  it('finds among drafts too', async () => {
    await shelve({ title: 'Bowl', stock: 3, draft: true }, { title: 'Plate', stock: 0, draft: true });
    const { body } = await feira
      .withKey('get', `/api/products?draft=true&inStock=true&category=${encodeURIComponent(category)}`)
      .expect(200);
    expect(body.items.map(({ title }: ProductDto) => title)).toEqual(['Bowl']);
  });

  it('is true or false', async () => {
    const { body } = await feira.api.get('/api/products?inStock=yes').expect(422);
    expect(body.errors).toEqual([{ pointer: '#/inStock', detail: 'must be true or false' }]);
  });
});

describe('facets', () => {
  it('are there when they are asked for', async () => {
    await shelve({});
    expect(await read()).not.toHaveProperty('facets');
    expect(await read({ facets: false })).not.toHaveProperty('facets');
    expect(await facets()).toEqual({
      categories: expect.any(Array),
      prices: expect.any(Array),
      availability: { inStock: 1, outOfStock: 0 },
    });
  });

  it('count each facet with all filters but its own', async () => {
    const other = `${category} too`;
    await shelve({ price: 100, stock: 1 }, { price: 100, stock: 0 }, { price: 900, stock: 2 });
    await createProduct(feira, { category: other, price: 100, stock: 1 });

    const narrowed = await facets({ maxPrice: 500, inStock: true });
    expect(countOf(narrowed, category)).toBe(1);
    expect(countOf(narrowed, other)).toBe(1);
    expect(narrowed.availability).toEqual({ inStock: 1, outOfStock: 1 });
    const sum = narrowed.prices.reduce((total: number, range: { count: number }) => total + range.count, 0);
    expect(sum).toBe(2);
    expect((await facets({ inStock: false })).availability).toEqual({ inStock: 2, outOfStock: 1 });
  });

  it('count the words and the status too', async () => {
    await shelve({ title: 'Blue jug' }, { title: 'Blue cup', status: false }, { title: 'Red cup' });
    expect(countOf(await facets({ q: 'blue' }), category)).toBe(2);
    expect(countOf(await facets({ q: 'blue', status: true }), category)).toBe(1);
    expect((await facets({ q: 'cup' })).availability).toEqual({ inStock: 2, outOfStock: 0 });
  });

  it('count a category with all below it, in the order of the tree, and keep the one that is chosen', async () => {
    const make = async (name: string, parent: string | null) =>
      (await feira.withKey('post', '/api/categories').send({ name, parent }).expect(201)).body;
    const top = await make(category, null);
    const below = await make(`${category} below`, top.id);
    await shelve({}, { category: below.name }, { category: below.name });

    const { categories } = await facets();
    const place = categories.findIndex(({ path }: { path: string }) => path === top.path);
    expect(categories.slice(place, place + 2)).toEqual([
      { name: category, path: top.path, count: 3 },
      { name: below.name, path: below.path, count: 2 },
    ]);
    const empty = await facets({ category: below.path, q: 'nothinghasthis' });
    expect(empty.categories).toEqual([
      { name: category, path: top.path, count: 0 },
      { name: below.name, path: below.path, count: 0 },
    ]);
    expect(empty.prices).toEqual([]);
  });

  it('split prices at round amounts, in ranges that find what they count', async () => {
    await shelve(...[199, 250, 399, 499, 510, 780, 999, 1250, 1999, 4999, 12_500].map((price) => ({ price })));
    const { prices } = await facets();
    expect(prices.length).toBeGreaterThan(2);
    expect(prices[0].min).toBeNull();
    expect(prices.at(-1).max).toBeNull();
    for (const { min, max, count } of prices) {
      const range = { ...(min !== null && { minPrice: min }), ...(max !== null && { maxPrice: max }) };
      expect((await read(range)).total).toBe(count);
      if (min !== null) expect(min % 50).toBe(0);
    }
    expect(await facets({ minPrice: 1000 })).toMatchObject({ prices });
  });

  it('have no price ranges where everything costs the same', async () => {
    await shelve({ price: 500 }, { price: 500 });
    expect((await facets()).prices).toEqual([]);
  });

  it('follow every change at once', async () => {
    const [cup] = await shelve({ title: 'Cup', stock: 1 });
    const path = `/api/products/${cup!.id}`;
    expect((await facets()).availability).toEqual({ inStock: 1, outOfStock: 0 });
    await feira.withKey('patch', path).send({ stock: 0, title: 'Beaker', price: 7 }).expect(200);
    expect((await facets({ q: 'beaker', maxPrice: 7 })).availability).toEqual({ inStock: 0, outOfStock: 1 });
    expect(await titles({ q: 'cup', exact: true })).toEqual([]);

    await feira.withKey('patch', path).send({ draft: true }).expect(200);
    expect(countOf(await facets(), category)).toBe(0);
    await feira
      .withKey('patch', path)
      .send({ draft: false, category: `${category} new` })
      .expect(200);
    expect(countOf(await facets(), `${category} new`)).toBe(1);
    await feira.withKey('delete', path).expect(204);
    expect(countOf(await facets(), `${category} new`)).toBeUndefined();
  });

  it('follow a category that is moved', async () => {
    await shelve({}, {});
    const { body } = await feira.api.get('/api/categories').expect(200);
    const { id } = body.items.find(({ name }: { name: string }) => name === category);
    await feira
      .withKey('patch', `/api/categories/${id}`)
      .send({ slug: `moved-${shelves}` })
      .expect(200);
    const { categories } = await facets({ category: `moved-${shelves}` });
    expect(categories).toContainEqual({ name: category, path: `moved-${shelves}`, count: 2 });
  });

  it('are read anew when too many changes were missed', async () => {
    const [cup] = await shelve({ stock: 1 });
    expect((await facets()).availability).toEqual({ inStock: 1, outOfStock: 0 });
    const { db } = mongoose.connection;
    await db
      ?.collection<object>('products')
      .updateOne({ _id: new mongoose.Types.ObjectId(cup!.id) }, { $set: { stock: 0 } });
    await db?.collection<{ _id: string }>('counters').updateOne({ _id: 'catalogue' }, { $inc: { value: 5000 } });
    expect((await facets()).availability).toEqual({ inStock: 0, outOfStock: 1 });
  });

  it('find long words of rare characters when they are read anew, too', async () => {
    // More than is kept of a word, and the cut falls into the middle of a character.
    const word = `a${'𠮷'.repeat(30)}`;
    await shelve({ title: word });
    expect(await titles({ q: word, exact: true })).toEqual([word]);
    const counters = mongoose.connection.db?.collection<{ _id: string }>('counters');
    await counters?.updateOne({ _id: 'catalogue' }, { $inc: { value: 5000 } });
    expect(await titles({ q: word, exact: true })).toEqual([word]);
  });

  it('are not of drafts', async () => {
    const { body } = await feira.withKey('get', '/api/products?draft=true&facets=true').expect(422);
    expect(body.errors[0].pointer).toBe('#/facets');
  });
});

describe('a typing error in q', () => {
  beforeEach(() => shelve({ title: 'Marbled teapot', code: `ZQX/${shelves}` }, { title: 'Ordinary jar' }));

  it.each([
    ['a letter that is missing', 'marbld teapot', 'marbled teapot'],
    ['a letter too many', 'marblled', 'marbled'],
    ['another letter', 'narbled', 'marbled'],
    ['swapped letters', 'tepaot', 'teapot'],
    ['two errors in a long word', 'ordynarry', 'ordinary'],
    ['accents and case', 'MÀRBLETD', 'marbled'],
  ])('is understood: %s', async (_kind, q, corrected) => {
    const { items, corrected: told } = await read({ q });
    expect(told).toBe(corrected);
    expect(items).toHaveLength(1);
    const same = await read({ q: corrected });
    expect(same.items).toEqual(items);
    expect(same).not.toHaveProperty('corrected');
  });

  it.each([
    ['a short word', 'jra'],
    ['two errors in a word of seven letters', 'narblad'],
    ['a code', 'zqy1'],
    ['words that occur, but not together', 'teapot ordinary'],
  ])('is not looked for in %s', async (_kind, q) => {
    const body = await read({ q });
    expect(body).toMatchObject({ items: [], total: 0 });
    expect(body).not.toHaveProperty('corrected');
  });

  it('is taken as it is when that is asked for', async () => {
    const body = await read({ q: 'marbld', exact: true });
    expect(body).toMatchObject({ items: [], total: 0 });
    expect(body).not.toHaveProperty('corrected');
  });

  it('does not lead to words that are gone', async () => {
    const [gone] = await shelve({ title: 'Quixotic' });
    expect((await read({ q: 'quixotik' })).corrected).toBe('quixotic');
    await feira.withKey('delete', `/api/products/${gone!.id}`).expect(204);
    expect(await read({ q: 'quixotik' })).not.toHaveProperty('corrected');
  });
});
