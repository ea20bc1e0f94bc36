/**
 * The shop's mails. One file of views/mail/messages says a mail in one language, in parts (paragraph, button, ...); each
 * format of views/mail/formats draws these parts: the subject, the text and the HTML always say the same.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Handlebars from 'handlebars';
import type { Locale } from '../words.ts';

const viewsDir = fileURLToPath(new URL('../../views/mail', import.meta.url));

/** The languages that every mail exists in. */

/** What changed about somebody's two-step login. */
export type TwoFactorChange =
  | 'totp-on'
  | 'totp-off'
  | 'passkey-added'
  | 'passkey-removed'
  | 'new-recovery-codes'
  | 'removed-by-staff';

/** What each mail needs to know. `name` is whom it greets, if that is known; links are whole addresses. */
export interface MailData {
  'confirm-signup': { name: string | null; link: string; hours: number };
  'already-registered': { name: string | null; loginLink: string; resetLink: string };
  'reset-password': { name: string | null; link: string; minutes: number };
  /** `device` as people call it, such as "Firefox on Linux", if that is known. */
  'password-changed': { name: string | null; when: Date; device: string | null };
  /** To the new address. */
  'confirm-email-change': { name: string | null; link: string; hours: number };
  /** To the old address; `newEmail` is masked. */
  'email-changed': { name: string | null; newEmail: string };
  'login-code': { name: string | null; code: string; minutes: number };
  'two-factor-changed': { name: string | null; what: TwoFactorChange };
  'account-erased': { name: string | null };
  'order-placed': OrderMail & OrderContents;
  /** `amount`: all that was received. */
  'order-paid': OrderMail & { amount: string };
  'order-fulfilled': OrderMail & { tracking: string | null };
  'order-cancelled': OrderMail;
  /** `amount`: all that was given back so far. */
  'order-refunded': OrderMail & { amount: string };
  'payment-failed': OrderMail;
  'order-link': OrderMail;
}

/** What every mail about an order knows. */
interface OrderMail {
  name: string | null;
  /** The order's. */
  number: string;
  link: string;
}

/** Amounts are written out, with their currency. */
interface OrderContents {
  lines: { quantity: number; title: string; amount: string }[];
  totals: { what: 'subtotal' | 'discount' | 'shipping' | 'tax' | 'tax-included' | 'total'; amount: string }[];
  /** What the buyer must know to pay, line by line. */
  toPay: string[] | null;
}

export type MailTemplate = keyof MailData;

/** A mail to be rendered: its template decides what `data` must hold. */
export type MailContent = {
  [T in MailTemplate]: { template: T; locale: Locale; data: MailData[T] };
}[MailTemplate];

export interface RenderedMail {
  subject: string;
  text: string;
  html: string;
}

export type RenderMail = (content: MailContent) => RenderedMail;

const FORMATS = ['subject', 'text', 'html'] as const;
type Format = (typeof FORMATS)[number];

const helpers = {
  eq: (a: unknown, b: unknown) => a === b,
  join: (a: string, b: string) => `${a} ${b}`,
  plural: (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`,
};

/** Reads every template. Rendering throws for what a template names and `data` does not have. */
export async function loadMailTemplates(): Promise<RenderMail> {
  const [messages, words, formats] = await Promise.all(['messages', 'words', 'formats'].map(readFolder));
  const compiled = new Map<string, Handlebars.TemplateDelegate>();
  const compile = (format: Format, locale: Locale, template: MailTemplate) => {
    const engine = Handlebars.create();
    engine.registerHelper(helpers);
    engine.registerPartial({ ...words?.[locale], ...formats?.[format] });
    const source = messages?.[template]?.[locale];
    if (source === undefined) throw new Error(`The mail ${template} does not exist in ${locale}.`);
    return engine.compile(source, { strict: true, preventIndent: true, noEscape: format !== 'html' });
  };
  const render = (format: Format, { template, locale, data }: MailContent) => {
    const key = `${format} ${locale} ${template}`;
    const known = compiled.get(key) ?? compile(format, locale, template);
    compiled.set(key, known);
    return known({ ...printable(data, locale), locale })
      .trim()
      .replace(/\n{3,}/g, '\n\n');
  };
  return (content) => ({
    subject: render('subject', content),
    text: `${render('text', content)}\n`,
    html: `${render('html', content)}\n`,
  });
}

type Sources = Record<string, Record<string, string>>;

/** The templates of a folder: `{ folder: { name: text } }`. */
async function readFolder(name: string): Promise<Sources> {
  const dir = join(viewsDir, name);
  const files = (await readdir(dir, { recursive: true })).filter((file) => file.endsWith('.hbs'));
  const sources: Sources = {};
  for (const file of files) {
    const [folder = '', part = ''] = file.slice(0, -'.hbs'.length).split(/[/\\]/);
    sources[folder] = { ...sources[folder], [part]: await readFile(join(dir, file), 'utf8') };
  }
  return sources;
}

/** What others have worded becomes one short line, and moments are written in the language; anything else stays. */
function printable(data: MailData[MailTemplate], locale: Locale): Record<string, unknown> {
  const entries = Object.entries(data).map(([key, value]: [string, unknown]) => {
    if (value instanceof Date) return [key, momentIn(locale, value)];
    return [key, OTHERS_WORDS.has(key) ? shortLine(value) : value];
  });
  return Object.fromEntries(entries);
}

const momentIn = (locale: Locale, moment: Date) =>
  `${moment.toLocaleString(locale, { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' })} UTC`;

const OTHERS_WORDS: ReadonlySet<string> = new Set(['name', 'device']);
/** What a mail program would make a link or an address of; browsers read `。` as a point. */
const LINK = /[/@:\\]|[.。]\p{L}{2,}|www[.。]/iu;
const MAX_LINE = 60;

/** Anyone can have the shop write to anyone: nobody gets a text of their own, or a link, into such a mail. */
function shortLine(words: unknown): string | null {
  const line = String(words ?? '')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .trim();
  return line === '' || line.length > MAX_LINE || LINK.test(line.normalize('NFKC')) ? null : line;
}
