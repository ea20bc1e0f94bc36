/** The list of all models; database/connect.ts makes their collections and indexes from it. */
import type { Collection, IndexDefinition, IndexOptions } from 'mongoose';
import { ApiKey } from './api-key.model.ts';
import { AuditEntry } from './audit-entry.model.ts';
import { Cart } from './cart.model.ts';
import { CatalogueChange } from './catalogue-change.model.ts';
import { Category } from './category.model.ts';
import { ChatVisit } from './chat-visit.model.ts';
import { Counter } from './counter.model.ts';
import { Coupon, CouponUse } from './coupon.model.ts';
import { IdempotencyKey } from './idempotency-key.model.ts';
import { Message } from './message.model.ts';
import { OneUseToken } from './one-use-token.model.ts';
import { Order } from './order.model.ts';
import { OutboxEvent } from './outbox-event.model.ts';
import { Participant } from './participant.model.ts';
import { Passkey } from './passkey.model.ts';
import { PaymentAttempt } from './payment-attempt.model.ts';
import { PaymentEvent } from './payment-event.model.ts';
import { PriceChange } from './price-change.model.ts';
import { Product } from './product.model.ts';
import { RateLimit } from './rate-limit.model.ts';
import { Secret } from './secret.model.ts';
import { Session } from './session.model.ts';
import { StockMovement } from './stock-movement.model.ts';
import { User } from './user.model.ts';
import { WebhookDelivery } from './webhook-delivery.model.ts';
import { WebhookEndpoint } from './webhook-endpoint.model.ts';

/** What the start needs of a model. */
interface StoredModel {
  collection: Collection;
  schema: { indexes(): [IndexDefinition, IndexOptions][] };
  createCollection(): Promise<unknown>;
}

export const models: readonly StoredModel[] = [
  ApiKey,
  AuditEntry,
  Cart,
  CatalogueChange,
  Category,
  ChatVisit,
  Counter,
  Coupon,
  CouponUse,
  IdempotencyKey,
  Message,
  OneUseToken,
  OutboxEvent,
  Order,
  Participant,
  Passkey,
  PaymentAttempt,
  PaymentEvent,
  PriceChange,
  Product,
  RateLimit,
  Secret,
  Session,
  StockMovement,
  User,
  WebhookDelivery,
  WebhookEndpoint,
];
