import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { pino } from 'pino';
import { io } from 'socket.io-client';
import request from 'supertest';
import { loadConfig } from '../../src/config.ts';
import type { ChatMessage, ChatParticipant } from '../../src/realtime/socket-events.ts';
import { startServer } from '../../src/server.ts';
import { aMessage, anEmail, CHAT_ENV, caughtUp, collect, join, joinByRest, joinBySocket } from '../helpers/chat.ts';
import { databaseUri, type Feira, startFeira, type TestSocket } from '../helpers/start-feira.ts';
import { nextEvent } from '../helpers/wait-for.ts';

interface Presence {
  participant: ChatParticipant;
}

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira({ ...CHAT_ENV, CHAT_GRACE_MS: '400' });
});
afterAll(() => feira.stop());

describe('a page reload', () => {
  it('within the grace period is neither a leave nor a join', async () => {
    const ana = await joinBySocket(feira);
    const [reloading, leaving] = [await joinBySocket(feira), await joinBySocket(feira)];
    const joins = collect<Presence>(ana.socket, 'chat:joined');
    const leaves = collect<Presence>(ana.socket, 'chat:left');

    reloading.socket.disconnect();
    await feira.page('/chat').set('Cookie', `feira_chat=${reloading.token}`).expect(200);
    await join(await feira.connectSocket({ Cookie: `feira_chat=${reloading.token}` }));
    // Someone who really goes shows when the grace period is over.
    const left = nextEvent(ana.socket, 'chat:left');
    leaving.socket.disconnect();
    await left;

    expect(joins).toEqual([]);
    expect(leaves.map(({ participant }) => participant.id)).toEqual([leaving.me.id]);
  });
});

describe('a visit that is closed for good', () => {
  it('ends when the grace period is over, not with the last request for the page', async () => {
    const ana = await joinBySocket(feira);
    const bo = await joinByRest(feira);
    const tab = await feira.connectSocket({ Cookie: `feira_chat=${bo.token}` });
    await join(tab);
    await feira.page('/chat').set('Cookie', `feira_chat=${bo.token}`).expect(200);
    const left = nextEvent<Presence>(ana.socket, 'chat:left');
    tab.disconnect();
    expect((await left).participant.id).toBe(bo.id);
  });
});

describe('a restart of the server', () => {
  it('tells nobody that everyone has left, and keeps people, tokens and messages', async () => {
    const config = loadConfig({
      ...CHAT_ENV,
      PORT: '0',
      MONGODB_URI: databaseUri(`feira_test_${randomBytes(6).toString('hex')}`),
      FEIRA_API_KEY: 'key-of-the-restart-test',
      DATA_DIR: '/nonexistent',
      UPLOADS_DIR: '/nonexistent',
      DEMO_DATA: '0',
    });
    // One process has one connection: the other server of this file makes room.
    await feira.stop();

    const first = await startServer(config, pino({ level: 'silent' }));
    const connect = (url: string): TestSocket => io(url, { reconnection: false, forceNew: true });
    const [one, two] = [connect(first.url), connect(first.url)];
    const ana = await join(one, { email: anEmail() });
    await join(two, { email: anEmail() });
    const sent = (await one.emitWithAck('chat:send', aMessage('Before the restart'))) as { data: ChatMessage };
    await caughtUp(two);
    const leaves = collect(two, 'chat:left');
    const closed = nextEvent(two, 'disconnect');
    await first.stop();
    await closed;
    expect(leaves).toEqual([]);

    const second = await startServer(config, pino({ level: 'silent' }));
    const history = await request(second.url).get('/api/chat/messages').set('Chat-Token', ana.token!).expect(200);
    expect(history.body.items).toEqual([sent.data]);
    const again = await request(second.url)
      .post('/api/chat/messages')
      .set('Chat-Token', ana.token!)
      .send({ clientId: sent.data.clientId, text: sent.data.text })
      .expect(200);
    expect(again.body).toEqual(sent.data);
    const next = await request(second.url)
      .post('/api/chat/messages')
      .set('Chat-Token', ana.token!)
      .send(aMessage('After it'))
      .expect(201);
    expect(next.body).toMatchObject({ sequence: sent.data.sequence + 1, participant: { id: ana.me.id } });

    await mongoose.connection.dropDatabase();
    await second.stop();
    feira = await startFeira(CHAT_ENV);
  });
});
