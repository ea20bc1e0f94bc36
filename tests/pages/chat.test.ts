import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { aMessage, anEmail, CHAT_ENV, joinByRest, joinBySocket } from '../helpers/chat.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { nextEvent } from '../helpers/wait-for.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira(CHAT_ENV);
});
afterAll(() => feira.stop());

const form = (path: string, fields: Record<string, string>) =>
  feira.api.post(path).set('Accept', 'text/html').type('form').send(fields);

/** A browser without JavaScript that has joined: it keeps its cookie. */
async function joinByForm(email = anEmail()) {
  const browser = request.agent(feira.url);
  await browser.post('/chat').type('form').send({ email }).expect(303).expect('Location', '/chat');
  return { email, browser };
}

describe('GET /chat for a newcomer', () => {
  it('is a form for an e-mail address', async () => {
    const { text, headers } = await feira.page('/chat').expect(200);
    expect(text).toMatch(/<form method="post" action="\/chat"/);
    expect(text).toContain('name="email"');
    expect(text).not.toContain('/js/chat.js');
    expect(headers['cache-control']).toContain('no-store');
    expect(headers['set-cookie']).toBeUndefined();
  });
});

describe('GET /chat', () => {
  it('shows the lines of a message as they were written', async () => {
    const { as } = await joinByRest(feira);
    const { browser } = await joinByForm();
    const message = aMessage('First line\nsecond\n  and a third');
    await as('post', '/api/chat/messages').send(message).expect(201);
    const { text } = await browser.get('/chat').expect(200);
    expect(text).toContain(`>${message.text}<`);
  });
});

describe('POST /chat', () => {
  it.each(['', 'no address', 'a@b', `${'x'.repeat(250)}@example.com`, 'a@example.com, b@example.com'])(
    'shows the form again for %j, with what is wrong',
    async (email) => {
      const { text } = await form('/chat', { email }).expect(422);
      expect(text).toMatch(/role="alert">The email must/);
      expect(text).toContain(`value="${email.slice(0, 254)}"`);
    },
  );

  it('writes back what was typed as text', async () => {
    const { text } = await form('/chat', { email: '"><script>alert(1)</script>' }).expect(422);
    expect(text).not.toContain('<script>alert');
    expect(text).toContain('&lt;script&gt;alert(1)');
  });
});

describe('the room without JavaScript', () => {
  it('shows who is there, the last messages and a form', async () => {
    const ana = await joinByRest(feira, anEmail('ana'));
    await ana.as('post', '/api/chat/messages').send({ text: 'Fish & <b>chips</b>' }).expect(201);
    const { email, browser } = await joinByForm();
    const { text } = await browser.get('/chat').expect(200);
    expect(text).toContain('a•••@m•••.example');
    expect(text).toContain('Fish &amp; &lt;b&gt;chips&lt;/b&gt;');
    expect(text).toContain(`You are <strong>${email}</strong>`);
    expect(text).toContain('<form method="post" action="/chat/messages"');
    expect(text).toContain('src="/js/chat.js"');
  });

  it('sends a message, which reaches those who are there', async () => {
    const ana = await joinBySocket(feira);
    const { email, browser } = await joinByForm();
    const heard = nextEvent<{ text: string }>(ana.socket, 'chat:message');
    const input = aMessage('From a plain form');
    await browser.post('/chat/messages').type('form').send(input).expect(303).expect('Location', '/chat');
    expect((await heard).text).toBe('From a plain form');
    // The button pressed twice.
    await browser.post('/chat/messages').type('form').send(input).expect(303);
    const { text } = await browser.get('/chat');
    expect(text.split('From a plain form')).toHaveLength(2);
    expect(text).toContain(`<strong data-name>${email}</strong>`);
  });

  it('keeps a message that is refused, with the reason', async () => {
    const { browser } = await joinByForm();
    const long = 'long '.repeat(500);
    const { text } = await browser.post('/chat/messages').type('form').send(aMessage(long)).expect(422);
    expect(text).toMatch(/role="alert"[^>]*>The text must have at most 2000 characters/);
    expect(text).toContain(`${long}</textarea>`);
  });

  it('shows earlier messages on a page of their own', async () => {
    const { browser } = await joinByForm();
    const ana = await joinByRest(feira);
    for (let i = 1; i <= 51; i += 1) await ana.as('post', '/api/chat/messages').send({ text: `Line ${i}.` });
    const latest = await browser.get('/chat').expect(200);
    expect(latest.text).not.toContain('Line 1.');
    const older = /href="(\/chat\?before=\d+)"/.exec(latest.text)?.[1];
    const { text } = await browser.get(older!).expect(200);
    expect(text).toContain('Line 1.');
    expect(text).not.toContain('Line 2.');
    expect(text).toContain('Back to the latest messages');
  });

  it('leaves with a button, and the form is back', async () => {
    const ana = await joinBySocket(feira);
    const { browser } = await joinByForm();
    const left = nextEvent(ana.socket, 'chat:left');
    await browser.post('/chat/leave').type('form').send({}).expect(303).expect('Location', '/chat');
    await left;
    const { text } = await browser.get('/chat').expect(200);
    expect(text).toContain('name="email"');
  });

  it('leads back to the form when the visit has ended', async () => {
    for (const path of ['/chat/messages', '/chat/leave']) {
      await form(path, { text: 'Hello?' }).expect(303).expect('Location', '/chat');
      await feira.page(path).expect(303).expect('Location', '/chat');
    }
  });
});
