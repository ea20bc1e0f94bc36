/** Orders on the pages of staff that are open: new ones are counted, states change, the sum of a refund is shown. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { describeInBrowser, launchBrowser, visit } from '../helpers/browser.ts';
import { createProduct } from '../helpers/factories.ts';
import { anOrder } from '../helpers/orders.ts';
import { ADMIN, type Feira, startFeira } from '../helpers/start-feira.ts';

describeInBrowser('orders on open pages of staff', () => {
  let feira: Feira;
  let browser: Browser;
  let page: Page;
  let faults: string[];

  beforeAll(async () => {
    [feira, browser] = await Promise.all([startFeira({ BANK_DETAILS: 'IBAN PT50 0000' }), launchBrowser()]);
    ({ page, faults } = await visit(browser, `${feira.url}/login`));
    await page.getByLabel('E-mail').fill(ADMIN.email);
    await page.getByLabel('Password', { exact: true }).fill(ADMIN.password);
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    await page.waitForURL(`${feira.url}/`);
  });
  afterAll(async () => {
    await browser.close();
    await feira.stop();
  });

  /** When the page hears of orders: what happens before would be in the page anyway. */
  const open = async (path: string) => {
    const watching = page
      .waitForEvent('websocket')
      .then((socket) => socket.waitForEvent('framesent', ({ payload }) => String(payload).includes('order:watch')));
    await page.goto(`${feira.url}${path}`);
    await watching;
  };

  it('are counted when they are new, and change their state', async () => {
    const bank = { paymentMethod: 'manual', payment: {} };
    const { order } = await anOrder(feira, bank);
    await open('/admin/orders');
    await anOrder(feira);
    await anOrder(feira);
    await page.getByRole('link', { name: 'Show 2 new orders' }).waitFor();
    const other = await visit(browser, `${feira.url}/`, { storageState: await page.context().storageState() });
    await other.page.goto(`${feira.url}/admin/orders/${order.number}`);
    await other.page.getByRole('button', { name: 'Confirm the payment' }).click();
    await page.locator(`[data-order="${order.id}"] [data-status="paid"]`).waitFor();
    // In the words of the page, not of the database.
    await page.locator(`[data-order="${order.id}"]`, { hasText: 'paid, not sent' }).waitFor();
    await page.getByRole('link', { name: 'Show 2 new orders' }).click();
    await page.locator('.admin-orders li').nth(2).waitFor();
  });

  it('are what they are when the connection comes back', async () => {
    const { order, asGuest } = await anOrder(feira, { paymentMethod: 'manual', payment: {} });
    await open('/admin/orders');
    await page.context().setOffline(true);
    await asGuest('post', '/cancel').send({}).expect(200);
    await anOrder(feira);
    await page.context().setOffline(false);
    await page.locator(`[data-order="${order.id}"] [data-status="cancelled"]`).waitFor({ timeout: 15_000 });
    await page.getByRole('link', { name: 'Show 1 new order' }).waitFor();
    // What the browser says of the lost connection.
    faults.length = 0;
  });

  it('show the sum of a refund while it is chosen, and the refund when it has come about', async () => {
    const product = await createProduct(feira, { price: 2000, stock: 5 });
    const { order } = await anOrder(feira, {}, [{ product, quantity: 2 }]);
    await open(`/admin/orders/${order.number}`);
    await page.getByText('Give money back').click();
    await page.getByLabel(/^Speckled mug/).fill('1');
    await page.getByText('Goes back: €20.00').waitFor();
    await page.getByLabel('Another amount (optional)').fill('999');
    await page.getByText('more than what is left to refund').waitFor();
    await page.getByLabel('Another amount (optional)').fill('');
    await page.getByText('Goes back: €20.00').waitFor();
    await page.getByLabel('Reason, which the customer reads', { exact: true }).fill('Chipped');
    await page.getByRole('button', { name: 'Give it back' }).click();
    await page.locator('.admin-state [data-status="partly_refunded"]').waitFor();
    expect(faults.filter((fault) => !fault.includes('409'))).toEqual([]);
  });

  it('are not taken from under what is being typed', async () => {
    const { order, asGuest } = await anOrder(feira, { paymentMethod: 'manual', payment: {} });
    await open(`/admin/orders/${order.number}`);
    await page.getByLabel('Note for staff').fill('Half a thou');
    await asGuest('post', '/cancel').send({}).expect(200);
    await page.getByText('The order has changed meanwhile.').waitFor();
    expect(await page.getByLabel('Note for staff').inputValue()).toBe('Half a thou');
    await page.getByRole('link', { name: 'Show it' }).click();
    await page.locator('.admin-state [data-status="cancelled"]').waitFor();
  });
});
