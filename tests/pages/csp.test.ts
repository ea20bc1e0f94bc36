import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createProduct } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
let productPage: string;
beforeAll(async () => {
  feira = await startFeira();
  productPage = `/products/${(await createProduct(feira)).id}`;
});
afterAll(() => feira.stop());

const PAGES = [
  '/',
  '/?from=abc',
  '/realtimeproducts',
  '/chat',
  '/cart',
  '/checkout',
  '/orders',
  '/docs',
  '/problems',
  '/problems/not-found',
  '/no',
];

describe('every page', () => {
  it.each([...PAGES, 'a product'])('%s allows no inline script or style, and holds none', async (path) => {
    const { headers, text } = await feira.page(path === 'a product' ? productPage : path);
    const policy = headers['content-security-policy'] ?? '';
    for (const rule of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "object-src 'none'"])
      expect(policy).toContain(rule);
    expect(policy).not.toMatch(/unsafe|\*/);
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(text).toContain('<!doctype html>');
    expect(text).not.toMatch(/<script(?![^>]* src="\/)/);
    expect(text).not.toMatch(/<style|<[^>]+\s(style|on\w+)=/);
  });

  it('asks nothing of another server', async () => {
    const { text } = await feira.page('/');
    expect(text).not.toMatch(/(src|href)="(https?:)?\/\//);
  });
});
