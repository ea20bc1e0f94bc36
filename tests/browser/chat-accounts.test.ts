import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { PASSWORD, signUp } from '../helpers/accounts.ts';
import { describeInBrowser, launchBrowser, visit } from '../helpers/browser.ts';
import { CHAT_ENV } from '../helpers/chat.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

describeInBrowser('the chat of people with an account, in browsers', () => {
  let browser: Browser;
  let feira: Feira;
  beforeAll(async () => {
    browser = await launchBrowser();
    feira = await startFeira(CHAT_ENV);
  });
  afterAll(async () => {
    await browser.close();
    await feira.stop();
  });

  const log = (page: Page) => page.getByRole('log');
  const say = async (page: Page, text: string) => {
    await page.getByLabel('Message', { exact: true }).fill(text);
    await page.keyboard.press('Enter');
  };
  const isLive = (page: Page) => page.getByText('Live', { exact: true }).waitFor();

  it('shows name and mark as it happens, and leads out with the logout in another tab', async () => {
    const { email } = await signUp(feira, { name: 'Ana <i>Sousa</i>' });
    const { page: guest, faults: ofGuest } = await visit(browser, `${feira.url}/chat`);
    await guest.getByLabel('Your e-mail address').fill('bo@market.example');
    await guest.getByRole('button', { name: 'Join the chat' }).click();
    await isLive(guest);

    const { page: ana, faults: ofAna } = await visit(browser, `${feira.url}/login?next=/chat`);
    await ana.getByLabel('E-mail address').fill(email);
    await ana.getByLabel('Password').fill(PASSWORD);
    await ana.getByRole('button', { name: 'Log in' }).click();
    await ana.getByRole('button', { name: 'Join the chat' }).click();
    await isLive(ana);
    await log(guest).getByText('Ana <i>Sousa</i> has joined').waitFor();

    await say(ana, 'From an account');
    await say(guest, 'From a guest');
    for (const page of [ana, guest]) {
      const messages = log(page).locator('.chat-message');
      await messages.filter({ hasText: 'From an account' }).getByText('Ana <i>Sousa</i>').waitFor();
      await messages.filter({ hasText: 'From a guest' }).waitFor();
      expect(await messages.filter({ hasText: 'From an account' }).locator('[data-mark]').count()).toBe(1);
      expect(await messages.filter({ hasText: 'From a guest' }).locator('[data-mark]').count()).toBe(0);
    }

    const tab = await ana.context().newPage();
    await tab.goto(`${feira.url}/profile`);
    await tab.getByRole('button', { name: 'Log out', exact: true }).click();
    await ana.getByLabel('Your e-mail address').waitFor();
    await log(guest).getByText('Ana <i>Sousa</i> has left').waitFor();
    expect([ofGuest, ofAna]).toEqual([[], []]);
  });
});
