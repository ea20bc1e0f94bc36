/**
 * Domain events: what has happened, in the past tense. Services publish after the write has committed; the doors
 * (realtime) subscribe. Publisher and subscriber share only these types.
 */
import type { MessageDto } from './models/message.model.ts';
import type { ParticipantDto } from './models/participant.model.ts';
import type { ProductDto } from './models/product.model.ts';

/** `sequence` numbers the changes of the whole catalogue without gaps, in the order of their commits. */
export interface ProductEvent {
  sequence: number;
  product: ProductDto;
}

/** Someone has come to the chat or gone; `total` people are there now. */
export interface PresenceEvent {
  participant: ParticipantDto;
  total: number;
}

export interface DomainEvents {
  'product.created': ProductEvent;
  'product.updated': ProductEvent;
  'product.deleted': ProductEvent;
  'chat.joined': PresenceEvent;
  'chat.left': PresenceEvent;
  /** In the order of the room's sequence. */
  'chat.message.posted': MessageDto;
  /** A browser or program has left; its connections are no longer in the room. */
  'chat.visit.ended': { visit: string };
  /** A login is over: logged out, ended elsewhere, or ended with all others. */
  'session.ended': { sessionId: string };
  /** Name, role, address or state of an account is another one, or the account is gone. */
  'user.changed': { userId: string };
  /** Something has happened to an order; those who look at it read it again. */
  'order.changed': { orderId: string };
}

/** What is told through the outbox: written in the transaction of the change, told after it, at least once. */
export interface ShopEvents {
  'order.placed': { orderId: string };
  'order.authorized': { orderId: string };
  'order.paid': { orderId: string };
  'order.payment_failed': { orderId: string };
  'order.fulfilled': { orderId: string };
  'order.delivered': { orderId: string };
  'order.cancelled': { orderId: string };
  'order.refund_requested': { orderId: string; refundId: string };
  'order.refunded': { orderId: string };
  /** Somebody asks for the link to an order; it goes to the order's own address. */
  'order.link_wanted': { orderId: string };
  'stock.changed': { productIds: string[] };
  /** Something is to be sent to an endpoint of webhooks. */
  'webhook.delivery_wanted': { deliveryId: string };
}

/** One thing that has happened. */
export type ShopEvent = { [T in keyof ShopEvents]: { type: T; data: ShopEvents[T] } }[keyof ShopEvents];

type Listener<Name extends keyof DomainEvents> = (event: DomainEvents[Name]) => void;

/** A typed bus inside the process. A listener that throws is reported and disturbs nobody. */
export class EventBus {
  readonly #listeners = new Map<keyof DomainEvents, Set<(event: never) => void>>();
  readonly #onError: (error: unknown, name: string) => void;

  constructor(onError: (error: unknown, name: string) => void) {
    this.#onError = onError;
  }

  /** @returns a function that ends the subscription. */
  subscribe<Name extends keyof DomainEvents>(name: Name, listener: Listener<Name>): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  publish<Name extends keyof DomainEvents>(name: Name, event: DomainEvents[Name]): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      try {
        (listener as Listener<Name>)(event);
      } catch (error) {
        this.#onError(error, name);
      }
    }
  }
}
