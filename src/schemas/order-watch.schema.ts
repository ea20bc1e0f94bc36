/** Which order somebody wants to be told of. */
import { z } from 'zod';
import { OrderParams } from './order.schema.ts';

export const WatchOrder = z.strictObject({
  /** The order's id or number; absent for all of them, which is for staff. */
  id: OrderParams.shape.oid.optional(),
  /** What a guest got with the order. */
  token: z.string().max(200).optional(),
});
