import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createProduct } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

/** A category of its own, so that the other tests' products are not in the way. */
const aCategory = () => `Stall ${randomBytes(4).toString('hex')}`;

const shop = (query: Record<string, string> = {}) => feira.page(`/?${new URLSearchParams(query)}`);

/** What stands on the cards, in their order. */
const titlesOf = (html: string) =>
  [...html.replace(/<template[\s\S]*?<\/template>/g, '').matchAll(/<h3><a [^>]*>([^<]*)<\/a>/g)].map(
    ([, title]) => title,
  );

const linksOf = (html: string) =>
  [...html.matchAll(/href="([^"]*)"/g)].map(([, href]) => href!.replaceAll('&amp;', '&').replaceAll('&#x3D;', '='));

describe('the catalogue', () => {
  it('shows what is for sale, with picture, price, stock and a form that adds it', async () => {
    const category = aCategory();
    const mug = await createProduct(feira, { category, title: 'Blue mug', price: 1250, thumbnails: ['/img/logo.svg'] });
    await createProduct(feira, { category, title: 'Last bowl', stock: 1 });
    await createProduct(feira, { category, title: 'Gone plate', stock: 0 });
    await createProduct(feira, { category, title: 'Hidden jug', status: false });

    const { text } = await shop({ category }).expect(200).expect('Content-Type', /html/);
    expect(titlesOf(text)).toEqual(['Gone plate', 'Last bowl', 'Blue mug']);
    expect(text).toMatch(/<img src="\/img\/logo.svg" alt="Blue mug" width="400" height="400"/);
    for (const words of ['€12.50', 'In stock', 'Only 1 left', 'Sold out', '3 products']) expect(text).toContain(words);
    expect(text).toMatch(
      new RegExp(
        `<form[^>]*method="post" action="/cart/items"[^>]*>\\s*<input type="hidden" name="productId" value="${mug.id}">`,
      ),
    );
    expect(text.match(/<button type="submit" disabled>/g)).toHaveLength(2); // The sold out one, and the template's.
  });

  it('finds by words, category and price, and says what is filtered', async () => {
    const category = aCategory();
    await createProduct(feira, { category, title: 'Small mug', price: 900 });
    await createProduct(feira, { category, title: 'Blue mug', price: 1250 });
    await createProduct(feira, { category, title: 'Large mug', price: 1251 });
    await createProduct(feira, { category, title: 'Bowl', price: 1100 });

    const { text } = await shop({ category, q: 'mug', from: '9,01', to: '12.50', sort: 'price' }).expect(200);
    expect(titlesOf(text)).toEqual(['Blue mug']);
    expect(text).toContain('1 product<');
    expect(text).toContain('value="9,01"');
    expect(linksOf(text)).toContain(`/?${new URLSearchParams({ category, from: '9,01', to: '12.50', sort: 'price' })}`);
    expect(text).toContain('Clear all');
  });

  it.each([
    ['price', ['Basil', 'Anise', 'Clove']],
    ['-price', ['Clove', 'Anise', 'Basil']],
    ['title', ['Anise', 'Basil', 'Clove']],
    ['-createdAt', ['Clove', 'Basil', 'Anise']],
  ])('sorts by %s', async (sort, titles) => {
    const category = aCategory();
    await createProduct(feira, { category, title: 'Anise', price: 200 });
    await createProduct(feira, { category, title: 'Basil', price: 100 });
    await createProduct(feira, { category, title: 'Clove', price: 300 });
    const { text } = await shop({ category, sort }).expect(200);
    expect(titlesOf(text)).toEqual(titles);
  });

  it('counts the categories of what is for sale', async () => {
    const category = aCategory();
    await createProduct(feira, { category });
    await createProduct(feira, { category });
    await createProduct(feira, { category, status: false });
    const { text } = await shop().expect(200);
    expect(text).toMatch(new RegExp(`>${category} <span class="count">2</span></a>`));
  });

  it('has pages whose links keep the filters', async () => {
    const category = aCategory();
    for (let n = 1; n <= 13; n++) await createProduct(feira, { category, title: `Tile ${n}` });

    const first = (await shop({ category, q: 'tile' }).expect(200)).text;
    expect(titlesOf(first)).toHaveLength(12);
    const second = `/?${new URLSearchParams({ category, q: 'tile', page: '2' })}`;
    expect(linksOf(first)).toContain(second);
    expect(first).toContain('rel="next"');

    const last = (await feira.page(second).expect(200)).text;
    expect(titlesOf(last)).toEqual(['Tile 1']);
    expect(last).toContain('rel="prev"');
    expect(last).not.toContain('rel="next"');

    const beyond = (await shop({ category, page: '9' }).expect(404)).text;
    expect(beyond).toContain('There is no page 9.');
  });

  it('says what to do when nothing fits', async () => {
    const { text } = await shop({ q: 'zzzzzz' }).expect(200);
    expect(text).toContain('Nothing on the stalls fits these filters.');
    expect(text).toContain('0 products');
  });

  it.each([
    [{ from: 'abc' }, 'from-fault', 'must be an amount'],
    [{ to: '12.345' }, 'to-fault', 'must be an amount'],
    [{ from: '20', to: '10' }, 'from-fault', 'must not be more than the other price'],
    [{ sort: 'cost' }, 'sort-fault', 'must be one of the list'],
    [{ q: 'x'.repeat(101) }, 'q-fault', 'at most 100 characters'],
  ])('says beside the field what is wrong with %j, and still shows products', async (query, id, words) => {
    const category = aCategory();
    await createProduct(feira, { category, title: 'Blue mug', price: 500 });
    const { text } = await shop({ ...query, category } as Record<string, string>).expect(422);
    expect(text).toMatch(new RegExp(`aria-describedby="${id}"[\\s\\S]*id="${id}" class="fault">[^<]*${words}`));
    expect(titlesOf(text)).toEqual(['Blue mug']);
  });

  it('ignores what it does not know and refuses repeated keys', async () => {
    await shop({ utm_source: 'mail', __proto__: 'x', constructor: 'y' }).expect(200);
    await feira.page('/?q=a&q=b').expect(422);
    await feira.page('/?page=0').expect(422);
  });

  it('shows the text of products and visitors as text', async () => {
    const category = aCategory();
    const title = '<img src=x onerror=alert(1)>';
    await createProduct(feira, { category, title, description: title });
    const { text } = await shop({ category }).expect(200);
    expect(text).toContain('&lt;img src');
    expect(text).not.toContain('<img src=x');
    const asked = await shop({ q: '"><script>alert(1)</script>' }).expect(200);
    expect(asked.text).not.toContain('<script>');
  });
});

describe('what the catalogue can be narrowed by', () => {
  it('is counted beside each choice: a box for what is in stock, and links to ranges of prices', async () => {
    const category = aCategory();
    for (const [price, stock] of [
      [400, 1],
      [900, 0],
      [1800, 1],
      [3900, 1],
      [7000, 0],
      [200, 0],
    ] as const)
      await createProduct(feira, { category, title: `Pot for ${price}`, price, stock });
    await createProduct(feira, { category, price: 100, status: false });

    const { text } = await shop({ category }).expect(200);
    expect(text).toMatch(/name="inStock" value="true"> In stock <span class="count">3<\/span>/);
    expect(text).toMatch(/under €\d+\.00 <span class="count">/);
    const ranges = linksOf(text).filter((href) => /[?&](from|to)=/.test(href));
    expect(ranges.length).toBeGreaterThan(2);
    const found: (string | undefined)[] = [];
    for (const href of ranges) {
      const page = (await feira.page(href).expect(200)).text;
      found.push(...titlesOf(page));
      // The chosen one is marked, and leads back.
      expect(page).toMatch(/<a href="[^"]*" aria-current="true">[^<]*€/);
      expect(linksOf(page)).toContain(`/?${new URLSearchParams({ category })}`);
    }
    expect(found.sort()).toEqual([...titlesOf(text)].sort());
  });

  it('shows what is in stock alone, and says so', async () => {
    const category = aCategory();
    await createProduct(feira, { category, title: 'Here', stock: 1 });
    await createProduct(feira, { category, title: 'Gone', stock: 0 });
    const { text } = await shop({ category, inStock: 'true' }).expect(200);
    expect(titlesOf(text)).toEqual(['Here']);
    expect(text).toContain('value="true" checked>');
    expect(linksOf(text)).toContain(`/?${new URLSearchParams({ category })}`);
    expect(titlesOf((await shop({ category, inStock: 'false' }).expect(200)).text)).toEqual(['Gone']);
  });

  it('counts the categories for the words that are looked for', async () => {
    const category = aCategory();
    await createProduct(feira, { category, title: 'Zebra vase' });
    await createProduct(feira, { category, title: 'Plain vase' });
    const { text } = await shop({ q: 'zebra' }).expect(200);
    expect(text).toContain(`>${category} <span class="count">1</span></a>`);
  });
});

describe('a typing error in the search', () => {
  it('shows what was meant, says so, and leads to the words as typed', async () => {
    const category = aCategory();
    await createProduct(feira, { category, title: 'Cinnamon sticks' });
    const { text } = await shop({ category, q: 'cinamon' }).expect(200);
    expect(titlesOf(text)).toEqual(['Cinnamon sticks']);
    expect(text).toMatch(/Showing results for <strong>cinnamon<\/strong>/);
    expect(text).toContain('value="cinamon"');
    const asTyped = `/?${new URLSearchParams({ category, q: 'cinamon', exact: 'true' })}`;
    expect(linksOf(text)).toContain(asTyped);
    const exact = (await feira.page(asTyped).expect(200)).text;
    expect(titlesOf(exact)).toEqual([]);
    expect(exact).not.toContain('Showing results for');
  });
});

describe('the home page for the second time', () => {
  it('is not sent again until the catalogue changes', async () => {
    const { headers } = await feira.page('/').expect(200);
    const again = () => feira.page('/').set('If-None-Match', headers.etag!);
    await again().expect(304);
    const { title } = await createProduct(feira, { title: 'Fresh figs' });
    expect((await again().expect(200)).text).toContain(title);
  });

  it('is private for a visitor with a cookie', async () => {
    const { headers } = await feira.page('/').set('Cookie', 'anything=1').expect(200);
    expect(headers['cache-control']).toContain('private');
    expect(headers.vary).toMatch(/Cookie/);
  });
});
