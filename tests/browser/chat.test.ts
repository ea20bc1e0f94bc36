import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { describeInBrowser, launchBrowser, visit } from '../helpers/browser.ts';
import { aMessage, anEmail, CHAT_ENV, joinByRest, joinBySocket } from '../helpers/chat.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { nextEvent } from '../helpers/wait-for.ts';

const LIMIT_MS = 8000;

describeInBrowser('the chat in browsers', () => {
  let browser: Browser;
  let feira: Feira;
  let faults: string[][];
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    feira = await startFeira({ ...CHAT_ENV, CHAT_GRACE_MS: '1500' });
    faults = [];
  });
  // Each with a limit of its own: a browser that hangs does not keep the shop open, and it is told which of them did.
  afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));
  afterEach(() => feira.stop());

  /** A browser of its own in which someone has joined by the form. */
  async function enter(email: string, options: BrowserContextOptions = {}): Promise<Page> {
    const { page, faults: found } = await visit(browser, `${feira.url}/chat`, options);
    faults.push(found);
    page.setDefaultTimeout(LIMIT_MS);
    await page.getByLabel('Your e-mail address').fill(email);
    await page.getByRole('button', { name: 'Join the chat' }).click();
    if (options.javaScriptEnabled !== false) await page.getByText('Live', { exact: true }).waitFor();
    return page;
  }

  const say = async (page: Page, text: string) => {
    await page.getByLabel('Message', { exact: true }).fill(text);
    await page.keyboard.press('Enter');
  };
  const log = (page: Page) => page.getByRole('log');
  const texts = (page: Page) => log(page).locator('.chat-text').allTextContents();

  it('two people see each other come, talk and go', async () => {
    const ana = await enter('ana@example.com');
    const bo = await enter('bo@market.example');
    await log(ana).getByText('b•••@m•••.example has joined').waitFor();
    await bo.getByText('a•••@e•••.com').waitFor();

    await say(ana, 'Good morning!');
    await log(bo).getByText('Good morning!').waitFor();
    const attack = '<img src=x onerror="document.title=1"> javascript:alert(1)';
    await say(bo, attack);
    await log(ana).getByText(attack).waitFor();
    expect(await texts(ana)).toEqual(['Good morning!', attack]);
    await log(bo).locator('[data-mine]').getByText('bo@market.example').waitFor();
    expect(await bo.content()).not.toContain('ana@example.com');

    await bo.getByRole('button', { name: 'Leave' }).click();
    await bo.getByLabel('Your e-mail address').waitFor();
    await log(ana).getByText('b•••@m•••.example has left').waitFor();
    expect(await ana.getByText('Here now').textContent()).toContain('1');
    expect(faults).toEqual([[], []]);
  });

  it('a reload and a second tab are no news', async () => {
    const ana = await enter('ana@example.com');
    const bo = await enter('bo@market.example');
    await bo.reload();
    const tab = await bo.context().newPage();
    await tab.goto(`${feira.url}/chat`);
    await tab.getByText('Live', { exact: true }).waitFor();
    await tab.close();
    // Someone who goes after that shows when the grace period is over.
    const cy = await joinBySocket(feira, 'cy@shop.example');
    cy.socket.disconnect();
    await log(ana).getByText('c•••@s•••.example has left').waitFor();
    expect(await log(ana).locator('.chat-notice').allTextContents()).toEqual([
      'b•••@m•••.example has joined',
      'c•••@s•••.example has joined',
      'c•••@s•••.example has left',
    ]);
  });

  it('what was written and missed without a connection is there afterwards, once and in order', async () => {
    const ana = await joinByRest(feira);
    const bo = await enter('bo@market.example');
    await bo.context().setOffline(true);
    await bo.getByText('Connecting again…').waitFor();
    await say(bo, 'First from the tunnel');
    await say(bo, 'Second from the tunnel');
    await bo.getByText('Waiting for the connection…').nth(1).waitFor();
    for (let i = 1; i <= 3; i += 1) await ana.as('post', '/api/chat/messages').send({ text: `Missed ${i}` });

    await bo.context().setOffline(false);
    await log(bo).getByText('Second from the tunnel').waitFor();
    expect(await texts(bo)).toEqual([
      'Missed 1',
      'Missed 2',
      'Missed 3',
      'First from the tunnel',
      'Second from the tunnel',
    ]);
    expect(await bo.locator('[data-pending] li').count()).toBe(0);
    const { body } = await ana.as('get', '/api/chat/messages');
    expect(body.items.map(({ text }: { text: string }) => text)).toEqual(await texts(bo));
  });

  it('a message whose answer is lost on the way is stored once', async () => {
    const ana = await joinByRest(feira);
    const { page: bo } = await visit(browser, `${feira.url}/chat`);
    bo.setDefaultTimeout(LIMIT_MS);
    // The way to the browser is cut right after the message has gone out: its answer never arrives.
    let cut = false;
    await bo.routeWebSocket(/socket\.io/, (socket) => {
      const server = socket.connectToServer();
      socket.onMessage((data) => {
        server.send(data);
        if (!cut && String(data).includes('chat:send')) {
          cut = true;
          socket.close();
        }
      });
    });
    await bo.getByLabel('Your e-mail address').fill('bo@market.example');
    await bo.getByRole('button', { name: 'Join the chat' }).click();
    await bo.getByText('Live', { exact: true }).waitFor();
    await say(bo, 'Only once');
    await bo.locator('[data-pending] li').waitFor({ state: 'detached' });
    const { body } = await ana.as('get', '/api/chat/messages');
    expect(cut).toBe(true);
    expect(body.items.map(({ text }: { text: string }) => text)).toEqual(['Only once']);
  });

  it('works without JavaScript', async () => {
    const ana = await joinBySocket(feira);
    const joined = nextEvent(ana.socket, 'chat:joined');
    const bo = await enter('bo@market.example', { javaScriptEnabled: false });
    await joined;
    const heard = nextEvent<{ text: string }>(ana.socket, 'chat:message');
    await bo.getByLabel('Message', { exact: true }).fill('From a plain form');
    await bo.getByRole('button', { name: 'Send' }).click();
    expect((await heard).text).toBe('From a plain form');
    await ana.socket.emitWithAck('chat:send', aMessage('Heard you'));
    await bo.getByRole('link', { name: 'look for new messages' }).click();
    await log(bo).getByText('Heard you').waitFor();
    await bo.getByRole('button', { name: 'Leave' }).click();
    await bo.getByLabel('Your e-mail address').waitFor();
  });

  it('leaving in one tab ends the other', async () => {
    const bo = await enter('bo@market.example');
    const tab = await bo.context().newPage();
    await tab.goto(`${feira.url}/chat`);
    await tab.getByText('Live', { exact: true }).waitFor();
    await bo.getByRole('button', { name: 'Leave' }).click();
    for (const page of [bo, tab]) await page.getByLabel('Your e-mail address').waitFor({ timeout: LIMIT_MS });
  });

  it('shows earlier messages on demand and does not move who reads them', async () => {
    const ana = await joinByRest(feira, anEmail('ana'));
    for (let i = 1; i <= 60; i += 1) await ana.as('post', '/api/chat/messages').send({ text: `Line ${i}.` });
    const bo = await enter('bo@market.example');
    await log(bo).getByText('Line 11.').waitFor();
    expect(await log(bo).getByText('Line 10.').count()).toBe(0);
    await expectInView(bo, 'Line 60.', true);

    await bo.getByRole('link', { name: 'Show earlier messages' }).click();
    await log(bo).getByText('Line 1.').waitFor();
    await log(bo).getByText('Line 5.').scrollIntoViewIfNeeded();
    await ana.as('post', '/api/chat/messages').send({ text: 'News' });
    await bo.getByRole('button', { name: 'New messages' }).waitFor();
    await expectInView(bo, 'Line 5.', true);
    await expectInView(bo, 'News', false);
    await bo.getByRole('button', { name: 'New messages' }).click();
    await expectInView(bo, 'News', true);
    expect(await bo.getByRole('link', { name: 'Show earlier messages' }).count()).toBe(0);
  });

  /** Whether a message is inside the box that scrolls. */
  async function expectInView(page: Page, text: string, inView: boolean): Promise<void> {
    const box = await page.locator('[data-scroll]').boundingBox();
    const line = await log(page).getByText(text, { exact: true }).boundingBox();
    expect(line!.y >= box!.y - 1 && line!.y + line!.height <= box!.y + box!.height + 1).toBe(inView);
  }
});
