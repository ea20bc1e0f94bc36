/** How much one person and one address may do, with the limits that the shop starts with. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ChatMessage } from '../../src/realtime/socket-events.ts';
import { aMessage, anEmail, caughtUp, collect, joinByRest, joinBySocket } from '../helpers/chat.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { nextEvent } from '../helpers/wait-for.ts';

let feira: Feira;
beforeEach(async () => {
  feira = await startFeira({ TRUST_PROXY: '1' });
});
afterEach(() => feira.stop());

describe('one person', () => {
  it('writes ten messages in a burst, by socket and REST together; others are not slowed', async () => {
    const ana = await joinBySocket(feira);
    const bo = await joinBySocket(feira);
    const first = aMessage('The first');
    await ana.socket.emitWithAck('chat:send', first);
    for (let i = 0; i < 9; i += 1)
      expect(await ana.socket.emitWithAck('chat:send', aMessage('x'))).toHaveProperty('data');

    expect(await ana.socket.emitWithAck('chat:send', aMessage('Too much'))).toMatchObject({
      error: { code: 'TOO_MANY_REQUESTS', status: 429, retryAfter: expect.any(Number) },
    });
    const again = await joinByRest(feira, ana.email);
    const res = await again.as('post', '/api/chat/messages').send(aMessage('By another door')).expect(429);
    expect(Number(res.headers['retry-after'])).toBeGreaterThan(0);
    const page = await feira.api
      .post('/chat/messages')
      .set('Cookie', `feira_chat=${again.token}`)
      .type('form')
      .send(aMessage('By a form'))
      .expect(429);
    expect(page.text).toContain('You are writing too fast.');
    expect(Number(page.headers['retry-after'])).toBeGreaterThan(0);

    // What is stored is answered all the same.
    expect(await ana.socket.emitWithAck('chat:send', first)).toHaveProperty('data.text', 'The first');
    expect(await bo.socket.emitWithAck('chat:send', aMessage('I am not slowed'))).toHaveProperty('data');
  });
});

describe('one socket', () => {
  it('is cut when it floods the chat; the others go on talking', async () => {
    const [flooder, bo, cy] = [await joinBySocket(feira), await joinBySocket(feira), await joinBySocket(feira)];
    const heard = collect<ChatMessage>(cy.socket, 'chat:message');
    const cut = nextEvent(flooder.socket, 'disconnect');
    for (let i = 0; i < 50_000; i += 1) flooder.socket.emit('chat:send', aMessage(`Flood ${i}`), () => {});
    const started = Date.now();
    expect(await bo.socket.emitWithAck('chat:send', aMessage('Still here?'))).toHaveProperty('data');
    expect(Date.now() - started).toBeLessThan(5000);
    expect(await cut).toBe('io server disconnect');
    await caughtUp(cy.socket);
    expect(heard.filter(({ text }) => text.startsWith('Flood')).length).toBeLessThanOrEqual(10);
  });
});

describe('one address', () => {
  it('joins thirty times in a minute, by all doors together', async () => {
    let joins = 0;
    const outcomes = new Set<number>();
    while (joins < 40 && !outcomes.has(429)) {
      const { status } = await feira.api.post('/api/chat/participants').send({ email: anEmail() });
      outcomes.add(status);
      joins += 1;
    }
    expect(joins).toBe(31);
    const res = await feira.api.post('/api/chat/participants').send({ email: anEmail() }).expect(429);
    expect(res.body).toMatchObject({ code: 'TOO_MANY_REQUESTS', retryAfter: expect.any(Number) });
    expect(Number(res.headers['retry-after'])).toBeGreaterThan(0);
    const page = await feira.api.post('/chat').type('form').send({ email: anEmail() }).expect(429);
    expect(page.text).toMatch(/role="alert">Too many people have joined/);
    const socket = await feira.connectSocket();
    expect(await socket.emitWithAck('chat:join', { email: anEmail() })).toMatchObject({ error: { status: 429 } });
  });

  it('writes fifty messages in a burst, however many people it says it is; those elsewhere are not slowed', async () => {
    const from = (address: string) => ({ 'X-Forwarded-For': address });
    const elsewhere = await joinBySocket(feira, anEmail(), from('203.0.113.9'));
    let written = 0;
    for (let i = 0; i < 6; i += 1) {
      const { socket } = await joinBySocket(feira, anEmail(), from(`2001:db8:1:2::${i}`));
      for (let j = 0; j < 9; j += 1)
        written += Number('data' in (await socket.emitWithAck('chat:send', aMessage('x'))));
    }
    expect(written).toBe(50);
    expect(await elsewhere.socket.emitWithAck('chat:send', aMessage('I am not slowed'))).toHaveProperty('data');
  });

  it('is all of the network that a home has by IPv6', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 31; i += 1) {
      const join = feira.api.post('/api/chat/participants').set('X-Forwarded-For', `2001:db8:1:2::${i}`);
      statuses.push((await join.send({ email: anEmail() })).status);
    }
    expect(statuses.at(-2)).toBe(201);
    expect(statuses.at(-1)).toBe(429);
  });
});
