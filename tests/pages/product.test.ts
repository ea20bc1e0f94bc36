import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createProduct } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

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
    expect(text).toContain('href="/?category&#x3D;Mugs+%26+more"');
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
});
