/** The link by which a guest comes back to an order: it cannot be guessed, and nothing of it is stored. */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** What opens an order without a login, for whoever has the link. */
export const orderTokenOf = (secret: string, orderId: string) =>
  createHmac('sha256', secret).update(`order ${orderId}`).digest('base64url');

/** Compared in a time that tells nothing. */
export function isOrderToken(secret: string, orderId: string, token: string): boolean {
  const [right, given] = [Buffer.from(orderTokenOf(secret, orderId)), Buffer.from(token)];
  return right.length === given.length && timingSafeEqual(right, given);
}
