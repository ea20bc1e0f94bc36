/** Orders that were not paid in time give their units back. */
import type { OrderExpiry } from '../services/order-expiry.ts';
import type { Job } from './job-runner.ts';

export const expireOrders = ({ expiry }: { expiry: Pick<OrderExpiry, 'expire' | 'voidCancelled'> }): Job => ({
  name: 'expire-orders',
  everyMs: 30_000,
  async run() {
    await expiry.expire();
    await expiry.voidCancelled();
  },
});
