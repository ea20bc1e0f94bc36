import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { logInBrowser, signUp } from '../helpers/accounts.ts';
import { aMessage, anEmail, CHAT_ENV, joinByRest } from '../helpers/chat.ts';
import { nextMail } from '../helpers/mailbox.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { webVisitor } from '../helpers/web-visitor.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira(CHAT_ENV);
});
afterAll(() => feira.stop());

const MARK = /✓<\/span><span class="visually-hidden">\(verified\)/;

describe('/chat for somebody who is logged in', () => {
  it('is one button, then the room by name with a mark', async () => {
    const { email } = await signUp(feira, { name: 'Ana <b>Sousa</b>' });
    const { open, submit, agent } = await logInBrowser(feira, email);
    const form = await open('/chat').expect(200);
    expect(form.text).toContain('Ana &lt;b&gt;Sousa&lt;/b&gt;');
    expect(form.text).not.toContain('name="email"');
    await agent.post('/chat').type('form').send({}).expect(403);
    const joined = await submit('/chat', {});
    expect([joined.status, joined.headers.location]).toEqual([303, '/chat']);

    const sent = await submit('/chat', aMessage('Good morning!'), '/chat/messages');
    expect(sent.status).toBe(303);
    const room = await open('/chat').expect(200);
    expect(room.text).toMatch(/<strong data-name>Ana &lt;b&gt;Sousa&lt;\/b&gt;<\/strong>\s*<span class="chat-mark"/);
    expect(room.text).toMatch(MARK);
    expect(room.text).not.toContain('<b>Sousa');

    const guest = await joinByRest(feira);
    const seen = await feira.page('/chat').set('Cookie', `feira_chat=${guest.token}`).expect(200);
    expect(seen.text).toMatch(/data-mark/);
    expect(seen.text).not.toContain(email);
    expect(seen.text).toContain('/login">Log in');

    expect((await submit('/chat', {}, '/chat/leave')).headers.location).toBe('/chat');
    expect((await open('/chat')).text).toContain('Join the chat');
  });

  it('is a form for guests again after the logout', async () => {
    const { email } = await signUp(feira);
    const { open, submit } = await logInBrowser(feira, email);
    await submit('/chat', {});
    await submit('/profile', {}, '/logout');
    expect((await open('/chat')).text).toContain('name="email"');
  });
});

describe('/chat for the address of an account', () => {
  it('says that a code was sent, takes it, and shows the mark', async () => {
    const { email } = await signUp(feira, { name: 'Bea Costa' });
    const visitor = webVisitor(feira);
    const asked = await visitor.submit('/chat', { email });
    expect(asked.text).toContain('A code was sent to it');
    expect(asked.text).toContain(`name="email" value="${email}"`);
    const { code } = await nextMail(feira, email);

    const wrong = await visitor.agent.post('/chat').type('form').send({ email, code: 'nonsense' });
    expect(wrong.status).toBe(422);
    expect(wrong.text).toContain('The code must be the six digits of the mail.');
    expect(wrong.text).toContain('autocomplete="one-time-code"');
    await visitor.agent.post('/chat').type('form').send({ email, code }).expect(303);
    const room = await visitor.open('/chat').expect(200);
    expect(room.text).toMatch(/You are <strong>Bea Costa<\/strong>\s*<span class="chat-mark"/);
  });

  it('shows no mark for other guests', async () => {
    const visitor = webVisitor(feira);
    const email = anEmail();
    await visitor.agent.post('/chat').type('form').send({ email }).expect(303);
    const { text } = await visitor.open('/chat');
    expect(text).toMatch(new RegExp(`<span data-name>${email}</span>\\s*</li>`));
  });
});
