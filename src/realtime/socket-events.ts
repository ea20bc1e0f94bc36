/** Every message that travels over a socket, in both directions. The README lists them for clients. */
import type { DefaultEventsMap, Server, Socket } from 'socket.io';
import type { Actor } from '../actor.ts';
import type { Problem } from '../errors.ts';
import type { DomainEvents, PresenceEvent, ProductEvent } from '../events.ts';
import type { CatalogueChangeList } from '../services/catalogue-log.ts';
import type { ChatVisitor, MessageList } from '../services/chat.service.ts';
import type { OrderService } from '../services/order.service.ts';

export type AckResult<T> = { data: T } | { error: Problem };
export type Ack<T> = (result: AckResult<T>) => void;

/** A message of the chat and a person in it, as everyone may see them: e-mails are masked. */
export type ChatMessage = DomainEvents['chat.message.posted'];
export type ChatParticipant = PresenceEvent['participant'];

/** An order as one who watches it may see it. */
export type WatchedOrder = Awaited<ReturnType<OrderService['get']>>;

/** The room at the moment of joining. */
export interface ChatJoined {
  /** Yourself, with the e-mail as you typed it. */
  me: ChatVisitor['me'];
  participants: ChatParticipant[];
  /** The last messages, oldest first; `older` is for `chat:history` with `before`, null when these are all. */
  messages: ChatMessage[];
  sequence: number;
  older: number | null;
  /** What proves a guest from now on, as `auth: { token }` or in the header Chat-Token; absent when you sent it. */
  token?: string;
}

/** Who else has a product open, by name, and its version when somebody has just opened it. */
export interface ProductEditors {
  id: string;
  version?: number;
  people: string[];
}

export interface ClientToServer {
  /** Asks for what has changed after a sequence number. */
  'catalogue:changes': (payload: { since: number }, ack: Ack<CatalogueChangeList>) => void;
  /**
   * From now on `order:changed` tells of an order of yours, or of one whose guest token you have; the answer is the order.
   * Without an id, of every order: for staff, and the answer is null.
   */
  'order:watch': (payload: { id?: string; token?: string }, ack: Ack<WatchedOrder | null>) => void;
  /** For staff: from now on `product:editors` tells who else has this product open, and they of you. Ends with the socket. */
  'product:editing': (payload: { id: string }, ack: Ack<ProductEditors>) => void;
  /**
   * Joins the chat: as who is logged in, or by the token or cookie of the handshake, or with an e-mail. One that belongs
   * to an account is refused as CONFIRMATION_NEEDED, and taken with the code that was mailed to it.
   */
  'chat:join': (payload: { email?: string; code?: string }, ack: Ack<ChatJoined>) => void;
  /** Ends the visit: its token and all its connections. */
  'chat:leave': (payload: object, ack: Ack<object>) => void;
  /** Acknowledged when it is stored. The same `clientId` again is the same message. */
  'chat:send': (payload: { clientId: string; text: string }, ack: Ack<ChatMessage>) => void;
  /** The last messages, or those before or since a sequence number; at most 100. */
  'chat:history': (payload: { since?: number; before?: number; limit?: number }, ack: Ack<MessageList>) => void;
}

export interface ServerToClient {
  /** A public contract: sent to every client after each change of a product. */
  update_products: (notice: { id: string; msg: string }) => void;
  /** The last message before the server closes the connection; clients connect again by themselves. */
  'server:stopping': (notice: { reason: string }) => void;
  /** The login or key has ended, or may do something else. The connection closes and comes back as what it is then. */
  'login:changed': (notice: { reason: string }) => void;
  /** An order that you watch, as you may see it now. */
  'order:changed': (order: WatchedOrder) => void;
  /** Somebody has opened or left the product that you have open. */
  'product:editors': (editors: ProductEditors) => void;
  'product:created': (event: ProductEvent) => void;
  'product:updated': (event: ProductEvent) => void;
  'product:deleted': (event: ProductEvent) => void;
  /** Sent to everyone in the chat: once for each person, with the number of people who are there now. */
  'chat:joined': (event: PresenceEvent) => void;
  'chat:left': (event: PresenceEvent) => void;
  /** In the order of their sequence; a gap is to be filled by `chat:history` with `since`. */
  'chat:message': (message: ChatMessage) => void;
  /** This visit was ended elsewhere, such as in another tab; the socket is no longer in the chat. */
  'chat:ended': (notice: { reason: string }) => void;
}

interface SocketData {
  /** Who opened the socket, with the rights of this moment. */
  actor: Actor;
  /** The product that it has open for changes. */
  editing?: string | undefined;
}

export type FeiraServer = Server<ClientToServer, ServerToClient, DefaultEventsMap, SocketData>;
export type FeiraSocket = Socket<ClientToServer, ServerToClient, DefaultEventsMap, SocketData>;
