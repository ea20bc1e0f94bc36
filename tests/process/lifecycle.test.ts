import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { io } from 'socket.io-client';
import { productInput } from '../helpers/factories.ts';
import { checkoutInput } from '../helpers/orders.ts';
import { type FeiraProcess, spawnFeira, startProcess } from '../helpers/start-process.ts';
import { nextEvent } from '../helpers/wait-for.ts';

const KEY = 'key-of-the-process-tests';
let dir: string;
let env: Record<string, string>;
const running: FeiraProcess[] = [];

async function start(overrides: Record<string, string> = {}): Promise<FeiraProcess> {
  const feira = await startProcess({ ...env, ...overrides });
  running.push(feira);
  return feira;
}

const create = (feira: FeiraProcess, key = KEY) =>
  feira.api.post('/api/products').set('Authorization', `Bearer ${key}`).send(productInput());

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'feira-process-'));
  env = { DATA_DIR: join(dir, 'data'), UPLOADS_DIR: join(dir, 'uploads'), FEIRA_API_KEY: KEY };
});
afterEach(async () => {
  for (const feira of running.splice(0)) if (feira.process.exitCode === null) await feira.end('SIGKILL');
  await rm(dir, { recursive: true, force: true });
});

describe('data', () => {
  it('survives a restart', async () => {
    const first = await start();
    const { body: product } = await create(first).expect(201);
    expect(await first.end('SIGTERM')).toBe(0);

    const second = await start();
    const { body } = await second.api.get(`/api/products/${product.id}`).expect(200);
    expect(body).toEqual(product);
  });

  it('survives kill -9 under load: every acknowledged product is there', async () => {
    const first = await start();
    const acknowledged: string[] = [];
    const writers = Array.from({ length: 8 }, async () => {
      for (;;) {
        const res = await create(first);
        if (res.status !== 201) return;
        acknowledged.push(res.body.id);
        if (acknowledged.length === 60) first.process.kill('SIGKILL');
      }
    });
    await Promise.allSettled(writers);
    await once(first.process, 'exit').catch(() => undefined);

    const second = await start();
    for (const id of acknowledged) await second.api.get(`/api/products/${id}`).expect(200);
    await create(second).expect(201);
  });
});

describe('start', () => {
  it('makes a key when none is configured, shows it once and stores only its hash', async () => {
    const first = await start({ FEIRA_API_KEY: '' });
    const key = /feira_[\w-]{43}/.exec(first.output())?.[0] ?? '';
    await create(first, key).expect(201);
    await first.end('SIGTERM');

    const second = await start({ FEIRA_API_KEY: '' });
    expect(second.output()).not.toMatch(/feira_[\w-]{43}/);
    await create(second, key).expect(201);
  });

  it('lists every fault of the configuration and ends with 1', async () => {
    const { exited, output } = spawnFeira({ ...env, PORT: 'x', LOG_LEVEL: 'loud' });
    expect(await exited).toBe(1);
    for (const fault of ['PORT must be a whole number', 'LOG_LEVEL must be one of']) expect(output()).toContain(fault);
    expect(output()).not.toMatch(/\bat .*\.js:\d+/);
  });

  it('refuses a data directory that another process has open, and names it', async () => {
    const first = await start();
    const { exited, output } = spawnFeira({ ...env, PORT: '0' });
    expect(await exited).toBe(1);
    expect(output()).toContain(env.DATA_DIR!);
    await create(first).expect(201);
  });

  it('says so when the port is taken', async () => {
    const first = await start();
    const { exited, output } = spawnFeira({ ...env, DATA_DIR: join(dir, 'other'), PORT: new URL(first.url).port });
    expect(await exited).toBe(1);
    expect(output()).toMatch(/port \d+ .*in use/i);
  });
});

describe.each(['SIGTERM', 'SIGINT'] as const)('%s', (signal) => {
  it('lets a running request end, tells the sockets, and exits with 0', async () => {
    const feira = await start();
    const socket = io(feira.url, { reconnection: false });
    await once(socket as never, 'connect');
    const told = nextEvent<{ reason: string }>(socket, 'server:stopping');

    const body = JSON.stringify(productInput());
    const slow = connect(Number(new URL(feira.url).port), '127.0.0.1');
    slow.write(
      `POST /api/products HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${KEY}\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    // "100 Continue" proves that the request is running.
    await once(slow, 'data');
    const exited = feira.end(signal);
    slow.write(body);
    const [answer] = await once(slow, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1.1 201/);

    expect(await told).toEqual({ reason: expect.any(String) });
    expect(await exited).toBe(0);
    socket.disconnect();
  });
});

describe('a stop', () => {
  it('waits for nobody who is connected and asks for nothing, nor for ever for half a request', async () => {
    const feira = await start();
    const { port, host } = new URL(feira.url);
    const half = 'POST /api/carts HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{';
    for (const sent of ['', 'GET / HT', half]) {
      const idle = connect(Number(port), '127.0.0.1');
      idle.on('error', () => {});
      await once(idle, 'connect');
      idle.write(sent);
    }
    await fetch(`http://${host}/healthz`);
    expect(await feira.end('SIGTERM')).toBe(0);
  }, 40_000);
});

describe('the log', () => {
  it('has the request id and none of the secrets that travel in headers, addresses and bodies', async () => {
    const feira = await start({ LOG_LEVEL: 'trace' });
    const answer = await feira.api
      .post('/api/products?token=secret-in-address')
      .set({ Authorization: `Bearer ${KEY}`, Cookie: 'feira_chat=secret-in-cookie', 'Cart-Secret': 'secret-in-header' })
      .send(productInput({ description: 'secret-in-body' }));
    await feira.api.get('/api/products').set('Authorization', 'Bearer secret-that-is-wrong').expect(401);
    await feira.end('SIGTERM');
    expect(feira.output()).toContain(answer.headers['x-request-id']);
    expect(feira.output()).not.toMatch(new RegExp(`secret-|${KEY}`));
  });

  it('says what went wrong with a payment, and not what the provider knows of the buyer', async () => {
    const failure = {
      type: 'api_error',
      message: 'It fails.',
      payment_intent: { client_secret: 'secret-of-the-intent' },
    };
    const provider = createServer((_req, res) => {
      res.writeHead(500, { 'Content-Type': 'application/json', 'Stripe-Should-Retry': 'false' });
      res.end(JSON.stringify({ error: failure }));
    }).listen(0, '127.0.0.1');
    await once(provider, 'listening');
    const feira = await start({
      STRIPE_SECRET_KEY: 'sk_test_x',
      STRIPE_WEBHOOK_SECRET: 'whsec_x',
      STRIPE_API_URL: `http://127.0.0.1:${(provider.address() as AddressInfo).port}`,
    });
    const { body: product } = await create(feira).expect(201);
    const items = [{ productId: product.id, quantity: 1 }];
    const cart = await feira.api.post('/api/carts').send({ items }).expect(201);
    await feira.api
      .post(`/api/carts/${cart.body.id}/checkout`)
      .set('Cart-Secret', cart.headers['cart-secret']!)
      .send(checkoutInput({ paymentMethod: 'stripe', payment: {} }))
      .expect(201);
    await feira.end('SIGTERM');
    provider.close();
    expect(feira.output()).toMatch(/"type":"StripeAPIError","message":"It fails\."/);
    expect(feira.output()).not.toContain('secret-');
  });
});
