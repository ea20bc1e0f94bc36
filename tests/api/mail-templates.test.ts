import { readdir, readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from '@jest/globals';
import Handlebars from 'handlebars';
import {
  loadMailTemplates,
  type MailContent,
  type MailData,
  type MailTemplate,
  type RenderMail,
} from '../../src/services/mail-templates.ts';

let render: RenderMail;
beforeAll(async () => {
  render = await loadMailTemplates();
});

const LOCALES = ['en', 'pt', 'es'] as const;
const link = 'https://shop.example/confirm?token=a-B_9&from=mail';

/** A name that would be markup, a template and a footnote if it were not taken as text. */
const NAME = 'Zoë <b>&"\'{{link}} Ñandú';

const ORDER = { name: NAME, number: 'F-7KQ4-ZD2M', link };
const TOTALS = (['subtotal', 'discount', 'shipping', 'tax', 'total', 'tax-included'] as const).map((what, i) => ({
  what,
  amount: `€${i + 1}.00`,
}));

const DATA: { [T in MailTemplate]: MailData[T][] } = {
  'confirm-signup': [
    { name: NAME, link, hours: 24 },
    { name: NAME, link, hours: 1 },
  ],
  'already-registered': [{ name: NAME, loginLink: 'https://shop.example/login', resetLink: `${link}&reset` }],
  'reset-password': [
    { name: NAME, link, minutes: 30 },
    { name: NAME, link, minutes: 1 },
  ],
  'password-changed': [
    { name: NAME, when: new Date('2026-11-21T08:05:00Z'), device: 'Firefox on <Linux>' },
    { name: NAME, when: new Date('2026-11-21T08:05:00Z'), device: null },
  ],
  'confirm-email-change': [{ name: NAME, link, hours: 24 }],
  'email-changed': [{ name: NAME, newEmail: 'a•••@e•••.com' }],
  'login-code': [{ name: NAME, code: '012345', minutes: 10 }],
  'two-factor-changed': (
    ['totp-on', 'totp-off', 'passkey-added', 'passkey-removed', 'new-recovery-codes', 'removed-by-staff'] as const
  ).map((what) => ({ name: NAME, what })),
  'account-erased': [{ name: NAME }],
  'order-placed': [null, ['Feira, Lda', 'IBAN PT50 0000', 'F-7KQ4-ZD2M']].map((toPay) => ({
    ...ORDER,
    ...{ lines: [{ quantity: 2, title: 'Mug – Red', amount: '€39.98' }], totals: TOTALS, toPay },
  })),
  'order-paid': [{ ...ORDER, amount: '€44.98' }],
  'order-fulfilled': [
    { ...ORDER, tracking: 'CTT RR123456789PT' },
    { ...ORDER, tracking: null },
  ],
  'order-cancelled': [ORDER],
  'order-refunded': [{ ...ORDER, amount: '€10.00' }],
  'payment-failed': [ORDER],
  'order-link': [ORDER],
};

const TABLE = Object.entries(DATA).flatMap(([template, cases]) =>
  LOCALES.flatMap((locale) =>
    cases.map((data, i) => [template, locale, i, { template, locale, data } as MailContent] as const),
  ),
);

const decode = (html: string) =>
  html.replace(/&(?:amp|lt|gt|quot|#x27|#x3D);/g, (entity) => ENTITIES[entity.slice(1, -1)] ?? entity);
const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#x27': "'", '#x3D': '=' };

/** What a person reads of the HTML. */
const wordsOf = (html: string) =>
  decode(
    html
      .replace(/^[\s\S]*<body[^>]*>/, '')
      .replace(/<[^>]+>|&nbsp;/g, ' ')
      .replace(/\s+/g, ' '),
  );
const hrefsOf = (html: string) => [...html.matchAll(/href="([^"]*)"/g)].map(([, href]) => decode(href ?? ''));
const linksOf = (text: string) => [...text.matchAll(/https?:\/\/\S+/g)].map(([address]) => address);

/** The variables that a template takes from its data: Handlebars' strict mode does not see those in arguments. */
function variablesOf(source: string): Set<string> {
  const names = new Set<string>();
  const visitor = new Handlebars.Visitor();
  visitor.PathExpression = ({ original }) => names.add(original);
  visitor.accept(Handlebars.parse(source));
  for (const notData of ['if', 'eq', 'plural', 'layout', 'paragraph', 'button', 'link', 'code', 'order', 'join']) {
    // A part and a variable may have the same name: `{{> button href=link}}`.
    if (!new RegExp(`(?:=|#if |plural )${notData}\\b`).test(source)) names.delete(notData);
  }
  return names;
}

describe.each(TABLE)('the mail %s in %s (%i)', (_template, locale, _i, content) => {
  it('says the same as text and as HTML, to whom it is for', () => {
    const { subject, text, html } = render(content);
    const words = wordsOf(html);
    expect(words).toContain(subject);
    expect(text).toContain(NAME);
    // Each line of the text is in the HTML; a label loses the colon before its address.
    for (const line of text.split('\n').filter((each) => each.trim() && !linksOf(each).length))
      expect(words).toContain(line.trim().replace(/:$/, ''));
    expect(html).toContain(`<html lang="${locale}">`);
  });

  it('has the same links in both, each to be clicked and to be read', () => {
    const { text, html } = render(content);
    const given = Object.values(content.data).filter((value) => String(value).startsWith('https:'));
    expect(linksOf(text).sort()).toEqual([...given].sort());
    expect([...new Set(hrefsOf(html))].sort()).toEqual([...given].sort());
    if (given.length > 0) expect(decode(html)).toContain(`>${given[0]}</a>`);
  });

  it('has a subject of one line without anybody’s data', () => {
    const { subject } = render(content);
    expect(subject.replace(/ F-7KQ4-ZD2M$/, '')).toMatch(/^[\p{L} .,-]{10,70}$/u);
    expect(subject).toBe(render({ ...content, data: DATA[content.template][0] } as MailContent).subject);
    expect(subject).not.toContain('Zoë');
  });

  it('takes data as text, never as markup', () => {
    const { html } = render(content);
    expect(html).toContain('Zoë &lt;b&gt;&amp;&quot;&#x27;{{link}} Ñandú');
    expect(html).not.toMatch(/<b>|<Linux>/);
  });

  it('leaves nothing open, loads nothing and runs nothing', () => {
    const { text, html } = render(content);
    expect(`${text}${html.replaceAll('{{link}}', '')}`).not.toMatch(/undefined|null|NaN|\[object|\{\{(?!link)/);
    expect(html).not.toMatch(/<(?:script|img|link|iframe|form)|\bsrc=|url\(|@import|\son\w+=/i);
    expect(text).not.toMatch(/\n{3}|&(?:lt|gt|amp|quot|#)/);
  });

  it('greets nobody by name when it knows none', () => {
    const { text, html } = render({ ...content, data: { ...content.data, name: null } } as MailContent);
    expect(text).toMatch(/^(Hello,|Olá!|¡Hola!)\n\n/);
    expect(`${text}${html}`).not.toContain('Zoë');
  });

  it('names all of its data, and nothing else', async () => {
    const { template, data } = content;
    const named = new Set([
      ...variablesOf(await readFile(`views/mail/messages/${template}/${locale}.hbs`, 'utf8')),
      ...variablesOf(await readFile(`views/mail/words/${locale}/greeting.hbs`, 'utf8')),
    ]);
    expect([...named].sort()).toEqual(Object.keys(data).sort());
  });
});

describe('the mails', () => {
  it('are all of the folder', async () => {
    const files = await readdir('views/mail/messages', { recursive: true });
    const expected = Object.keys(DATA).flatMap((template) => LOCALES.map((locale) => `${template}/${locale}.hbs`));
    expect(files.filter((file) => file.endsWith('.hbs')).sort()).toEqual(expected.sort());
  });

  it('count in words that fit', () => {
    const words = (locale: 'en' | 'pt' | 'es', hours: number) =>
      render({ template: 'confirm-signup', locale, data: { name: null, link, hours } }).text;
    expect(words('en', 1)).toContain('for 1 hour.');
    expect(words('en', 24)).toContain('for 24 hours.');
    expect(words('pt', 1)).toContain('durante 1 hora.');
    expect(words('es', 24)).toContain('durante 24 horas.');
  });

  it('write moments in their language, and say which clock', () => {
    const when = new Date('2026-11-21T08:05:00Z');
    const text = (locale: 'en' | 'pt' | 'es') =>
      render({ template: 'password-changed', locale, data: { name: null, when, device: 'Firefox on Linux' } }).text;
    expect(text('en')).toMatch(/November 21, 2026 at 8:05\sAM UTC, from Firefox on Linux\./);
    expect(text('pt')).toContain('21 de novembro de 2026 às 08:05 UTC, a partir de Firefox on Linux.');
    expect(text('es')).toMatch(/21 de noviembre de 2026,? a las 8:05 UTC, desde Firefox on Linux\./);
  });

  it.each([
    'https://evil.example',
    'Win at evil.example now',
    'www.evil',
    'call eve@evil.example',
    'evil.example/x',
    'Win at evil。example now',
    'evil｡example',
    'evil．example',
    'evil․example',
    'https：／／evil',
    'call eve＠evil',
    `Ana, your account is locked. ${'Pay now. '.repeat(6)}`,
    '  \n ',
  ])('carry no message of a stranger: the name %j greets nobody', (name) => {
    const { text, html } = render({ template: 'confirm-signup', locale: 'en', data: { name, link, hours: 24 } });
    expect(text).toMatch(/^Hello,\n/);
    expect(`${text}${html}`).not.toMatch(/evil|Pay now/);
  });

  it.each(['J. R. R. Tolkien', 'Dr. Ana', 'María-José O’Neill', '李小龍', 'Ana\r\nSousa'])('greet %j', (name) => {
    const { text } = render({ template: 'confirm-signup', locale: 'en', data: { name, link, hours: 24 } });
    expect(text.split('\n')[0]).toBe(`Hello ${name.replace('\r\n', ' ')},`);
  });
});
