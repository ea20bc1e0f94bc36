/** Every message that travels over a socket, in both directions. The README lists them for clients. */

import type { Problem } from '../errors.ts';
import type { ProductEvent } from '../events.ts';
import type { CatalogueChangeList } from '../services/product.service.ts';

export type AckResult<T> = { data: T } | { error: Problem };
export type Ack<T> = (result: AckResult<T>) => void;

export interface ClientToServer {
  /** Asks for what has changed after a sequence number. */
  'catalogue:changes': (payload: { since: number }, ack: Ack<CatalogueChangeList>) => void;
}

export interface ServerToClient {
  /** A public contract: sent to every client after each change of a product. */
  update_products: (notice: { id: string; msg: string }) => void;
  /** The last message before the server closes the connection; clients connect again by themselves. */
  'server:stopping': (notice: { reason: string }) => void;
  'product:created': (event: ProductEvent) => void;
  'product:updated': (event: ProductEvent) => void;
  'product:deleted': (event: ProductEvent) => void;
}
