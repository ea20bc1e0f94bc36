import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createProduct, createShirt } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

const rows = (html: string) => [
  ...html.replace(/<template[\s\S]*?<\/template>/g, '').matchAll(/<tr data-product="(\w+)"/g),
];

describe('GET /realtimeproducts', () => {
  it('lists every product, newest first, also those that are not for sale', async () => {
    const older = await createProduct(feira, { title: 'Older', price: 1250 });
    const newer = await createProduct(feira, { title: 'Newer', status: false });
    const { text } = await feira.page('/realtimeproducts').expect(200).expect('Content-Type', /html/);
    expect(rows(text).map(([, id]) => id)).toEqual([newer.id, older.id]);
    expect(text).toContain('€12.50');
    expect(text).toContain('<span class="off-sale" data-off> not for sale</span>');
  });

  it('says that a price is the lowest of several, as it does after each change', async () => {
    await createShirt(feira);
    const { text } = await feira.page('/realtimeproducts').expect(200);
    expect(text).toContain('<span class="price" data-field="price">from €25.00</span>');
  });

  it('names the sequence number that it was rendered with', async () => {
    const sequenceOf = async () =>
      Number(/data-sequence="(\d+)"/.exec((await feira.page('/realtimeproducts')).text)?.[1]);
    const before = await sequenceOf();
    await createProduct(feira);
    expect(await sequenceOf()).toBe(before + 1);
  });

  it('has pages', async () => {
    for (let n = 0; n < 21; n++) await createProduct(feira);
    const first = (await feira.page('/realtimeproducts').expect(200)).text;
    expect(rows(first)).toHaveLength(20);
    expect(first).toMatch(/<a href="\/realtimeproducts\?page&#x3D;2" rel="next">/);
    expect(rows((await feira.page('/realtimeproducts?page=2').expect(200)).text).length).toBeGreaterThan(0);
    await feira.page('/realtimeproducts?page=99').expect(404, /There is no page 99/);
    await feira.page('/realtimeproducts?page=x').expect(422, /must be a whole number/);
  });
});
