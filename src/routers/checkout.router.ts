/** /api/carts/:cid/checkout: a cart becomes an order. */
import { Router } from 'express';
import { cartKey } from '../middleware/cart-cookie.ts';
import { allowOnly } from '../middleware/error-handler.ts';
import { onceKey, sayReplayed } from '../middleware/idempotency.ts';
import { CartParams } from '../schemas/cart.schema.ts';
import { Checkout } from '../schemas/order.schema.ts';
import { parseRequest } from '../schemas/parse-request.ts';
import type { CheckoutService } from '../services/checkout.service.ts';
import { sendOrder } from './orders.router.ts';
import { ifMatch } from './versions.ts';

export function checkoutRouter({ checkout }: { checkout: CheckoutService }): Router {
  const router = Router();

  router
    .route('/:cid/checkout')
    .post(async (req, res) => {
      const { params, body } = parseRequest(req, { params: CartParams, body: Checkout });
      const key = cartKey(req, params.cid);
      const done = await checkout.checkout(req.actor, key, body, onceKey(req), ifMatch(req));
      const { order, created, replayed, token } = done;
      sayReplayed(res, replayed);
      if (token !== null) res.setHeader('Order-Token', token);
      res.status(created ? 201 : 200).location(`/api/orders/${order.id}`);
      sendOrder(res, order);
    })
    .all(allowOnly('POST'));

  return router;
}
