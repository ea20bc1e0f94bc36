import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ProductDto } from '../../src/models/product.model.ts';
import { PRODUCT_SORTS } from '../../src/schemas/product.schema.ts';
import { createProduct } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

let shelves = 0;

/** Products in a category of their own, so that tests do not see one another's. */
async function shelf(...products: object[]): Promise<{ category: string; made: ProductDto[] }> {
  const category = `Shelf ${++shelves}`;
  const made: ProductDto[] = [];
  for (const product of products) made.push(await createProduct(feira, { category, ...product }));
  return { category, made };
}

const list = (query: Record<string, string | number>) => feira.api.get('/api/products').query(query);
const titles = async (query: Record<string, string | number>) => {
  const { body } = await list(query).expect(200);
  return (body.items as ProductDto[]).map(({ title }) => title);
};
const times = (n: number, product: object = {}) => Array.from({ length: n }, () => product);

describe('GET /api/products', () => {
  it('answers a page with its numbers', async () => {
    const { category } = await shelf(...times(5));
    const { body } = await list({ category, page: 2, limit: 2 }).expect(200);
    expect(body).toEqual({ items: expect.any(Array), total: 5, page: 2, limit: 2, pages: 3 });
    expect(body.items).toHaveLength(2);
  });

  it('holds 20 products, the newest first, when nothing is said', async () => {
    const { category, made } = await shelf(...times(21));
    const { body } = await list({ category }).expect(200);
    expect(body).toMatchObject({ total: 21, page: 1, limit: 20, pages: 2 });
    expect(body.items[0]).toEqual(made.at(-1));
  });

  it('is empty after the last page and in a category that is not there', async () => {
    const { category } = await shelf({});
    expect((await list({ category, page: 9 }).expect(200)).body).toMatchObject({
      items: [],
      total: 1,
      page: 9,
      pages: 1,
    });
    const none = await list({ category: 'Nowhere' }).expect(200);
    expect(none.body).toEqual({ items: [], total: 0, page: 1, limit: 20, pages: 0 });
    expect(none.headers.link).toBeUndefined();
  });

  it.each([
    'limit=101',
    'limit=0',
    'limit=-1',
    'limit=1.5',
    'limit=1e2',
    'limit=',
    'limit=ten',
    'page=0',
    'page=-1',
    'page=1000001',
    'sort=passwordHash',
    'sort=--price',
    'sort=titleKey',
    'status=1',
    'minPrice=-1',
    'minPrice=5&maxPrice=4',
    `q=${'x'.repeat(201)}`,
    'colour=red',
  ])('refuses %s', async (query) => {
    const { body } = await feira.api.get(`/api/products?${query}`).expect(422);
    expect(body.code).toBe('INVALID_INPUT');
    expect(body.errors).toEqual([{ pointer: `#/${query.split('=')[0]}`, detail: expect.any(String) }]);
  });

  it('takes 100 at once', async () => {
    await list({ limit: 100 }).expect(200);
  });
});

describe('Link of a list', () => {
  const linksOf = (header: string | undefined) =>
    Object.fromEntries(
      [...(header ?? '').matchAll(/<([^>]+)>; rel="(\w+)"/g)].map(([, address, rel]) => [rel, address]),
    );

  it('leads from the first page to the last and back, with the same filters', async () => {
    const { category, made } = await shelf(...times(5));
    const seen: string[] = [];
    const query = new URLSearchParams({ category, limit: '2', sort: 'createdAt' });
    let links = linksOf((await feira.api.get(`/api/products?${query}`)).headers.link);
    expect(Object.keys(links).sort()).toEqual(['first', 'last', 'next']);
    for (let address: string | undefined = links.first; address; address = links.next) {
      const page = await feira.api.get(address).expect(200);
      seen.push(...page.body.items.map(({ id }: ProductDto) => id));
      links = linksOf(page.headers.link);
    }
    expect(seen).toEqual(made.map(({ id }) => id));
    expect(Object.keys(links).sort()).toEqual(['first', 'last', 'prev']);
    expect((await feira.api.get(links.prev!)).body.page).toBe(2);
  });
});

describe('sort', () => {
  const compare = (a: unknown, b: unknown) => (a === b ? 0 : String(a) < String(b) ? -1 : 1);

  it.each(PRODUCT_SORTS.flatMap((field) => [field, `-${field}`]))(
    '%s goes through all pages without a gap or a repetition, equal ones by id',
    async (sort) => {
      const { category, made } = await shelf(
        ...times(3, { price: 500, stock: 1, title: 'Cup' }),
        ...times(3, { price: 700, stock: 2, title: 'apple bowl' }),
        { price: 600, stock: 3, title: 'Étagère' },
      );
      const field = sort.replace('-', '') as keyof ProductDto;
      const key = ({ [field]: value }: ProductDto) =>
        field === 'title' ? String(value).replace('É', 'e').replace('è', 'e').toLowerCase() : value;
      const expected = [...made].sort(
        (a, b) =>
          (typeof a[field] === 'number' ? Number(a[field]) - Number(b[field]) : compare(key(a), key(b))) ||
          compare(a.id, b.id),
      );
      if (sort.startsWith('-')) expected.reverse();

      const seen: string[] = [];
      for (const page of [1, 2, 3, 4]) {
        const { body } = await list({ category, sort, page, limit: 2 }).expect(200);
        seen.push(...body.items.map(({ id }: ProductDto) => id));
      }
      expect(seen).toEqual(expected.map(({ id }) => id));
    },
  );
});

describe('filters', () => {
  it('find by price, both ends included', async () => {
    const { category } = await shelf({ price: 100 }, { price: 200 }, { price: 300 });
    const total = async (query: object) => (await list({ category, ...query }).expect(200)).body.total;
    expect(await total({ minPrice: 200 })).toBe(2);
    expect(await total({ maxPrice: 200 })).toBe(2);
    expect(await total({ minPrice: 200, maxPrice: 200 })).toBe(1);
    expect(await total({ minPrice: 0, maxPrice: 99 })).toBe(0);
  });

  it('find by status; without it both kinds are there', async () => {
    const { category } = await shelf({ title: 'On sale' }, { title: 'Resting', status: false });
    expect(await titles({ category, status: 'true' })).toEqual(['On sale']);
    expect(await titles({ category, status: 'false' })).toEqual(['Resting']);
    expect(await titles({ category })).toHaveLength(2);
  });

  it('combine', async () => {
    const { category } = await shelf(
      { title: 'Green cup', price: 100 },
      { title: 'Green jug', price: 900 },
      { title: 'Green vase', price: 100, status: false },
    );
    expect(await titles({ category, q: 'green', maxPrice: 500, status: 'true' })).toEqual(['Green cup']);
  });

  it('do not find what is deleted', async () => {
    const { category, made } = await shelf({}, {});
    await feira.withKey('delete', `/api/products/${made[0]!.id}`).expect(204);
    expect((await list({ category })).body).toMatchObject({ total: 1, items: [made[1]] });
  });
});

describe('q', () => {
  it.each([
    ['a word', 'speckled'],
    ['another case', 'SPECKLED'],
    ['the beginning of a word', 'speck'],
    ['several words in any order', 'pitcher speckled'],
    ['several beginnings', 'pit spec'],
    ['a word without its accents', 'acai'],
    ['a word with accents', 'AÇAÍ'],
    ['a decomposed accent', 'ac\u0327ai\u0301'],
    ['a word of the description', 'kiln'],
    ['the code', 'zz-77'],
    ['words with signs between them', '  speckled, (pitcher)! '],
  ])('finds %s', async (_kind, q) => {
    const { category } = await shelf(
      { title: 'Speckled pitcher', description: 'Açaí glaze, from the kiln.', code: `ZZ-77/${shelves}` },
      { title: 'Plain plate', description: 'White.' },
    );
    expect(await titles({ category, q })).toEqual(['Speckled pitcher']);
  });

  it.each([
    ['a word that is not there', 'spoon'],
    ['one word of two', 'speckled spoon'],
    ['the middle of a word', 'eckled'],
    ['a regular expression', '.*kled'],
  ])('does not find %s', async (_kind, q) => {
    const { category } = await shelf({ title: 'Speckled pitcher' });
    expect(await titles({ category, q })).toEqual([]);
  });

  it('finds everything when it is empty', async () => {
    const { category } = await shelf({}, {});
    expect(await titles({ category, q: '' })).toHaveLength(2);
  });
});

describe('GET /api/categories', () => {
  it('counts the products for sale by category', async () => {
    const { category } = await shelf({}, {}, { status: false });
    const { body } = await feira.api.get('/api/categories').expect(200);
    expect(body.items).toContainEqual(expect.objectContaining({ name: category, count: 2, parent: null }));
    const names = body.items.map(({ name }: { name: string }) => name);
    expect(names).toEqual([...names].sort());
  });
});
