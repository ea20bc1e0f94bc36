/**
 * Who may send what over a socket: every event, as everybody, about what is their own, somebody else's or missing. An
 * event that a client may send and that has no row fails, and so does a row whose answer differs.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Socket } from 'socket.io';
import type { Problem } from '../../src/errors.ts';
import type { ProblemCode } from '../../src/problem-codes.ts';
import type { ChatMessage, ClientToServer } from '../../src/realtime/socket-events.ts';
import type { MessageList } from '../../src/services/chat.service.ts';
import { logInBrowser, someone } from '../helpers/accounts.ts';
import { type Caller, everybody } from '../helpers/callers.ts';
import { aMessage, anEmail, CHAT_ENV, collect, join, joinBySocket } from '../helpers/chat.ts';
import { type Feira, startFeira, type TestSocket } from '../helpers/start-feira.ts';

const listening = jest.spyOn(Socket.prototype, 'on');

let feira: Feira;
let callers: Caller[];
let last = 0;
/** Everybody comes from somewhere else: none is limited for what others do. */
const somewhere = () => ({ 'X-Forwarded-For': `203.0.113.${++last}` });

/** Somebody else, who is in the chat with an account and has said something. */
let other: { socket: TestSocket; email: string; message: ChatMessage };

beforeAll(async () => {
  feira = await startFeira({ ...CHAT_ENV, TRUST_PROXY: '1' });
  callers = await everybody(feira);
  const { accessToken, user } = await someone(feira);
  const socket = await feira.connectSocket(somewhere(), { token: accessToken });
  await join(socket);
  const sent = (await socket.emitWithAck('chat:send', aMessage('Mine'))) as { data: ChatMessage };
  other = { socket, email: user.email, message: sent.data };
});
afterAll(() => feira.stop());

type Due = ProblemCode | 'let in';

interface Row {
  /** What it is about. */
  about: string;
  /** Does the caller join the chat before? */
  joined?: boolean;
  payload: (caller: Caller) => object;
  due: (caller: Caller) => Due;
  /** What whoever is let in must get, and must not. */
  check?: (data: never, caller: Caller, me: string) => void;
}

const everyone = (): Due => 'let in';
const nobody = (): Due => 'NOT_IN_CHAT';
const people =
  (refusal: ProblemCode) =>
  ({ kind }: Caller): Due =>
    kind === 'person' ? 'let in' : refusal;
const guests =
  (refusal: ProblemCode) =>
  ({ kind }: Caller): Due =>
    kind === 'person' ? refusal : 'let in';

const rules: { [Event in keyof ClientToServer]: Row[] } = {
  'catalogue:changes': [
    { about: 'the catalogue', payload: () => ({ since: 0 }), due: everyone },
    { about: 'changes to come', payload: () => ({ since: 999_999 }), due: everyone },
  ],
  'order:watch': [
    {
      about: 'every order',
      payload: () => ({}),
      due: ({ kind, permissions }) =>
        permissions.includes('orders:read') ? 'let in' : kind === 'visitor' ? 'UNAUTHENTICATED' : 'FORBIDDEN',
    },
    { about: 'an order that is not', payload: () => ({ id: 'f'.repeat(24) }), due: () => 'NOT_FOUND' },
  ],
  'product:editing': [
    {
      about: 'a product that is not',
      payload: () => ({ id: 'f'.repeat(24) }),
      due: ({ kind, permissions }) =>
        permissions.includes('products:write') ? 'NOT_FOUND' : kind === 'visitor' ? 'UNAUTHENTICATED' : 'FORBIDDEN',
    },
  ],
  'chat:join': [
    { about: 'nobody by name', payload: () => ({}), due: people('NOT_IN_CHAT') },
    {
      about: 'their own address',
      payload: ({ email }) => ({ email: email ?? anEmail() }),
      due: everyone,
      check: ({ me }: { me: { email: string; verified: boolean } }, { kind, email }) => {
        expect(me.verified).toBe(kind === 'person');
        if (email) expect(me.email).toBe(email);
      },
    },
    {
      about: "somebody else's address",
      payload: () => ({ email: other.email }),
      due: ({ kind }) => (kind === 'person' ? 'INVALID_INPUT' : 'CONFIRMATION_NEEDED'),
    },
    {
      about: "somebody else's address with a code that nobody was sent",
      payload: () => ({ email: other.email, code: '000000' }),
      due: ({ kind }) => (kind === 'person' ? 'INVALID_INPUT' : 'INVALID_TOKEN'),
    },
    {
      about: 'an address without an account',
      payload: () => ({ email: anEmail() }),
      due: guests('INVALID_INPUT'),
      check: ({ me }: { me: { verified: boolean } }) => expect(me.verified).toBe(false),
    },
  ],
  'chat:leave': [
    { about: 'no visit', payload: () => ({}), due: nobody },
    { about: 'their own visit', joined: true, payload: () => ({}), due: everyone },
  ],
  'chat:send': [
    { about: 'no visit', payload: () => aMessage('From outside'), due: nobody },
    {
      about: 'their own visit',
      joined: true,
      payload: () => aMessage('Good morning!'),
      due: everyone,
      check: (message: ChatMessage, _caller, me) => expect(message.participant.id).toBe(me),
    },
    {
      about: "the id of somebody else's message",
      joined: true,
      payload: () => ({ clientId: other.message.clientId, text: 'Not theirs' }),
      due: everyone,
      check: (message: ChatMessage, _caller, me) => {
        expect(message.sequence).not.toBe(other.message.sequence);
        expect(message.participant.id).toBe(me);
      },
    },
  ],
  'chat:history': [
    { about: 'no visit', payload: () => ({}), due: nobody },
    {
      about: 'the room',
      joined: true,
      payload: () => ({ since: other.message.sequence - 1, limit: 1 }),
      due: everyone,
      check: ({ items }: MessageList) => expect(items).toEqual([other.message]),
    },
    {
      about: 'messages to come',
      joined: true,
      payload: () => ({ since: 999_999 }),
      due: everyone,
      check: ({ items }: MessageList) => expect(items).toEqual([]),
    },
  ],
};

const rows = Object.entries(rules).flatMap(([event, about]) => about.map((row) => ({ event, ...row })));

const connect = ({ token }: Pick<Caller, 'token'>) => feira.connectSocket(somewhere(), token === null ? {} : { token });

/** What an event of any name is answered. */
const ask = (socket: TestSocket, event: string, payload: object): Promise<{ data?: unknown; error?: Problem }> =>
  (socket as { emitWithAck(name: string, payload: object): Promise<object> }).emitWithAck(event, payload);

describe('the access matrix of sockets', () => {
  it('has a row for every event that is listened to, and no other', () => {
    const own = ['disconnect', 'disconnecting', 'error'];
    const heard = new Set(listening.mock.calls.map(([event]) => String(event)).filter((event) => !own.includes(event)));
    expect(Object.keys(rules).sort()).toEqual([...heard].sort());
  });

  it.each(rows)('$event about $about', async ({ event, joined, payload, due, check }) => {
    for (const caller of callers) {
      const socket = await connect(caller);
      const me = joined ? (await join(socket, caller.email ? {} : { email: anEmail() })).me.id : '';
      const { data, error } = await ask(socket, event, payload(caller));
      expect({ name: caller.name, answer: error?.code ?? 'let in' }).toEqual({
        name: caller.name,
        answer: due(caller),
      });
      if (data) check?.(data as never, caller, me);
      socket.disconnect();
    }
    // Whatever was asked, the other one is still there, and has said what they said.
    const { data } = await ask(other.socket, 'chat:history', { limit: 100 });
    expect((data as MessageList).items).toContainEqual(other.message);
  });

  it('lets nobody hear the room who is not in it', async () => {
    const outside = await Promise.all(callers.map(connect));
    const heard = outside.flatMap((socket) =>
      ['chat:message', 'chat:joined', 'chat:left'].map((event) => collect(socket, event)),
    );
    const { socket } = await joinBySocket(feira, anEmail(), somewhere());
    await socket.emitWithAck('chat:send', aMessage('For those inside'));
    await Promise.all(outside.map((each) => each.emitWithAck('catalogue:changes', { since: 0 })));
    expect(heard.flat()).toEqual([]);
    for (const each of outside) each.disconnect();
  });
});

describe('the handshake', () => {
  /** As whom a socket came in: an address, or a guest; otherwise what it was refused with. */
  const cameAs = async (connected: Promise<TestSocket>): Promise<string> => {
    try {
      const { data } = await ask(await connected, 'chat:join', {});
      return (data as { me: { email: string } } | undefined)?.me.email ?? 'a guest';
    } catch (error) {
      return (error as { data?: Problem }).data?.code ?? 'refused';
    }
  };

  it('knows everybody by what they send as a token', async () => {
    for (const caller of callers)
      expect({ name: caller.name, as: await cameAs(connect(caller)) }).toEqual({
        name: caller.name,
        as: caller.email ?? 'a guest',
      });
  });

  it('knows people by the cookie of their browser, and takes it from the shop itself alone', async () => {
    for (const { name, email } of callers) {
      if (!email) continue;
      const { agent } = await logInBrowser(feira, email);
      const site = { path: '/', domain: '127.0.0.1', secure: false, script: false };
      const Cookie = agent.jar.getCookies(site).toValueString();
      const from = (Origin: string) => cameAs(feira.connectSocket({ ...somewhere(), Cookie, Origin }));
      expect({ name, as: await from(feira.url) }).toEqual({ name, as: email });
      expect({ name, as: await from('https://evil.example') }).toEqual({ name, as: 'refused' });
    }
  });

  it('refuses everybody whose login or key has ended, and what is missing or was made up', async () => {
    const boss = callers.find(({ name }) => name === 'admin')!;
    const person = await someone(feira);
    const { body: key } = await feira.api
      .post('/api/keys')
      .set(boss.headers)
      .send({ name: 'ends', permissions: ['products:write'] });
    await feira.api.delete(`/api/keys/${key.id}`).set(boss.headers).expect(204);
    await person.as('post', '/api/auth/logout').expect(204);
    for (const token of [person.accessToken, key.key, `feira_${'x'.repeat(43)}`, randomUUID(), '', 7, {}])
      expect({ token, as: await cameAs(feira.connectSocket(somewhere(), { token })) }).toEqual({
        token,
        as: 'UNAUTHENTICATED',
      });
  });
});
