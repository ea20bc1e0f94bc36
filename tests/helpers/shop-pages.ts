/** What buyers and staff do on the pages of the shop, in a browser with JavaScript or without. */
import type { Locator, Page } from 'playwright-core';
import { eventually } from './wait-for.ts';

export const press = (page: Page, name: string | RegExp) => page.getByRole('button', { name }).click();
export const headline = (page: Page, text: string) => page.getByRole('heading', { name: text, level: 1, exact: true });

/** The widths of a desk and a phone at which one has to scroll sideways. The page keeps the last one. */
export async function tooNarrow(page: Page): Promise<number[]> {
  const found: number[] = [];
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 900 });
    if (await page.evaluate('document.documentElement.scrollWidth > innerWidth')) found.push(width);
  }
  return found;
}

export async function logIn(page: Page, email: string, password: string): Promise<void> {
  await page.goto(new URL('/login', page.url()).href);
  await page.getByLabel('E-mail').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Log in', exact: true }).click();
  await page.waitForURL((url) => url.pathname === '/');
}

/** Searches for the product, chooses the blue one and puts it into the cart. @returns the address of its page */
export async function putIntoCart(page: Page, title: string, quantity = 1): Promise<string> {
  await page.getByRole('searchbox').fill(title);
  await page.getByRole('searchbox').press('Enter');
  await page.getByRole('heading', { name: title }).getByRole('link').click();
  await page.waitForURL(/\/products\//);
  const address = page.url();
  await page.getByLabel('Blue').check();
  await page.getByLabel('Quantity').fill(String(quantity));
  await press(page, /^Add to cart/);
  return address;
}

/** Who the buyer is, and that they pay by a test payment of which the news comes two seconds later. */
export async function fillCheckout(page: Page, email: string): Promise<void> {
  const typed = { 'E-mail': email, Name: 'Ana Sousa', 'Street and number': 'Rua das Flores 12' };
  for (const [label, text] of Object.entries({ ...typed, 'Postal code': '4050-262', City: 'Porto' }))
    await page.getByLabel(label, { exact: true }).fill(text);
  await page.getByLabel('Test payment').check();
  await page.getByLabel('What becomes of the payment').selectOption('delay');
}

/** Waits until the page shows it: by itself when it is live, and otherwise whenever its reader asks again. */
export async function comesToShow(what: Locator, { live }: { live: boolean }): Promise<void> {
  if (live) return what.waitFor();
  const page = what.page();
  const refresh = page.getByRole('link', { name: 'Refresh' });
  await eventually(async () => {
    await ((await refresh.count()) > 0 ? refresh.click() : page.reload());
    return what.isVisible();
  });
}

/** Opens the mail with this subject on the page of the outbox when it has come. @returns its text, and its HTML */
export async function openMail(page: Page, subject: string): Promise<{ text: Locator; html: Locator }> {
  await page.goto(new URL('/dev/outbox', page.url()).href);
  const mail = page.getByRole('link', { name: subject, exact: true });
  await comesToShow(mail, { live: false });
  await mail.click();
  return { text: page.getByRole('region', { name: 'Text' }), html: page.frameLocator('iframe').locator('body') };
}
