/** /api/orders: whoever placed them, by login or by the token of the link, and staff; to others they do not exist. */
import { type Request, type Response, Router } from 'express';
import { allowOnly } from '../middleware/error-handler.ts';
import { onceKey, sayReplayed } from '../middleware/idempotency.ts';
import { loginOrigin } from '../middleware/login-origin.ts';
import {
  CancelOrder,
  FulfilOrder,
  ListOrders,
  LookUpOrder,
  NoDetails,
  NoteOrder,
  OrderParams,
  PayOrder,
  RefundOrder,
  RefundParams,
} from '../schemas/order.schema.ts';
import { parseRequest } from '../schemas/parse-request.ts';
import type { OrderService } from '../services/order.service.ts';
import type { OrderAccess } from '../services/order-access.ts';
import type { OrderMovesService } from '../services/order-moves.service.ts';
import { ifMatch, sendVersioned } from './versions.ts';

export function ordersRouter({ orders, orderMoves }: { orders: OrderService; orderMoves: OrderMovesService }): Router {
  const router = Router();

  router
    .route('/')
    .get(async (req, res) => {
      const { query } = parseRequest(req, { query: ListOrders });
      res.setHeader('Cache-Control', 'private, no-store').json(await orders.list(req.actor, query));
    })
    .all(allowOnly('GET', 'HEAD'));

  router
    .route('/lookup')
    .post(async (req, res) => {
      const { body } = parseRequest(req, { body: LookUpOrder });
      await orders.lookUp(body, loginOrigin(req).address);
      res.status(202).json({});
    })
    .all(allowOnly('POST'));

  router
    .route('/:oid')
    .get(async (req, res) => {
      sendOrder(res, await orders.get(accessOf(req)));
    })
    .all(allowOnly('GET', 'HEAD'));

  router
    .route('/:oid/pay')
    .post(async (req, res) => {
      const { body } = parseRequest(req, { body: PayOrder });
      const { result, replayed } = await orderMoves.pay(accessOf(req), body, onceKey(req), ifMatch(req));
      sayReplayed(res, replayed);
      sendOrder(res, result);
    })
    .all(allowOnly('POST'));

  router
    .route('/:oid/capture')
    .post(async (req, res) => {
      parseRequest(req, { body: NoDetails });
      sendOrder(res, await orderMoves.capture(accessOf(req), ifMatch(req)));
    })
    .all(allowOnly('POST'));

  router
    .route('/:oid/cancel')
    .post(async (req, res) => {
      const { body } = parseRequest(req, { body: CancelOrder });
      sendOrder(res, await orderMoves.cancel(accessOf(req), body.reason, ifMatch(req)));
    })
    .all(allowOnly('POST'));

  router
    .route('/:oid/fulfil')
    .post(async (req, res) => {
      const { body } = parseRequest(req, { body: FulfilOrder });
      sendOrder(res, await orderMoves.fulfil(accessOf(req), body.tracking, ifMatch(req)));
    })
    .all(allowOnly('POST'));

  router
    .route('/:oid/deliver')
    .post(async (req, res) => {
      parseRequest(req, { body: NoDetails });
      sendOrder(res, await orderMoves.deliver(accessOf(req), ifMatch(req)));
    })
    .all(allowOnly('POST'));

  router
    .route('/:oid/refund')
    .post(async (req, res) => {
      const { body } = parseRequest(req, { body: RefundOrder });
      const { result, replayed } = await orderMoves.refund(accessOf(req), body, onceKey(req), ifMatch(req));
      sayReplayed(res, replayed);
      sendOrder(res, result);
    })
    .all(allowOnly('POST'));

  router
    .route('/:oid/refunds/:refundId/retry')
    .post(async (req, res) => {
      const { params } = parseRequest(req, { params: RefundParams, body: NoDetails });
      const access = { actor: req.actor, oid: params.oid, token: req.get('Order-Token') };
      sendOrder(res, await orderMoves.retryRefund(access, params.refundId, ifMatch(req)));
    })
    .all(allowOnly('POST'));

  router
    .route('/:oid/notes')
    .post(async (req, res) => {
      const { body } = parseRequest(req, { body: NoteOrder });
      sendOrder(res, await orderMoves.note(accessOf(req), body.text, ifMatch(req)));
    })
    .all(allowOnly('POST'));

  return router;
}

/** @throws AppError INVALID_ID */
function accessOf(req: Request): OrderAccess {
  const { params } = parseRequest(req, { params: OrderParams });
  return { actor: req.actor, oid: params.oid, token: req.get('Order-Token') };
}

export function sendOrder(res: Response, order: { version: number }): void {
  res.setHeader('Cache-Control', 'private, no-cache').vary('Authorization, Cookie, Order-Token');
  sendVersioned(res, order);
}
