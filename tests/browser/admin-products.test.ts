/** Two of the staff who change one product at the same time, each with a browser of their own. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { logIn, PASSWORD, staff } from '../helpers/accounts.ts';
import { describeInBrowser, launchBrowser, visit } from '../helpers/browser.ts';
import { createProduct } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

describeInBrowser('a product that two of the staff change', () => {
  let feira: Feira;
  let browser: Browser;
  let ana: { page: Page; faults: string[] };
  let rui: { page: Page; faults: string[] };

  async function seller() {
    const { user } = await staff(feira, 'seller');
    const opened = await visit(browser, `${feira.url}/login`);
    await opened.page.getByLabel('E-mail').fill(user.email);
    await opened.page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await opened.page.getByRole('button', { name: 'Log in', exact: true }).click();
    await opened.page.waitForURL(`${feira.url}/`);
    return { ...opened, email: user.email };
  }

  beforeAll(async () => {
    [feira, browser] = await Promise.all([startFeira(), launchBrowser()]);
    [ana, rui] = [await seller(), await seller()];
  });
  afterAll(async () => {
    await browser.close();
    await feira.stop();
  });

  const field = ({ page }: { page: Page }, label: string) => page.getByLabel(label, { exact: true });
  const save = ({ page }: { page: Page }) => page.getByRole('button', { name: 'Save', exact: true }).click();
  const read = async (id: string) => (await feira.withKey('get', `/api/products/${id}`)).body;

  async function opened(overrides: object = {}) {
    const { id } = await createProduct(feira, { title: 'Clay pot', price: 1250, ...overrides });
    const path = `${feira.url}/admin/products/${id}`;
    await ana.page.goto(path);
    await rui.page.goto(path);
    await ana.page.getByText('is editing this product too.').waitFor();
    await rui.page.getByText('is editing this product too.').waitFor();
    return id;
  }

  it('shows them each other, and no longer when one has left', async () => {
    await opened();
    await rui.page.goto(`${feira.url}/admin/products`);
    await ana.page.getByText('is editing this product too.').waitFor({ state: 'hidden' });
  });

  it.each([{ draft: false }, { draft: true }])(
    'keeps the title of one and the price of the other: %j',
    async (overrides) => {
      const id = await opened(overrides);
      await field(rui, 'Price').fill('14');
      await field(ana, 'Title').fill('Clay jar');
      await save(ana);
      await ana.page.getByText('Saved.').waitFor();
      await rui.page.getByText('Somebody else has saved: Title.').waitFor();
      await rui.page.getByRole('link', { name: 'Show them' }).click();
      expect(await field(rui, 'Title').inputValue()).toBe('Clay jar');
      expect(await field(rui, 'Price').inputValue()).toBe('14');
      await save(rui);
      await rui.page.getByText('Saved.').waitFor();
      expect(await read(id)).toMatchObject({ title: 'Clay jar', price: 1400 });
    },
  );

  it('keeps both also when nobody looks at what the other one has saved', async () => {
    const id = await opened();
    await field(rui, 'Price').fill('15');
    await field(ana, 'Title').fill('Clay jug');
    await save(ana);
    await ana.page.getByText('Saved.').waitFor();
    await save(rui);
    await rui.page.getByText('it is kept: Title.').waitFor();
    expect(await read(id)).toMatchObject({ title: 'Clay jug', price: 1500 });
  });

  it('asks the second one when both have changed the title', async () => {
    const id = await opened();
    await field(rui, 'Title').fill('Clay vase');
    await field(ana, 'Title').fill('Clay urn');
    await save(ana);
    await ana.page.getByText('Saved.').waitFor();
    await rui.page.getByText('Somebody else has saved: Title.').waitFor();
    await rui.page.getByRole('link', { name: 'Show them' }).click();
    await rui.page.getByText('will be asked when you save: Title.').waitFor();
    expect(await field(rui, 'Title').inputValue()).toBe('Clay vase');
    await save(rui);
    await rui.page.getByRole('group', { name: 'Title' }).waitFor();
    expect((await read(id)).title).toBe('Clay urn');
    await rui.page.getByLabel('What is in the field below').check();
    await save(rui);
    await rui.page.getByText('Saved.').waitFor();
    expect((await read(id)).title).toBe('Clay vase');
  });

  it('tells whoever is logged out while the form is open that it is so, and nothing that is not', async () => {
    const { id } = await createProduct(feira, { title: 'Clay lid' });
    const { page, email } = await seller();
    await page.goto(`${feira.url}/admin/products/${id}`);
    const { as } = await logIn(feira, email);
    const anew = page.waitForEvent('websocket');
    await as('delete', '/api/auth/sessions').expect(204);
    await page.getByRole('status').getByText('Your login has ended.').waitFor();
    await (await anew).waitForEvent('framereceived', ({ payload }) => String(payload).startsWith('40'));
    // The page looks for what was saved, and is led to the login.
    const looks = page.waitForResponse((answer) => answer.url().includes('/login?next='));
    await feira.withKey('patch', `/api/products/${id}`).send({ price: 99 }).expect(200);
    await looks;
    // Time enough to read it.
    await page.evaluate(async () => (await fetch(location.href)).text());
    expect(await page.getByText('Somebody else has saved').isVisible()).toBe(false);
    await page.context().close();
  });

  it('shows what is sold while the form is open', async () => {
    const id = await opened({ stock: 9 });
    await field(ana, 'Title').fill('Not saved yet');
    await feira.withKey('post', `/api/products/${id}/stock`).send({ change: -2, reason: 'Broken' });
    await ana.page.locator('[data-stock]', { hasText: '7 units' }).waitFor();
    expect(await field(ana, 'Title').inputValue()).toBe('Not saved yet');
    // The refusal that asked for a choice was an answer with 409.
    expect([...ana.faults, ...rui.faults.filter((fault) => !fault.includes('409'))]).toEqual([]);
  });
});
