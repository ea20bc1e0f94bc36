/** The e-mail of another person appears nowhere, whatever is asked and however. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aMessage, CHAT_ENV, join, joinByRest, joinBySocket } from '../helpers/chat.ts';
import { type Feira, startFeira, type TestSocket } from '../helpers/start-feira.ts';
import { nextEvent } from '../helpers/wait-for.ts';

const SECRET = /zora|quimby|neverland/i;
const EMAIL = 'Zora.Quimby+shop@Neverland.example';
const MASKED = 'Z•••@N•••.example';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira(CHAT_ENV);
});
afterAll(() => feira.stop());

/** Everything that arrives at a socket, as text: events and answers. */
function traffic(socket: TestSocket): string[] {
  const heard: string[] = [];
  socket.io.engine.on('packet', ({ data }: { data?: unknown }) => heard.push(String(data)));
  return heard;
}

describe('the e-mail of another person', () => {
  it('is masked in every answer, page and event', async () => {
    const watcher = await joinBySocket(feira);
    const rest = await joinByRest(feira);
    const heard = traffic(watcher.socket);

    const zora = await joinBySocket(feira, EMAIL);
    await zora.socket.emitWithAck('chat:send', aMessage('Guess who?'));
    await watcher.socket.emitWithAck('chat:history', {});
    await join(watcher.socket);
    const left = nextEvent(watcher.socket, 'chat:left');
    await zora.socket.emitWithAck('chat:leave', {});
    await left;
    await joinByRest(feira, EMAIL);

    const answers = await Promise.all([
      rest.as('get', '/api/chat/participants'),
      rest.as('get', '/api/chat/messages'),
      feira.page('/chat').set('Cookie', `feira_chat=${rest.token}`),
      // The same client id as hers, and her message by its number.
      rest.as('get', '/api/chat/messages/1'),
      rest.as('post', '/api/chat/messages').send({ clientId: 'x'.repeat(65), text: '' }),
    ]);
    const seen = [...heard, ...answers.map(({ text, headers }) => text + JSON.stringify(headers))].join('\n');
    expect(seen).toContain(MASKED);
    expect(seen).not.toMatch(SECRET);
  });

  it('is shown as typed to its owner', async () => {
    const zora = await joinByRest(feira, EMAIL);
    const { text } = await feira.page('/chat').set('Cookie', `feira_chat=${zora.token}`).expect(200);
    expect(text).toContain(`You are <strong>${EMAIL}</strong>`);
    const socket = await feira.connectSocket({ Cookie: `feira_chat=${zora.token}` });
    expect((await join(socket)).me.email).toBe(EMAIL);
  });

  it('does not show in ids: they are random, and the mask tells no length', async () => {
    const people = await Promise.all(['a', 'ab', 'abcdefghij'].map((name) => joinByRest(feira, `${name}@x.example`)));
    const { body } = await people[0]!.as('get', '/api/chat/participants');
    const masks = people.map(({ id }) => body.items.find((item: { id: string }) => item.id === id).email);
    expect(new Set(masks)).toEqual(new Set(['a•••@x•••.example']));
    // Ids that MongoDB makes begin with the time and share five random bytes.
    expect(new Set(people.map(({ id }) => id.slice(0, 8))).size).toBe(3);
    expect(new Set(people.map(({ id }) => id.slice(8, 18))).size).toBe(3);
  });

  it('cannot be asked for: a join answers the same for a known and an unknown address', async () => {
    await joinByRest(feira, 'known@x.example');
    const [known, unknown] = await Promise.all(
      ['known@x.example', 'unknown@x.example'].map((email) => feira.api.post('/api/chat/participants').send({ email })),
    );
    expect(known!.status).toBe(unknown!.status);
    expect(Object.keys(known!.body)).toEqual(Object.keys(unknown!.body));
    expect(Object.keys(known!.headers).sort()).toEqual(Object.keys(unknown!.headers).sort());
  });
});

describe('a token', () => {
  it('is not readable by scripts of the page and appears in no answer to its cookie', async () => {
    const res = await feira.api.post('/chat').type('form').send({ email: 'ana@x.example' }).expect(303);
    const cookie = String(res.headers['set-cookie']?.[0]);
    expect(cookie).toMatch(/HttpOnly/);
    expect(cookie).toMatch(/SameSite=Lax/);
    const token = /feira_chat=([\w-]{32});/.exec(cookie)?.[1] ?? 'none';
    const page = await feira.page('/chat').set('Cookie', `feira_chat=${token}`).expect(200);
    expect(page.text).not.toContain(token);
    const socket = await feira.connectSocket({ Cookie: `feira_chat=${token}` });
    expect(JSON.stringify(await join(socket))).not.toContain(token);
  });
});
