/** Live products: each committed change goes to every client, and a client that missed some can ask for them. */
import type { EventBus } from '../events.ts';
import { CatalogueChanges } from '../schemas/product.schema.ts';
import type { ProductService } from '../services/product.service.ts';
import type { FeiraServer, RealtimeLog } from './attach.ts';
import { safeHandler } from './safe-handler.ts';

interface ProductsSocketDeps {
  bus: EventBus;
  products: ProductService;
  log: RealtimeLog;
}

const CHANGES = ['created', 'updated', 'deleted'] as const;

export function attachProducts(io: FeiraServer, { bus, products, log }: ProductsSocketDeps): void {
  for (const change of CHANGES) {
    bus.subscribe(`product.${change}`, (event) => {
      const { id, title } = event.product;
      io.emit('update_products', { id, msg: `Product ${change}: ${title}` });
      io.emit(`product:${change}`, event);
    });
  }
  io.on('connection', (socket) => {
    socket.on(
      'catalogue:changes',
      safeHandler(log, CatalogueChanges, ({ since }) => products.changesSince(since)),
    );
  });
}
