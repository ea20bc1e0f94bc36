import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ChatParticipant } from '../../src/realtime/socket-events.ts';
import { CHAT_ENV, collect, join, joinByRest, joinBySocket } from '../helpers/chat.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
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
