/** Odd, forged and hostile input to the chat: refused with a problem, nothing delivered, the process alive. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import WebSocket from 'ws';
import type { ChatMessage } from '../../src/realtime/socket-events.ts';
import { aMessage, CHAT_ENV, caughtUp, collect, joinByRest, joinBySocket } from '../helpers/chat.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { nextEvent } from '../helpers/wait-for.ts';

type Person = Awaited<ReturnType<typeof joinBySocket>>;

let feira: Feira;
let ana: Person;
let heard: ChatMessage[];
beforeAll(async () => {
  feira = await startFeira(CHAT_ENV);
});
beforeEach(async () => {
  const watcher = await joinBySocket(feira);
  heard = collect(watcher.socket, 'chat:message');
  ana = await joinBySocket(feira);
});
afterAll(() => feira.stop());

const INVALID = { error: { code: 'INVALID_INPUT', status: 422 } };

/** Sends what the types do not allow. */
const sendRaw = (person: Person, event: string, ...args: unknown[]) =>
  (person.socket as unknown as { emitWithAck(event: string, ...args: unknown[]): Promise<unknown> }).emitWithAck(
    event,
    ...args,
  );

describe('sender and time', () => {
  it.each([
    { from: 'admin' },
    { createdAt: 0 },
    { participant: { id: 'x' } },
    { email: 'boss@example.com' },
    { sequence: 1 },
    { room: 'order-1' },
    { $set: { email: 'x' } },
  ])('cannot be sent along: %j', async (extra) => {
    expect(await sendRaw(ana, 'chat:send', { ...aMessage('I am the boss'), ...extra })).toMatchObject(INVALID);
    const { as } = await joinByRest(feira);
    const res = await as('post', '/api/chat/messages').send({ text: 'I am the boss', ...extra });
    expect(res.status).toBe(422);
    await caughtUp(ana.socket);
    expect(heard).toEqual([]);
  });
});

describe('payloads that do not fit', () => {
  it.each([
    ['chat:join', [{ email: { $ne: null } }]],
    ['chat:join', [{ email: 'no address' }]],
    ['chat:join', [{ room: 'order-1' }]],
    ['chat:join', [null]],
    ['chat:join', [[1]]],
    ['chat:leave', [{ everyone: true }]],
    ['chat:send', []],
    ['chat:send', ['text']],
    ['chat:send', [{ clientId: 'a' }]],
    ['chat:send', [{ text: 'no id' }]],
    ['chat:send', [{ clientId: { $gt: '' }, text: 'x' }]],
    ['chat:send', [{ clientId: 'a', text: ['x'] }]],
    ['chat:send', [{ clientId: 'a', text: ' \u0000\u202e ' }]],
    ['chat:send', [{ clientId: 'a', text: '\u200b\u3164 \u2800\u00ad' }]],
    ['chat:send', [{ clientId: 'a', text: 'x'.repeat(2001) }]],
    ['chat:send', [{ clientId: 'a'.repeat(65), text: 'x' }]],
    ['chat:history', [{ since: { $gt: 0 } }]],
    ['chat:history', [{ since: 1, before: 2 }]],
    ['chat:history', [{ limit: 101 }]],
    ['chat:history', [{ before: 1.5 }]],
    ['chat:history', [Buffer.alloc(10)]],
  ])('%s %j is refused with a problem', async (event, args) => {
    expect(await sendRaw(ana, event, ...args)).toMatchObject(INVALID);
    await caughtUp(ana.socket);
    expect(heard).toEqual([]);
  });

  it('need no acknowledgement, and what comes after them works', async () => {
    const raw = ana.socket as unknown as { emit(event: string, ...args: unknown[]): void };
    raw.emit('chat:send');
    raw.emit('chat:send', null, 'x', 5);
    raw.emit('chat:join', 'x');
    raw.emit('chat:history', Number.NaN);
    const arrived = nextEvent<ChatMessage>(ana.socket, 'chat:message');
    raw.emit('chat:send', aMessage('No answer wanted'));
    expect((await arrived).text).toBe('No answer wanted');
    expect(await ana.socket.emitWithAck('chat:send', aMessage('All well'))).toHaveProperty('data.text', 'All well');
  });

  it.each(['[]', '"text"', 'null', '{"text":', '{"text":"x","__proto__":{"isAdmin":true}}'])(
    'a body of %s is refused',
    async (body) => {
      const { as } = await joinByRest(feira);
      const res = await as('post', '/api/chat/messages').type('json').send(body);
      expect([400, 422]).toContain(res.status);
      expect(res.type).toBe('application/problem+json');
    },
  );

  it('a megabyte is refused, and the chat goes on', async () => {
    const { as } = await joinByRest(feira);
    await as('post', '/api/chat/messages')
      .send({ text: 'x'.repeat(1_000_000) })
      .expect(413);
    await feira.api
      .post('/api/chat/participants')
      .send({ email: `${'x'.repeat(50_000)}@example.com` })
      .expect(422);
    await as('post', '/api/chat/messages').send({ text: 'Fine' }).expect(201);
  });
});

describe('those who have not joined', () => {
  it('can neither send nor read, and nothing is delivered', async () => {
    const stranger = await feira.connectSocket();
    for (const [event, payload] of [
      ['chat:send', aMessage('Let me in')],
      ['chat:history', {}],
      ['chat:leave', {}],
    ] as const) {
      expect(await stranger.emitWithAck(event as 'chat:send', payload as never)).toMatchObject({
        error: { code: 'NOT_IN_CHAT', status: 401 },
      });
    }
    await caughtUp(ana.socket);
    expect(heard).toEqual([]);
  });

  it('cannot come in from the page of another site with the cookie of a visitor', async () => {
    const headers = { Origin: 'https://evil.example', Cookie: `feira_chat=${ana.token}` };
    const socket = new WebSocket(`${feira.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`, {
      headers,
    });
    await expect(new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))).rejects.toThrow(
      /403|400/,
    );
    for (const [path, body] of [
      ['/chat/messages', aMessage('Forged')],
      ['/chat/leave', {}],
      ['/chat', { email: 'x@example.com' }],
    ] as const)
      await feira.api.post(path).set(headers).type('form').send(body).expect(403);
    await feira.api
      .post('/api/chat/messages')
      .set('Cookie', headers.Cookie)
      .type('text/plain')
      .send('{"text":"Forged"}')
      .expect(415);
    await caughtUp(ana.socket);
    expect(heard).toEqual([]);
  });
});

const ESCAPES: Record<string, string> = { '<': '&lt;', '>': '&gt;', '"': '&quot;', '=': '&#x3D;' };
const escaped = (text: string) => text.replace(/[<>"=]/g, (character) => ESCAPES[character]!);

describe('text', () => {
  it.each([
    '<img src=x onerror=alert(1)>',
    '</textarea><script>alert(1)</script>',
    '<a href="javascript:alert(1)">click</a> javascript:alert(1)',
    '<b>{{constructor.constructor "return process"}} {{{x}}}</b>',
    '" autofocus onfocus="alert(1)',
  ])('%s is shown as it is', async (text) => {
    const { as, token } = await joinByRest(feira);
    await as('post', '/api/chat/messages').send({ text }).expect(201);
    const page = await feira.page('/chat').set('Cookie', `feira_chat=${token}`).expect(200);
    expect(page.text).toContain(`<p class="chat-text">${escaped(text)}</p>`);
    expect(page.text).not.toContain(`<p class="chat-text">${text}`);
    expect(page.headers['content-security-policy']).toContain("script-src 'self'");
  });

  it('loses what reorders or hides it', async () => {
    const { as } = await joinByRest(feira);
    const { body } = await as('post', '/api/chat/messages').send({ text: '\u202eabc\u2066\u0007\ufeff def' });
    expect(body.text).toBe('abc def');
  });
});
