import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { describeInBrowser, launchBrowser, visit } from '../helpers/browser.ts';
import { createProduct } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

describeInBrowser('the cart', () => {
  let feira: Feira;
  let browser: Browser;
  beforeAll(async () => {
    [feira, browser] = await Promise.all([startFeira(), launchBrowser()]);
  });
  afterAll(async () => {
    await browser.close();
    await feira.stop();
  });

  const cartCount = (page: Page) => page.locator('[data-cart-count]').textContent();
  const add = (page: Page, title: string) =>
    page.getByRole('button', { name: new RegExp(`Add to cart.*${title}`) }).click();

  it('is filled, changed and emptied with JavaScript off', async () => {
    await createProduct(feira, { title: 'Clay pot', price: 1250, stock: 5 });
    const { page } = await visit(browser, feira.url, { javaScriptEnabled: false });

    await add(page, 'Clay pot');
    expect(page.url()).toBe(`${feira.url}/cart`);
    expect(await page.locator('main').textContent()).toContain('€12.50');
    expect(await cartCount(page)).toBe('1');

    await page.getByRole('spinbutton', { name: 'Quantity of Clay pot' }).fill('3');
    await page.getByRole('button', { name: 'Update the quantity of Clay pot' }).click();
    expect(await page.locator('main').textContent()).toContain('€37.50');
    expect(await cartCount(page)).toBe('3');

    await page.goto(feira.url);
    expect(await cartCount(page)).toBe('3');

    await page.goto(`${feira.url}/cart`);
    await page.getByRole('button', { name: 'Remove Clay pot' }).click();
    expect(await page.locator('main').textContent()).toContain('Your cart is empty.');
  });

  it('counts up without leaving the page with JavaScript on', async () => {
    await createProduct(feira, { title: 'Tin bucket', stock: 5 });
    const { page, faults } = await visit(browser, feira.url);
    await add(page, 'Tin bucket');
    await page.getByText('1 × Tin bucket in your cart.').waitFor();
    expect(page.url()).toBe(`${feira.url}/`);
    expect(await cartCount(page)).toBe('1');
    expect(faults).toEqual([]);
  });

  it('says on its page why the shop refuses', async () => {
    const { id } = await createProduct(feira, { title: 'Last lamp', stock: 1 });
    const { page } = await visit(browser, `${feira.url}/products/${id}`);
    await add(page, 'Last lamp');
    await page.getByText('1 × Last lamp in your cart.').waitFor();
    await add(page, 'Last lamp');
    await page.getByRole('alert').waitFor();
    expect(await page.getByRole('alert').textContent()).toContain('Not enough in stock');
    expect(await cartCount(page)).toBe('1');
  });

  it('does not add twice when no answer comes', async () => {
    await createProduct(feira, { title: 'Slow kettle', stock: 5 });
    const { page } = await visit(browser, feira.url);
    await page.route('**/api/carts/**', (route) => route.abort());
    await add(page, 'Slow kettle');
    await page.getByText('The shop did not answer.').waitFor();
    expect(page.url()).toBe(`${feira.url}/`);
  });
});
