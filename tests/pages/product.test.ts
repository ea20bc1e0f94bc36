import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createProduct, createShirt } from '../helpers/factories.ts';
import { picture } from '../helpers/pictures.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { upload } from '../helpers/uploads.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

describe('GET /products/:pid', () => {
  it('shows everything about it, and a form that adds some', async () => {
    const product = await createProduct(feira, {
      title: 'Blue mug',
      description: 'First line.\nSecond line.',
      price: 1250,
      stock: 4,
      category: 'Mugs & more',
      thumbnails: ['/img/logo.svg', '/img/placeholder.webp'],
    });
    const { text } = await feira.page(`/products/${product.id}`).expect(200).expect('Content-Type', /html/);
    expect(text).toContain('<title>Blue mug · Feira</title>');
    for (const words of ['>Blue mug</h1>', '€12.50', 'Only 4 left', 'First line.\nSecond line.', product.code])
      expect(text).toContain(words);
    expect(text).toContain('href="/?category&#x3D;mugs-more"');
    expect(text).toMatch(/<img src="\/img\/logo.svg" width="800" height="800" alt="Blue mug, picture 1"/);
    expect(text).toMatch(/name="quantity" value="1" min="1" max="4"/);
    expect(text).toContain(`name="productId" value="${product.id}"`);
  });

  it('is current after a change', async () => {
    const { id } = await createProduct(feira, { price: 100 });
    await feira.page(`/products/${id}`).expect(200, /€1\.00/);
    await feira.withKey('patch', `/api/products/${id}`).send({ price: 200, stock: 0 }).expect(200);
    const { text } = await feira.page(`/products/${id}`).expect(200);
    expect(text).toContain('€2.00');
    expect(text).toContain('Sold out');
    expect(text).toContain('<button type="submit" disabled>');
  });

  it('says when it is not for sale', async () => {
    const { id } = await createProduct(feira, { status: false });
    const { text } = await feira.page(`/products/${id}`).expect(200);
    expect(text).toMatch(/data-off>This product is not for sale/);
    expect(text).toContain('<button type="submit" disabled>');
  });

  it('shows its text as text', async () => {
    const title = '<img src=x onerror=alert(1)>';
    const { id } = await createProduct(feira, { title, description: '<script>alert(1)</script>', category: title });
    const { text } = await feira.page(`/products/${id}`).expect(200);
    expect(text).not.toMatch(/<img src=x|<script>/);
  });

  it.each(['665f1c2ab8a1f0c3d4e5f601', 'mug', '%00', '[object%20Object]'])('does not find %s', async (id) => {
    const { text } = await feira.page(`/products/${id}`).expect(404).expect('Content-Type', /html/);
    expect(text).toContain('NOT_FOUND');
  });

  it('does not find what was deleted', async () => {
    const { id } = await createProduct(feira);
    await feira.withKey('delete', `/api/products/${id}`).expect(204);
    await feira.page(`/products/${id}`).expect(404);
  });

  it('lets people choose a variant in its form, with price and stock of each', async () => {
    const shirt = await createShirt(feira);
    const [red, blue] = shirt.variants;
    await feira.withKey('patch', `/api/products/${shirt.id}/variants/${red?.id}`).send({ stock: 0 }).expect(200);
    const { text } = await feira.page(`/products/${shirt.id}`).expect(200);
    expect(text).toContain('>from €25.00</span>');
    expect(text).toContain('<legend>Colour</legend>');
    expect(text).toContain(`name="variantId" value="${red?.id}" required disabled>`);
    expect(text).toContain(`name="variantId" value="${blue?.id}" required checked>`);
    for (const words of ['<span>Red</span>', '€29.00', 'Sold out', 'Only 5 left']) expect(text).toContain(words);

    const list = (await feira.page(`/?q=${shirt.code}`).expect(200)).text;
    expect(list).toContain(`<a class="choose" role="button" href="/products/${shirt.id}" data-choose>`);
    expect(list).toContain('<form class="add-to-cart" method="post" action="/cart/items" hidden data-add-to-cart>');
  });

  it('shows what a reduced product cost before', async () => {
    const { id } = await createProduct(feira, { price: 2000 });
    expect((await feira.page(`/products/${id}`)).text).toMatch(/data-reduced hidden/);
    await feira.withKey('patch', `/api/products/${id}`).send({ price: 1500, listPrice: 2400 }).expect(200);
    const { text } = await feira.page(`/products/${id}`).expect(200);
    expect(text).toMatch(/data-reduced>Instead of <s data-field="listPrice">€24\.00<\/s>.*lowestPrice">€20\.00</);
  });

  it('shows what goes with it, and where it stands in the tree', async () => {
    const plate = await createProduct(feira, { title: 'Blue plate' });
    const draft = await createProduct(feira, { title: 'Hidden plate', draft: true });
    const above = await feira.withKey('post', '/api/categories').send({ name: 'Table' }).expect(201);
    await feira.withKey('post', '/api/categories').send({ name: 'Cups', parent: above.body.id }).expect(201);
    const cup = await createProduct(feira, { category: 'Cups', related: [draft.id, plate.id, 'f'.repeat(24)] });
    const { text } = await feira.page(`/products/${cup.id}`).expect(200);
    expect(text).toMatch(/<section class="related"[\s\S]*Blue plate/);
    expect(text).not.toContain('Hidden plate');
    expect(text.replace(/\s+/g, ' ')).toContain(
      '<li><a href="/?category&#x3D;table">Table</a></li> <li><a href="/?category&#x3D;table/cups">Cups</a></li>',
    );
  });

  it('describes pictures in the words of the staff', async () => {
    const product = await createProduct(feira);
    const sent = await upload(feira, product, await picture()).expect(200);
    const [image] = sent.body.images;
    const images = `/api/products/${product.id}/images`;
    await feira
      .withKey('put', images)
      .send([{ id: image.id, alt: 'A mug on a table' }])
      .expect(200);
    expect((await feira.page(`/products/${product.id}`)).text).toContain('alt="A mug on a table"');
  });
});
