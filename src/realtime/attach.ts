/**
 * The Socket.io server on the shop's HTTP server. Only the shop's own pages and programs without an Origin may connect;
 * each address has a number of connections, each connection one socket and a number of messages.
 */
import type { Server as HttpServer, IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import proxyAddr from 'proxy-addr';
import { Server } from 'socket.io';
import type { Actor } from '../actor.ts';
import type { Config } from '../config.ts';
import type { EventBus } from '../events.ts';
import { networkOf } from '../network.ts';
import { isOwnOrigin } from '../origin.ts';
import type { ChatService } from '../services/chat.service.ts';
import type { OrderService } from '../services/order.service.ts';
import type { ProductService } from '../services/product.service.ts';
import type { SessionService } from '../services/session.service.ts';
import { authenticateSocket, socketIdentity } from './authenticate-socket.ts';
import { attachChat } from './chat.socket.ts';
import { attachEditing } from './editing.socket.ts';
import { followLogins } from './follow-logins.ts';
import { limitConnections } from './limit-connections.ts';
import { attachOrders } from './orders.socket.ts';
import { passOverUpgrades } from './other-upgrades.ts';
import { attachProducts } from './products.socket.ts';
import type { FeiraServer } from './socket-events.ts';

const MAX_MESSAGE_BYTES = 64 * 1024;
const CLOSE_LIMIT_MS = 2000;

export interface RealtimeDeps {
  config: Config;
  log: Logger;
  bus: EventBus;
  products: ProductService;
  orders: OrderService;
  chat: ChatService;
  sessions: SessionService;
  /** Who opens a socket, by the same check as for a request. */
  identify: (handshake: IncomingMessage, bearer?: string) => Promise<Actor>;
  /** Express's compiled `trust proxy`: is this address one of our proxies? */
  trustProxy: (address: string, hop: number) => boolean;
}

export function attachRealtime(httpServer: HttpServer, deps: RealtimeDeps): FeiraServer {
  const { http, limits } = deps.config;
  const io: FeiraServer = new Server(httpServer, {
    serveClient: true,
    maxHttpBufferSize: MAX_MESSAGE_BYTES,
    destroyUpgrade: false,
    allowRequest: (req, decide) => decide(null, isOwnOrigin(req, http.publicUrl) && !connections.isFull(req)),
  });
  passOverUpgrades(httpServer, (req) => req.url?.startsWith(`${io.path()}/`) === true);
  const addressOf = (req: IncomingMessage) => proxyAddr(req, deps.trustProxy);
  const connections = countConnections(io, (req) => networkOf(addressOf(req)), limits.socketsPerAddress);
  const identityOf = socketIdentity(deps);
  io.use(authenticateSocket(identityOf, deps.log));
  limitConnections(io);
  followLogins(io, { ...deps, identityOf });
  attachProducts(io, deps);
  attachOrders(io, deps);
  attachEditing(io, deps);
  attachChat(io, { ...deps, addressOf });
  return io;
}

/**
 * Tells every client that the server stops and closes the connections after what was sent; clients see a lost
 * connection and come back by themselves. Those that do not read are cut after two seconds.
 */
export async function closeRealtime(io: FeiraServer, httpServer: HttpServer): Promise<void> {
  io.emit('server:stopping', { reason: 'The server is stopping; it will be back in a moment.' });
  const closed = [...io.of('/').sockets.values()].map(({ conn }) => {
    const gone = new Promise((resolve) => conn.once('close', resolve));
    conn.close();
    return gone;
  });
  await Promise.race([Promise.all(closed), delay(CLOSE_LIMIT_MS, undefined, { ref: false })]);
  // What comes next waits for every connection, also for those that ask for nothing and do not go.
  httpServer.closeAllConnections();
  await io.close();
}

/** Counts the open connections of each address; `isFull` tells whether one more would be too many. */
function countConnections(io: FeiraServer, addressOf: (req: IncomingMessage) => string, max: number) {
  const open = new Map<string, number>();
  io.engine.on(
    'connection',
    (connection: { request: IncomingMessage; once(event: 'close', done: () => void): void }) => {
      const address = addressOf(connection.request);
      open.set(address, (open.get(address) ?? 0) + 1);
      connection.once('close', () => {
        const left = (open.get(address) ?? 1) - 1;
        if (left > 0) open.set(address, left);
        else open.delete(address);
      });
    },
  );
  return { isFull: (req: IncomingMessage) => (open.get(addressOf(req)) ?? 0) >= max };
}
