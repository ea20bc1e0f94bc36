import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { describeInBrowser, launchBrowser, visit } from '../helpers/browser.ts';
import { createProduct } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

/** Runs in the page: what a person with a keyboard, a screen reader or a small screen would stumble over. */
function obstacles(): string[] {
  const all = (selector: string) => [...document.querySelectorAll<HTMLElement>(selector)];
  const levels = all('h1, h2, h3, h4').map(({ tagName }) => Number(tagName[1]));
  const unnamed = all('input:not([type=hidden]), select, textarea').filter(
    (field) => !(field as HTMLInputElement).labels?.length && !field.ariaLabel,
  );
  const small = all('button, input:not([type=hidden]), select, nav a, summary, .account-links a')
    // A box inside of its label is pressed by the label too.
    .filter(
      (target) => target.checkVisibility() && (target.closest('label') ?? target).getBoundingClientRect().height < 44,
    )
    .map((target) => `too small: ${target.outerHTML.slice(0, 80)}`);
  const ids = all('[id]').map(({ id }) => id);
  return [
    ...(all('h1').length === 1 ? [] : ['not one h1']),
    ...(levels.every((level, i) => level <= (levels[i - 1] ?? 0) + 1) ? [] : [`headings leave a level out: ${levels}`]),
    ...(all('main').length === 1 && all('body > header').length === 1 && all('body > footer').length === 1
      ? []
      : ['landmarks are missing']),
    ...unnamed.map((field) => `no label: ${field.outerHTML}`),
    ...all('img:not([alt])').map((image) => `no alt: ${image.outerHTML}`),
    ...small,
    ...(new Set(ids).size === ids.length ? [] : ['an id is used twice']),
    ...(document.documentElement.scrollWidth > document.documentElement.clientWidth ? ['scrolls sideways'] : []),
  ];
}

describeInBrowser('every page', () => {
  let feira: Feira;
  let browser: Browser;
  let productPath: string;
  beforeAll(async () => {
    [feira, browser] = await Promise.all([startFeira(), launchBrowser()]);
    const title = `A${'a'.repeat(80)} very long title`;
    const product = await createProduct(feira, { title, price: 999_999_999, category: 'x'.repeat(60) });
    productPath = `/products/${product.id}`;
  });
  afterAll(async () => {
    await browser.close();
    await feira.stop();
  });

  const open = (path: string, width: number) =>
    visit(browser, `${feira.url}${path}`, { viewport: { width, height: 800 } });

  it.each([
    '/',
    '/?from=abc&q=x',
    'product',
    '/realtimeproducts',
    '/cart',
    '/checkout',
    '/orders',
    '/login',
    '/signup',
    '/reset-password',
    '/chat',
    '/problems',
    '/problems/not-found',
  ])('%s can be used by everyone, at 320 and at 1280 pixels', async (path) => {
    for (const width of [320, 1280]) {
      const { page } = await open(path === 'product' ? productPath : path, width);
      expect(await page.evaluate(obstacles)).toEqual([]);
      await page.context().close();
    }
  });

  it('can be skipped to its content with the keyboard', async () => {
    const { page } = await open('/', 1280);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('content');
  });

  it('sends a form once while it is on its way, and again when somebody comes back', async () => {
    const { page } = await open('/forgot-password', 390);
    const press = () =>
      page.evaluate(() => {
        const kept: boolean[] = [];
        addEventListener('submit', (event) => kept.push(event.defaultPrevented));
        const button = document.querySelector<HTMLElement>('main form button');
        for (let i = 0; i < 3; i++) button?.click();
        return { kept, isBusy: button?.ariaBusy };
      });
    const answer = page.getByRole('heading', { name: 'Look into your mail' });
    for (let i = 0; i < 2; i++) {
      await page.getByLabel('E-mail').fill('ana@example.com');
      expect(await press()).toEqual({ kept: [false, true, true], isBusy: 'true' });
      await answer.waitFor();
      await page.goBack();
      expect(await page.getByRole('button', { name: 'Send the link' }).getAttribute('aria-busy')).toBeNull();
    }
  });

  it('keeps in sight what somebody with an endless address says in the chat', async () => {
    const { page } = await open('/chat', 390);
    await page.getByLabel('E-mail').fill(`${'a'.repeat(60)}@${'a-long-domain.'.repeat(8)}example`);
    await page.getByRole('button', { name: 'Join the chat' }).click();
    await page.getByLabel('Message', { exact: true }).fill('Good morning!');
    await page.getByRole('button', { name: 'Send' }).click();
    const { x, width } = (await page.locator('[data-messages] [data-mine] .chat-text').boundingBox())!;
    expect([x >= 0, x + width <= 390]).toEqual([true, true]);
  });

  it('is no wider while the checkout asks what it costs', async () => {
    const { page } = await open('/', 390);
    const title = 'A long name of many words that wraps in each place where it stands '.repeat(2).trim();
    const product = await createProduct(feira, { title });
    await page.goto(`${feira.url}/products/${product.id}`);
    await page.getByRole('button', { name: 'Add to cart' }).click();
    await page.getByText(`1 × ${title} in your cart.`).waitFor();
    await page.goto(`${feira.url}/checkout`);
    let answer = () => {};
    const held = new Promise<void>((resolve) => {
      answer = resolve;
    });
    await page.route('**/checkout', (route) => held.then(() => route.continue()));
    await page.getByLabel('Country').selectOption('PT');
    await page.locator('.checkout-summary[aria-busy=true]').waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    answer();
    await page.locator('.checkout-summary:not([aria-busy])').waitFor();
    await page.unrouteAll({ behavior: 'wait' });
  });

  it('leads the focus to what is wrong with a form', async () => {
    const { page } = await open('/login', 390);
    await page.getByLabel('E-mail').fill('nobody@example.com');
    await page.getByLabel('Password').fill('whatever it is');
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    await page.locator('[role=alert]:focus').waitFor();

    await page.goto(`${feira.url}/signup`);
    await page.getByLabel('Name').fill('   ');
    await page.getByLabel('E-mail').fill('ana@example.com');
    await page.getByLabel('Password').fill('a long sentence is good');
    await page.getByRole('button', { name: 'Create the account' }).click();
    await page.locator('#field-name:focus[aria-invalid=true]').waitFor();
  });

  it('filters leave short addresses', async () => {
    const { page } = await open('/', 1280);
    await page.getByLabel('Search').fill('mug');
    await page.getByRole('button', { name: 'Show' }).click();
    await page.getByRole('heading', { name: '“mug”' }).waitFor({ timeout: 5000 });
    expect(new URL(page.url()).search).toBe('?q=mug&sort=-createdAt');
  });
});
