/** When what has not arrived at an endpoint is tried again: the outbox knows. */
import { OutboxEvent } from '../models/outbox-event.model.ts';
import type { WebhookDeliveryRecord } from '../models/webhook-delivery.model.ts';

/** @returns times by the ids of deliveries, now for those that are being sent; what is not tried any more is not in it */
export async function nextTries(deliveries: readonly WebhookDeliveryRecord[]): Promise<Map<string, Date>> {
  const ids = deliveries.filter(({ state }) => state !== 'delivered').map(({ _id }) => _id.toHexString());
  if (ids.length === 0) return new Map();
  const now = new Date();
  // What is being sent is due when the claim on it runs out, which says nothing.
  const events = await OutboxEvent.find(
    { consumer: 'webhook-deliveries', dueAt: { $gt: new Date(0) }, 'data.deliveryId': { $in: ids } },
    { data: 1, dueAt: 1, claim: 1 },
  ).lean();
  const times = events.map(({ data, dueAt, claim }) => [data.deliveryId, claim || !dueAt ? now : dueAt] as const);
  // Of several the first one comes last into the map, and stays.
  return new Map(times.sort(([, a], [, b]) => b.getTime() - a.getTime()));
}
