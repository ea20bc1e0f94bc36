import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createProduct } from '../helpers/factories.ts';
import { API_KEY, type Feira, startFeira } from '../helpers/start-feira.ts';

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
  await createProduct(feira);
});
afterAll(() => feira.stop());

/**
 * The status of the answer to bytes as they stand, and the whole of it.
 * @param body what is sent when the server says that it goes on, and then the answer without that
 */
function talk(text: string, body?: string): Promise<{ status: number; answer: string }> {
  const { hostname, port } = new URL(feira.url);
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket
      .setEncoding('utf8')
      .setTimeout(5000, () => socket.destroy(new Error('No answer within 5 s.')))
      .on('data', (chunk) => {
        answer += chunk;
        if (body === undefined || answer !== CONTINUE) return;
        answer = '';
        socket.write(body);
      })
      .on('error', reject)
      .on('close', () => resolve({ status: Number(answer.split(' ')[1]), answer }));
  });
}

const get = (path: string, ...headers: string[]) =>
  talk([`GET ${path} HTTP/1.1`, 'Host: shop', 'Connection: close', ...headers, '', ''].join('\r\n'));

describe('a request that is not HTTP', () => {
  it.each([
    ['no request at all', 'nonsense\r\n\r\n', 400],
    ['two lengths', 'POST /api/products HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}', 400],
    [
      'a length and chunks',
      'POST /api/products HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['no host', 'GET / HTTP/1.1\r\n\r\n', 400],
    // Not much over the limit: what is still unread when the server closes would cut the answer off.
    ['a header of 20 kB', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    ['a line break in a header', 'GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: a\nSet-Cookie: b\r\n\r\n', 400],
  ])('%s is refused', async (_what, text, status) => {
    expect((await talk(text)).status).toBe(status);
    await feira.api.get('/healthz').expect(200);
  });
});

describe('an offer to go on with another protocol', () => {
  // As Java's HTTP client makes it with the first request of each connection that is not https.
  const offer = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'];

  it('is passed over: the request is answered, and the next one on the connection', async () => {
    const first = ['GET /healthz HTTP/1.1', 'Host: shop', ...offer, '', ''].join('\r\n');
    const next = ['GET /api/categories HTTP/1.1', 'Host: shop', 'Connection: close', '', ''].join('\r\n');
    const { answer } = await talk(first + next);
    expect(answer.match(/HTTP.1.1 \d+ OK/g)).toEqual(['HTTP/1.1 200 OK', 'HTTP/1.1 200 OK']);
  });

  it('is passed over with a body too, also with one that comes later', async () => {
    const body = JSON.stringify({ email: 'nobody@example.com', password: 'a wrong password' });
    const head = ['POST /api/auth/login HTTP/1.1', 'Host: shop', 'Content-Type: application/json', ...offer];
    head[3] += ', close';
    const length = `Content-Length: ${body.length}`;
    expect((await talk([...head, length, '', body].join('\r\n'))).status).toBe(401);
    expect((await talk([...head, length, 'Expect: 100-continue', '', ''].join('\r\n'), body)).status).toBe(401);
  });

  it.each(['/nothing', '/socket.iox'])('is answered for a WebSocket that is not there: %s', async (path) => {
    const { status } = await get(path, 'Connection: Upgrade', 'Upgrade: websocket');
    expect(status).toBe(404);
  });
});

describe('headers', () => {
  it.each([
    'X-Forwarded-Host: evil.example',
    'Forwarded: host=evil.example',
    'X-Original-URL: /api/evil.example',
    'X-HTTP-Method-Override: DELETE',
    'Accept: text/html',
    'Accept-Encoding: gzip;q=nonsense, evil.example',
    'Origin: https://evil.example',
    'Range: bytes=0-10',
    'If-Modified-Since: evil.example',
    `If-None-Match: ${'"evil.example", '.repeat(300)}"x"`,
  ])('%s changes nothing for the next caller', async (header) => {
    const path = `/api/products?limit=1&q=${encodeURIComponent('')}`;
    const plain = await get(path);
    // A change, so that the answer is made anew with this header.
    const fresh = await createProduct(feira);
    const answer = await get(path, header);
    expect(answer.status).toBe(200);
    expect(answer.answer).not.toContain('evil.example');
    const next = await feira.api.get(path).expect(200);
    expect(next.body.items[0]).toEqual(fresh);
    expect(next.headers.link ?? '').not.toContain('evil');
    expect(plain.status).toBe(200);
  });

  it('cannot put another header into the answer', async () => {
    for (const id of ['a%0d%0aSet-Cookie:x=1', 'a\u0085b', '"><script>'])
      expect((await get('/api/products', `X-Request-Id: ${id}`)).answer).not.toMatch(/x=1|<script>/);
    const { answer } = await get('/api/products?limit=1&category=%0d%0aSet-Cookie:%20x=1');
    expect(answer).not.toMatch(/^set-cookie/im);
  });

  it('of blanks hold nobody up', async () => {
    const path = '/api/products?limit=1&q=blank';
    // So that the answer is there, to be compared with.
    await get(path);
    const began = Date.now();
    const asked = Array.from({ length: 8 }, () => get(path, `If-None-Match: "a"${' '.repeat(15_500)}"b"`));
    await feira.api.get('/healthz').expect(200);
    for (const { status } of await Promise.all(asked)) expect(status).toBe(200);
    expect(Date.now() - began).toBeLessThan(1000);
  });

  it('that ask for a version of nothing refuse the change', async () => {
    const { id } = await createProduct(feira);
    for (const tag of ['"1e0"', '"01"x', '""', 'W/', '"99999999999999999999"', '"1"; "1"'])
      await feira.withKey('delete', `/api/products/${id}`).set('If-Match', tag).expect(412);
    await feira.api.get(`/api/products/${id}`).expect(200);
  });
});

describe('an address that is none', () => {
  it.each(['OPTIONS *', 'GET *', 'POST *', 'GET x', 'GET ?x'])('is refused: %s', async (line) => {
    const { status } = await talk(`${line} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n`);
    expect(status).toBe(line.endsWith('*') ? 404 : 400);
  });
});

describe('an unusual method', () => {
  it.each(['TRACE', 'PROPFIND', 'SEARCH', 'PURGE', 'LINK'])('%s is refused and changes nothing', async (method) => {
    const { id } = await createProduct(feira);
    const head = [`${method} /api/products/${id} HTTP/1.1`, 'Host: shop', 'Connection: close'];
    const { status, answer } = await talk([...head, `Authorization: Bearer ${API_KEY}`, '', ''].join('\r\n'));
    expect(status).toBe(405);
    expect(answer).not.toContain(API_KEY);
    await feira.api.get(`/api/products/${id}`).expect(200);
  });
});
