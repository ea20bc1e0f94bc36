import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PriceChange } from '../../src/models/price-change.model.ts';
import type { ProductDto } from '../../src/models/product.model.ts';
import { createProduct, createShirt } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

const patch = async (product: ProductDto, fields: object): Promise<ProductDto> =>
  (await feira.withKey('patch', `/api/products/${product.id}`).send(fields).expect(200)).body;
/** As if all prices so far had begun that many days earlier. */
async function goBack(product: ProductDto, days: number): Promise<void> {
  for (const { _id, at } of await PriceChange.find({ productId: product.id }).lean())
    await PriceChange.updateOne({ _id }, { at: new Date(at.getTime() - days * DAY_MS) });
}
const historyOf = async (product: ProductDto) =>
  (await PriceChange.find({ productId: product.id }).sort({ at: 1, _id: 1 }).lean()).map(({ variantId, price }) => [
    variantId,
    price,
  ]);

describe('the lowest price of 30 days', () => {
  it('is that of the days before the reduction', async () => {
    const mug = await createProduct(feira, { price: 2000 });
    await goBack(mug, 40);
    await patch(mug, { price: 1800 });
    await goBack(mug, 20);
    await patch(mug, { price: 2200 });
    await goBack(mug, 5);
    expect(await patch(mug, { price: 1500, listPrice: 2200 })).toMatchObject({ lowestPrice30Days: 1800 });
    expect((await feira.api.get(`/api/products/${mug.id}`)).body.lowestPrice30Days).toBe(1800);
    expect(await patch(mug, { title: 'Sale' })).toMatchObject({ lowestPrice30Days: 1800 });
    expect(await patch(mug, { listPrice: null })).toMatchObject({ lowestPrice30Days: null });
  });

  it('counts the price that was valid when the 30 days began, and none before it', async () => {
    const mug = await createProduct(feira, { price: 500 });
    await goBack(mug, 20);
    await patch(mug, { price: 2000 });
    await goBack(mug, 31);
    await patch(mug, { price: 2400 });
    await goBack(mug, 10);
    expect(await patch(mug, { price: 1500, listPrice: 2400 })).toMatchObject({ lowestPrice30Days: 2000 });
  });

  it('is not told of a product that is not reduced, or has always cost that', async () => {
    const mug = await createProduct(feira, { price: 2000, listPrice: 2000 });
    expect(mug.lowestPrice30Days).toBeNull();
    expect(await patch(mug, { listPrice: 2400 })).toMatchObject({ lowestPrice30Days: 2000 });
  });

  it('leaves out what a draft has cost', async () => {
    const mug = await createProduct(feira, { price: 100, draft: true });
    await patch(mug, { price: 2000, draft: false });
    expect(await patch(mug, { price: 1500, listPrice: 2000 })).toMatchObject({ lowestPrice30Days: 2000 });
    expect(await historyOf(mug)).toEqual([
      [null, 2000],
      [null, 1500],
    ]);
  });

  it('knows the price that a product had before there was a history', async () => {
    const mug = await createProduct(feira, { price: 2000 });
    await PriceChange.deleteMany({ productId: mug.id });
    expect(await patch(mug, { price: 1500, listPrice: 2000 })).toMatchObject({ lowestPrice30Days: 2000 });
  });
});

describe('the history of prices', () => {
  it('has those of the variants and of the product, each when it is new', async () => {
    const shirt = await createShirt(feira);
    const [red, blue] = shirt.variants.map(({ id }) => id);
    const path = `/api/products/${shirt.id}/variants/${blue}`;
    await feira.withKey('patch', path).send({ price: 2700 }).expect(200);
    await feira.withKey('patch', path).send({ price: 2000 }).expect(200);
    await feira.withKey('patch', path).send({ stock: 1 }).expect(200);
    expect(await historyOf(shirt)).toEqual([
      [null, 2500],
      [red, 2500],
      [blue, 2900],
      [blue, 2700],
      [null, 2000],
      [blue, 2000],
    ]);
  });

  it('has nothing of a change that was refused', async () => {
    const [mug, other] = [await createProduct(feira), await createProduct(feira)];
    await feira.withKey('patch', `/api/products/${mug.id}`).send({ price: 1, code: other.code }).expect(409);
    expect(await historyOf(mug)).toEqual([[null, 1999]]);
  });
});
