/** Live products: each committed change goes to every client, and a client that missed some can ask for them. */
import type { Logger } from 'pino';
import type { EventBus } from '../events.ts';
import { CatalogueChanges } from '../schemas/product.schema.ts';
import type { ProductService } from '../services/product.service.ts';
import { safeHandler } from './safe-handler.ts';
import type { FeiraServer } from './socket-events.ts';

interface ProductsSocketDeps {
  bus: EventBus;
  products: ProductService;
  log: Logger;
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
