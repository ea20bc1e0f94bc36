import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ChatMessage, ChatParticipant } from '../../src/realtime/socket-events.ts';
import {
  aMessage,
  anEmail,
  CHAT_ENV,
  caughtUp,
  collect,
  GUEST,
  join,
  joinByRest,
  joinBySocket,
} from '../helpers/chat.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { eventually, nextEvent } from '../helpers/wait-for.ts';

interface Presence {
  participant: ChatParticipant;
  total: number;
}

const of =
  (id: string) =>
  ({ participant }: Presence) =>
    participant.id === id;

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira(CHAT_ENV);
});
afterAll(() => feira.stop());

describe('chat:join', () => {
  it('answers who I am, who is there and the last messages', async () => {
    const ana = await joinBySocket(feira, anEmail('ana'));
    const sent = await ana.socket.emitWithAck('chat:send', aMessage('Good morning!'));
    const bo = await joinBySocket(feira, anEmail('bo'));
    expect(bo.me).toEqual({ id: expect.stringMatching(/^[\da-f]{24}$/), email: bo.email, ...GUEST });
    expect(bo.participants).toEqual(
      expect.arrayContaining([
        { id: ana.me.id, email: 'a•••@m•••.example', ...GUEST },
        { id: bo.me.id, email: 'b•••@m•••.example', ...GUEST },
      ]),
    );
    expect(bo.messages.at(-1)).toEqual((sent as { data: ChatMessage }).data);
    expect(bo.sequence).toBe(bo.messages.at(-1)?.sequence);
    expect(bo.token).toEqual(expect.any(String));
  });

  it('tells everyone in the chat, and nobody else', async () => {
    const ana = await joinBySocket(feira);
    const stranger = await feira.connectSocket();
    const heard = ['chat:joined', 'chat:message', 'chat:left'].map((event) => collect(stranger, event));
    const joined = nextEvent<Presence>(ana.socket, 'chat:joined');
    const bo = await joinBySocket(feira, anEmail('bo'));
    expect(await joined).toEqual({
      participant: { id: bo.me.id, email: 'b•••@m•••.example', ...GUEST },
      total: bo.participants.length,
    });
    const left = nextEvent<Presence>(ana.socket, 'chat:left', of(bo.me.id));
    await bo.socket.emitWithAck('chat:send', aMessage('Not for strangers'));
    bo.socket.disconnect();
    await left;
    await caughtUp(stranger);
    expect(heard).toEqual([[], [], []]);
  });

  it('is one join for each person, however many tabs, and one leave when the last has gone', async () => {
    const ana = await joinBySocket(feira);
    const joins = collect<Presence>(ana.socket, 'chat:joined');
    const leaves = collect<Presence>(ana.socket, 'chat:left');
    const email = anEmail();
    const first = await joinBySocket(feira, email);
    const second = await joinBySocket(feira, email.toUpperCase());
    const third = await joinBySocket(feira, ` ${email} `);
    expect([second.me.id, third.me.id]).toEqual([first.me.id, first.me.id]);
    expect(third.participants.filter(({ id }) => id === first.me.id)).toHaveLength(1);

    const gone = nextEvent<Presence>(ana.socket, 'chat:left', of(first.me.id));
    first.socket.disconnect();
    second.socket.disconnect();
    // Long enough for the grace of the two; the third is still there.
    const other = await joinBySocket(feira);
    const otherLeft = nextEvent<Presence>(ana.socket, 'chat:left', of(other.me.id));
    other.socket.disconnect();
    await otherLeft;
    expect(leaves.filter(of(first.me.id))).toEqual([]);
    third.socket.disconnect();
    await gone;
    expect(joins.filter(of(first.me.id))).toHaveLength(1);
    expect(leaves.filter(of(first.me.id))).toHaveLength(1);
  });

  it('by the token of the handshake is the same person again', async () => {
    const ana = await joinBySocket(feira);
    const again = await feira.connectSocket({ Cookie: `feira_chat=${ana.token}` });
    const { me, token } = await join(again);
    expect(me).toEqual(ana.me);
    expect(token).toBeUndefined();
  });

  it('again on the same socket changes nothing', async () => {
    const ana = await joinBySocket(feira);
    const bo = await joinBySocket(feira);
    const joins = collect<Presence>(ana.socket, 'chat:joined');
    const leaves = collect<Presence>(ana.socket, 'chat:left');
    await Promise.all([join(bo.socket), join(bo.socket, { email: bo.email }), join(bo.socket)]);
    await caughtUp(ana.socket);
    expect([joins, leaves]).toEqual([[], []]);
  });

  it('with another e-mail ends the visit of the first', async () => {
    const ana = await joinBySocket(feira);
    const bo = await joinBySocket(feira);
    const left = nextEvent<Presence>(ana.socket, 'chat:left', of(bo.me.id));
    const now = await join(bo.socket, { email: anEmail() });
    await left;
    expect(now.me.id).not.toBe(bo.me.id);
    expect(now.participants.map(({ id }) => id)).not.toContain(bo.me.id);
  });

  it('without an e-mail and without a valid token is refused', async () => {
    for (const headers of [{}, { Cookie: 'feira_chat=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }, { Cookie: 'feira_chat=' }]) {
      const socket = await feira.connectSocket(headers as Record<string, string>);
      expect(await socket.emitWithAck('chat:join', {})).toMatchObject({ error: { code: 'NOT_IN_CHAT', status: 401 } });
    }
  });
});

describe('chat:leave', () => {
  it('ends the visit in all its tabs at once, and its token', async () => {
    const ana = await joinBySocket(feira);
    const bo = await joinBySocket(feira);
    const tab = await feira.connectSocket({ Cookie: `feira_chat=${bo.token}` });
    await join(tab);
    const told = collect(tab, 'chat:message');
    const left = nextEvent<Presence>(ana.socket, 'chat:left');
    const ended = nextEvent(tab, 'chat:ended');
    expect(await bo.socket.emitWithAck('chat:leave', {})).toEqual({ data: {} });
    expect((await left).participant.id).toBe(bo.me.id);
    await ended;
    await ana.socket.emitWithAck('chat:send', aMessage('Are they gone?'));
    await caughtUp(tab);
    expect(told).toEqual([]);
    for (const socket of [tab, bo.socket]) {
      expect(await socket.emitWithAck('chat:send', aMessage('Hello?'))).toMatchObject({ error: { status: 401 } });
      expect(await socket.emitWithAck('chat:join', {})).toMatchObject({ error: { status: 401 } });
    }
  });

  it('ends it for a tab that joins at the same moment, too', async () => {
    const ana = await joinBySocket(feira);
    for (let round = 0; round < 10; round += 1) {
      const bo = await joinBySocket(feira);
      const tabs = await Promise.all(Array.from({ length: 4 }, () => feira.connectSocket({}, { token: bo.token })));
      await Promise.all([
        bo.socket.emitWithAck('chat:leave', {}),
        ...tabs.map((tab) => tab.emitWithAck('chat:join', {})),
      ]);
      for (const tab of tabs)
        expect(await tab.emitWithAck('chat:send', aMessage('Am I gone?'))).toMatchObject({ error: { status: 401 } });
      await eventually(async () => !(await join(ana.socket)).participants.some(({ id }) => id === bo.me.id));
    }
  });

  it('leaves the same person there in another browser', async () => {
    const ana = await joinBySocket(feira);
    const leaves = collect<Presence>(ana.socket, 'chat:left');
    const email = anEmail();
    const [laptop, phone] = [await joinBySocket(feira, email), await joinBySocket(feira, email)];
    await laptop.socket.emitWithAck('chat:leave', {});
    await caughtUp(ana.socket);
    expect(leaves).toEqual([]);
    expect(await phone.socket.emitWithAck('chat:send', aMessage('Still here'))).toHaveProperty('data');
  });
});

describe('chat:send', () => {
  it('is answered with the stored message, and everyone in the chat gets the same', async () => {
    const [ana, bo] = [await joinBySocket(feira, anEmail('ana')), await joinBySocket(feira)];
    const heard = [ana, bo].map(({ socket }) => nextEvent<ChatMessage>(socket, 'chat:message'));
    const input = aMessage('  Good\r\nmorning!\u202e ');
    const answer = await ana.socket.emitWithAck('chat:send', input);
    const message = {
      sequence: expect.any(Number),
      participant: { id: ana.me.id, email: 'a•••@m•••.example', ...GUEST },
      clientId: input.clientId,
      text: 'Good\nmorning!',
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    };
    expect(answer).toEqual({ data: message });
    expect(await Promise.all(heard)).toEqual([message, message]);
  });

  it('stores a resend once and answers what is stored, ten at once too', async () => {
    const [ana, bo] = [await joinBySocket(feira), await joinBySocket(feira)];
    const heard = collect<ChatMessage>(bo.socket, 'chat:message');
    const input = aMessage('Once');
    const answers = await Promise.all(Array.from({ length: 10 }, () => ana.socket.emitWithAck('chat:send', input)));
    answers.push(await ana.socket.emitWithAck('chat:send', input));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toHaveProperty('data.text', 'Once');
    await caughtUp(bo.socket);
    expect(heard).toHaveLength(1);
  });

  it('refuses a client id that was used for another text', async () => {
    const ana = await joinBySocket(feira);
    const { clientId } = aMessage('');
    await ana.socket.emitWithAck('chat:send', { clientId, text: 'One thing' });
    expect(await ana.socket.emitWithAck('chat:send', { clientId, text: 'Another' })).toMatchObject({
      error: { code: 'INVALID_INPUT', errors: [{ pointer: '#/clientId' }] },
    });
  });

  it('keeps the same client id of two people apart', async () => {
    const [ana, bo] = [await joinBySocket(feira), await joinBySocket(feira)];
    const clientId = aMessage('').clientId;
    await ana.socket.emitWithAck('chat:send', { clientId, text: 'From one' });
    const answer = await bo.socket.emitWithAck('chat:send', { clientId, text: 'From the other' });
    expect(answer).toMatchObject({ data: { text: 'From the other', participant: { id: bo.me.id } } });
  });

  it('numbers messages of many people without gaps, in the order in which they arrive', async () => {
    const people = await Promise.all(Array.from({ length: 5 }, () => joinBySocket(feira)));
    const heard = collect<ChatMessage>(people[0]!.socket, 'chat:message');
    await Promise.all(
      people.flatMap(({ socket }) =>
        Array.from({ length: 4 }, (_, i) => socket.emitWithAck('chat:send', aMessage(`Number ${i}`))),
      ),
    );
    await caughtUp(people[0]!.socket);
    const numbers = heard.map(({ sequence }) => sequence);
    expect(numbers).toEqual(Array.from({ length: 20 }, (_, i) => numbers[0]! + i));
  });
});

describe('chat:history', () => {
  it('pages backwards with before and fills gaps with since', async () => {
    const ana = await joinBySocket(feira);
    for (let i = 1; i <= 7; i += 1) await ana.socket.emitWithAck('chat:send', aMessage(`History ${i}`));
    const ask = async (query: object) => {
      const answer = await ana.socket.emitWithAck('chat:history', query);
      if ('error' in answer) throw new Error(answer.error.detail);
      return answer.data;
    };
    const latest = await ask({ limit: 3 });
    expect(latest.items.map(({ text }) => text)).toEqual(['History 5', 'History 6', 'History 7']);
    expect(latest.newer).toBeNull();
    const before = await ask({ before: latest.older!, limit: 3 });
    expect(before.items.map(({ text }) => text)).toEqual(['History 2', 'History 3', 'History 4']);

    const missed = await ask({ since: latest.sequence - 6, limit: 4 });
    expect(missed.items.map(({ text }) => text)).toEqual(['History 2', 'History 3', 'History 4', 'History 5']);
    expect((await ask({ since: missed.newer!, limit: 4 })).newer).toBeNull();
    expect((await ask({ since: latest.sequence })).items).toEqual([]);
    expect((await ask({ before: 1 })).older).toBeNull();
  });
});

describe('someone who comes by REST', () => {
  it('is announced like everyone else, once', async () => {
    const ana = await joinBySocket(feira);
    const joins = collect<Presence>(ana.socket, 'chat:joined');
    const bo = await joinByRest(feira);
    await bo.as('get', '/api/chat/messages').expect(200);
    const socket = await feira.connectSocket({ Cookie: `feira_chat=${bo.token}` });
    await join(socket);
    await caughtUp(ana.socket);
    expect(joins.filter(of(bo.id))).toHaveLength(1);
    const left = nextEvent<Presence>(ana.socket, 'chat:left', of(bo.id));
    await bo.as('delete', '/api/chat/participants/me').expect(204);
    await left;
  });
});
