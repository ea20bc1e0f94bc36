import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { describeInBrowser, launchBrowser, visit } from '../helpers/browser.ts';
import { API_KEY, type Feira, startFeira } from '../helpers/start-feira.ts';

describeInBrowser('/docs in a browser', () => {
  let feira: Feira;
  let browser: Browser;
  beforeAll(async () => {
    [feira, browser] = await Promise.all([startFeira(), launchBrowser()]);
  });
  afterAll(async () => {
    await browser.close();
    await feira.stop();
  });

  it('sends what its forms say and keeps the secret of a cart for the next one', async () => {
    const { page, faults } = await visit(browser, `${feira.url}/docs`);
    /** Opens the form of an operation, fills it, sends it. @returns the status and the answer as they are shown. */
    const tryOut = async (operation: string, fields: Record<string, string> = {}) => {
      const panel = page.locator(`#${operation} [data-try]`);
      await panel.locator('summary').click();
      for (const [name, value] of Object.entries(fields)) await panel.locator(`[name="${name}"]`).fill(value);
      await panel.locator('button').click();
      await panel.locator('output pre').waitFor();
      return (await panel.locator('output').textContent()) ?? '';
    };

    expect(await tryOut('listProducts', { 'query:limit': '101' })).toMatch(/^422 .*INVALID_INPUT/s);
    expect(await tryOut('createProduct')).toMatch(/^401 .*UNAUTHENTICATED/s);
    await page.locator('[data-header="Authorization"]').fill(API_KEY);
    const product = await tryOut('replaceProduct', { 'path:pid': '665f1c2ab8a1f0c3d4e5f601' });
    expect(product).toMatch(/^404 .*NOT_FOUND/s);

    const created = await tryOut('createCart', { body: '{}' });
    expect(created).toMatch(/^201 /);
    const cart = /"id": "([\da-f]{24})"/.exec(created)?.[1] ?? '';
    expect(await tryOut('getCart', { 'path:cid': cart })).toMatch(/^200 .*"items": \[\]/s);
    expect(await page.context().cookies()).toEqual([]);
    // The refusals above are what the browser calls errors.
    expect(faults.filter((fault) => !fault.startsWith('Failed to load resource'))).toEqual([]);
  });

  it('fits a phone', async () => {
    const { page } = await visit(browser, `${feira.url}/docs`, { viewport: { width: 390, height: 800 } });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    await page.locator('[data-docs-menu] summary').click();
    await page.getByRole('link', { name: 'Read a cart' }).first().click();
    expect(page.url()).toMatch(/#getCart$/);
  });
});
