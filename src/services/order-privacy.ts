/** What orders hold about a person: to be handed over, and to be forgotten while the books stay. */
import type { ClientSession, Types } from 'mongoose';
import { Order, type OrderDto, type OrderRecord } from '../models/order.model.ts';
import { WebhookDelivery } from '../models/webhook-delivery.model.ts';
import { forgetCouponUses } from './coupon-uses.ts';
import { customerOf } from './order-payments.ts';
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

/**
 * Lines, totals, moves and the country stay for the books, as long as the law wants them; who it was goes, also from what
 * was told to others. So does what people wrote into the orders, staff or the buyer: tracking numbers lead to a door, and
 * reasons and notes may say anything. What the shop and the providers say of themselves stays: it explains the money.
 * @returns the orders, for `forgetTold` after the commit
 */
export async function forgetBuyer(buyer: Buyer, session: ClientSession): Promise<Types.ObjectId[]> {
  const person = ['name', 'line1', 'line2', 'city', 'region', 'postalCode', 'phone'];
  const address = Object.fromEntries(person.map((field) => [`address.${field}`, null]));
  const fields = { owner: 1, emailKey: 1, coupon: 1, cancelledAt: 1, fulfilledAt: 1 };
  const orders = await Order.find(boughtBy(buyer), fields).session(session).lean();
  await forgetCouponUses(session, orders.flatMap(couponUse));
  const ids = orders.map(({ _id }) => _id);
  await forgetTold(ids, session);
  await Order.updateMany(
    boughtBy(buyer),
    {
      $set: {
        ...{ owner: null, email: null, emailKey: null, ...address },
        'timeline.$[written].detail': null,
        'refunds.$[].reason': null,
      },
      $inc: { version: 1 },
    },
    { session, arrayFilters: [{ 'written.by': { $ne: 'shop' } }] },
  );
  return ids;
}

/**
 * What others are told of orders. It is written all the while, and a transaction does not see what others commit: whoever
 * erases calls this after the commit too, and whoever writes it asks after theirs whether the buyer is erased.
 */
export async function forgetTold(orders: readonly Types.ObjectId[], session?: ClientSession): Promise<void> {
  await WebhookDelivery.deleteMany({ order: { $in: orders } }, session ? { session } : {});
}

function couponUse(order: Pick<OrderRecord, 'owner' | 'emailKey' | 'coupon' | 'cancelledAt' | 'fulfilledAt'>) {
  const customer = customerOf(order);
  if (!order.coupon || !customer) return [];
  // Nobody will ever be the account again; the address of a guest may come back.
  const counts = !order.owner && !order.cancelledAt && !order.fulfilledAt;
  return [{ couponId: order.coupon.id, customer, counts }];
}
