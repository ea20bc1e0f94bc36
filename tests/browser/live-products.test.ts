import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Browser, Locator, Page, Route } from 'playwright-core';
import { describeInBrowser, launchBrowser, visit } from '../helpers/browser.ts';
import { createProduct, createShirt } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

/** The text without the indentation of the markup. */
const words = async (part: Locator) => (await part.textContent())?.replace(/\s+/g, ' ').trim();
const LIMIT = { timeout: 5000 };

describeInBrowser('open pages', () => {
  let feira: Feira;
  let browser: Browser;
  beforeAll(async () => {
    [feira, browser] = await Promise.all([startFeira(), launchBrowser()]);
  });
  afterAll(async () => {
    await browser.close();
    await feira.stop();
  });

  const patch = (id: string, fields: object) => feira.withKey('patch', `/api/products/${id}`).send(fields).expect(200);
  const entry = (page: Page, id: string) => page.locator(`[data-rows] > [data-product="${id}"]`);
  /** The page's own socket: a module is loaded once. */
  const socket = (page: Page, action: 'connect' | 'disconnect') =>
    page.evaluate(`import('/js/socket.js').then(({ socket }) => void socket.${action}())`);
  const liveState = (page: Page, text: string) => page.getByText(text, { exact: true }).waitFor(LIMIT);

  it.each(['/', '/realtimeproducts'])(
    '%s shows created, changed and deleted products without a reload',
    async (path) => {
      const { page, faults } = await visit(browser, `${feira.url}${path}`);
      await page.evaluate('window.stayed = true');

      const { id } = await createProduct(feira, { title: 'Fresh figs', price: 450, stock: 9 });
      await entry(page, id).getByRole('link', { name: 'Fresh figs' }).waitFor(LIMIT);
      expect(await page.locator('[data-rows] > *').first().getAttribute('data-product')).toBe(id);
      expect(await entry(page, id).textContent()).toContain('€4.50');

      await patch(id, { price: 399, stock: 2 });
      await entry(page, id).getByText('€3.99').waitFor(LIMIT);
      expect(await entry(page, id).textContent()).toContain(path === '/' ? 'Only 2 left' : '2');
      const patched = await words(entry(page, id));

      const { page: reloaded } = await visit(browser, `${feira.url}${path}`);
      expect(await words(entry(reloaded, id))).toBe(patched);
      expect(await words(reloaded.locator('[data-total-text]'))).toBe(await words(page.locator('[data-total-text]')));

      await feira.withKey('delete', `/api/products/${id}`).expect(204);
      await entry(page, id).waitFor({ state: 'detached', ...LIMIT });
      expect(await page.evaluate('window.stayed')).toBe(true);
      expect(faults).toEqual([]);
    },
  );

  it('a product that is switched off leaves the catalogue, and stays in the list of all', async () => {
    const { id } = await createProduct(feira, { title: 'Winter hat' });
    const [{ page: home }, { page: all }] = [
      await visit(browser, feira.url),
      await visit(browser, `${feira.url}/realtimeproducts`),
    ];
    await patch(id, { status: false });
    await entry(home, id).waitFor({ state: 'detached', ...LIMIT });
    await entry(all, id).getByText('not for sale').waitFor(LIMIT);
  });

  it('a filtered catalogue takes changes of what it shows and no new products', async () => {
    const figs = await createProduct(feira, { title: 'Dried figs', category: 'Fruit' });
    const { page } = await visit(browser, `${feira.url}/?category=Fruit`);
    const other = await createProduct(feira, { title: 'Iron pan', category: 'Pans' });
    await patch(figs.id, { stock: 0 });
    await entry(page, figs.id).getByText('Sold out').waitFor(LIMIT);
    expect(await entry(page, figs.id).getByRole('button').isDisabled()).toBe(true);
    expect(await entry(page, other.id).count()).toBe(0);
  });

  it('/realtimeproducts tells what happens, and text stays text', async () => {
    const { page, faults } = await visit(browser, `${feira.url}/realtimeproducts`);
    await liveState(page, 'Live');
    const title = '<img src=x onerror="window.hacked=1">';
    const { id } = await createProduct(feira, { title, category: title });
    await page.getByRole('log').getByText(`Product created: ${title}`).waitFor(LIMIT);
    await entry(page, id).getByRole('link', { name: title }).waitFor(LIMIT);
    await page.getByRole('link', { name: 'Home', exact: true }).click();
    await entry(page, id).getByRole('link', { name: title }).waitFor(LIMIT);
    expect(await page.evaluate('window.hacked')).toBeUndefined();
    expect(await page.locator('img[onerror]').count()).toBe(0);
    expect(faults).toEqual([]);
  });

  it('/realtimeproducts says that the connection is lost, and then catches up on what it missed', async () => {
    const gone = await createProduct(feira, { title: 'Gone soon' });
    const { page } = await visit(browser, `${feira.url}/realtimeproducts`);
    await liveState(page, 'Live');
    await socket(page, 'disconnect');
    await liveState(page, 'Connection lost, trying again');
    const missed = await createProduct(feira, { title: 'Missed' });
    await patch(missed.id, { price: 777 });
    await feira.withKey('delete', `/api/products/${gone.id}`).expect(204);
    await socket(page, 'connect');
    await liveState(page, 'Live');
    await entry(page, missed.id).getByText('€7.77').waitFor(LIMIT);
    await entry(page, gone.id).waitFor({ state: 'detached', ...LIMIT });
  });

  it('a list that missed too much is rendered anew', async () => {
    const { page } = await visit(browser, `${feira.url}/realtimeproducts`);
    await liveState(page, 'Live');
    // As if the page had been open since before the changes that are still known.
    const rewrite = async (route: Route) => {
      const response = await route.fetch();
      const body = (await response.text()).replace(/data-sequence="\d+"/, 'data-sequence="999999"');
      await route.fulfill({ response, body });
    };
    await page.route('**/realtimeproducts', rewrite, { times: 1 });
    await page.reload();
    await page.locator('[data-live-list]:not([data-sequence="999999"])').waitFor(LIMIT);
    const { id } = await createProduct(feira, { title: 'After a long time' });
    await entry(page, id).waitFor(LIMIT);
  });

  it('the page of a product shows its price and stock as they are now', async () => {
    const { id } = await createProduct(feira, { title: 'Lemon tree', price: 4200, stock: 8 });
    const { page, faults } = await visit(browser, `${feira.url}/products/${id}`);
    const about = page.locator('article[data-product]');
    await patch(id, { price: 3990, stock: 1 });
    await about.getByText('€39.90').waitFor(LIMIT);
    await about.getByText('Only 1 left').waitFor(LIMIT);
    expect(await about.getByLabel('Quantity').getAttribute('max')).toBe('1');

    await feira.withKey('delete', `/api/products/${id}`).expect(204);
    await about.getByText('not for sale').waitFor(LIMIT);
    expect(await about.getByRole('button').isDisabled()).toBe(true);
    expect(faults).toEqual([]);
  });

  it.each([true, false])('a variant is chosen and put into the cart, JavaScript: %s', async (javaScriptEnabled) => {
    const shirt = await createShirt(feira);
    const { page, faults } = await visit(browser, `${feira.url}/products/${shirt.id}`, { javaScriptEnabled });
    if (javaScriptEnabled) {
      await page.evaluate('window.stayed = true');
      const path = `/api/products/${shirt.id}/variants/${shirt.variants[0]?.id}`;
      await feira.withKey('patch', path).send({ stock: 0, price: 2100 }).expect(200);
      const red = page.locator('.variant', { hasText: 'Red' });
      await red.getByText('Sold out').waitFor(LIMIT);
      expect(await words(red)).toBe('Red €21.00 Sold out');
      expect(await red.locator('input').isDisabled()).toBe(true);
      expect(await words(page.locator('.product .price-sign'))).toBe('from €21.00');
      expect(await page.evaluate('window.stayed')).toBe(true);
    }
    await page.getByText('Blue').click();
    await page.getByRole('button', { name: 'Add to cart' }).click();
    if (javaScriptEnabled) await page.getByText('in your cart').waitFor(LIMIT);
    await page.goto(`${feira.url}/cart`);
    await page.getByText('Linen shirt – Blue').first().waitFor(LIMIT);
    expect(faults).toEqual([]);
  });
});
