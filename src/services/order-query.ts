/** What a list of orders asks the database for. */
import { type QueryFilter, Types } from 'mongoose';
import { emailKeyOf } from '../models/email-key.ts';
import { type OrderFields, orderNumberOf } from '../models/order.model.ts';
import type { ListOrders } from '../schemas/order.schema.ts';

const MINUTE_MS = 60 * 1000;

/** The filter of a list, for the order of `_id`. */
export function toFilter(query: ListOrders): QueryFilter<OrderFields> {
  return { ...withFields(query), ...withIds(query) };
}

function withFields({ status, paymentStatus, fulfilmentStatus, q, from, to }: ListOrders): QueryFilter<OrderFields> {
  return {
    ...(status && { status }),
    ...(paymentStatus && { paymentStatus }),
    ...(fulfilmentStatus && { fulfilmentStatus }),
    ...(q && (q.includes('@') ? { emailKey: emailKeyOf(q) } : { number: orderNumberOf(q) ?? '' })),
    ...((from || to) && {
      createdAt: { ...(from && { $gte: new Date(from) }), ...(to && { $lt: new Date(to) }) },
    }),
  };
}

/** Ids hold the second in which they were made: the sorted index is read between them alone. */
function withIds({ cursor, from, to }: ListOrders): QueryFilter<OrderFields> {
  const ends = [cursor && Buffer.from(cursor, 'base64url').toString('hex'), to && idAt(Date.parse(to) + MINUTE_MS)];
  const [end] = ends.filter((id) => id !== undefined).sort();
  const $lt = end && new Types.ObjectId(end);
  const $gte = from && new Types.ObjectId(idAt(Date.parse(from) - MINUTE_MS));
  return $lt || $gte ? { _id: { ...($lt && { $lt }), ...($gte && { $gte }) } } : {};
}

const idAt = (ms: number) =>
  Types.ObjectId.createFromTime(Math.min(Math.max(0, Math.floor(ms / 1000)), 0xffffffff)).toHexString();
