import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { pino } from 'pino';
import { io } from 'socket.io-client';
import request from 'supertest';
import { loadConfig } from '../../src/config.ts';
import type { ChatJoined, ChatMessage, ChatParticipant } from '../../src/realtime/socket-events.ts';
import { startServer } from '../../src/server.ts';
import { logIn, signUp, someone } from '../helpers/accounts.ts';
import { aMessage, CHAT_ENV, join, joinByRest, joinBySocket } from '../helpers/chat.ts';
import { nextMail } from '../helpers/mailbox.ts';
import { API_KEY, databaseUri, type Feira, startFeira, type TestSocket } from '../helpers/start-feira.ts';
import { eventually, nextEvent } from '../helpers/wait-for.ts';
import { webVisitor } from '../helpers/web-visitor.ts';

const ADMIN = { email: 'admin@shop.example', password: 'a password of the admin' };

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira({ ...CHAT_ENV, ADMIN_EMAIL: ADMIN.email, ADMIN_PASSWORD: ADMIN.password });
});
afterAll(() => feira.stop());

/** A browser that is logged in, and its cookies for a socket. */
async function browserOf(shop: Pick<Feira, 'url'>, email: string, password: string) {
  const visitor = webVisitor(shop);
  await visitor.submit('/login', { email, password });
  const site = { path: '/', domain: '127.0.0.1', secure: false, script: false };
  return { ...visitor, cookies: () => visitor.agent.jar.getCookies(site).toValueString() };
}

describe('chat:join of somebody who is logged in', () => {
  it('by a cookie or a token is by name, for everyone who is there', async () => {
    const guest = await joinBySocket(feira);
    const { user, accessToken } = await someone(feira, { name: 'Ana Sousa' });
    const seen = nextEvent<{ participant: ChatParticipant }>(guest.socket, 'chat:joined');
    const socket = await feira.connectSocket({}, { token: accessToken });
    const { me, token } = await join(socket);
    expect(me).toMatchObject({ email: user.email, name: 'Ana Sousa', verified: true });
    expect(token).toBeUndefined();
    expect((await seen).participant).toEqual({ id: me.id, email: 'a•••@e•••.com', name: 'Ana Sousa', verified: true });

    const browser = await browserOf(feira, user.email, 'correct horse battery staple');
    expect((await join(await feira.connectSocket({ Cookie: browser.cookies() }))).me).toEqual(me);

    const heard = nextEvent<ChatMessage>(guest.socket, 'chat:message');
    await socket.emitWithAck('chat:send', aMessage('Good morning!'));
    expect((await heard).participant).toMatchObject({ id: me.id, name: 'Ana Sousa', verified: true });
  });

  it('is by another name as soon as the account has one', async () => {
    const { as, accessToken } = await someone(feira, { name: 'Ana Sousa' });
    const { me } = await join(await feira.connectSocket({}, { token: accessToken }));
    await as('patch', '/api/users/edit').send({ name: 'Ana Maria' }).expect(200);
    await eventually(async () => {
      const { participants, socket } = await joinBySocket(feira);
      socket.disconnect();
      return participants.some(({ id, name }) => id === me.id && name === 'Ana Maria');
    });
  });

  it('goes before the cookie of a guest, and after a token that was handed over', async () => {
    const guest = await joinByRest(feira);
    const { user, accessToken } = await someone(feira);
    const browser = await browserOf(feira, user.email, 'correct horse battery staple');
    const both = `${browser.cookies()}; feira_chat=${guest.token}`;
    const byToken = await join(await feira.connectSocket({ Cookie: both }, { token: guest.token }));
    expect(byToken.me.id).toBe(guest.id);
    const byLogin = await join(
      await feira.connectSocket({ Cookie: `feira_chat=${guest.token}` }, { token: accessToken }),
    );
    expect(byLogin.me.name).toBe(user.name);
  });

  it('is not theirs with a forged cookie, or that of another shop', async () => {
    const { user } = await someone(feira);
    const browser = await browserOf(feira, user.email, 'correct horse battery staple');
    const cookie = browser.cookies().match(/feira_session=([^;]+)/)![1]!;
    const [id = '', signature = ''] = decodeURIComponent(cookie).slice(2).split('.');
    for (const value of [
      id,
      `s:${id}`,
      `s:${id}.`,
      `s:${id}.${signature.slice(0, -2)}AA`,
      `s:${randomBytes(24).toString('base64url')}.${signature}`,
      '[object Object]',
    ]) {
      const socket = await feira.connectSocket({ Cookie: `feira_session=${encodeURIComponent(value)}` });
      expect(await socket.emitWithAck('chat:join', {})).toMatchObject({ error: { code: 'NOT_IN_CHAT' } });
    }
  });

  it('is nothing for a key: it is nobody', async () => {
    const socket = await feira.connectSocket({}, { token: API_KEY });
    expect(await socket.emitWithAck('chat:join', {})).toMatchObject({ error: { code: 'NOT_IN_CHAT' } });
  });

  it('ends with the login: others see them go, and nothing more is taken', async () => {
    const guest = await joinBySocket(feira);
    const { accessToken, as } = await someone(feira);
    const socket = await feira.connectSocket({}, { token: accessToken });
    const { me } = await join(socket);
    const left = nextEvent<{ participant: ChatParticipant }>(
      guest.socket,
      'chat:left',
      ({ participant }) => participant.id === me.id,
    );
    const lost = nextEvent(socket, 'disconnect');
    await as('post', '/api/auth/logout').expect(204);
    await Promise.all([left, lost]);
  });
});

describe('chat:join with the address of an account', () => {
  it('is refused until the code comes along', async () => {
    const { email } = await signUp(feira, { name: 'Bea Costa' });
    const socket = await feira.connectSocket();
    expect(await socket.emitWithAck('chat:join', { email })).toMatchObject({
      error: { code: 'CONFIRMATION_NEEDED', status: 403 },
    });
    expect(await socket.emitWithAck('chat:send', aMessage('Am I in?'))).toMatchObject({ error: { status: 401 } });
    const { code } = await nextMail(feira, email);
    const { me, token } = await join(socket, { email, code });
    expect(me).toMatchObject({ name: 'Bea Costa', verified: true });
    expect((await join(await feira.connectSocket({}, { token }))).me).toEqual(me);
  });

  it('ends at once when the account is disabled', async () => {
    const admin = await logIn(feira, ADMIN.email, ADMIN.password);
    const { email, id } = await signUp(feira);
    const socket = await feira.connectSocket();
    await socket.emitWithAck('chat:join', { email });
    const { code } = await nextMail(feira, email);
    await join(socket, { email, code });
    const ended = nextEvent(socket, 'chat:ended');
    await admin.as('patch', `/api/users/${id}`).send({ disabled: true }).expect(200);
    await ended;
    expect(await socket.emitWithAck('chat:send', aMessage('Still me?'))).toMatchObject({ error: { status: 401 } });
  });
});

describe('a restart of the server', () => {
  it('brings open sockets back as the same people, by cookie and by token', async () => {
    const dir = await mkdtemp(joinPath(tmpdir(), 'feira-test-'));
    const env = {
      ...CHAT_ENV,
      MONGODB_URI: databaseUri(`feira_test_${randomBytes(6).toString('hex')}`),
      DATA_DIR: joinPath(dir, 'data'),
      UPLOADS_DIR: joinPath(dir, 'uploads'),
      FEIRA_API_KEY: 'key-of-the-restart-test',
      DEMO_DATA: '0',
      ADMIN_EMAIL: ADMIN.email,
      ADMIN_PASSWORD: ADMIN.password,
    };
    const start = (port: string) => startServer(loadConfig({ ...env, PORT: port }), pino({ level: 'silent' }));
    await feira.stop();
    const first = await start('0');
    const shop = { url: first.url, api: request(first.url) };
    const browser = await browserOf(shop, ADMIN.email, ADMIN.password);
    const { accessToken } = await logIn(shop, ADMIN.email, ADMIN.password);
    const options = { forceNew: true, reconnectionDelay: 20, reconnectionDelayMax: 50 };
    const sockets: TestSocket[] = [
      io(first.url, { ...options, extraHeaders: { Cookie: browser.cookies() } }),
      io(first.url, { ...options, auth: { token: accessToken } }),
    ];
    const before = await Promise.all(sockets.map((socket) => join(socket)));
    const again: ChatJoined[] = [];
    for (const socket of sockets) socket.on('connect', async () => void again.push(await join(socket)));

    await first.stop();
    const second = await start(new URL(first.url).port);
    await eventually(() => again.length === 2);
    expect(again.map(({ me }) => me)).toEqual(before.map(({ me }) => me));
    expect(again[0]!.me).toMatchObject({ name: 'Admin', verified: true });

    for (const socket of sockets) socket.disconnect();
    await mongoose.connection.dropDatabase();
    await second.stop();
    await rm(dir, { recursive: true, force: true });
    feira = await startFeira();
  });
});
