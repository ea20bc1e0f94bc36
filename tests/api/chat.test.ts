import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aMessage, anEmail, CHAT_ENV, GUEST, joinByRest } from '../helpers/chat.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira(CHAT_ENV);
});
afterAll(() => feira.stop());

describe('POST /api/chat/participants', () => {
  it('joins: 201 with Location, the token in header and cookie, and me as I typed it', async () => {
    const email = 'Ana.Souza@Example.com';
    const res = await feira.api.post('/api/chat/participants').send({ email }).expect(201);
    expect(res.body).toEqual({ id: expect.stringMatching(/^[\da-f]{24}$/), email, ...GUEST });
    expect(res.headers.location).toBe('/api/chat/participants/me');
    expect(res.headers['cache-control']).toContain('no-store');
    const token = res.headers['chat-token'];
    expect(res.headers['set-cookie']).toEqual([`feira_chat=${token}; Max-Age=2592000; Path=/; HttpOnly; SameSite=Lax`]);
    const me = await feira.api.get('/api/chat/participants/me').set('Chat-Token', token!).expect(200);
    expect(me.body).toEqual(res.body);
    await feira.api.get('/api/chat/participants/me').set('Cookie', `feira_chat=${token}`).expect(200);
  });

  it('finds the same person for another spelling, with a token of its own', async () => {
    const email = anEmail();
    const first = await joinByRest(feira, email);
    const second = await joinByRest(feira, email.toUpperCase());
    expect(second.id).toBe(first.id);
    expect(second.token).not.toBe(first.token);
    expect((await second.as('get', '/api/chat/participants/me')).body.email).toBe(email.toUpperCase());
  });

  it('makes one person when the same new address joins ten times at once', async () => {
    const email = anEmail();
    const people = await Promise.all(Array.from({ length: 10 }, () => joinByRest(feira, email)));
    expect(new Set(people.map(({ id }) => id)).size).toBe(1);
    expect(new Set(people.map(({ token }) => token)).size).toBe(10);
  });

  it('keeps ten tokens for a person; an eleventh ends one that was used least lately', async () => {
    const email = anEmail();
    const tokens: string[] = [];
    for (let i = 0; i < 11; i += 1) tokens.push((await joinByRest(feira, email)).token);
    const statuses = await Promise.all(
      tokens.map(async (token) => {
        const { status } = await feira.api.get('/api/chat/participants/me').set('Chat-Token', token);
        return status;
      }),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(10);
    expect(statuses.at(-1)).toBe(200);
  });

  it('with the own token and the own address keeps the token', async () => {
    const ana = await joinByRest(feira);
    const res = await ana.as('post', '/api/chat/participants').send({ email: ana.email }).expect(201);
    expect(res.headers['chat-token']).toBe(ana.token);
  });
});

describe('GET /api/chat/participants', () => {
  it('lists everyone who is there once, masked', async () => {
    const [ana, bo] = [await joinByRest(feira, anEmail('ana')), await joinByRest(feira, anEmail('bo'))];
    await joinByRest(feira, bo.email);
    const { body } = await ana.as('get', '/api/chat/participants').expect(200);
    expect(body.total).toBe(body.items.length);
    expect(body.items.filter(({ id }: { id: string }) => id === bo.id)).toEqual([
      { id: bo.id, email: 'b•••@m•••.example', ...GUEST },
    ]);
  });
});

describe('DELETE /api/chat/participants/me', () => {
  it('leaves: 204, the token ends and the person is not there any more', async () => {
    const [ana, bo] = [await joinByRest(feira), await joinByRest(feira)];
    const res = await bo.as('delete', '/api/chat/participants/me').expect(204);
    expect(res.headers['set-cookie']?.[0]).toMatch(/^feira_chat=; Max-Age=0; Path=\//);
    await bo.as('delete', '/api/chat/participants/me').expect(401);
    await bo.as('post', '/api/chat/messages').send(aMessage('Still me?')).expect(401);
    const { body } = await ana.as('get', '/api/chat/participants');
    expect(body.items.map(({ id }: { id: string }) => id)).not.toContain(bo.id);
  });
});

describe('POST /api/chat/messages', () => {
  it('stores a message: 201 with Location', async () => {
    const ana = await joinByRest(feira, anEmail('ana'));
    const res = await ana.as('post', '/api/chat/messages').send({ text: ' Good morning! ' }).expect(201);
    expect(res.body).toEqual({
      sequence: expect.any(Number),
      participant: { id: ana.id, email: 'a•••@m•••.example', ...GUEST },
      clientId: expect.any(String),
      text: 'Good morning!',
      createdAt: expect.any(String),
    });
    expect(res.headers.location).toBe(`/api/chat/messages/${res.body.sequence}`);
    const { body } = await ana.as('get', res.headers.location!).expect(200);
    expect(body).toEqual(res.body);
  });

  it('stores a resend once: one 201, nine 200, the same message', async () => {
    const ana = await joinByRest(feira);
    const input = aMessage('Once');
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => ana.as('post', '/api/chat/messages').send(input)),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([...Array(9).fill(200), 201]);
    expect(new Set(answers.map(({ body }) => body.sequence)).size).toBe(1);
    const { body } = await ana.as('get', '/api/chat/messages').expect(200);
    expect(body.items.filter(({ clientId }: { clientId: string }) => clientId === input.clientId)).toHaveLength(1);
  });

  it('takes an Idempotency-Key as the client id', async () => {
    const [ana, bo] = await Promise.all([joinByRest(feira), joinByRest(feira)]);
    const send = (text: string, by = ana) =>
      by.as('post', '/api/chat/messages').set('Idempotency-Key', 'my first words').send({ text });
    const { body, headers } = await send('Hello').expect(201);
    expect(headers).not.toHaveProperty('idempotent-replayed');
    const again = await send('Hello').expect(200).expect('Idempotent-Replayed', 'true');
    expect(again.body).toEqual(body);
    expect((await send('Goodbye').expect(422)).body.code).toBe('IDEMPOTENCY_KEY_REUSED');
    expect((await send('Hello', bo).expect(201)).body.sequence).not.toBe(body.sequence);
    await ana.as('post', '/api/chat/messages').set('Idempotency-Key', '').send({ text: 'Hello' }).expect(400);
  });

  it('refuses a client id that was used for another text', async () => {
    const ana = await joinByRest(feira);
    const input = aMessage('One thing');
    await ana.as('post', '/api/chat/messages').send(input).expect(201);
    const res = await ana
      .as('post', '/api/chat/messages')
      .send({ ...input, text: 'Another' })
      .expect(422);
    expect(res.body).toMatchObject({ code: 'INVALID_INPUT', errors: [{ pointer: '#/clientId' }] });
  });
});

describe('GET /api/chat/messages', () => {
  it('gives the last messages, older pages, and what was missed', async () => {
    const ana = await joinByRest(feira);
    for (let i = 1; i <= 5; i += 1) await ana.as('post', '/api/chat/messages').send({ text: `Page ${i}` });
    const ask = async (query: string) => (await ana.as('get', `/api/chat/messages?${query}`).expect(200)).body;
    const texts = (list: { items: { text: string }[] }) => list.items.map(({ text }) => text);

    const latest = await ask('limit=2');
    expect(texts(latest)).toEqual(['Page 4', 'Page 5']);
    expect(latest.sequence).toBe(latest.items[1].sequence);
    expect(texts(await ask(`limit=2&before=${latest.older}`))).toEqual(['Page 2', 'Page 3']);
    const missed = await ask(`limit=3&since=${latest.sequence - 5}`);
    expect(texts(missed)).toEqual(['Page 1', 'Page 2', 'Page 3']);
    expect(texts(await ask(`since=${missed.newer}`))).toEqual(['Page 4', 'Page 5']);
  });

  it.each([
    'limit=101',
    'limit=0',
    'limit=ten',
    'since=-1',
    'since=1&before=5',
    'before[$gt]=0',
    'since=1&since=2',
    'room=other',
    'before=1e9',
  ])('refuses ?%s with 422', async (query) => {
    const ana = await joinByRest(feira);
    const res = await ana.as('get', `/api/chat/messages?${query}`).expect(422);
    expect(res.body.code).toBe('INVALID_INPUT');
  });

  it('answers 404 for a message that does not exist and 400 for a number that is none', async () => {
    const ana = await joinByRest(feira);
    await ana.as('get', '/api/chat/messages/999999999').expect(404);
    await ana.as('get', '/api/chat/messages/first').expect(400);
  });
});

describe('without a valid token', () => {
  it.each([
    ['get', '/api/chat/participants'],
    ['get', '/api/chat/participants/me'],
    ['delete', '/api/chat/participants/me'],
    ['get', '/api/chat/messages'],
    ['get', '/api/chat/messages/1'],
    ['post', '/api/chat/messages'],
  ] as const)('%s %s is refused with 401', async (method, path) => {
    const { token } = await joinByRest(feira);
    const tampered = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`;
    const requests = [
      feira.api[method](path),
      feira.api[method](path).set('Chat-Token', tampered),
      feira.api[method](path).set('Chat-Token', ''),
      feira.api[method](path).set('Cookie', `feira_chat=${tampered}`),
      feira.api[method](path).set('Cookie', `feira_chat=${token}%00`),
      // A header that is sent is never ignored in favour of the cookie.
      feira.api[method](path).set('Chat-Token', 'x').set('Cookie', `feira_chat=${token}`),
    ];
    for (const sent of requests) {
      const res = await sent;
      expect(res.status).toBe(401);
      expect(res.headers['www-authenticate']).toBe('Bearer');
      expect(res.body).toMatchObject({ code: 'NOT_IN_CHAT', type: '/problems/not-in-chat' });
    }
  });
});

describe('other methods', () => {
  it('are refused with 405', async () => {
    await feira.api.put('/api/chat/messages').expect(405).expect('Allow', 'GET, HEAD, POST');
    await feira.api.patch('/api/chat/participants/me').expect(405).expect('Allow', 'GET, HEAD, DELETE');
  });
});
