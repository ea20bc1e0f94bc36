/** The list of all jobs. */
import type { OrderService } from '../services/order.service.ts';
import { expireOrders } from './expire-orders.job.ts';
import type { Job } from './job-runner.ts';

export { JobRunner } from './job-runner.ts';

export const jobsOf = (deps: { orders: OrderService }): Job[] => [expireOrders(deps)];
