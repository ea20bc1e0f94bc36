/** Orders that were not paid in time give their units back. */
import type { OrderService } from '../services/order.service.ts';
import type { Job } from './job-runner.ts';

export const expireOrders = ({ orders }: { orders: Pick<OrderService, 'expire' | 'voidCancelled'> }): Job => ({
  name: 'expire-orders',
  everyMs: 30_000,
  async run() {
    await orders.expire();
    await orders.voidCancelled();
  },
});
