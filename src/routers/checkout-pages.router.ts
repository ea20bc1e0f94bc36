/** /checkout: one page with one form, which prices, takes coupons and buys. Everything works without JavaScript. */
import { randomUUID } from 'node:crypto';
import { type Request, type Response, Router } from 'express';
import { isUser } from '../actor.ts';
import { AppError, nullIfNotFound, type Problem, toProblem } from '../errors.ts';
import { ownCart } from '../middleware/cart-cookie.ts';
import { formKey } from '../middleware/idempotency.ts';
import { setOrderCookie } from '../middleware/order-cookie.ts';
import { SetCoupon, ShippingForm } from '../schemas/cart.schema.ts';
import { CheckoutForm } from '../schemas/order-form.schema.ts';
import { parseInput } from '../schemas/parse-request.ts';
import type { CartKey, CartService } from '../services/cart.service.ts';
import type { CheckoutService } from '../services/checkout.service.ts';
import type { OrderService } from '../services/order.service.ts';
import type { PaymentService } from '../services/payment.service.ts';
import { LOCALES } from '../words.ts';
import { checkoutPage } from './checkout-views.ts';
import { goOn } from './order-pages.router.ts';

interface CheckoutPagesRouterDeps {
  carts: CartService;
  checkout: CheckoutService;
  orders: OrderService;
  payments: PaymentService;
  /** Whether the shop is reached by https only. */
  secureCookies: boolean;
}

export function checkoutPagesRouter(deps: CheckoutPagesRouterDeps): Router {
  const { carts, checkout, secureCookies } = deps;
  const router = Router();

  router.get('/checkout', async (req, res) => {
    await showCheckout(deps, req, res, { values: await knownOf(deps.orders, req) });
  });

  router.post('/checkout', async (req, res) => {
    const key = ownCart(req);
    const body: Record<string, unknown> = req.body ?? {};
    try {
      if (!key) throw new AppError('NOT_FOUND', 'You have no cart any more.');
      if (body.do === 'buy') return await buy(req, res, key);
      await takeChoices(carts, key, body, req.ip ?? '');
      await showCheckout(deps, req, res, { values: { ...body, coupon: '' } });
    } catch (error) {
      const problem = toProblem(error);
      if (problem.code === 'INTERNAL') throw error;
      await showCheckout(deps, req, res, { values: body, problem });
    }
  });

  async function buy(req: Request, res: Response, key: CartKey): Promise<void> {
    try {
      const input = parseInput(CheckoutForm, req.body);
      // The form may come again when its cart was bought: its order is answered then.
      if (isFilled(req.body.coupon))
        await carts
          .setCoupon(key, parseInput(SetCoupon, { code: req.body.coupon }).code, req.ip ?? '')
          .catch(nullIfNotFound);
      const locale = LOCALES.find((one) => one === req.acceptsLanguages([...LOCALES]));
      const { order, token } = await checkout.checkout(req.actor, key, { ...input, locale }, formKey(req));
      if (token) setOrderCookie(res, order, token, secureCookies);
      goOn(res, order);
    } catch (error) {
      // So that the page shows what it would cost.
      if (error instanceof AppError) await setDelivery(carts, key, req.body).catch(() => {});
      throw error;
    }
  }

  return router;
}

const isFilled = (value: unknown) => typeof value === 'string' && value.trim() !== '';

/** What the other buttons of the form ask for: delivery, and coupons. */
async function takeChoices(
  carts: CartService,
  key: CartKey,
  body: Record<string, unknown>,
  address: string,
): Promise<void> {
  const { country, coupon } = body;
  if (body.do === 'remove-coupon') await carts.removeCoupon(key);
  // Before there is a country, only the coupon can have been meant.
  if (isFilled(country) || !isFilled(coupon)) await setDelivery(carts, key, body);
  if (isFilled(coupon)) await carts.setCoupon(key, parseInput(SetCoupon, { code: coupon }).code, address);
}

/** A way of delivery that another country does not have gives way to the cheapest one there. */
async function setDelivery(carts: CartService, key: CartKey, body: Record<string, unknown>): Promise<void> {
  const { country, region, shippingMethod: method } = body;
  const { method: wanted, ...place } = parseInput(ShippingForm, { country, region, method });
  const isOffered = (await carts.setShipping(key, place)).shippingMethods.some(({ id }) => id === wanted);
  if (isOffered) await carts.setShipping(key, { ...place, method: wanted });
}

/** Where the last order of an account went to. */
async function knownOf(orders: OrderService, { actor }: Request): Promise<Record<string, unknown>> {
  if (!isUser(actor)) return {};
  const { items } = await orders.list(actor, { mine: 'true', limit: 1 });
  return { name: actor.name, ...items[0]?.address };
}

async function showCheckout(
  { carts, payments }: Pick<CheckoutPagesRouterDeps, 'carts' | 'payments'>,
  req: Request,
  res: Response,
  { values, problem }: { values: Record<string, unknown>; problem?: Problem },
): Promise<void> {
  const key = ownCart(req);
  const cart = key && (await carts.get(key).catch(nullIfNotFound));
  res.locals.cartCount = cart?.quantity;
  res.status(problem?.status ?? 200).setHeader('Cache-Control', 'private, no-store');
  if (!cart || cart.items.length === 0)
    return res.render('pages/checkout/empty', { title: 'Checkout', active: 'cart', problem });
  const place = req.method === 'POST' ? null : cart.shipping;
  res.render(
    'pages/checkout/show',
    checkoutPage({
      cart,
      values: { ...values, ...(place && { country: place.country, region: place.region }) },
      email: isUser(req.actor) ? req.actor.email : null,
      countries: carts.destinations().countries,
      methods: payments.methods(cart.currency),
      // The same as long as nothing was bought: then a repeat of the form is one.
      key: formKey(req) ? req.body.key : randomUUID(),
      problem,
    }),
  );
}
