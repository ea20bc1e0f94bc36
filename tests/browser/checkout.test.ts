import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { staff } from '../helpers/accounts.ts';
import { describeInBrowser, launchBrowser, visit } from '../helpers/browser.ts';
import { createCoupon, createRedAndBlue } from '../helpers/factories.ts';
import { nextMail } from '../helpers/mailbox.ts';
import { anEmail } from '../helpers/orders.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { eventually } from '../helpers/wait-for.ts';

const WIDTHS = [1280, 390];

describeInBrowser('from finding a product to the paid order', () => {
  let feira: Feira;
  let browser: Browser;
  let code: string;
  let seller: Awaited<ReturnType<typeof staff>>;
  beforeAll(async () => {
    [feira, browser] = await Promise.all([startFeira(), launchBrowser()]);
    await createRedAndBlue(feira);
    seller = await staff(feira, 'seller');
    ({ code } = await createCoupon(seller, { value: 1000 }));
  });
  afterAll(async () => {
    await browser.close();
    await feira.stop();
  });

  const press = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).click();
  const headline = (page: Page) => page.locator('h1').textContent();
  const overflow = (page: Page) => page.evaluate('document.documentElement.scrollWidth - innerWidth');

  /** Finds the shirt, chooses the blue one and goes on to the checkout. */
  async function find(page: Page): Promise<void> {
    await page.getByRole('searchbox').fill('shirt');
    await page.getByRole('searchbox').press('Enter');
    await page.getByRole('heading', { name: 'Shirt' }).getByRole('link').click();
    await page.getByLabel('Blue').check();
    await press(page, /^Add to cart/);
  }

  async function fill(page: Page, email: string): Promise<void> {
    const typed = { 'E-mail': email, Name: 'Ana Sousa', 'Street and number': 'Rua das Flores 12' };
    for (const [label, text] of Object.entries({ ...typed, 'Postal code': '4050-262', City: 'Porto' }))
      await page.getByLabel(label, { exact: true }).fill(text);
    await page.getByLabel('Test payment').check();
    await page.getByLabel('What becomes of the payment').selectOption('delay');
  }

  describe.each(WIDTHS)('on a screen of %i pixels', (width) => {
    it('works with JavaScript: prices and the order follow by themselves', async () => {
      const email = anEmail();
      const { page, faults } = await visit(browser, feira.url, { viewport: { width, height: 900 } });
      await find(page);
      await page.getByText('1 × Shirt – Blue in your cart.').waitFor();
      await page.goto(`${feira.url}/cart`);
      await page.getByRole('button', { name: 'Checkout' }).click();

      await page.getByLabel('Country').selectOption('PT');
      await page.getByLabel(/Express/).waitFor();
      await fill(page, email);
      await page.getByLabel('Code of a coupon').fill(code);
      await press(page, 'Use');
      await press(page, `Remove the coupon ${code}`);
      await page.getByLabel('Code of a coupon').fill(code);
      await press(page, 'Use');
      await page.getByLabel(/Express/).check();
      await page.getByRole('button', { name: 'Pay €35.40' }).waitFor();
      expect(await overflow(page)).toBe(0);
      await press(page, 'Pay €35.40');

      await page.waitForURL(/\/orders\/F-/);
      await page.getByRole('heading', { name: 'The payment is on its way' }).waitFor();
      await page.getByText('Live', { exact: true }).waitFor();
      expect(await overflow(page)).toBe(0);
      // The webhook comes two seconds later.
      await page.getByRole('heading', { name: 'Paid', level: 1 }).waitFor();
      await page
        .getByRole('status')
        .getByText(/F-[\w-]+: Paid\./)
        .waitFor();
      expect(await overflow(page)).toBe(0);

      const { id } = (await seller.as('get', `/api/orders?q=${encodeURIComponent(email)}`)).body.items[0];
      await seller.as('post', `/api/orders/${id}/fulfil`).send({ tracking: 'CTT 123' }).expect(200);
      await page.getByRole('heading', { name: 'On its way', level: 1 }).waitFor();
      await page.getByText('CTT 123').waitFor();
      expect(faults).toEqual([]);

      // The link of the mail opens the order in another browser.
      const { link } = await nextMail(feira, email);
      const other = await visit(browser, link);
      expect(other.page.url()).toMatch(/\/orders\/F-[\w-]+$/);
      expect(await headline(other.page)).toBe('On its way');
    });

    it('works without JavaScript: by buttons, and a link to refresh', async () => {
      const { page } = await visit(browser, feira.url, { viewport: { width, height: 900 }, javaScriptEnabled: false });
      await find(page);
      await page.getByRole('button', { name: 'Checkout' }).click();
      await fill(page, anEmail());
      await page.getByLabel('Country').selectOption('PT');
      await page.getByLabel('Code of a coupon').fill(code);
      await press(page, 'Show delivery and total');
      expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('Ana Sousa');
      expect(await overflow(page)).toBe(0);
      // Another way of delivery than the one that was priced costs something else, and is asked about.
      await page.getByLabel(/Express/).check();
      await press(page, 'Pay €27.40');
      expect(await page.getByRole('alert').textContent()).toContain('€35.40');
      await press(page, 'Pay €35.40');
      expect(page.url()).toMatch(/\/orders\/F-[\w-]+$/);
      expect(await headline(page)).toBe('The payment is on its way');
      expect(await overflow(page)).toBe(0);
      await eventually(async () => {
        await page.getByRole('link', { name: 'Refresh' }).click();
        return (await headline(page)) === 'Paid';
      });
    });
  });

  it('shows a new price of what is being bought before it is paid', async () => {
    const { page } = await visit(browser, feira.url);
    await find(page);
    await page.getByText('1 × Shirt – Blue in your cart.').waitFor();
    await page.goto(`${feira.url}/checkout`);
    await page.getByLabel('Country').selectOption('PT');
    await page.getByRole('button', { name: 'Pay €29.90' }).waitFor();
    const [{ id }] = (await feira.api.get('/api/products?q=shirt')).body.items;
    const { variants } = (await feira.api.get(`/api/products/${id}`)).body;
    const dearer = variants.map((one: { price: number }) => ({ ...one, price: one.price + 1000 }));
    await feira.withKey('patch', `/api/products/${id}`).send({ variants: dearer }).expect(200);
    await page.getByRole('button', { name: 'Pay €39.90' }).waitFor();
    await page.getByText('It was €25.00.').waitFor();
  });
});
