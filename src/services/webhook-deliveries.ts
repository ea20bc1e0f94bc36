/**
 * Tells endpoints what has happened, as Standard Webhooks say: one consumer of the outbox writes what each endpoint is
 * to get, the other one sends it, ten times over three days at most.
 */
import { Webhook } from 'standardwebhooks';
import { inTransaction } from '../database/transaction.ts';
import { Order } from '../models/order.model.ts';
import { WebhookDelivery, type WebhookDeliveryRecord } from '../models/webhook-delivery.model.ts';
import { WebhookEndpoint, type WebhookEndpointRecord } from '../models/webhook-endpoint.model.ts';
import { forgetTold } from './order-privacy.ts';
import { toOrderDto } from './order-view.ts';
import type { Consumer, Outbox, StoredEvent } from './outbox.ts';
import { ORDER_EVENTS } from './outbox-consumers.ts';
import { unseal } from './sealing.ts';
import { sealedFor } from './webhook.service.ts';
import { postWebhook, WebhookFault } from './webhook-request.ts';

const [SECOND, MINUTE, HOUR] = [1000, 60_000, 3_600_000];
const RETRY_AFTER_MS = [
  ...[5 * SECOND, 5 * MINUTE, 30 * MINUTE],
  ...[2, 5, 10, 14, 20, 24].map((hours) => hours * HOUR),
];
const LIMIT_MS = 15_000;
const KEPT_ATTEMPTS = 20;

interface WebhookConsumersDeps {
  outbox: Outbox;
  /** Opens the secrets. */
  key: Buffer;
  /** Whether private networks may be told; never in production. */
  allowPrivate: boolean;
}

export function webhookConsumers(deps: WebhookConsumersDeps): Consumer[] {
  return [
    {
      name: 'webhooks',
      types: ORDER_EVENTS,
      batch: 50,
      async handle(events) {
        const endpoints = await WebhookEndpoint.find({ disabled: null }).lean();
        for (const event of events) await prepare(deps.outbox, event, endpoints);
      },
    },
    {
      name: 'webhook-deliveries',
      types: ['webhook.delivery_wanted'],
      atOnce: 20,
      retryAfterMs: RETRY_AFTER_MS,
      handle: async ([event]) => {
        if (event?.type === 'webhook.delivery_wanted') await deliver(event.data.deliveryId, deps);
      },
    },
  ];
}

/** What each endpoint is to get; a repeat of the event adds nothing. */
async function prepare(outbox: Outbox, event: StoredEvent, endpoints: readonly WebhookEndpointRecord[]): Promise<void> {
  const wanting = endpoints.filter(({ types }) => types.some((wanted) => covers(wanted, event.type)));
  if (wanting.length === 0 || !('orderId' in event.data)) return;
  const order = await Order.findById(event.data.orderId).lean();
  if (!order) return;
  const { id, type, at } = event;
  const body = JSON.stringify({ type, timestamp: at.toISOString(), data: toOrderDto(order, 'customer') });
  await inTransaction(async (session, writes) => {
    const wantedBy = { $in: wanting.map(({ _id }) => _id) };
    const known = await WebhookDelivery.find({ endpoint: wantedBy, event: id }, { endpoint: 1 })
      .session(session)
      .lean();
    const has = new Set(known.map(({ endpoint }) => endpoint.toHexString()));
    const docs = await WebhookDelivery.insertMany(
      wanting
        .filter(({ _id }) => !has.has(_id.toHexString()))
        .map(({ _id: endpoint }) => ({
          ...{ endpoint, event: id, type, order: order._id, body },
          ...{ attempts: [], createdAt: new Date() },
        })),
      { session },
    );
    const wanted = docs.map(({ _id }) => ({
      type: 'webhook.delivery_wanted' as const,
      data: { deliveryId: _id.toHexString() },
    }));
    outbox.add(writes, ...wanted);
  });
  if (order.email && (await Order.exists({ _id: order._id, email: null }))) await forgetTold([order._id]);
}

const covers = (wanted: string, type: string) =>
  wanted === '*' || wanted === type || (wanted.endsWith('.*') && type.startsWith(wanted.slice(0, -1)));

/** Rejects when it did not arrive and is to be tried again. */
async function deliver(deliveryId: string, deps: WebhookConsumersDeps): Promise<void> {
  const delivery = await WebhookDelivery.findById(deliveryId).lean();
  // It may have arrived by a replay, before its next try.
  if (!delivery || delivery.state === 'delivered') return;
  const endpoint = await WebhookEndpoint.findOne({ _id: delivery.endpoint, disabled: null }).lean();
  if (!endpoint) return note(delivery, 'failed', null, 'The webhook is switched off.', 0);
  const began = Date.now();
  const answer = await send(delivery, endpoint, deps).then(
    (status) => ({ status, fault: status >= 200 && status < 300 ? null : `It answered ${status}.` }),
    (error: unknown) => {
      if (!(error instanceof WebhookFault)) throw error;
      return { status: null, fault: error.message };
    },
  );
  await note(delivery, answer.fault ? 'failed' : 'delivered', answer.status, answer.fault, Date.now() - began);
  if (answer.status === 410)
    await WebhookEndpoint.updateOne({ _id: endpoint._id }, { $set: { disabled: 'gone' }, $inc: { version: 1 } });
  else if (answer.fault) throw new WebhookFault(answer.fault);
}

function send(
  { event, body }: WebhookDeliveryRecord,
  { _id, url, secret, previous, previousUntil }: WebhookEndpointRecord,
  { key, allowPrivate }: WebhookConsumersDeps,
): Promise<number> {
  const [now, id] = [new Date(), event.toHexString()];
  const secrets = previous && previousUntil && previousUntil > now ? [secret, previous] : [secret];
  const signatures = secrets.map((sealed) =>
    new Webhook(unseal(key, sealed, sealedFor(_id.toHexString()))).sign(id, now, body),
  );
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'Feira-Webhooks',
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
    'webhook-signature': signatures.join(' '),
  };
  return postWebhook({ url, headers, body, limitMs: LIMIT_MS, allowPrivate });
}

async function note(
  { _id }: WebhookDeliveryRecord,
  state: 'delivered' | 'failed',
  status: number | null,
  fault: string | null,
  ms: number,
): Promise<void> {
  const attempts = { $each: [{ at: new Date(), ms, status, fault }], $slice: -KEPT_ATTEMPTS };
  await WebhookDelivery.updateOne({ _id }, { $set: { state }, $push: { attempts } });
}
