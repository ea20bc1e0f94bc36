/** /orders: one's own orders, or a way to find one; and each order for who placed it, guests by the link of the mail. */
import { randomUUID } from 'node:crypto';
import { type Request, type Response, Router } from 'express';
import { isUser } from '../actor.ts';
import { AppError, nullIfNotFound, type Problem, toProblem } from '../errors.ts';
import { formKey } from '../middleware/idempotency.ts';
import { loginOrigin } from '../middleware/login-origin.ts';
import { orderToken, setOrderCookie } from '../middleware/order-cookie.ts';
import { LookUpOrder, OrderParams } from '../schemas/order.schema.ts';
import { OrderPageQuery, OrdersPageQuery, PayOrderForm } from '../schemas/order-form.schema.ts';
import { parseInput, parseRequest } from '../schemas/parse-request.ts';
import type { OrderService } from '../services/order.service.ts';
import type { OrderAccess } from '../services/order-access.ts';
import type { OrderMovesService } from '../services/order-moves.service.ts';
import type { PaymentAnswer, PaymentService } from '../services/payment.service.ts';
import { type Form, showForm } from './form-page.ts';
import { type OrderDto, orderListPage, orderPage } from './order-views.ts';

interface OrderPagesRouterDeps {
  orders: OrderService;
  orderMoves: OrderMovesService;
  payments: PaymentService;
  /** Whether the shop is reached by https only. */
  secureCookies: boolean;
}

const FINDER: Form = {
  title: 'Find your order',
  intro: 'With an account, log in to see all of them. As a guest you get the link to your order again, by mail.',
  fields: [
    { name: 'email', label: 'E-mail', type: 'email', autocomplete: 'email', maxlength: 254 },
    { name: 'number', label: 'Order number', type: 'text', maxlength: 40, hint: 'Such as F-7KQ4-ZD2M.' },
  ],
  button: 'Send me the link',
  links: [{ href: '/login?next=/orders', text: 'Log in' }],
};
const SENT = 'If there is such an order, its link is on the way to that address. Look into your mail in a moment.';
const CLOSED = 'This order does not open here. Log in if it is your account’s, or open it by the link that was mailed.';

export function orderPagesRouter({ orders, orderMoves, payments, secureCookies }: OrderPagesRouterDeps): Router {
  const router = Router();

  router.get('/orders', async (req, res) => {
    if (!isUser(req.actor)) return showForm(res, '/orders/lookup', FINDER, {});
    const { query } = parseRequest(req, { query: OrdersPageQuery });
    const page = await orders.list(req.actor, { mine: 'true', limit: 20, ...query });
    res.setHeader('Cache-Control', 'private, no-store').render('pages/orders/index', orderListPage(page));
  });

  router.get('/orders/lookup', (_req, res) => res.redirect(303, '/orders'));
  router.post('/orders/lookup', async (req, res) => {
    try {
      const { body } = parseRequest(req, { body: LookUpOrder });
      await orders.lookUp(body, loginOrigin(req).address);
      showForm(res, '/orders/lookup', { ...FINDER, intro: SENT }, {});
    } catch (error) {
      showForm(res, '/orders/lookup', FINDER, req.body ?? {}, refusalOf(error));
    }
  });

  router.get('/orders/:oid', async (req, res) => {
    const { query } = parseRequest(req, { query: OrderPageQuery });
    const access = { ...accessOf(req), ...query };
    const order = await orders.get(access).catch(nullIfNotFound);
    if (!order) return showClosed(res, access);
    if (query.token !== undefined) setOrderCookie(res, order, query.token, secureCookies);
    // One address for each order, and no token in it, which would stay in histories.
    if (query.token !== undefined || access.oid !== order.number) return res.redirect(303, `/orders/${order.number}`);
    await showOrder(res, access, order);
  });

  /** A form of the order's page: it leads on, or shows what is wrong. */
  const form = (move: string, work: (req: Request, res: Response, access: OrderAccess) => Promise<void>) => {
    router.post(`/orders/:oid/${move}`, async (req, res) => {
      const access = accessOf(req);
      if (!(await orders.get(access).catch(nullIfNotFound))) return showClosed(res, access);
      try {
        await work(req, res, access);
      } catch (error) {
        await showOrder(res, access, await orders.get(access), { values: req.body, problem: refusalOf(error) });
      }
    });
    // A page that shows a refusal has the address of its form; asked for again, that is the order.
    router.get(`/orders/:oid/${move}`, (req, res) => res.redirect(303, `/orders/${accessOf(req).oid}`));
  };

  form('pay', async (req, res, access) => {
    const { result } = await orderMoves.pay(access, parseInput(PayOrderForm, req.body), formKey(req));
    goOn(res, result);
  });
  form('cancel', async (_req, res, access) => {
    const { number } = await orderMoves.cancel(access, null);
    res.redirect(303, `/orders/${number}`);
  });

  async function showOrder(
    res: Response,
    access: OrderAccess,
    order: OrderDto,
    { values = {}, problem }: { values?: Record<string, unknown>; problem?: Problem } = {},
  ): Promise<void> {
    const told = order.moves.includes('pay') ? await openPayment(order) : null;
    const answer = told?.state === 'pending' ? told : null;
    const [methods, key] = [payments.methods(order.currency), randomUUID()];
    // Asking may have told that it is paid.
    const now = told && !answer ? await orders.get(access) : order;
    res.status(problem?.status ?? 200).setHeader('Cache-Control', 'private, no-store');
    const { token } = access;
    res.render('pages/orders/show', orderPage({ order: now, answer, methods, token, key, values, problem }));
  }

  /** Without an answer of the provider, the page is shown all the same. */
  const openPayment = (order: OrderDto): Promise<PaymentAnswer | null> =>
    payments.look(order.id).catch((error) => {
      if (error instanceof AppError) return { state: 'pending' };
      throw error;
    });

  return router;
}

/** To the order's page; where the buyer pays elsewhere, to there, where no form of this site may lead by itself. */
export function goOn(res: Response, { number, payment }: { number: string; payment: PaymentAnswer | null }): void {
  if (!payment?.redirect) {
    res.redirect(303, `/orders/${number}`);
    return;
  }
  const { href, hostname } = new URL(payment.redirect);
  res.setHeader('Cache-Control', 'private, no-store').setHeader('Refresh', `0; url=${href}`);
  res.render('pages/orders/go-on', { title: 'On to the payment', href, hostname, number });
}

/** @throws AppError INVALID_ID */
function accessOf(req: Request): OrderAccess {
  const { params } = parseRequest(req, { params: OrderParams });
  return { actor: req.actor, oid: params.oid, token: orderToken(req, params.oid) };
}

/** The same for an order that there is not. */
function showClosed(res: Response, { oid }: OrderAccess): void {
  const links = [{ href: `/login?next=/orders/${oid}`, text: 'Log in' }];
  const number = oid.includes('-') ? oid : '';
  showForm(res, '/orders/lookup', { ...FINDER, links }, { number }, toProblem(new AppError('NOT_FOUND', CLOSED)));
}

/** What the buyer can do something about. @throws everything else */
function refusalOf(error: unknown): Problem {
  const problem = toProblem(error);
  if (problem.code === 'INTERNAL') throw error;
  return problem;
}
