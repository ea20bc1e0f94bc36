/** A whole Feira for a test: port 0, a database and directories of its own, and clients for each door. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { pino } from 'pino';
import { io, type Socket } from 'socket.io-client';
import request from 'supertest';
import { loadConfig } from '../../src/config.ts';
import type { ClientToServer, ServerToClient } from '../../src/realtime/socket-events.ts';
import { startServer } from '../../src/server.ts';

export const API_KEY = 'test-key-of-the-suite';
/** The first admin. */
export const ADMIN = { email: 'admin@example.com', password: 'the password of the admin' };

export type TestSocket = Socket<ServerToClient, ClientToServer>;
export type Feira = Awaited<ReturnType<typeof startFeira>>;

/** @param env variables that differ from the suite's own. */
export async function startFeira(env: Record<string, string> = {}) {
  const dir = await mkdtemp(join(tmpdir(), 'feira-test-'));
  const uri = databaseUri(`feira_test_${randomBytes(6).toString('hex')}`);
  const config = loadConfig({
    NODE_ENV: 'test',
    PORT: '0',
    HOST: '127.0.0.1',
    MONGODB_URI: uri,
    DATA_DIR: join(dir, 'data'),
    UPLOADS_DIR: join(dir, 'uploads'),
    FEIRA_API_KEY: API_KEY,
    ADMIN_EMAIL: ADMIN.email,
    ADMIN_PASSWORD: ADMIN.password,
    DEMO_DATA: '0',
    WRITES_PER_MINUTE: '100000',
    ...env,
  });
  const server = await startServer(config, pino({ level: process.env.TEST_LOG_LEVEL ?? 'silent' }));
  const sockets: TestSocket[] = [];

  return {
    url: server.url,
    config,
    /** Requests without a key. */
    api: request(server.url),
    /** A request with the key, such as `withKey('post', '/api/products')`. */
    withKey: (method: 'get' | 'post' | 'put' | 'patch' | 'delete', path: string) =>
      request(server.url)[method](path).set('Authorization', `Bearer ${API_KEY}`),
    /** A page as a browser asks for it. */
    page: (path: string) => request(server.url).get(path).set('Accept', 'text/html'),
    /** A connected socket. @param headers of the handshake. @throws the connect_error */
    async connectSocket(headers: Record<string, string> = {}, auth: object = {}): Promise<TestSocket> {
      const socket: TestSocket = io(server.url, { extraHeaders: headers, auth, reconnection: false, forceNew: true });
      sockets.push(socket);
      await new Promise<void>((resolve, reject) => {
        socket.once('connect', resolve).once('connect_error', reject);
      });
      return socket;
    },
    /** Stops the server and removes its database and directories. */
    async stop() {
      for (const socket of sockets) socket.disconnect();
      await server.stop();
      // Not before: what still runs writes.
      await dropDatabase(uri);
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function dropDatabase(uri: string): Promise<void> {
  const client = await MongoClient.connect(uri);
  await client.db().dropDatabase();
  await client.close();
}

/** The suite's database server with this database's name. */
export function databaseUri(name: string): string {
  const url = new URL(process.env.FEIRA_TEST_MONGODB_URI ?? '');
  url.pathname = `/${name}`;
  // Several test files run at once, and a small server may have fewer connections for transactions than they would take.
  url.searchParams.set('maxPoolSize', '15');
  return url.href;
}
