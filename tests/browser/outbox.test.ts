import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { outboxMailer } from '../../src/adapters/mailer/outbox-mailer.ts';
import { loadMailTemplates } from '../../src/services/mail-templates.ts';
import { describeInBrowser, launchBrowser, visit } from '../helpers/browser.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

describeInBrowser('the outbox', () => {
  let feira: Feira;
  let browser: Browser;
  beforeAll(async () => {
    [feira, browser] = await Promise.all([startFeira(), launchBrowser()]);
    const { outboxDir: dir, from } = feira.config.mail;
    const link = `${feira.url}/problems?token=abc`;
    const data = { name: 'Ana', link, minutes: 30 };
    const mail = (await loadMailTemplates())({ template: 'reset-password', locale: 'es', data });
    const script = '<script>parent.document.title = document.title = "run"</script><img src="/img/logo.svg">';
    const html = mail.html.replace('</body>', `${script}</body>`);
    await outboxMailer({ dir, from }).send({ id: 'mail-1', to: 'ana@example.com', ...mail, html });
  });
  afterAll(async () => {
    await browser.close();
    await feira.stop();
  });

  it('leads by the link in the text, with JavaScript off', async () => {
    const { page } = await visit(browser, `${feira.url}/dev/outbox`, { javaScriptEnabled: false });
    await page.getByRole('link', { name: 'Elige una contraseña nueva' }).click();
    await page.getByRole('region', { name: 'Text' }).getByRole('link').click();
    expect(page.url()).toBe(`${feira.url}/problems?token=abc`);
  });

  it.each([390, 1280])(
    'shows the HTML in a frame whose links work and whose scripts do not, at %i px',
    async (width) => {
      const viewport = { width, height: 844 };
      const { page, faults } = await visit(browser, `${feira.url}/dev/outbox/mail-1`, { viewport });
      const frame = page.frameLocator('iframe');
      await frame.getByRole('heading', { name: 'Elige una contraseña nueva' }).waitFor();
      expect(await page.title()).toBe('Elige una contraseña nueva · Feira');
      expect(faults.join()).toMatch(/Blocked script execution/);
      expect(faults.join()).toMatch(/logo\.svg/);
      const opened = page.waitForEvent('popup');
      await frame.getByRole('link', { name: 'Elegir una contraseña nueva' }).click();
      const popup = await opened;
      await popup.getByRole('heading', { name: 'Problems', exact: true }).waitFor();
      const tooWide = () => document.documentElement.scrollWidth > document.documentElement.clientWidth;
      expect(await page.evaluate(tooWide)).toBe(false);
    },
  );
});
