import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { anAddress, PASSWORD, signUp } from '../helpers/accounts.ts';
import { describeInBrowser, launchBrowser, visit } from '../helpers/browser.ts';
import { nextMail } from '../helpers/mailbox.ts';
import { originOf } from '../helpers/passkeys.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

describeInBrowser('passkeys, in a browser', () => {
  let browser: Browser;
  let feira: Feira;
  beforeAll(async () => {
    browser = await launchBrowser();
    feira = await startFeira();
  });
  afterAll(async () => {
    await browser.close();
    await feira.stop();
  });

  /** A page whose device makes passkeys. `present` says whether the owner touches it. */
  async function withDevice(path: string) {
    const { page, faults } = await visit(browser, originOf(feira) + path);
    const cdp: CDPSession = await page.context().newCDPSession(page);
    await cdp.send('WebAuthn.enable');
    const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2',
        transport: 'internal',
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    const recognises = (isUserVerified: boolean) =>
      cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified });
    return { page, faults, recognises };
  }

  const byPasskey = (page: Page) => page.getByRole('button', { name: 'Log in with a passkey' });
  const logIn = async (page: Page, email: string) => {
    await page.getByLabel('E-mail address').fill(email);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
  };
  const add = async (page: Page, name: string, password = PASSWORD) => {
    await page.getByLabel('Name').fill(name);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Add the passkey' }).click();
  };

  it('leads from signing up to a passkey, a login with it, and its end', async () => {
    const email = anAddress();
    const { page, faults, recognises } = await withDevice('/signup');
    await page.getByLabel('Name').fill('Ana Sousa');
    await page.getByLabel('E-mail address').fill(email);
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Create the account' }).click();
    await page.getByText('Look into your mail').waitFor();
    await page.goto(`${originOf(feira)}/confirm?token=${(await nextMail(feira, email)).token}`);
    await page.getByRole('button', { name: 'Confirm' }).click();
    await page.getByRole('button', { name: 'Log in' }).click();
    await logIn(page, email);

    await page.getByRole('link', { name: 'Ana Sousa' }).click();
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await add(page, 'Telephone', 'a guess');
    await page.getByRole('alert').getByText('The password is not your password.').waitFor();
    faults.length = 0; // The refusal is told in the console too.
    await add(page, 'Telephone <b>');
    const row = page.getByRole('listitem').filter({ hasText: 'Telephone <b>' });
    await row.getByText('not used yet').waitFor();
    expect((await nextMail(feira, email)).text).toContain('A passkey was added');
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await add(page, 'Once more');
    await page.getByRole('alert').getByText('This device has a passkey of yours already.').waitFor();

    await page.goto(`${originOf(feira)}/profile`);
    await page.getByRole('button', { name: 'Log out', exact: true }).click();
    await page.goto(`${originOf(feira)}/login?next=/profile`);
    await recognises(false);
    await byPasskey(page).click();
    await page.getByRole('alert').getByText('Nothing has happened').waitFor();
    await recognises(true);
    await byPasskey(page).click();
    await row.getByText('last used').waitFor();
    expect(new URL(page.url()).pathname).toBe('/profile');

    await row.getByText('Rename').click();
    await row.getByLabel('New name of Telephone <b>').fill('Tablet <b>');
    await row.getByRole('button', { name: 'Save' }).click();
    const renamed = page.getByRole('listitem').filter({ hasText: 'Tablet <b>' });
    await renamed.getByText('last used').waitFor();
    await renamed.getByRole('button', { name: 'Remove Tablet <b>' }).click();
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Remove it' }).click();
    await page.getByRole('button', { name: 'Add a passkey' }).waitFor();
    expect(await renamed.count()).toBe(0);
    expect((await nextMail(feira, email)).text).toContain('A passkey was removed');
    expect(faults).toEqual([]);

    await page.getByRole('button', { name: 'Log out', exact: true }).click();
    await page.goto(`${originOf(feira)}/login?next=/profile`);
    await byPasskey(page).click();
    await page.getByRole('alert').getByText('This passkey opens no account here.').waitFor();
    expect(await page.locator('input[name=next]').first().inputValue()).toBe('/profile');
  });

  it('offers nothing where none would work, and says where', async () => {
    const { email } = await signUp(feira);
    const { page } = await visit(browser, `${feira.url}/login?next=/profile/passkeys/new`);
    expect(await byPasskey(page).isVisible()).toBe(false);
    await logIn(page, email);
    expect(await page.getByRole('main').getByRole('link').first().textContent()).toBe(originOf(feira));
    expect(await page.getByRole('button', { name: 'Add the passkey' }).isVisible()).toBe(false);
  });

  it('needs no script for the rest of these pages', async () => {
    const { email } = await signUp(feira);
    const { page } = await visit(browser, `${originOf(feira)}/login?next=/profile`, { javaScriptEnabled: false });
    expect(await byPasskey(page).isVisible()).toBe(false);
    await logIn(page, email);
    await page.getByRole('button', { name: 'Add a passkey' }).click();
    await page.getByText('A passkey needs JavaScript').waitFor();
  });
});
