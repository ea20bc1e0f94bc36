import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { pino } from 'pino';
import { io } from 'socket.io-client';
import request from 'supertest';
import { loadConfig } from '../../src/config.ts';
import type { ChatMessage } from '../../src/realtime/socket-events.ts';
import { startServer } from '../../src/server.ts';
import { aMessage, anEmail, CHAT_ENV, caughtUp, collect, join } from '../helpers/chat.ts';
import { databaseUri, type TestSocket } from '../helpers/start-feira.ts';
import { nextEvent } from '../helpers/wait-for.ts';

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
  });
});
