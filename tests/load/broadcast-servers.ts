/**
 * One event to every client, twice: through Feira's realtime door, or through a bare ws server that sends the same
 * frames. Run as a child process with `feira` or `bare`; each message `broadcast` is answered with the time at which
 * it began, in nanoseconds of the machine's monotonic clock.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { WebSocketServer } from 'ws';
import { loadConfig } from '../../src/config.ts';
import { EventBus, type ProductEvent } from '../../src/events.ts';
import { attachRealtime, type RealtimeDeps } from '../../src/realtime/attach.ts';

const event: ProductEvent = {
  sequence: 1,
  product: {
    id: '665f1c2ab8a1f0c3d4e5f601',
    code: 'CER-001',
    title: 'Speckled mug',
    description: 'Thrown by hand, glazed in two colours, each a little different from the next. '.repeat(3),
    price: 1999,
    currency: 'EUR',
    stock: 12,
    status: true,
    category: 'Ceramics',
    categoryPath: 'ceramics',
    options: [],
    variants: [],
    draft: false,
    listPrice: null,
    lowestPrice30Days: null,
    related: [],
    thumbnails: ['/img/demo/cer-001.webp'],
    images: [],
    version: 3,
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
  },
};
const notice = { id: event.product.id, msg: `Product updated: ${event.product.title}` };

function feira(httpServer: Server): () => void {
  const bus = new EventBus(() => {});
  const config = loadConfig({ SOCKETS_PER_ADDRESS: '100000' });
  // Only the products' door is used: it needs no service for pushing.
  const deps = { config, bus, log: pino({ level: 'silent' }), trustProxy: () => false } as unknown as RealtimeDeps;
  attachRealtime(httpServer, deps);
  return () => bus.publish('product.updated', event);
}

function bare(httpServer: Server): () => void {
  const server = new WebSocketServer({ server: httpServer });
  const frames = [
    ['update_products', notice],
    ['product:updated', event],
  ].map((packet) => `42${JSON.stringify(packet)}`);
  return () => {
    for (const frame of frames) for (const client of server.clients) client.send(frame);
  };
}

const httpServer = createServer();
const broadcast = process.argv[2] === 'feira' ? feira(httpServer) : bare(httpServer);
process.on('message', () => {
  process.send?.({ at: process.hrtime.bigint().toString() });
  broadcast();
});
httpServer.listen(0, '127.0.0.1', () => process.send?.({ port: (httpServer.address() as AddressInfo).port }));
