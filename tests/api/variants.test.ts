import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import type { ProductDto } from '../../src/models/product.model.ts';
import { StockMovement } from '../../src/models/stock-movement.model.ts';
import { upgradeProducts } from '../../src/services/product-upgrade.ts';
import { createProduct, createShirt, productInput, shirtInput } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { nextEvent } from '../helpers/wait-for.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

const post = (input: object) => feira.withKey('post', '/api/products').send(input);
const patch = (product: Pick<ProductDto, 'id'>, fields: object) =>
  feira.withKey('patch', `/api/products/${product.id}`).send(fields);

describe('a product with variants', () => {
  it('has the lowest price and the sum of the stock of its variants', async () => {
    const input = shirtInput();
    const { body } = await post(input).expect(201);
    expect(body).toMatchObject({ price: 2500, stock: 9, options: input.options });
    expect(body.variants).toEqual(
      input.variants.map((variant) => ({ ...variant, picture: null, id: expect.stringMatching(/^[\da-f]{24}$/) })),
    );
    expect((await feira.api.get(`/api/products/${body.id}`)).body).toEqual(body);
    expect((await feira.api.get(`/api/products?q=${input.variants[1]?.code}`)).body.items).toEqual([body]);
  });

  it('keeps the id of a variant that is sent again, by its id or its code', async () => {
    const shirt = await createShirt(feira);
    const [red, blue] = shirt.variants;
    const variants = [
      { ...blue, code: `${blue?.code}-b` },
      { ...red, id: undefined, price: 2400 },
    ];
    const { body } = await patch(shirt, { variants }).expect(200);
    expect(body).toMatchObject({ price: 2400, variants: [{ id: blue?.id }, { id: red?.id, price: 2400 }] });
  });

  it('changes one variant alone, and tells everyone', async () => {
    const shirt = await createShirt(feira);
    const [, blue] = shirt.variants;
    const socket = await feira.connectSocket();
    const told = nextEvent(socket, 'product:updated');
    const path = `/api/products/${shirt.id}/variants/${blue?.id}`;
    const { body } = await feira.withKey('patch', path).send({ stock: 1, price: 2000 }).expect(200);
    expect(body).toMatchObject({ price: 2000, stock: 5, version: 2 });
    expect(body.variants[0]).toEqual(shirt.variants[0]);
    expect(await told).toMatchObject({ product: body });
    await feira.withKey('patch', path).set('If-Match', '"1"').send({ stock: 3 }).expect(412);
    await feira.withKey('patch', path.replace(/.$/, 'f').replace(/.{4}$/, 'ffff')).send({ stock: 3 }).expect(404);
    await feira.withKey('patch', path).send({}).expect(422);
    await feira.api.patch(path).send({ stock: 3 }).expect(401);
  });

  it('becomes one without variants when it is replaced by that', async () => {
    const shirt = await createShirt(feira);
    const input = productInput({ price: 5, stock: 2 });
    const { body } = await feira.withKey('put', `/api/products/${shirt.id}`).send(input).expect(200);
    expect(body).toMatchObject({ price: 5, stock: 2, options: [], variants: [] });
  });

  it('writes a movement for each unit whose stock staff change', async () => {
    const shirt = await createShirt(feira);
    const [red, blue] = shirt.variants;
    await feira.withKey('patch', `/api/products/${shirt.id}/variants/${red?.id}`).send({ stock: 1 }).expect(200);
    const movements = await StockMovement.find({ productId: shirt.id }).sort({ _id: 1 }).lean();
    expect(movements.map(({ unit, change }) => [unit, change])).toEqual([
      [`${shirt.id}:${red?.id}`, 4],
      [`${shirt.id}:${blue?.id}`, 5],
      [`${shirt.id}:${red?.id}`, -3],
    ]);
  });

  const size = { name: 'Size', values: ['S', 'M'] };
  it.each([
    ['a value that is not in the options', { options: [size] }, '#/variants/0/values'],
    ['too few values', { options: [shirtInput().options[0], size] }, '#/variants/0/values'],
    ['a price of its own', { price: 1 }, '#/price'],
    ['a stock of its own', { stock: 1 }, '#/stock'],
    ['an option twice', { options: [size, size] }, '#/options'],
    ['no options', { options: [] }, '#/variants/0/values'],
  ])('is refused with %s', async (_what, overrides, pointer) => {
    const { body } = await post(shirtInput(overrides)).expect(422);
    expect(body.errors.map((fault: { pointer: string }) => fault.pointer)).toContain(pointer);
  });

  it.each([
    ['a combination twice', { values: ['Red'] }, '#/variants'],
    ['a picture of another product', { picture: 'x' }, '#/variants/1/picture'],
    ['an id that it does not have', { id: 'f'.repeat(24) }, '#/variants/1/id'],
  ])('is refused with %s', async (_what, overrides, pointer) => {
    const input = shirtInput();
    const variants = [input.variants[0], { ...input.variants[1], ...overrides }];
    const { body } = await post({ ...input, variants }).expect(422);
    expect(body.errors.map((fault: { pointer: string }) => fault.pointer)).toContain(pointer);
  });

  it('needs price and stock only when there are no variants', async () => {
    const { price: _price, stock: _stock, ...input } = productInput({ title: '' });
    const { body } = await post(input).expect(422);
    expect(body.errors.map((fault: { pointer: string }) => fault.pointer).sort()).toEqual([
      '#/price',
      '#/stock',
      '#/title',
    ]);
  });
});

describe('a code', () => {
  it('is never two things', async () => {
    const shirt = await createShirt(feira);
    const mug = await createProduct(feira);
    const code = shirt.variants[1]?.code;
    const taken = { code: 'CODE_TAKEN' };
    expect((await post(productInput({ code })).expect(409)).body).toMatchObject(taken);
    expect((await patch(mug, { code }).expect(409)).body).toMatchObject(taken);
    const path = `/api/products/${shirt.id}/variants/${shirt.variants[0]?.id}`;
    for (const used of [mug.code, shirt.code, code])
      expect((await feira.withKey('patch', path).send({ code: used }).expect(409)).body).toMatchObject(taken);
    await feira.withKey('delete', `/api/products/${shirt.id}`).expect(204);
    await post(productInput({ code })).expect(201);
  });

  it('goes to one of many who want it at once', async () => {
    const input = shirtInput();
    const wanted = input.variants[0]?.code;
    const answers = await Promise.all([
      ...Array.from({ length: 4 }, () => post({ ...input, code: `${wanted}-${Math.random()}` })),
      ...Array.from({ length: 4 }, () => post(productInput({ code: wanted }))),
    ]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(7).fill(409)]);
  });
});

describe('products of an older version', () => {
  it('read well and are upgraded once, their codes and categories with them', async () => {
    const made = await createProduct(feira, { category: 'From long ago' });
    const _id = new mongoose.Types.ObjectId(made.id);
    const later = ['codes', 'categoryPaths', 'options', 'variants', 'draft', 'listed', 'listPrice', 'related'];
    const unset = Object.fromEntries([...later, 'lowestPriceBefore'].map((field) => [field, '']));
    await mongoose.connection.collection('products').updateOne({ _id }, { $unset: unset });
    await mongoose.connection.collection('categories').deleteOne({ name: 'From long ago' });
    const bare = await createProduct(feira);
    await mongoose.connection.collection('products').updateOne({ code: bare.code }, { $unset: unset });

    await upgradeProducts();
    await upgradeProducts();
    expect((await feira.api.get(`/api/products/${made.id}`).expect(200)).body).toEqual(made);
    expect((await feira.api.get('/api/products?category=from-long-ago')).body.items).toEqual([made]);
    const input = shirtInput();
    const variants = [{ ...input.variants[0], code: made.code }];
    await post({ ...input, variants }).expect(409);
  });
});
