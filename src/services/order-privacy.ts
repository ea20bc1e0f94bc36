/** What orders hold about a person: to be handed over, and to be forgotten while the books stay. */
import type { ClientSession } from 'mongoose';
import { Order, type OrderDto } from '../models/order.model.ts';
import { WebhookDelivery } from '../models/webhook-delivery.model.ts';
import { toOrderDto } from './order-view.ts';

/** Somebody with an account, who may have bought as a guest with the same address. */
interface Buyer {
  id: string;
  emailKey: string;
}

// What another account has bought stays its own, though it has had the address before.
const boughtBy = ({ id, emailKey }: Buyer) => ({ $or: [{ owner: id }, { owner: null, emailKey }] });

/** The newest first, read while they are written. */
export async function* ordersOf(buyer: Buyer, batchSize: number): AsyncGenerator<OrderDto> {
  const cursor = Order.find(boughtBy(buyer)).sort({ _id: -1 }).lean().cursor({ batchSize });
  try {
    for await (const order of cursor) yield toOrderDto(order, 'customer');
  } finally {
    await cursor.close();
  }
}

/** Lines, totals and the country stay for the books; who it was goes, also from what was told to others. */
export async function forgetBuyer(buyer: Buyer, session: ClientSession): Promise<void> {
  const person = ['name', 'line1', 'line2', 'city', 'region', 'postalCode', 'phone'];
  const address = Object.fromEntries(person.map((field) => [`address.${field}`, null]));
  const orders = await Order.find(boughtBy(buyer), { _id: 1 }).session(session).lean();
  await WebhookDelivery.deleteMany({ order: { $in: orders.map(({ _id }) => _id) } }, { session });
  await Order.updateMany(
    boughtBy(buyer),
    { $set: { owner: null, email: null, emailKey: null, ...address }, $inc: { version: 1 } },
    { session },
  );
}
