import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import { EventBus } from '../../src/events.ts';
import { ChatService } from '../../src/services/chat.service.ts';
import { someone } from '../helpers/accounts.ts';
import { anEmail, CHAT_ENV, joinByRest } from '../helpers/chat.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira(CHAT_ENV);
});
afterAll(() => feira.stop());

describe('ChatService.forget', () => {
  it('leaves what was said without name and address, also from before there was the account', async () => {
    const email = anEmail('zora');
    const before = await joinByRest(feira, email);
    await before.as('post', '/api/chat/messages').send({ text: 'As a guest' }).expect(201);
    const { as, user } = await someone(feira, { email, name: 'Zora Quimby' });
    await as('post', '/api/chat/participants').expect(201);
    await as('post', '/api/chat/messages').send({ text: 'As myself' }).expect(201);
    const bo = await joinByRest(feira, anEmail('bo'));
    await bo.as('post', '/api/chat/messages').send({ text: 'As Bo' }).expect(201);

    const chat = new ChatService({
      ...{ bus: new EventBus(() => {}), graceMs: 0, joinsPerMinute: 1, messagesPerTenSeconds: 1 },
      ...{ limits: { mail: async () => false }, mail: { send: () => {} }, log: { error: () => {} } },
    });
    await mongoose.connection.transaction((session) => chat.forget(user, session));

    const { body } = await bo.as('get', '/api/chat/messages');
    const said = body.items.map(({ text, participant }: { text: string; participant: object }) => [text, participant]);
    const nobody = { email: 'erased account', name: null, verified: false };
    expect(said).toEqual([
      ['As a guest', expect.objectContaining(nobody)],
      ['As myself', expect.objectContaining(nobody)],
      ['As Bo', expect.objectContaining({ email: 'b•••@m•••.example' })],
    ]);
    const stored = await Promise.all(
      ['messages', 'participants'].map((name) => mongoose.connection.collection(name).find().toArray()),
    );
    expect(JSON.stringify(stored)).not.toMatch(/zora/i);
  });
});
