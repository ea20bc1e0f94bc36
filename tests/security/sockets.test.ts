import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import mongoose from 'mongoose';
import WebSocket from 'ws';
import { joinByRest } from '../helpers/chat.ts';
import { createProduct } from '../helpers/factories.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { eventually, nextEvent } from '../helpers/wait-for.ts';

const MAX_SOCKETS = 20;
let feira: Feira;
beforeAll(async () => {
  feira = await startFeira({ SOCKETS_PER_ADDRESS: String(MAX_SOCKETS), TRUST_PROXY: '1' });
});
afterAll(() => feira.stop());

const websocket = (headers: Record<string, string> = {}) =>
  new WebSocket(`${feira.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`, { headers });

/** 'open', or the refusal. */
function outcome(socket: WebSocket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('open', () => resolve('open')).once('error', (error) => resolve(error.message));
  });
}

describe('the origin of a handshake', () => {
  it.each(['https://evil.example', 'null', 'http://127.0.0.1', 'file://'])(
    'refuses %s by websocket and by polling',
    async (origin) => {
      const headers = { Origin: origin, Cookie: 'feira_cart=x; feira_chat=y' };
      expect(await outcome(websocket(headers))).toMatch(/403|400/);
      const polling = await feira.api.get('/socket.io/?EIO=4&transport=polling').set(headers);
      expect(polling.status).toBe(403);
      expect(polling.text).not.toContain('sid');
    },
  );

  it('accepts the shop itself, and programs that send none', async () => {
    for (const headers of [{ Origin: feira.url }, undefined]) {
      const socket = websocket(headers);
      expect(await outcome(socket)).toBe('open');
      socket.terminate();
    }
  });
});

describe('one address', () => {
  it(`holds at most ${MAX_SOCKETS} sockets, and gets a place back for each that it closes`, async () => {
    const sockets: WebSocket[] = [];
    for (let i = 0; i < MAX_SOCKETS; i++) {
      const socket = websocket();
      expect(await outcome(socket)).toBe('open');
      sockets.push(socket);
    }
    expect(await outcome(websocket())).toMatch(/403|400/);
    for (const socket of sockets) {
      socket.terminate();
      await once(socket, 'close');
    }
    await expect(feira.connectSocket()).resolves.toBeDefined();
  });

  it('is all of the network that a home has by IPv6', async () => {
    const from = (address: string) => websocket({ 'X-Forwarded-For': address });
    const sockets = Array.from({ length: MAX_SOCKETS }, (_, i) => from(`2001:db8:1:2::${i}`));
    for (const socket of sockets) expect(await outcome(socket)).toBe('open');
    expect(await outcome(from('2001:db8:1:2:3:4:5:6'))).toMatch(/403|400/);
    const elsewhere = from('2001:db8:1:3::1');
    expect(await outcome(elsewhere)).toBe('open');
    for (const socket of [...sockets, elsewhere]) socket.terminate();
  });
});

describe('one connection', () => {
  const connectionWith = async (token: string) => {
    const connection = websocket();
    const received: string[] = [];
    connection.on('message', (message) => received.push(String(message)));
    await once(connection, 'open');
    return { connection, received, open: () => connection.send(`40{"token":"${token}"}`) };
  };

  it('opens one socket, however often it asks for one at once', async () => {
    const { token } = await joinByRest(feira);
    const { connection, received, open } = await connectionWith(token);
    for (let i = 0; i < 90; i++) open();
    await eventually(() => received.filter((message) => /^4[04]/.test(message)).length === 90);
    await createProduct(feira);
    await eventually(() => received.some((message) => message.includes('product:created')));
    expect(received.filter((message) => message.startsWith('40'))).toHaveLength(1);
    expect(received.filter((message) => message.includes('product:created'))).toHaveLength(1);
    connection.terminate();
  });

  it('is cut when it asks for sockets without end', async () => {
    const { connection } = await connectionWith('');
    const cut = once(connection, 'close');
    for (let i = 0; i < 1000; i++) connection.send(`40/x${i},`);
    await cut;
  });

  it('is cut when it asks and does not read, before the answers fill the memory', async () => {
    const description = 'd'.repeat(5000);
    for (let i = 0; i < 40; i++) await createProduct(feira, { description });
    const { connection, received } = await connectionWith('');
    const others: WebSocket[] = [];
    const isPlaceFree = async () => {
      const one = websocket();
      others.push(one);
      return (await outcome(one)) === 'open';
    };
    while (await isPlaceFree());
    connection.send('40');
    await eventually(() => received.some((message) => message.startsWith('40')));
    connection.pause();
    for (let i = 0; i < 90; i++) connection.send(`42${i}["catalogue:changes",{"since":0}]`);
    await eventually(isPlaceFree);
    connection.resume();
    await once(connection, 'close');
    expect(received.filter((message) => message.startsWith('43')).length).toBeLessThan(90);
    for (const one of others) one.terminate();
  });
});

describe('one socket', () => {
  it('is cut when it floods, and the others go on', async () => {
    const [flooder, other] = [await feira.connectSocket(), await feira.connectSocket()];
    const cut = nextEvent<string>(flooder, 'disconnect');
    for (let i = 0; i < 50_000; i++) flooder.emit('catalogue:changes', { since: 0 }, () => {});
    expect(await cut).toBe('io server disconnect');

    const told = nextEvent<{ id: string }>(other, 'update_products');
    const product = await createProduct(feira);
    expect((await told).id).toBe(product.id);
  });

  it('may send what nobody expects: unknown events, odd payloads, no acknowledgement', async () => {
    const socket = await feira.connectSocket();
    const raw = socket as unknown as { emit(event: string, ...args: unknown[]): void };
    raw.emit('no:such:event', { a: 1 });
    raw.emit('catalogue:changes');
    raw.emit('catalogue:changes', 'x', 5, null);
    raw.emit('catalogue:changes', { since: 0, __proto__: { isAdmin: true } });
    raw.emit('__proto__', {});
    raw.emit('catalogue:changes', Buffer.alloc(10));
    const answer = await socket.emitWithAck('catalogue:changes', { since: 0 });
    expect(answer).toHaveProperty('data.complete');
    expect(({} as { isAdmin?: boolean }).isAdmin).toBeUndefined();
  });

  it('is cut for a message over 64 kB', async () => {
    const socket = await feira.connectSocket();
    const cut = nextEvent<string>(socket, 'disconnect');
    socket.emit('catalogue:changes', { since: 'x'.repeat(1_000_000) as never }, () => {});
    expect(await cut).toMatch(/transport/);
  });

  it('that asks again and again for more changes than are told keeps nobody waiting', async () => {
    const product = await createProduct(feira, { description: 'd'.repeat(5000) });
    const db = mongoose.connection.db!;
    const changes = db.collection<{ _id: number; product: unknown; type: string; at: Date }>('catalogue_changes');
    const counter = { _id: 'catalogue' as never };
    const { value } = (await db.collection('counters').findOne(counter))!;
    const rest = { type: 'updated', product: { ...product, alike: 'd'.repeat(10_000) }, at: new Date() };
    await changes.insertMany(Array.from({ length: 600 }, (_, i) => ({ _id: value + 1 + i, ...rest })));
    await db.collection('counters').updateOne(counter, { $inc: { value: 600 } });

    const socket = await feira.connectSocket();
    const began = Date.now();
    const asked = Array.from({ length: 80 }, () => socket.emitWithAck('catalogue:changes', { since: 0 }));
    await feira.api.get('/healthz').expect(200);
    for (const answer of await Promise.all(asked))
      expect(answer).toEqual({ data: { changes: [], sequence: value + 600, complete: false } });
    expect(Date.now() - began).toBeLessThan(2000);
  });
});
