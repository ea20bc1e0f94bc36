/** Who of the staff has a product open: they see each other, so that nobody is surprised by what another one saves. */
import type { Logger } from 'pino';
import { type Actor, authorize, isUser } from '../actor.ts';
import { EditProduct } from '../schemas/product.schema.ts';
import type { ProductService } from '../services/product.service.ts';
import { safeHandler } from './safe-handler.ts';
import type { FeiraServer, FeiraSocket, ProductEditors } from './socket-events.ts';

interface EditingSocketDeps {
  products: Pick<ProductService, 'get'>;
  log: Logger;
}

const roomOf = (id: string) => `product:${id}:editors`;
const nameOf = (actor: Actor) => (isUser(actor) ? actor.name : 'A program');

export function attachEditing(io: FeiraServer, { products, log }: EditingSocketDeps): void {
  const inRoom = (id: string) => io.in(roomOf(id)).fetchSockets();
  const othersThan = (me: Actor, sockets: readonly { data: FeiraSocket['data'] }[]) => {
    const others = sockets.map(({ data }) => data.actor).filter(({ id }) => id !== me.id);
    return [...new Map(others.map((actor) => [actor.id, nameOf(actor)])).values()];
  };

  /** Each hears of the others, as they are now. */
  async function tell(id: string, { version, except }: { version?: number; except?: string } = {}): Promise<void> {
    const sockets = await inRoom(id);
    for (const socket of sockets.filter((one) => one.id !== except))
      socket.emit('product:editors', {
        id,
        people: othersThan(socket.data.actor, sockets),
        ...(version !== undefined && { version }),
      });
  }

  async function leave(socket: FeiraSocket): Promise<void> {
    const { editing } = socket.data;
    if (editing === undefined) return;
    socket.data.editing = undefined;
    await socket.leave(roomOf(editing));
    await tell(editing);
  }

  async function open(socket: FeiraSocket, id: string): Promise<ProductEditors> {
    const { actor } = socket.data;
    authorize(actor, 'products:write');
    const { version } = await products.get(id, actor);
    if (socket.data.editing !== id) await leave(socket);
    if (!socket.connected) return { id, version, people: [] };
    socket.data.editing = id;
    await socket.join(roomOf(id));
    await tell(id, { version, except: socket.id });
    return { id, version, people: othersThan(actor, await inRoom(id)) };
  }

  io.on('connection', (socket) => {
    socket.on(
      'product:editing',
      safeHandler(log, EditProduct, ({ id }) => open(socket, id)),
    );
    socket.on('disconnect', () => {
      leave(socket).catch((error) => log.error({ err: error }, 'nobody was told that a product is left'));
    });
  });
}
