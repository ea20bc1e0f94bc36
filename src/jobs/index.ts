/** The list of all jobs. */
import type { OrderExpiry } from '../services/order-expiry.ts';
import { expireOrders } from './expire-orders.job.ts';
import type { Job } from './job-runner.ts';

export { JobRunner } from './job-runner.ts';

export const jobsOf = (deps: { expiry: OrderExpiry }): Job[] => [expireOrders(deps)];
