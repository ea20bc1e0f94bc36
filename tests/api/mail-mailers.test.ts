import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Mail, type Mailer, MailFault } from '../../src/adapters/mailer/mailer.ts';
import { outboxMailer } from '../../src/adapters/mailer/outbox-mailer.ts';
import { smtpMailer } from '../../src/adapters/mailer/smtp-mailer.ts';
import { readMail } from '../helpers/mime.ts';
import { refusal, startListener, startSmtp } from '../helpers/smtp.ts';

const from = { name: 'Feira do Sol', address: 'no-reply@shop.example' };

const aMail = (overrides: Partial<Mail> = {}): Mail => ({
  id: randomUUID(),
  to: 'ana@example.com',
  subject: 'Confirm your address',
  text: 'Hello,\n\nhttps://shop.example/confirm?token=abc\n',
  html: '<p>Hello, <a href="https://shop.example/confirm?token=abc">confirm</a></p>\n',
  ...overrides,
});

const fault = (sent: Promise<void>): Promise<MailFault> =>
  sent.then(
    () => Promise.reject(new Error('It was sent.')),
    (error) => (error instanceof MailFault ? error : Promise.reject(error)),
  );

interface Subject {
  mailer: Mailer;
  /** All that arrived, as it was written. */
  arrived(): Promise<string[]>;
  stop(): Promise<void>;
}

const KINDS: Record<string, () => Promise<Subject>> = {
  async outbox() {
    const dir = await mkdtemp(join(tmpdir(), 'feira-outbox-'));
    const mailer = outboxMailer({ dir: join(dir, 'outbox'), from });
    const arrived = async () => {
      const { items } = await mailer.list(0, 1000);
      const sources = await Promise.all(items.reverse().map(({ id }) => mailer.source(id)));
      return sources.map((source) => String(source));
    };
    return { mailer, arrived, stop: () => rm(dir, { recursive: true }) };
  },
  async SMTP() {
    const server = await startSmtp();
    const mailer = smtpMailer({ url: server.url, from });
    return { mailer, arrived: async () => server.mails.map(({ raw }) => raw), stop: server.stop };
  },
};

describe.each(Object.entries(KINDS))('the %s mailer', (_name, make) => {
  let subject: Subject;
  beforeAll(async () => {
    subject = await make();
  });
  afterAll(async () => {
    await subject.mailer.close();
    await subject.stop();
  });
  const lastArrived = async () => readMail((await subject.arrived()).at(-1) ?? '');

  it('delivers subject, text and HTML, in any script, with lines of any length', async () => {
    const mail = aMail({
      subject: 'Olá — a sua conta está pronta, e é só entrar e começar a comprar 🍊',
      text: `Olá, Zoë!\n.\n.dot\nFrom here: ${'very long line '.repeat(200)}=3D\n`,
      html: `<p>Olá, Zoë!</p>\n.\n<p>${'é'.repeat(2000)}</p>\n`,
      date: new Date('2026-11-21T08:00:00Z'),
    });
    await subject.mailer.send(mail);
    const { headers, ...arrived } = await lastArrived();
    expect(arrived).toEqual({ subject: mail.subject, text: mail.text, html: mail.html });
    expect(headers).toMatchObject({
      from: ['Feira do Sol <no-reply@shop.example>'],
      to: ['ana@example.com'],
      'message-id': [`<${mail.id}@shop.example>`],
      date: ['Sat, 21 Nov 2026 08:00:00 +0000'],
      'auto-submitted': ['auto-generated'],
    });
    const lines = (await subject.arrived()).at(-1)!.split('\r\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(1000);
  });

  it('gives the same mail the same Message-ID at each try', async () => {
    const mail = aMail();
    await subject.mailer.send(mail);
    await subject.mailer.send({ ...mail });
    const ids = (await subject.arrived()).slice(-2).map((raw) => readMail(raw).headers['message-id']);
    expect(ids[0]).toEqual(ids[1]);
  });

  it('takes addresses that are plain, however odd', async () => {
    for (const to of ["o'brien+shop@mail.example.com", 'a@b', '_x.y-z@sub-1.example', `${'a'.repeat(64)}@x.example`]) {
      await subject.mailer.send(aMail({ to }));
      expect((await lastArrived()).headers.to).toEqual([to]);
    }
  });

  it.each([
    '',
    'ana',
    'ana@example.com, eve@example.org',
    'ana@example.com;eve@example.org',
    'ana@example.com eve@example.org',
    'ana@example.com\r\nBcc: eve@example.org',
    'ana@example.com\nBcc: eve@example.org',
    'ana@example.com\0',
    'Ana <ana@example.com>',
    '<ana@example.com>',
    'ana@example.com>',
    'friends:ana@example.com;',
    '"eve@example.org"@example.com',
    '"ana maria"@example.com',
    'ana@example.com(eve@example.org)',
    'ana@[127.0.0.1]',
    'ana@[x@example.org]',
    'ana@eve@example.com',
    'ana@-example.com',
    'ana@example..com',
    'ana@exämple.com',
    'аna@example.com',
    'ana@example.com\u2028eve@example.org',
    `${'a'.repeat(65)}@example.com`,
    `ana@${'a.'.repeat(130)}com`,
  ])('refuses %j as an address for good, and sends nothing', async (to) => {
    const before = (await subject.arrived()).length;
    const refused = await fault(subject.mailer.send(aMail({ to })));
    expect(refused.permanent).toBe(true);
    expect(refused.message).not.toContain('eve');
    expect(await subject.arrived()).toHaveLength(before);
  });

  it.each(['a\r\nBcc: eve@example.org', 'a\nb', 'a\rb', 'a\0b', 'a\u2028b', '', 'x'.repeat(201)])(
    'refuses %j as a subject',
    async (subjectLine) => {
      const before = (await subject.arrived()).length;
      expect((await fault(subject.mailer.send(aMail({ subject: subjectLine })))).permanent).toBe(true);
      expect(await subject.arrived()).toHaveLength(before);
    },
  );

  it.each(['', '../x', 'a/b', 'a>\r\nBcc: eve@example.org', 'x'.repeat(65)])('refuses %j as an id', async (id) => {
    const before = (await subject.arrived()).length;
    expect((await fault(subject.mailer.send(aMail({ id })))).permanent).toBe(true);
    expect(await subject.arrived()).toHaveLength(before);
  });

  it('reads no file and asks no server for a mail', async () => {
    const path = { path: '/etc/hostname' } as unknown as string;
    expect(await fault(subject.mailer.send(aMail({ text: path })))).toBeInstanceOf(MailFault);
  });

  it('sends many at once, each whole', async () => {
    const before = (await subject.arrived()).length;
    const mails = Array.from({ length: 30 }, (_, i) => aMail({ to: `person-${i}@example.com`, text: `For ${i}.\n` }));
    await Promise.all(mails.map((mail) => subject.mailer.send(mail)));
    const arrived = (await subject.arrived()).slice(before).map(readMail);
    const pairs = arrived.map(({ headers, text }) => [headers.to?.[0], text]);
    expect(pairs.sort()).toEqual(mails.map(({ to, text }) => [to, text]).sort());
  });
});

describe('the outbox mailer alone', () => {
  let dir: string;
  beforeAll(async () => {
    dir = join(await mkdtemp(join(tmpdir(), 'feira-outbox-')), 'data', 'outbox');
  });
  afterAll(() => rm(join(dir, '..', '..'), { recursive: true }));

  it('keeps the newest, which its owner alone may read, and leaves other files alone', async () => {
    const mailer = outboxMailer({ dir, from, kept: 3 });
    expect(await mailer.list(0, 10)).toEqual({ items: [], total: 0 });
    await mailer.send(aMail({ id: 'mail-0' }));
    await writeFile(join(dir, 'notes.txt'), 'mine');
    for (const id of ['mail-1', 'mail-2', 'mail-3', 'mail-4'])
      await mailer.send(aMail({ id, to: `${id}@example.com` }));

    const { items, total } = await mailer.list(0, 10);
    expect(items.map(({ id }) => id)).toEqual(['mail-4', 'mail-3', 'mail-2']);
    expect(total).toBe(3);
    expect((await mailer.list(1, 1)).items.map(({ id }) => id)).toEqual(['mail-3']);
    expect(await mailer.find('mail-4')).toMatchObject({ to: 'mail-4@example.com', text: aMail().text });
    expect(await mailer.find('mail-1')).toBeNull();
    expect(await mailer.source('mail-1')).toBeNull();
    expect(await mailer.find('../notes')).toBeNull();

    const files = await readdir(dir);
    expect(files.filter((file) => file !== 'notes.txt')).toHaveLength(6);
    for (const file of files.filter((each) => each !== 'notes.txt'))
      expect((await stat(join(dir, file))).mode & 0o777).toBe(0o600);
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
  });

  it('passes over a file that a loss of power has emptied', async () => {
    await writeFile(join(dir, '1-empty.json'), '');
    const mailer = outboxMailer({ dir, from });
    expect(await mailer.find('empty')).toBeNull();
    expect((await mailer.list(0, 10)).items).toHaveLength(3);
  });

  it('goes on in the order of writing after a restart', async () => {
    await outboxMailer({ dir, from, kept: 3 }).send(aMail({ id: 'later' }));
    const { items } = await outboxMailer({ dir, from }).list(0, 1);
    expect(items.map(({ id }) => id)).toEqual(['later']);
  });

  it('says when the folder takes no mail, which may pass', async () => {
    const mailer = outboxMailer({ dir: join(dir, 'notes.txt', 'outbox'), from });
    expect(await fault(mailer.send(aMail()))).toMatchObject({
      permanent: false,
      message: expect.stringMatching(/ENOT/),
    });
  });
});

describe('the SMTP mailer alone', () => {
  it('names exactly one recipient to the server, and itself', async () => {
    const server = await startSmtp();
    const mailer = smtpMailer({ url: server.url, from });
    await mailer.send(aMail());
    expect(server.mails).toEqual([expect.objectContaining({ from: from.address, to: ['ana@example.com'] })]);
    await mailer.close();
    await server.stop();
  });

  it('tells a refusal for good from one that may pass, and repeats no address', async () => {
    const codes = [550, 451];
    const server = await startSmtp({
      onRcptTo: ({ address }, _session, done) => done(refusal(codes.shift() ?? 550, `no <${address}> here`)),
    });
    const mailer = smtpMailer({ url: server.url, from });
    const forGood = await fault(mailer.send(aMail()));
    const forNow = await fault(mailer.send(aMail()));
    expect([forGood.permanent, forNow.permanent]).toEqual([true, false]);
    expect(forGood.message).toBe('SMTP EENVELOPE 550');
    expect(`${forGood.stack}${forNow.stack}`).not.toContain('ana@');
    await mailer.close();
    await server.stop();
  });

  it.each([
    ['says nothing', () => {}],
    ['never finishes its greeting', (socket: Socketish) => drip(socket, '220-wait\r\n')],
    ['takes the mail and says nothing more', (socket: Socketish) => deafAfterData(socket)],
    ['hangs up', (socket: Socketish) => void socket.destroy()],
  ])('gives up in time when the server %s', async (_what, talk) => {
    const server = await startListener(talk);
    const mailer = smtpMailer({ url: server.url, from, limitMs: 200 });
    const started = Date.now();
    expect((await fault(mailer.send(aMail()))).permanent).toBe(false);
    expect(Date.now() - started).toBeLessThan(2000);
    await mailer.close();
    server.stop();
  });

  it('logs in over TLS, to a server whose certificate it can check', async () => {
    const onAuth: NonNullable<Parameters<typeof startSmtp>[0]>['onAuth'] = ({ username, password }, _session, done) =>
      username === 'feira' && password === 'p@ss:word' ? done(null, { user: username }) : done(new Error('wrong'));
    const server = await startSmtp({ secure: true, authOptional: false, onAuth });
    const url = `smtps://feira:${encodeURIComponent('p@ss:word')}@127.0.0.1:${server.port}`;
    const strict = smtpMailer({ url, from });
    expect((await fault(strict.send(aMail()))).permanent).toBe(false);
    const lax = smtpMailer({ url: `${url}?tls.rejectUnauthorized=false`, from });
    await lax.send(aMail());
    const wrong = smtpMailer({ url: `${url.replace('feira', 'eve')}?tls.rejectUnauthorized=false`, from });
    expect(await fault(wrong.send(aMail()))).toMatchObject({ permanent: false, message: 'SMTP EAUTH 535' });
    expect(server.mails.map(({ user }) => user)).toEqual(['feira']);
    for (const mailer of [strict, lax, wrong]) await mailer.close();
    await server.stop();
  });

  it('sends no password unencrypted to another machine', async () => {
    const asked: unknown[] = [];
    const server = await startSmtp({
      onAuth: (auth, _session, done) => {
        asked.push(auth);
        done(null, { user: auth.username });
      },
      allowInsecureAuth: true,
    });
    // The address of no machine in particular leads here too, and is not taken for this one.
    const mailer = smtpMailer({ url: `smtp://feira:secret@0.0.0.0:${server.port}`, from });
    expect((await fault(mailer.send(aMail()))).permanent).toBe(false);
    expect([asked, server.mails]).toEqual([[], []]);
    await mailer.close();
    await server.stop();
  });
});

type Socketish = Parameters<Parameters<typeof startListener>[0]>[0];

/** A word now and then keeps the socket from being idle. */
function drip(socket: Socketish, words: string): void {
  const timer = setInterval(() => socket.write(words), 50);
  socket.once('close', () => clearInterval(timer));
}

function deafAfterData(socket: Socketish): void {
  socket.write('220 hello\r\n');
  socket.on('data', (chunk) => {
    const line = chunk.toString();
    if (/^(EHLO|MAIL|RCPT)/.test(line)) socket.write('250 ok\r\n');
    if (line.startsWith('DATA')) socket.write('354 go on\r\n');
  });
}
