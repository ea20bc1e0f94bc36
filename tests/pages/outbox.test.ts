import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, get } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text as streamText } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import express from 'express';
import { pino } from 'pino';
import request, { type Response } from 'supertest';
import { openMailer } from '../../src/adapters/mailer/open-mailer.ts';
import { outboxMailer } from '../../src/adapters/mailer/outbox-mailer.ts';
import { loadConfig } from '../../src/config.ts';
import { errorHandler } from '../../src/middleware/error-handler.ts';
import { outboxPagesRouter } from '../../src/routers/outbox-pages.router.ts';
import { loadMailTemplates } from '../../src/services/mail-templates.ts';
import { useHandlebars } from '../../src/view-engine.ts';
import { readMail } from '../helpers/mime.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

const LINK = 'http://localhost:8080/confirm?token=abc&x=1';

/** Writes so many mails into the outbox, as the shop itself does. */
async function write(count: number, to = 'ana@example.com') {
  const { outboxDir: dir, from } = feira.config.mail;
  const [mailer, render] = [outboxMailer({ dir, from }), await loadMailTemplates()];
  const data = { name: 'Ana <b>', link: LINK, hours: 24 };
  for (let i = 0; i < count; i++)
    await mailer.send({ id: `mail-${i}`, to, ...render({ template: 'confirm-signup', locale: 'pt', data }) });
}

describe('GET /dev/outbox', () => {
  it('says so when nothing was written', async () => {
    const { text } = await feira.page('/dev/outbox').expect(200);
    expect(text).toContain('Nothing has been written yet.');
  });

  it('lists the mails, newest first, in pages', async () => {
    await write(25);
    const first = await feira.page('/dev/outbox').expect(200);
    const ids = (html: string) => [...html.matchAll(/href="\/dev\/outbox\/(mail-\d+)"/g)].map(([, id]) => id);
    expect(ids(first.text)).toEqual(Array.from({ length: 20 }, (_, i) => `mail-${24 - i}`));
    expect(first.text).toContain('Confirme o seu e-mail');
    expect(first.text).toContain('ana@example.com');
    expect(first.text).toContain('href="/dev/outbox?page&#x3D;2"');
    expect(first.headers['cache-control']).toBe('private, no-store');
    expect(ids((await feira.page('/dev/outbox?page=2').expect(200)).text)).toHaveLength(5);
    expect((await feira.page('/dev/outbox?page=3').expect(404)).text).toContain('There is no such page.');
    expect(ids((await feira.page('/dev/outbox?page=x').expect(200)).text)).toHaveLength(20);
  });
});

describe('GET /dev/outbox/:id', () => {
  it('shows the mail with its link to be clicked, and its HTML in a frame that may do nothing', async () => {
    const { text, headers } = await feira.page('/dev/outbox/mail-3').expect(200);
    expect(text).toContain('<h1 class="mail-subject">Confirme o seu e-mail</h1>');
    expect(text).toContain('ana@example.com');
    expect(text).toContain('Olá, Ana &lt;b&gt;!');
    expect(text.replaceAll('&#x3D;', '=').replaceAll('&amp;', '&')).toContain(`<a href="${LINK}" rel="noreferrer">`);
    expect(text).toMatch(/<iframe [^>]*src="\/dev\/outbox\/mail-3\/html"[^>]* sandbox="/);
    expect(text).not.toMatch(/<style|<[^>]+\s(style|on\w+)=|<script(?![^>]* src="\/)/);
    expect(headers['content-security-policy']).toMatch(/default-src 'none'.*;frame-src 'self'$/);
    expect(headers['content-security-policy']).not.toContain('unsafe');
    expect(headers['cache-control']).toBe('private, no-store');
  });

  it('serves the HTML with a policy of its own: no script, no picture, no request', async () => {
    const { text, headers, type } = await feira.page('/dev/outbox/mail-3/html').expect(200);
    expect(type).toBe('text/html');
    expect(text).toContain('<title>Confirme o seu e-mail</title>');
    const policy = headers['content-security-policy']!.split('; ');
    expect(policy).toEqual([
      "default-src 'none'",
      "style-src 'unsafe-inline'",
      "frame-ancestors 'self'",
      'sandbox allow-popups allow-popups-to-escape-sandbox',
    ]);
    expect(headers['cache-control']).toBe('private, no-store');
  });

  it('serves the whole mail for a mail program', async () => {
    const { body, headers } = await feira.page('/dev/outbox/mail-3/source').buffer(true).parse(bytes).expect(200);
    expect(headers['content-type']).toContain('message/rfc822');
    expect(headers['content-disposition']).toMatch(/^attachment; filename="?mail-3\.eml"?$/);
    expect(readMail(String(body))).toMatchObject({
      subject: 'Confirme o seu e-mail',
      text: expect.stringContaining(LINK),
      headers: { from: ['Feira <no-reply@localhost>'], to: ['ana@example.com'] },
    });
  });

  it.each(['mail-99', '..%2Fmail-3', 'mail-3.json', '%00'])('is 404 for %s, in each form', async (id) => {
    for (const form of ['', '/html', '/source']) await feira.page(`/dev/outbox/${id}${form}`).expect(404);
  });
});

describe('who may read the outbox', () => {
  const PATHS = ['/dev/outbox', '/dev/outbox/mail-3', '/dev/outbox/mail-3/html', '/dev/outbox/mail-3/source'];

  it.each([
    { 'X-Forwarded-For': '127.0.0.1' },
    { 'X-Forwarded-Host': 'localhost' },
    { Forwarded: 'for=127.0.0.1' },
    { Via: '1.1 proxy' },
    { 'X-Real-IP': '127.0.0.1' },
    { 'CF-Connecting-IP': '127.0.0.1' },
    { Host: 'shop.example' },
    { Host: '127.0.0.1.evil.example' },
    { Host: 'localhost.evil.example:8080' },
    { Host: '192.168.1.7:8080' },
    { Host: '[::ffff:8.8.8.8]' },
  ])('not who comes through a proxy or by a foreign name: %j', async (headers) => {
    for (const path of PATHS) {
      const { text } = await feira.page(path).set(headers).expect(404);
      expect(text).not.toContain('token');
      expect(text).toContain('There is nothing at this address.');
    }
  });

  it.each(['localhost', 'localhost:8080', 'shop.localhost', '127.0.0.1', '[::1]:8080'])(
    'who asked for this machine as %s',
    async (host) => {
      await feira.page('/dev/outbox').set('Host', host).expect(200);
    },
  );

  it('not a proxy that speaks HTTP/1.0 and says nothing of itself', async () => {
    expect(await statusOf(feira.url, 'GET /dev/outbox HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n')).toBe(404);
  });

  it('not a peer whose address is not this machine’s', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'feira-socket-'));
    const server = createServer(outboxAlone({})).listen(join(dir, 'socket'));
    await once(server, 'listening');
    const [res] = await once(
      get({ socketPath: join(dir, 'socket'), path: '/dev/outbox', headers: { host: 'localhost' } }),
      'response',
    );
    expect(res.statusCode).toBe(404);
    res.resume();
    server.close();
    await rm(dir, { recursive: true });
  });

  it.each<[string, Record<string, string>, number]>([
    ['nobody in production', { NODE_ENV: 'production' }, 404],
    ['nobody where PUBLIC_URL says that others come', { PUBLIC_URL: 'https://shop.example' }, 404],
    ['nobody where TRUST_PROXY says that there is a proxy', { TRUST_PROXY: '1' }, 404],
    ['the developer whose PUBLIC_URL is this machine', { PUBLIC_URL: 'http://localhost:8080' }, 200],
  ])('%s', async (_who, env, status) => {
    const { text } = await request(outboxAlone({ NODE_ENV: 'development', ...env }))
      .get('/dev/outbox')
      .expect(status);
    expect(text.includes('Outbox')).toBe(status === 200);
  });

  it('where mail goes out by SMTP, nobody, and the page says why', async () => {
    const app = outboxAlone({ SMTP_URL: 'smtp://mail.example', MAIL_FROM: 'mail@shop.example' });
    const { text } = await request(app).get('/dev/outbox').expect(200);
    expect(text).toContain('Mail goes out by SMTP');
    await request(app).get('/dev/outbox/mail-3').expect(404);
  });
});

/** The pages of a shop with this environment that has written nothing. */
function outboxAlone(env: Record<string, string>) {
  const config = loadConfig({ DATA_DIR: '/nowhere', ...env });
  const app = express();
  useHandlebars(app);
  const { outbox } = openMailer(config, pino({ level: 'silent' }));
  return app.use(outboxPagesRouter({ config, mail: { outbox } }), errorHandler);
}

/** The status that a request gets which no HTTP library would make. */
async function statusOf(url: string, head: string): Promise<number> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write(head);
  return Number(/^HTTP\/1\.1 (\d+)/.exec(await streamText(socket))?.[1]);
}

/** A supertest parser for what is no text. */
function bytes(res: Response, done: (error: Error | null, body: Buffer) => void): void {
  buffer(res as unknown as NodeJS.ReadableStream).then(
    (body) => done(null, body),
    (error) => done(error, Buffer.alloc(0)),
  );
}
