/** The Chromium of this machine. Where it is missing its suites say so and are skipped; in CI they fail. */
import { existsSync } from 'node:fs';
import { describe } from '@jest/globals';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const LIMIT_MS = 5000;
const PLACES = [
  process.env.CHROMIUM_PATH ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];
const executablePath = PLACES.find((place) => existsSync(place));
const mayRun = executablePath !== undefined || process.env.CI === 'true';

/** A suite that needs a browser. */
export function describeInBrowser(name: string, suite: () => void): void {
  if (!mayRun) console.warn(`Skipped "${name}": Chromium is not installed. Set CHROMIUM_PATH to the one to use.`);
  (mayRun ? describe : describe.skip)(name, suite);
}

/** To be closed by the suite. */
export async function launchBrowser(): Promise<Browser> {
  if (!executablePath) throw new Error('Chromium is not installed: apt-get install chromium, or set CHROMIUM_PATH.');
  const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking'];
  return chromium.launch({ executablePath, args });
}

/** A page of a visitor of its own. `faults` collects what the browser complains about: errors and CSP violations. */
export async function visit(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; faults: string[] }> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(LIMIT_MS);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  await page.goto(url);
  return { page, faults };
}
