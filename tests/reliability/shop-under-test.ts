/**
 * Real processes of the shop that may be killed at any moment, and its database, which is read directly. Without a URI
 * the shop is one process with the embedded store inside: a kill hits both in the same moment, and the database is read
 * while the shop is down. With a URI, two processes share one database of that server.
 */
import { appendFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Db, MongoClient } from 'mongodb';
import { freePort, spawnFeira } from '../helpers/start-process.ts';
import { startBuiltStore } from '../load/built-store.ts';
import type { Sale } from './checker.ts';
import { atOnce, type Cart, type Choices, fillCart, insist, send } from './requests.ts';

const KEY = 'key-of-the-reliability-report';
const ADMIN = { email: 'admin@example.com', password: 'the password of the admin' };
const CLIENTS = 50;
/** Longer than a claim of a killed process lasts, and thousands of mails take on a busy machine. */
const SETTLED_WITHIN_MS = 600_000;
/** Only the newest thousand mails are kept. */
const LOOK_MS = 250;

export interface ShopOptions {
  /** Of a MongoDB-compatible server; the embedded store when left out. */
  uri?: string;
  /** What a killed process had claimed is taken over at once, as if the claims had run out, rather than after 30 s. */
  hurries?: boolean;
}

export type Shop = Awaited<ReturnType<typeof openShop>>;

export async function openShop({ uri, hurries = false }: ShopOptions) {
  const dir = await mkdtemp(join(tmpdir(), 'feira-reliability-'));
  const database = new URL(uri ?? 'mongodb://embedded');
  database.pathname = `/feira_reliability_${process.pid}_${Date.now()}`;
  const ports = await Promise.all((uri ? [0, 1] : [0]).map(freePort));
  const urls = ports.map((port) => `http://127.0.0.1:${port}`);
  const running = new Map<number, ReturnType<typeof spawnFeira>>();
  const env = {
    ...(uri && { MONGODB_URI: database.href }),
    ...{ DATA_DIR: join(dir, 'data'), UPLOADS_DIR: join(dir, 'uploads'), FEIRA_API_KEY: KEY },
    ...{ ADMIN_EMAIL: ADMIN.email, ADMIN_PASSWORD: ADMIN.password, WRITES_PER_MINUTE: '1000000', LOG_LEVEL: 'error' },
  };

  const startOne = async (port: number) => {
    const feira = spawnFeira({ ...env, PORT: String(port) });
    running.set(port, feira);
    // Not /readyz: with all clients back at once, a busy machine may answer that with "not yet" for long.
    const answer = insist(() => send(`http://127.0.0.1:${port}/healthz`, undefined, {}, 'GET'));
    const ended = feira.exited.then(() => 'ended');
    if ((await Promise.race([ended, answer])) === 'ended') throw new Error(`Feira did not start: ${feira.output()}`);
  };
  const end = async (port: number, signal: NodeJS.Signals) => {
    const feira = running.get(port);
    running.delete(port);
    feira?.process.kill(signal);
    await feira?.exited;
    if (feira?.output()) appendFileSync(join(dir, 'log'), feira.output());
  };
  const look = async () => {
    for (const name of await readdir(join(dir, 'data/outbox')).catch(() => []))
      if (name.endsWith('.json')) shop.mails.add(name.slice(name.indexOf('-') + 1, -'.json'.length));
  };
  const looking = setInterval(look, LOOK_MS);

  const shop = {
    dir,
    urls,
    /** The ids of all mails that were seen in the folder. */
    mails: new Set<string>(),
    /** What each product had when it was made. */
    start: new Map<string, number>(),
    sales: [] as Sale[],
    /** To be called with each answer that says that there is an order: the clients' own list, also in a file. */
    note(sale: Sale) {
      shop.sales.push(sale);
      appendFileSync(join(dir, 'sales'), `${JSON.stringify(sale)}\n`);
    },
    /** Starts all processes that do not run, on the ports that they had. */
    async open() {
      for (const port of ports) if (!running.has(port)) await startOne(port);
    },
    /** SIGKILL of one process at random. */
    kill: () => end(ports[Math.floor(Math.random() * ports.length)] ?? 0, 'SIGKILL'),
    /** Ends the shop by SIGTERM and reads its database, which nobody else has open then. */
    async read<T>(work: (db: Db) => Promise<T>): Promise<T> {
      await Promise.all(ports.map((port) => end(port, 'SIGTERM')));
      const store = uri ? null : await startBuiltStore(join(dir, 'data/store'));
      const client = new MongoClient(store?.uri ?? database.href);
      try {
        return await work(client.db());
      } finally {
        await client.close();
        await store?.end('SIGTERM');
      }
    },
    /** Closes the shop when everybody has been told of everything, or after a time limit: the checker sees what is left. */
    async settle() {
      const deadline = Date.now() + SETTLED_WITHIN_MS;
      for (let wait = hurries ? 500 : 4000; Date.now() < deadline; wait = Math.min(wait * 2, 60_000)) {
        await shop.open();
        await delay(wait);
        const isQuiet = await shop.read(async (db) => {
          const events = db.collection('outbox_events');
          const waiting = { dueAt: { $gt: new Date(0) } };
          if (hurries) await events.updateMany(waiting, { $set: { dueAt: new Date() } });
          return (await events.countDocuments(waiting)) === 0;
        });
        if (isQuiet) break;
      }
      await look();
    },
    async post<T>(path: string, body: object, token = KEY): Promise<T> {
      const answer = await send<T>(`${urls[0]}${path}`, body, { Authorization: `Bearer ${token}` });
      if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
      return answer.body;
    },
    /** So many products with so much stock. @returns their ids */
    async stock(count: number, stock: number): Promise<string[]> {
      const ids: string[] = [];
      for (let i = 0; i < count; i++) {
        const code = `R-${shop.start.size}`;
        const product = { code, title: `Mug ${code}`, price: 1999, stock, category: 'Ceramics' };
        const { id } = await shop.post<{ id: string }>('/api/products', product);
        shop.start.set(id, stock);
        ids.push(id);
      }
      return ids;
    },
    /** Coupons of a tenth, each for so many uses. */
    async coupons(codes: readonly string[], maxUses: number) {
      const { accessToken } = await shop.post<{ accessToken: string }>('/api/auth/login', ADMIN);
      for (const code of codes)
        await shop.post('/api/coupons', { code, kind: 'percentage', value: 1000, maxUses }, accessToken);
    },
    /** Carts by all processes in turn, without those that are refused. */
    async carts(wishes: readonly Choices[]): Promise<Cart[]> {
      const carts = await atOnce(CLIENTS, wishes, (choices, i) => fillCart(urls[i % urls.length] ?? '', choices));
      return carts.filter((cart) => cart !== null);
    },
    /** Ends everything. @param keeps the files and the database, because something was wrong */
    async remove(keeps: boolean) {
      clearInterval(looking);
      await Promise.all(ports.map((port) => end(port, 'SIGKILL')));
      if (keeps) return;
      if (uri) await shop.read((db) => db.dropDatabase());
      await rm(dir, { recursive: true, force: true });
    },
  };
  await shop.open();
  return shop;
}
