/** The life of an account as one person lives it, in a real browser, with the built shop as a process of its own. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { MongoClient } from 'mongodb';
import type { Browser, Page } from 'playwright-core';
import { anAddress, PASSWORD } from '../helpers/accounts.ts';
import { codeOf } from '../helpers/authenticator.ts';
import { describeInBrowser, launchBrowser, visit } from '../helpers/browser.ts';
import { databaseUri } from '../helpers/start-feira.ts';
import { type FeiraProcess, freePort, startProcess } from '../helpers/start-process.ts';
import { eventually } from '../helpers/wait-for.ts';

const LIMIT_MS = 120_000;
const NEW_PASSWORD = 'another sentence that nobody guesses';

describeInBrowser('the journey of an account', () => {
  let dir: string;
  let browser: Browser;
  let feira: FeiraProcess;
  /** What every start of the shop is given: the same port, and the same data. */
  let env: Record<string, string>;
  const start = async () => {
    feira = await startProcess(env);
  };

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'feira-journey-'));
    env = {
      PORT: String(await freePort()),
      DATA_DIR: join(dir, 'data'),
      UPLOADS_DIR: join(dir, 'uploads'),
      // Without another server the shop runs on its own store, as it does for whoever has just cloned it.
      ...(process.env.TEST_MONGODB_URI
        ? { MONGODB_URI: databaseUri(`feira_test_${randomBytes(6).toString('hex')}`) }
        : {}),
    };
    [browser] = await Promise.all([launchBrowser(), start()]);
  });
  afterAll(async () => {
    await browser.close();
    await feira.end('SIGTERM');
    if (env.MONGODB_URI) {
      const client = await new MongoClient(env.MONGODB_URI).connect();
      await client.db().dropDatabase();
      await client.close();
    }
    await rm(dir, { recursive: true, force: true });
  });

  const email = anAddress();
  const faults: string[] = [];
  let ana: Page;

  const open = async (path: string) => {
    const visited = await visit(browser, feira.url + path, { acceptDownloads: true });
    return visited.page;
  };
  const go = (path: string, page = ana) => page.goto(feira.url + path);
  const press = (name: string, page = ana) => page.getByRole('button', { name, exact: true }).click();
  const fill = (label: string, text: string, page = ana) => page.getByLabel(label, { exact: true }).fill(text);
  const sees = (text: string, page = ana) => page.getByText(text).first().waitFor();
  const pathOf = (page: Page) => new URL(page.url()).pathname;
  const logIn = async (page: Page, password: string) => {
    await go('/login', page);
    await fill('E-mail address', email, page);
    await fill('Password', password, page);
    await press('Log in', page);
  };
  const isLoggedIn = (page: Page) => page.getByRole('link', { name: 'Ana Sousa' }).waitFor();
  const live = (page: Page) => page.getByText('Live', { exact: true });

  /** Begins with signing up; the mail in the outbox leads to the confirmation. */
  const signUp = async () => {
    ana = await open('/signup');
    ana.on('pageerror', (error) => faults.push(error.message));
    await fill('Name', 'Ana Sousa');
    await fill('E-mail address', email);
    await fill('Password', PASSWORD);
    await press('Create the account');
    await sees('Look into your mail');

    // The mail leaves behind the answer: whoever waits for it looks again.
    const mail = ana.getByRole('link', { name: 'Confirm your e-mail address' });
    await eventually(async () => {
      await go('/dev/outbox');
      return (await mail.count()) > 0;
    });
    await mail.click();
    await ana.getByRole('region', { name: 'Text' }).getByRole('link').click();
    await press('Confirm');
    await sees('Welcome to the market');
  };

  /** Logs in, and is the same person in the chat after the shop was started anew. */
  const comeBackAfterARestart = async () => {
    await logIn(ana, PASSWORD);
    await isLoggedIn(ana);
    await go('/chat');
    await press('Join the chat');
    await live(ana).waitFor();

    await feira.end('SIGTERM');
    await live(ana).waitFor({ state: 'hidden' });
    await start();
    await live(ana).waitFor({ timeout: 15_000 });
    await fill('Message', 'After the restart');
    await ana.keyboard.press('Enter');
    const message = ana.getByRole('log').locator('.chat-message').filter({ hasText: 'After the restart' });
    await message.getByText('Ana Sousa').waitFor();
    expect(await message.locator('[data-mark]').count()).toBe(1);
    await go('/profile');
    await sees(email);
  };

  /** Changes the password, and the other browser is logged out. */
  const changeThePassword = async () => {
    const other = await open('/login');
    await logIn(other, PASSWORD);
    await isLoggedIn(other);
    await go('/chat', other);
    await live(other)
      .or(other.getByRole('button', { name: 'Join the chat' }))
      .first()
      .waitFor();
    if (!(await live(other).isVisible())) await press('Join the chat', other);
    await live(other).waitFor();

    await go('/profile/password');
    await fill('Password of now', PASSWORD);
    await fill('New password', NEW_PASSWORD);
    await press('Change the password');
    await sees(email);
    // Its open page learns it by itself.
    await other.getByLabel('Your e-mail address').waitFor();
    await go('/profile', other);
    expect(pathOf(other)).toBe('/login');
    await other.context().close();
  };

  /** Sets up two-step login, and logs in with it. */
  const setUpTwoSteps = async () => {
    await go('/profile/two-step');
    const secret = (await ana.locator('.account-secret').innerText()).replaceAll(' ', '');
    await fill('Code that the app shows', codeOf(secret));
    await fill('Password', NEW_PASSWORD);
    await press('Switch it on');
    await sees('Two-step login is on');
    expect(await ana.getByRole('listitem').locator('code').count()).toBe(10);

    await go('/profile');
    await press('Log out');
    await logIn(ana, NEW_PASSWORD);
    // The code of the set-up is used up: the next one is what the app shows next.
    await fill('Code', codeOf(secret, 1));
    await press('Log in');
    await isLoggedIn(ana);
  };

  /** Takes all data along, and erases the account. */
  const exportAndErase = async () => {
    await go('/profile');
    const downloaded = ana.waitForEvent('download');
    await ana.getByRole('button', { name: 'Take your data with you' }).click();
    const data = JSON.parse(await readFile(await (await downloaded).path(), 'utf8'));
    expect(data).toMatchObject({ account: { email, name: 'Ana Sousa', twoStep: true } });
    expect(data.chatMessages).toEqual([expect.objectContaining({ text: 'After the restart' })]);

    await go('/profile/erase');
    await fill('Password', NEW_PASSWORD);
    await press('Erase the account for good');
    await sees('Your account is erased');
    await logIn(ana, NEW_PASSWORD);
    await sees('The e-mail or the password is wrong');
    await go('/dev/outbox');
    await ana.getByText(email).first().waitFor();
  };

  it(
    'is told by its mails, survives a restart and ends with nothing left',
    async () => {
      for (const step of [signUp, comeBackAfterARestart, changeThePassword, setUpTwoSteps, exportAndErase])
        await step();
      expect(faults).toEqual([]);
    },
    LIMIT_MS,
  );
});
