import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { createProduct } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

const MAIN = [
  ['/', 'Home'],
  ['/realtimeproducts', 'RealTimeProducts'],
  ['/chat', 'Chat'],
  ['/cart', 'Cart'],
] as const;

const barOf = (html: string) => /<nav aria-label="Main">[\s\S]*?<\/nav>/.exec(html)?.[0] ?? '';

describe('the navigation bar', () => {
  it.each(MAIN)('is on %s and marks it as the current page', async (path, name) => {
    const bar = barOf((await feira.page(path).expect(200)).text);
    for (const [href, label] of MAIN) expect(bar).toMatch(new RegExp(`<a href="${href}"[^>]*>${label}`));
    expect(bar.match(/aria-current="page"/g)).toHaveLength(1);
    expect(bar).toMatch(new RegExp(`<a href="${path}" aria-current="page">${name}`));
  });

  it.each(['/nothing-here', '/problems', '/problems/not-found'])('is on %s too', async (path) => {
    expect(barOf((await feira.page(path)).text)).toContain('data-cart-count');
  });

  it('counts what is in the visitor’s cart, on each page', async () => {
    const { id } = await createProduct(feira);
    const visitor = request.agent(feira.url).set('Accept', 'text/html');
    await visitor.post('/cart/items').type('form').send({ productId: id, quantity: '3' }).expect(303);
    for (const path of ['/', '/realtimeproducts', `/products/${id}`, '/cart']) {
      expect(barOf((await visitor.get(path).expect(200)).text)).toContain('data-cart-count>3</span>');
    }
    expect(barOf((await feira.page('/')).text)).toContain('data-cart-count>0</span>');
  });
});
