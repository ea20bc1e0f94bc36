/** Buying as people live it, from finding a product to the money that is given back, with JavaScript and without. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { admin } from '../helpers/accounts.ts';
import { describeInBrowser, launchBrowser, visit } from '../helpers/browser.ts';
import { createCoupon, createShirt } from '../helpers/factories.ts';
import { anEmail } from '../helpers/orders.ts';
import {
  comesToShow,
  fillCheckout,
  headline,
  logIn,
  openMail,
  press,
  putIntoCart,
  tooNarrow,
} from '../helpers/shop-pages.ts';
import { ADMIN, type Feira, startFeira } from '../helpers/start-feira.ts';

const LIMIT_MS = 60_000;

describeInBrowser('from finding a product to the refund', () => {
  let feira: Feira;
  let browser: Browser;
  let code: string;
  beforeAll(async () => {
    [feira, browser] = await Promise.all([startFeira(), launchBrowser()]);
    ({ code } = await createCoupon(await admin(feira), { value: 1000 }));
  });
  afterAll(async () => {
    await browser.close();
    await feira.stop();
  });

  /** A shirt of which there are five in blue, for 29.00 each. */
  const aShirt = () => createShirt(feira, { title: `Shirt ${randomBytes(6).toString('hex')}` });
  const blue = (page: Page, stock: string) => page.locator('label', { hasText: 'Blue' }).getByText(stock);
  const numberOf = (page: Page) => /\/orders\/(F-[\w-]+)$/.exec(page.url())?.[1] ?? '';

  /** Prices follow what is chosen. */
  async function buyWithJavaScript(page: Page, title: string, email: string): Promise<string> {
    const address = await putIntoCart(page, title, 2);
    await page.getByText(`2 × ${title} – Blue in your cart.`).waitFor();
    await page.goto(`${feira.url}/cart`);
    await press(page, 'Checkout');

    await page.getByLabel('Country').selectOption('PT');
    await page.getByLabel(/Express/).waitFor();
    await fillCheckout(page, email);
    await page.getByLabel('Code of a coupon').fill(code);
    // With the keyboard alone: the focus stays where the coupon is.
    await page.keyboard.press('Enter');
    await page.locator(`:focus[aria-label="Remove the coupon ${code}"]`).waitFor();
    await page.keyboard.press('Enter');
    await page.locator(':focus[name="coupon"]').waitFor();
    await page.keyboard.type(`${code}x`);
    await press(page, 'Use');
    await page.locator('[role="alert"]:focus').getByText('There is no coupon with this code').waitFor();
    await page.getByLabel('Code of a coupon').fill(code);
    await press(page, 'Use');
    await page.getByLabel(/Express/).check();
    await page.getByRole('button', { name: 'Pay €65.10' }).waitFor();
    expect(await tooNarrow(page)).toEqual([]);
    await press(page, 'Pay €65.10');
    return address;
  }

  /** A choice that was not priced yet is asked about. */
  async function buyWithoutJavaScript(page: Page, title: string, email: string): Promise<string> {
    const address = await putIntoCart(page, title, 2);
    await press(page, 'Checkout');

    await fillCheckout(page, email);
    await page.getByLabel('Country').selectOption('PT');
    await page.getByLabel('Code of a coupon').fill(code);
    await press(page, 'Show delivery and total');
    expect(await page.getByLabel('Name', { exact: true }).inputValue()).toBe('Ana Sousa');
    expect(await tooNarrow(page)).toEqual([]);
    await page.getByLabel(/Express/).check();
    await press(page, 'Pay €57.10');
    expect(await page.getByRole('alert').textContent()).toContain('€65.10');
    await press(page, 'Pay €65.10');
    return address;
  }

  /** Staff find the order by the buyer's address and send it. */
  async function send(page: Page, number: string, email: string): Promise<void> {
    await page.goto(`${feira.url}/admin/orders`);
    await page.getByRole('searchbox').fill(email);
    await press(page, 'Search');
    expect(await page.locator('[data-order]').count()).toBe(1);
    await page.getByRole('link', { name: number }).click();
    await page.getByLabel('Tracking').fill('CTT 123');
    await press(page, 'It is sent');
    await page.getByText('CTT 123').waitFor();
  }

  /** One of the two shirts comes back: its money goes out, and it goes back onto the shelf. */
  async function refund(page: Page, live: boolean): Promise<void> {
    await page.getByText('Give money back').click();
    await page.getByLabel(/^Shirt/).fill('1');
    await page.getByLabel('back into stock').check();
    if (!live) await press(page, 'Show the sum');
    await page.getByText('Goes back: €26.10').waitFor();
    expect(await tooNarrow(page)).toEqual([]);
    await page.getByLabel('Reason, which the customer reads', { exact: true }).fill('Too small');
    await press(page, 'Give it back');
    await comesToShow(
      page
        .locator('.admin-state')
        .getByText(/partly refunded/i)
        .first(),
      { live },
    );
    expect(await tooNarrow(page)).toEqual([]);
  }

  it.each([
    ['with JavaScript: pages follow by themselves', true],
    ['without JavaScript: by buttons, and asking again', false],
  ])(
    'works %s',
    async (_name, live) => {
      const options = { javaScriptEnabled: live };
      const { title } = await aShirt();
      const email = anEmail();
      const buyer = await visit(browser, feira.url, options);
      const seller = await visit(browser, feira.url, options);
      const { page } = buyer;

      const address = await (live ? buyWithJavaScript : buyWithoutJavaScript)(page, title, email);
      await headline(page, 'The payment is on its way').waitFor();
      expect(await tooNarrow(page)).toEqual([]);
      const number = numberOf(page);
      expect(number).not.toBe('');
      const product = await page.context().newPage();
      await product.goto(address);
      await comesToShow(blue(product, 'Only 3 left'), { live });
      await comesToShow(headline(page, 'Paid'), { live });
      if (live) await page.getByRole('status').getByText(`${number}: Paid.`).waitFor();

      const line = page.getByRole('link', { name: title });
      await line.focus();
      await logIn(seller.page, ADMIN.email, ADMIN.password);
      await send(seller.page, number, email);
      await comesToShow(headline(page, 'On its way'), { live });
      await page.getByText('CTT 123').waitFor();
      // What follows by itself leaves the keyboard where it was.
      if (live) expect(await line.evaluate((link) => link === document.activeElement)).toBe(true);

      await refund(seller.page, live);
      await comesToShow(headline(page, 'Partly refunded'), { live });
      await page.getByText('Given back: €26.10').waitFor();
      await page.getByText('Too small').waitFor();
      expect(await tooNarrow(page)).toEqual([]);
      await comesToShow(blue(product, 'Only 4 left'), { live });
      // A refusal by its status is no fault of a page.
      expect([...buyer.faults, ...seller.faults].filter((fault) => !fault.includes('409'))).toEqual([]);

      const reader = await visit(browser, feira.url, options);
      const mails: [string, string][] = [
        ['We have your payment for order', '€65.10'],
        ['On its way to you, order', 'CTT 123'],
        ['A refund for your order', '€26.10'],
        ['We have your order', '€65.10'],
      ];
      for (const [subject, amount] of mails) {
        const { text, html } = await openMail(reader.page, `${subject} ${number}`);
        for (const form of [text, html])
          for (const told of [number, amount]) await form.getByText(told).first().waitFor();
        await reader.page.getByText(email).waitFor();
      }
      // The link of the last one opens the order where nothing is known of the buyer.
      const link = await reader.page.getByRole('region', { name: 'Text' }).getByRole('link').getAttribute('href');
      const elsewhere = await visit(browser, link ?? '', options);
      await headline(elsewhere.page, 'Partly refunded').waitFor();
      expect(numberOf(elsewhere.page)).toBe(number);
    },
    LIMIT_MS,
  );

  it('shows a new price of what is being bought before it is paid', async () => {
    const { id, title, variants } = await aShirt();
    const { page } = await visit(browser, feira.url);
    await putIntoCart(page, title);
    await page.getByText(`1 × ${title} – Blue in your cart.`).waitFor();
    await page.goto(`${feira.url}/checkout`);
    await page.getByLabel('Country').selectOption('PT');
    await page.getByRole('button', { name: 'Pay €33.90' }).waitFor();
    const dearer = variants.map((one) => ({ ...one, price: one.price + 1000 }));
    await feira.withKey('patch', `/api/products/${id}`).send({ variants: dearer }).expect(200);
    await page.getByRole('button', { name: 'Pay €43.90' }).waitFor();
    await page.getByText('It was €29.00.').waitFor();
  });
});
