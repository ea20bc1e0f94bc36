/** Orders over sockets: whoever may see one is told when it changes, as far as they may see it at that moment. */
import type { Logger } from 'pino';
import { authorize } from '../actor.ts';
import { AppError } from '../errors.ts';
import type { EventBus } from '../events.ts';
import { WatchOrder } from '../schemas/order-watch.schema.ts';
import type { OrderService } from '../services/order.service.ts';
import { safeHandler } from './safe-handler.ts';
import type { FeiraServer, FeiraSocket } from './socket-events.ts';

interface OrdersSocketDeps {
  bus: EventBus;
  orders: Pick<OrderService, 'get'>;
  log: Logger;
}

/** Every order, for the lists of staff. */
const ALL = '*';
const MAX_WATCHED = 50;

/** Sockets by what they watch, with the token that a guest has shown. */
type Watchers = Map<string, Map<FeiraSocket, string | undefined>>;

export function attachOrders(io: FeiraServer, { bus, orders, log }: OrdersSocketDeps): void {
  const watchers: Watchers = new Map();

  async function tell(socket: FeiraSocket, oid: string, token: string | undefined): Promise<void> {
    // As who they are now: a login may have ended since.
    const order = await orders.get({ actor: socket.data.actor, oid, token }).catch((error) => {
      if (error instanceof AppError) return null;
      throw error;
    });
    if (order) socket.emit('order:changed', order);
  }

  bus.subscribe('order.changed', ({ orderId }) => {
    const told = new Map([...(watchers.get(ALL) ?? []), ...(watchers.get(orderId) ?? [])]);
    for (const [socket, token] of told)
      tell(socket, orderId, token).catch((error) => log.error({ err: error }, 'an order could not be told'));
  });

  function watch(socket: FeiraSocket, watched: Set<string>, id: string, token?: string): void {
    if (!socket.connected) return;
    if (watched.size >= MAX_WATCHED && !watched.has(id))
      throw new AppError('LIMIT_REACHED', `One connection watches at most ${MAX_WATCHED} orders.`);
    watched.add(id);
    watchers.set(id, (watchers.get(id) ?? new Map()).set(socket, token));
  }

  io.on('connection', (socket) => {
    const watched = new Set<string>();
    socket.on(
      'order:watch',
      safeHandler(log, WatchOrder, async ({ id, token }) => {
        const { actor } = socket.data;
        if (id === undefined) {
          authorize(actor, 'orders:read');
          watch(socket, watched, ALL);
          return null;
        }
        const found = await orders.get({ actor, oid: id, token });
        watch(socket, watched, found.id, token);
        // Read again by one who is told of changes already: what happens in between comes twice rather than never.
        return orders.get({ actor, oid: found.id, token });
      }),
    );
    socket.on('disconnect', () => {
      for (const id of watched) {
        watchers.get(id)?.delete(socket);
        if (watchers.get(id)?.size === 0) watchers.delete(id);
      }
    });
  });
}
