/** Who may see which order: the account that has placed it, staff, or a guest with the token of the link. */
import type { ClientSession } from 'mongoose';
import { type Actor, authorize } from '../actor.ts';
import { AppError } from '../errors.ts';
import { Order, type OrderRecord, orderNumberOf } from '../models/order.model.ts';
import { isOrderToken } from './order-link.ts';
import type { Viewer } from './order-view.ts';

export interface OrderAccess {
  actor: Actor;
  /** The order's id or number. */
  oid: string;
  token: string | undefined;
}

export interface SeenOrder {
  order: OrderRecord;
  viewer: Viewer;
}

/** What staff may need beyond seeing an order. */
export type OrderPermission = 'orders:write' | 'orders:refund';

/**
 * @param linkSecret of the tokens of guests
 * @param permission that the caller must have; who needs one sees the order as staff
 * @throws AppError NOT_FOUND when there is none, or when it is not the caller's; UNAUTHENTICATED, FORBIDDEN
 */
export async function findOrder(
  linkSecret: string,
  { actor, oid, token }: OrderAccess,
  permission: OrderPermission | null = null,
  session: ClientSession | null = null,
): Promise<SeenOrder> {
  if (permission) authorize(actor, permission);
  const isStaff = actor.permissions.includes('orders:read');
  const which = /^[\da-f]{24}$/i.test(oid) ? { _id: oid } : { number: orderNumberOf(oid) ?? '' };
  const owned = token === undefined && !isStaff ? { ...which, owner: actor.kind === 'user' ? actor.id : '' } : which;
  const order = 'owner' in owned && owned.owner === '' ? null : await Order.findOne(owned).session(session).lean();
  const isOpen = isStaff || token === undefined || opens(order, linkSecret, token, actor);
  if (!order || !isOpen) throw new AppError('NOT_FOUND', 'There is no such order, or it is not yours.');
  return { order, viewer: isStaff || permission ? 'staff' : 'customer' };
}

/** Reckons the same when there is no order. */
function opens(order: OrderRecord | null, linkSecret: string, token: string, { kind, id }: Actor): boolean {
  const isRight = isOrderToken(linkSecret, order?._id.toHexString() ?? '', token);
  const isOwner = kind === 'user' && order?.owner?.toHexString() === id;
  return isRight || isOwner;
}
