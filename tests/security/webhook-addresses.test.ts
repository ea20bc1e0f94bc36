import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isPublic, postWebhook, WebhookFault } from '../../src/services/webhook-request.ts';
import { admin, logInBrowser } from '../helpers/accounts.ts';
import { ADMIN, type Feira, startFeira } from '../helpers/start-feira.ts';
import { webhookReceiver } from '../helpers/webhook-receiver.ts';

let feira: Feira;
let boss: Awaited<ReturnType<typeof admin>>;
let receiver: Awaited<ReturnType<typeof webhookReceiver>>;
beforeAll(async () => {
  [feira, receiver] = await Promise.all([startFeira(), webhookReceiver()]);
  boss = await admin(feira);
});
afterAll(async () => {
  receiver.close();
  await feira.stop();
});

const INSIDE = [
  '127.0.0.1',
  '127.1',
  '2130706433',
  '0x7f000001',
  '0177.0.0.1',
  '0',
  '0.0.0.0',
  '10.1.2.3',
  '172.16.0.1',
  '192.168.1.1',
  '169.254.169.254',
  '100.64.0.1',
  '198.18.0.1',
  '192.0.2.1',
  '224.0.0.1',
  '255.255.255.255',
  '[::]',
  '[::1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::127.0.0.1]',
  '[64:ff9b::7f00:1]',
  '[64:ff9b:1::7f00:1]',
  '[2002:7f00:1::]',
  '[2001::1]',
  '[fe80::1]',
  '[fec0::1]',
  '[fc00::1]',
  '[fd12:3456::1]',
  '[ff02::1]',
  '[2001:db8::1]',
  'localhost',
  'localhost.',
  'LOCALHOST',
  'shop.localhost',
  'printer',
  'printer.local',
  'metadata.google.internal',
  '①②⑦.⓪.⓪.①',
];

describe('a webhook', () => {
  it.each(INSIDE)('does not go to http://%s', async (host) => {
    const { body } = await boss
      .as('post', '/api/webhooks')
      .send({ url: `http://${host}:${receiver.port}/`, types: ['*'] })
      .expect(422);
    expect(body).toMatchObject({ code: 'INVALID_INPUT', errors: [{ pointer: '#/url' }] });
  });

  it('that was made on the page says so beside the field', async () => {
    const browser = await logInBrowser(feira, ADMIN.email, ADMIN.password);
    const url = 'http://192.168.1.1/hook';
    const { status, text } = await browser.submit('/admin/webhooks/new', { url, types: '*' });
    expect(status).toBe(422);
    expect(text).toContain('role="alert">Address must be an address of the public internet.</small>');
    expect(text).toContain(`value="${url}"`);
  });

  it('may go to the public internet', async () => {
    for (const url of ['https://erp.example/x', 'http://93.184.215.14/', 'http://[2606:4700::1111]/'])
      await boss
        .as('post', '/api/webhooks')
        .send({ url, types: ['*'] })
        .expect(201);
  });
});

const post = (url: string, overrides: object = {}) =>
  postWebhook({ url, headers: {}, body: '{}', limitMs: 2000, allowPrivate: false, ...overrides });

describe('what is sent', () => {
  it.each(INSIDE.slice(0, 38))(
    'goes by the address that is found at that moment, not by the name: %s',
    async (host) => {
      await expect(post(`http://${host}:${receiver.port}/`)).rejects.toThrow(WebhookFault);
      expect(receiver.received).toEqual([]);
    },
  );

  it('arrives where it may', async () => {
    expect(await post(receiver.url, { allowPrivate: true })).toBe(200);
    expect(await post(`http://localhost:${receiver.port}/`, { allowPrivate: true })).toBe(200);
    expect(receiver.received.splice(0)).toHaveLength(2);
  });

  it('is cut when the receiver takes too long, with the headers or with the rest', async () => {
    const slow = await webhookReceiver((i, res) => {
      if (i > 0) res.writeHead(200).write('x');
    });
    for (let i = 0; i < 2; i++) {
      const sent = post(slow.url, { allowPrivate: true, limitMs: 200 });
      await expect(sent).rejects.toThrow('There was no answer within 0.2 s.');
    }
    slow.close();
  });

  it('reads a short answer, whatever comes', async () => {
    let written = 0;
    const chatty = await webhookReceiver((_i, res) => {
      const chunk = 'x'.repeat(16 * 1024);
      const more = () => {
        while (!res.destroyed && res.write(chunk)) written += chunk.length;
        res.once('drain', more);
      };
      more();
    });
    expect(await post(chatty.url, { allowPrivate: true })).toBe(200);
    expect(written).toBeLessThan(10_000_000);
    chatty.close();
  });
});

describe('an answer in plain bytes', () => {
  const answered = async (bytes: string) => {
    const server = createServer((socket) => socket.on('error', () => {}).once('data', () => socket.write(bytes)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      return await post(`http://127.0.0.1:${port}/`, { allowPrivate: true });
    } finally {
      server.close();
    }
  };

  it('that goes on with another protocol is an answer, too', async () => {
    expect(await answered('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n')).toBe(101);
  });

  it('is taken after what only announces it', async () => {
    expect(await answered('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n')).toBe(204);
  });
});

describe('a public address', () => {
  it('is one of the internet, and no other', () => {
    for (const address of ['8.8.8.8', '93.184.215.14', '2606:4700::1111']) expect(isPublic(address)).toBe(true);
    for (const address of ['fe80::1%eth0', '::ffff:10.0.0.1', 'nonsense', '']) expect(isPublic(address)).toBe(false);
  });
});
