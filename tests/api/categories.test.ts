import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Category, type CategoryDto } from '../../src/models/category.model.ts';
import type { ProductDto } from '../../src/models/product.model.ts';
import { createProduct } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { nextEvent } from '../helpers/wait-for.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

const aName = (word: string) => `${word} ${randomBytes(4).toString('hex')}`;
const slug = (name: string) => name.toLowerCase().replace(' ', '-');
const post = (body: object) => feira.withKey('post', '/api/categories').send(body);
const patch = (id: string, body: object) => feira.withKey('patch', `/api/categories/${id}`).send(body);
const make = async (name: string, parent: string | null = null): Promise<CategoryDto> =>
  (await post({ name, parent }).expect(201)).body;
const items = async (query = ''): Promise<CategoryDto[]> =>
  (await feira.withKey('get', `/api/categories${query}`).expect(200)).body.items;
const found = async (category: string): Promise<string[]> => {
  const { body } = await feira.api.get(`/api/products?${new URLSearchParams({ category, sort: 'createdAt' })}`);
  return body.items.map(({ id }: ProductDto) => id);
};
const read = async ({ id }: ProductDto): Promise<ProductDto> => (await feira.api.get(`/api/products/${id}`)).body;

/** Kitchen > Mugs, with a product in each. */
async function kitchen() {
  const [above, below] = [aName('Kitchen'), aName('Mugs')];
  const parent = await make(above);
  const child = await make(below, parent.id);
  const knife = await createProduct(feira, { category: above });
  const mug = await createProduct(feira, { category: below });
  return { parent, child, knife, mug };
}

describe('a category', () => {
  it('is made at the top by a product with a new text', async () => {
    const name = aName('Café & Té');
    const product = await createProduct(feira, { category: name });
    expect(product.categoryPath).toMatch(/^cafe-te-\w{8}$/);
    const path = product.categoryPath;
    expect(await items()).toContainEqual(
      expect.objectContaining({ name, slug: path, path, parent: null, position: 0, count: 1 }),
    );
  });

  it('has another address when its own is taken', async () => {
    const name = aName('Blue');
    await createProduct(feira, { category: name });
    expect((await createProduct(feira, { category: `${name}!` })).categoryPath).toBe(`${slug(name)}-2`);
    expect((await createProduct(feira, { category: name })).categoryPath).toBe(slug(name));
  });

  it('is found with all below it, by name and by path', async () => {
    const { parent, child, knife, mug } = await kitchen();
    expect(child.path).toBe(`${parent.slug}/${child.slug}`);
    for (const text of [parent.name, parent.path]) expect(await found(text)).toEqual([knife.id, mug.id]);
    for (const text of [child.name, child.path]) expect(await found(text)).toEqual([mug.id]);
    for (const text of [child.slug, 'nowhere', '']) expect(await found(text)).toEqual([]);
    await feira.page(`/?category=${child.path}`).expect(200, new RegExp(`<h1>${child.name}</h1>`));
  });

  it('stands in the list behind the one above it, in its position, with the products for sale', async () => {
    const { parent, child } = await kitchen();
    const late = await make(aName('A'), parent.id);
    await createProduct(feira, { category: late.name });
    await createProduct(feira, { category: late.name, status: false });
    await patch(late.id, { position: 5 }).expect(200);
    const list = (await items()).map(({ name, count }) => [name, count]);
    const at = list.findIndex(([name]) => name === parent.name);
    expect(list.slice(at, at + 3)).toEqual([
      [parent.name, 3],
      [child.name, 1],
      [late.name, 1],
    ]);
  });

  it('is in the public list only while it has something for sale', async () => {
    const empty = await make(aName('Empty'));
    expect(await items()).not.toContainEqual(expect.objectContaining({ name: empty.name }));
    expect(await items('?empty=true')).toContainEqual(empty);
    await feira.api.get('/api/categories?empty=true').expect(401);
  });

  it('takes its products along when it is renamed, and tells of them', async () => {
    const { parent, knife, mug } = await kitchen();
    const socket = await feira.connectSocket();
    const told = nextEvent<{ product: ProductDto }>(
      socket,
      'product:updated',
      ({ product }) => product.id === knife.id,
    );
    const name = aName('Cooking');
    const { body } = await patch(parent.id, { name }).expect(200);
    expect(body).toEqual({ ...parent, name, count: 2 });
    expect(await read(knife)).toMatchObject({ category: name, categoryPath: parent.path, version: 2 });
    expect((await told).product).toMatchObject({ category: name });
    expect(await read(mug)).toMatchObject({ categoryPath: mug.categoryPath });
    expect(await found(name)).toEqual([knife.id, mug.id]);
    expect(await found(parent.name)).toEqual([]);
    expect((await feira.api.get(`/api/products?q=${name.split(' ')[1]}`)).body.total).toBe(1);
  });

  it('takes everything below it along when it is moved or has another slug', async () => {
    const { parent, child, knife, mug } = await kitchen();
    const home = await make(aName('Home'));
    const { body } = await patch(parent.id, { parent: home.id, slug: 'cooking' }).expect(200);
    expect(body).toMatchObject({ parent: home.id, path: `${home.path}/cooking` });
    expect(await read(knife)).toMatchObject({ categoryPath: body.path });
    expect(await read(mug)).toMatchObject({ category: child.name, categoryPath: `${body.path}/${child.slug}` });
    expect(await found(home.path)).toEqual([knife.id, mug.id]);
    expect(await found(parent.path)).toEqual([]);
  });

  it('takes more products along than fit into one step', async () => {
    const name = aName('Many');
    const { categoryPath } = await createProduct(feira, { category: name });
    await Promise.all(Array.from({ length: 60 }, () => createProduct(feira, { category: name })));
    const category = (await items()).find(({ path }) => path === categoryPath);
    const other = aName('More');
    await patch(category?.id ?? '', { name: other, slug: slug(other) }).expect(200);
    const { body } = await feira.api.get(`/api/products?${new URLSearchParams({ category: slug(other) })}`);
    expect(body.total).toBe(61);
  });

  it('lets its products follow later when that was interrupted', async () => {
    const { parent, knife, mug } = await kitchen();
    const name = aName('Cooking');
    const stopped = { name, path: slug(name), slug: slug(name), former: { name: parent.name, path: parent.path } };
    await Category.updateOne({ _id: parent.id }, stopped);
    await Category.updateOne({ parent: parent.id }, { path: mug.categoryPath.replace(parent.path, slug(name)) });
    expect((await post({ name: aName('x'), slug: parent.slug }).expect(409)).body.code).toBe('NAME_TAKEN');
    await patch(parent.id, { position: 1 }).expect(409);
    await patch((await make(aName('Other'))).id, { position: 1 }).expect(200);
    expect(await found(name)).toEqual([knife.id, mug.id]);
    await patch(parent.id, { position: 1 }).expect(200);
  });

  it('does not go while its products still follow', async () => {
    const { child, mug } = await kitchen();
    const name = aName('Cups');
    await Category.updateOne({ _id: child.id }, { name, former: { name: child.name, path: child.path } });
    const { body } = await feira.withKey('delete', `/api/categories/${child.id}`).expect(409);
    expect(body.code).toBe('CATEGORY_NOT_EMPTY');
    await patch((await make(aName('Other'))).id, { position: 1 }).expect(200);
    expect(await found(name)).toEqual([mug.id]);
  });

  it('is at most six levels deep, also below what is moved', async () => {
    let [parent, low] = [await make(aName('Top')), await make(aName('Low'))];
    const moved = low;
    for (let level = 2; level <= 5; level++) parent = await make(aName('Top'), parent.id);
    low = await make(aName('Low'), low.id);
    const { body } = await patch(moved.id, { parent: parent.id }).expect(422);
    expect(body.errors).toEqual([{ pointer: '#/parent', detail: expect.stringContaining('levels deep') }]);
    expect(await items('?empty=true')).toContainEqual(low);
    await patch(moved.id, { parent: parent.parent }).expect(200);
  });

  it('has an address that is short enough to be asked for', async () => {
    const { categoryPath, id } = await createProduct(feira, { category: 'ﬃ'.repeat(60) });
    expect(categoryPath.length).toBeLessThanOrEqual(60);
    expect(await found(categoryPath)).toEqual([id]);
  });

  it('is not moved below itself', async () => {
    const { parent, child } = await kitchen();
    for (const id of [parent.id, child.id, 'f'.repeat(24)])
      expect((await patch(parent.id, { parent: id }).expect(422)).body.errors[0].pointer).toBe('#/parent');
  });

  it('has a name and an address of its own', async () => {
    const { parent, child } = await kitchen();
    expect((await post({ name: parent.name }).expect(409)).body.code).toBe('NAME_TAKEN');
    await post({ name: aName('x'), slug: parent.slug }).expect(409);
    await patch(child.id, { name: parent.name }).expect(409);
    await patch(child.id, { parent: null, slug: parent.slug }).expect(409);
    expect(await found(child.name)).toHaveLength(1);
  });

  it('goes only when it is empty', async () => {
    const { parent, child, mug } = await kitchen();
    const remove = (id: string) => feira.withKey('delete', `/api/categories/${id}`);
    for (const id of [parent.id, child.id]) expect((await remove(id).expect(409)).body.code).toBe('CATEGORY_NOT_EMPTY');
    await feira.withKey('patch', `/api/products/${mug.id}`).send({ draft: true }).expect(200);
    await remove(child.id).expect(409);
    await feira.withKey('delete', `/api/products/${mug.id}`).expect(204);
    await remove(child.id).expect(204);
    await remove(child.id).expect(404);
  });

  it.each([
    ['post', '', { name: '' }],
    ['post', '', { name: 'A', slug: 'Not a slug' }],
    ['post', '', { name: 'A', parent: 'x' }],
    ['patch', `/${'f'.repeat(24)}`, {}],
    ['patch', `/${'f'.repeat(24)}`, { path: 'a' }],
  ] as const)('is refused: %s %s %j', async (method, path, body) => {
    await feira.withKey(method, `/api/categories${path}`).send(body).expect(422);
    await feira.api[method](`/api/categories${path}`).send(body).expect(401);
  });
});
