import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { outboxMailer } from '../../src/adapters/mailer/outbox-mailer.ts';
import { smtpMailer } from '../../src/adapters/mailer/smtp-mailer.ts';
import { type MailOrder, MailService } from '../../src/services/mail.service.ts';
import { loadMailTemplates, type RenderMail } from '../../src/services/mail-templates.ts';
import { mailsTo, nextMail } from '../helpers/mailbox.ts';
import { readMail } from '../helpers/mime.ts';
import { refusal, startListener, startSmtp } from '../helpers/smtp.ts';
import { eventually } from '../helpers/wait-for.ts';

const from = { name: 'Feira', address: 'no-reply@shop.example' };
const TOKEN = 'a-very-secret-token';

let render: RenderMail;
beforeAll(async () => {
  render = await loadMailTemplates();
});

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** A service that mails by SMTP, and what it logs. */
function mailBy(url: string, limitMs = 1000, retryAfterMs = [10, 10, 10]) {
  const lines: string[] = [];
  const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
  const mailer = smtpMailer({ url, from, limitMs });
  const mail = new MailService({ mailer, outbox: null, render, log, retryAfterMs });
  endings.push(() => mail.stop());
  return { mail, lines };
}

async function smtp(options: Parameters<typeof startSmtp>[0] = {}) {
  const server = await startSmtp(options);
  endings.push(server.stop);
  return server;
}

const anOrder = (to = 'ana@example.com'): MailOrder => ({
  to,
  template: 'reset-password',
  locale: 'en',
  data: { name: 'Ana', link: `https://shop.example/reset?token=${TOKEN}`, minutes: 30 },
});

describe('MailService.send', () => {
  it('delivers the rendered mail behind the caller', async () => {
    const server = await smtp();
    const { mail, lines } = mailBy(server.url);
    mail.send(anOrder());
    expect(server.mails).toEqual([]);
    await eventually(() => server.mails.length === 1);
    const { subject, text, html } = readMail(server.mails[0]!.raw);
    expect({ subject, text, html }).toEqual(render(anOrder()));
    expect(lines).toEqual([]);
  });

  it('tries again after a passing refusal, and delivers once', async () => {
    let tries = 0;
    const beforeTaking = () => {
      tries += 1;
      if (tries <= 2) throw refusal(451, 'try later, ana@example.com');
    };
    const server = await smtp({ beforeTaking });
    const { mail, lines } = mailBy(server.url);
    mail.send(anOrder());
    await eventually(() => server.mails.length === 1);
    await mail.stop();
    expect([tries, server.mails.length, lines.length]).toEqual([3, 1, 2]);
  });

  it('comes through a server that is started again', async () => {
    const server = await smtp();
    const { mail } = mailBy(server.url);
    mail.send(anOrder());
    await eventually(() => server.mails.length === 1);
    // The connection that is kept for the next mail ends here.
    await server.stop();
    const again = await startSmtp({}, server.port);
    endings.push(again.stop);
    mail.send(anOrder('bea@example.com'));
    await eventually(() => again.mails.length === 1);
    expect(again.mails[0]!.to).toEqual(['bea@example.com']);
  });

  it('gives up after the last try, or at once what is refused for good', async () => {
    let asked = 0;
    const server = await smtp({
      onRcptTo({ address }, _session, done) {
        asked += 1;
        done(refusal(address.startsWith('nobody') ? 550 : 450, `no <${address}>`));
      },
    });
    const { mail, lines } = mailBy(server.url);
    mail.send(anOrder('nobody@example.com'));
    await eventually(() => lines.length === 1);
    expect(asked).toBe(1);
    mail.send(anOrder('busy@example.com'));
    await eventually(() => lines.length === 5);
    expect(asked).toBe(5);
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual([
      'a mail was given up',
      ...Array(3).fill('a mail did not leave, and will be tried again'),
      'a mail was given up',
    ]);
  });

  it('logs what failed without address, link or name', async () => {
    const server = await smtp({ beforeTaking: ({ raw }) => Promise.reject(refusal(554, `I do not like ${raw}`)) });
    const { mail, lines } = mailBy(server.url);
    mail.send(anOrder());
    mail.send({ ...anOrder(), to: 'Ana <ana@example.com>' });
    mail.send({ ...anOrder(), template: 'no-such-mail' } as unknown as MailOrder);
    await eventually(() => lines.length === 3);
    const logged = lines.map((line) => JSON.parse(line));
    expect(logged).toContainEqual(
      expect.objectContaining({ template: 'reset-password', locale: 'en', reason: 'SMTP EMESSAGE 554', level: 50 }),
    );
    expect(lines.join()).not.toMatch(/ana@|Ana|a-very-secret-token/);
  });

  it('holds a bounded number of mails, and its caller never waits', async () => {
    const silent = await startListener(() => {});
    endings.push(() => silent.stop());
    const { mail, lines } = mailBy(silent.url, 60_000);
    const started = performance.now();
    for (let i = 0; i < 1200; i++) mail.send(anOrder(`person-${i}@example.com`));
    expect(performance.now() - started).toBeLessThan(500);
    expect(lines).toHaveLength(200);
    expect(lines[0]).toContain('too many are waiting');
  });
});

describe('MailService.stop', () => {
  it('waits for what is being sent, and for what waits for its next try', async () => {
    let refuse = true;
    let take = (): void => {};
    const stopping = new Promise<void>((resolve) => {
      take = resolve;
    });
    const server = await smtp({
      async beforeTaking({ to }) {
        if (refuse && to[0] === 'later@example.com') throw refusal(451, 'later');
        await stopping;
      },
    });
    const { mail, lines } = mailBy(server.url, 1000, [3_600_000]);
    mail.send(anOrder('later@example.com'));
    await eventually(() => lines.length === 1);
    refuse = false;
    mail.send(anOrder('now@example.com'));
    const stopped = mail.stop();
    take();
    await stopped;
    expect(server.mails.map(({ to }) => to[0]).sort()).toEqual(['later@example.com', 'now@example.com']);
  });

  it('ends in time when the server is dead, and takes nothing more', async () => {
    const silent = await startListener(() => {});
    endings.push(() => silent.stop());
    const { mail, lines } = mailBy(silent.url, 60_000);
    for (let i = 0; i < 20; i++) mail.send(anOrder());
    const started = performance.now();
    await mail.stop();
    expect(performance.now() - started).toBeLessThan(4000);
    mail.send(anOrder());
    expect(lines.at(-1)).toContain('a mail was given up');
    await mail.stop();
  });
});

describe('the mailbox of the tests', () => {
  it('hands out each mail once, in order, with its link, token or code', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'feira-mail-'));
    endings.push(() => rm(dir, { recursive: true }));
    const outbox = outboxMailer({ dir, from });
    const mail = new MailService({ mailer: outbox, outbox, render, log: pino({ level: 'silent' }) });
    const feira = { config: { mail: { outboxDir: dir } } };
    const first = nextMail(feira, 'ana@example.com');
    mail.send(anOrder('bea@example.com'));
    mail.send(anOrder());
    expect(await first).toMatchObject({
      token: TOKEN,
      link: expect.stringMatching(/^https:\/\/shop\.example\/reset\?/),
    });
    mail.send({
      to: 'ana@example.com',
      template: 'login-code',
      locale: 'pt',
      data: { name: null, code: '012345', minutes: 1 },
    });
    const second = await nextMail(feira, 'ana@example.com');
    expect(second).toMatchObject({ code: '012345', subject: 'O seu código para a Feira' });
    expect(() => second.link).toThrow('There is no link');
    expect(await mailsTo(dir, 'bea@example.com')).toHaveLength(1);
    await mail.stop();
  });
});
