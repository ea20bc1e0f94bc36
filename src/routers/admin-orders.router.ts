/** /admin/orders: all orders, and every move of one that is legal now. */
import { type Request, type Response, Router } from 'express';
import type { Problem } from '../errors.ts';
import type { Permission } from '../permissions.ts';
import { VersionForm } from '../schemas/common.schema.ts';
import {
  CancelOrder,
  FulfilOrder,
  ListOrders,
  NoteOrder,
  OrderParams,
  RefundOrder,
  RefundParams,
} from '../schemas/order.schema.ts';
import { parseInput, parseRequest } from '../schemas/parse-request.ts';
import type { OrderService } from '../services/order.service.ts';
import type { OrderAccess } from '../services/order-access.ts';
import type { OrderMovesService } from '../services/order-moves.service.ts';
import { orderListView, orderSearch, orderView, refundTyped } from './admin-order-views.ts';
import { only, orShow, showAdmin, textsOf, withoutEmpty } from './admin-page.ts';

const RetryRefund = RefundParams.pick({ refundId: true });

interface AdminOrdersRouterDeps {
  orders: OrderService;
  orderMoves: OrderMovesService;
}

export function adminOrdersRouter({ orders, orderMoves }: AdminOrdersRouterDeps): Router {
  const router = Router();

  router.get('/admin/orders', only('orders:read'), async (req, res) => {
    const { data, error } = orderSearch(req.query);
    const page = await orders.list(req.actor, data ?? ListOrders.parse({}));
    showAdmin(req, res, undefined, 'orders', {
      ...orderListView(req, page),
      problem: error && 'These filters do not fit together, so all orders are shown.',
    });
  });

  const showOrder = async (req: Request, res: Response, problem?: Problem, sum?: number) => {
    const order = await orders.get(accessOf(req));
    showAdmin(req, res, problem, 'order', orderView({ req, order, problem, sum }));
  };
  router.get('/admin/orders/:oid', only('orders:read'), (req, res) => showOrder(req, res));
  // A page that shows a refusal has the address of its form.
  router.get('/admin/orders/:oid/:move', only('orders:read'), (req, res) =>
    res.redirect(303, `/admin/orders/${req.params.oid}`),
  );

  type Work = (access: OrderAccess, body: Record<string, string>, version: number) => Promise<unknown>;
  /** A form of the page of an order; afterwards the page is shown as it is then. */
  const form = (name: string, permission: Permission, work: Work) =>
    router.post(`/admin/orders/:oid/${name}`, only(permission), (req, res) =>
      orShow(showOrder, req, res, async () => {
        const { version, ...body } = textsOf(req);
        const access = accessOf(req);
        await work(access, withoutEmpty(body), parseInput(VersionForm, { version }).version);
        res.redirect(303, `/admin/orders/${access.oid}`);
      }),
    );
  form('capture', 'orders:write', (access, _body, version) => orderMoves.capture(access, version));
  form('fulfil', 'orders:write', (access, body, version) =>
    orderMoves.fulfil(access, parseInput(FulfilOrder, body).tracking, version),
  );
  form('deliver', 'orders:write', (access, _body, version) => orderMoves.deliver(access, version));
  form('cancel', 'orders:write', (access, body, version) =>
    orderMoves.cancel(access, parseInput(CancelOrder, body).reason, version),
  );
  form('notes', 'orders:write', (access, body) => orderMoves.note(access, parseInput(NoteOrder, body).text));
  form('refund', 'orders:refund', async (access, body, version) => {
    const typed = refundTyped(body, await orders.get(access));
    await orderMoves.refund(access, parseInput(RefundOrder, typed), null, version);
  });
  form('retry', 'orders:refund', (access, body, version) =>
    orderMoves.retryRefund(access, parseInput(RetryRefund, body).refundId, version),
  );
  // The page again, with what the choice is worth.
  router.post('/admin/orders/:oid/refund/sum', only('orders:refund'), (req, res) =>
    orShow(showOrder, req, res, async () => {
      const access = accessOf(req);
      const typed = refundTyped(textsOf(req), await orders.get(access));
      const input = parseInput(RefundOrder, { ...typed, reason: 'Not yet' });
      await showOrder(req, res, undefined, await orders.priceRefund(access, input));
    }),
  );

  return router;
}

/** @throws AppError INVALID_ID */
const accessOf = (req: Request): OrderAccess => ({
  actor: req.actor,
  oid: parseRequest(req, { params: OrderParams }).params.oid,
  token: undefined,
});
