/** The secret of a webhook on the page of staff: copied with a button, or selected without JavaScript. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { describeInBrowser, launchBrowser, visit } from '../helpers/browser.ts';
import { ADMIN, type Feira, startFeira } from '../helpers/start-feira.ts';

describeInBrowser('the secret of a new webhook', () => {
  let feira: Feira;
  let browser: Browser;
  beforeAll(async () => {
    [feira, browser] = await Promise.all([startFeira(), launchBrowser()]);
  });
  afterAll(async () => {
    await browser.close();
    await feira.stop();
  });

  async function making(options: BrowserContextOptions) {
    const { page, faults } = await visit(browser, `${feira.url}/login?next=/admin/webhooks/new`, options);
    await page.getByLabel('E-mail').fill(ADMIN.email);
    await page.getByLabel('Password', { exact: true }).fill(ADMIN.password);
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    await page.getByLabel('Address').fill('https://erp.example/feira');
    await page.getByLabel('The money is here').check();
    await page.getByRole('button', { name: 'Make the webhook' }).click();
    return { page, faults, secret: await page.getByLabel('The secret').inputValue() };
  }

  it('is copied by its button', async () => {
    const { page, faults, secret } = await making({ permissions: ['clipboard-read', 'clipboard-write'] });
    await page.getByRole('button', { name: 'Copy' }).click();
    await page.getByText('Copied.').waitFor();
    expect(secret).toMatch(/^whsec_/);
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
    expect(faults).toEqual([]);
  });

  it('is in a field that can be selected, without JavaScript', async () => {
    const { page, secret } = await making({ javaScriptEnabled: false });
    expect(secret).toMatch(/^whsec_/);
    expect(await page.getByRole('button', { name: 'Copy' }).isVisible()).toBe(false);
    await page.getByText('Change what it gets').click();
    expect(await page.getByLabel('The money is here').isChecked()).toBe(true);
  });
});
