/** /cart and its forms: everything works without JavaScript. A refusal shows the cart again, with what is wrong. */
import { type Request, type Response, Router } from 'express';
import { AppError, nullIfNotFound, type Problem, toProblem } from '../errors.ts';
import { ownCart, setCartCookie } from '../middleware/cart-cookie.ts';
import {
  AddToCartForm,
  ItemParams,
  RemoveItemForm,
  SetCoupon,
  SetItemForm,
  ShippingForm,
} from '../schemas/cart.schema.ts';
import { parseRequest } from '../schemas/parse-request.ts';
import type { CartKey, CartService } from '../services/cart.service.ts';
import type { CartHandoverService } from '../services/cart-handover.service.ts';
import { cartPage } from './cart-views.ts';

interface CartPagesRouterDeps {
  carts: CartService;
  handover: CartHandoverService;
  /** Whether the shop is reached by https only. */
  secureCookies: boolean;
}

export function cartPagesRouter({ carts, handover, secureCookies }: CartPagesRouterDeps): Router {
  const router = Router();

  const showCart = async (req: Request, res: Response, problem?: Problem) => {
    const key = ownCart(req);
    const cart = key && (await carts.get(key).catch(nullIfNotFound));
    const merge = key && 'owner' in key && (await handover.lastMerge(key));
    res.locals.cartCount = cart?.quantity;
    res.status(problem?.status ?? 200).setHeader('Cache-Control', 'private, no-store');
    res.render('pages/cart/show', cartPage({ req, cart, merge, destinations: carts.destinations(), problem }));
  };

  router.get('/cart', (req, res) => showCart(req, res));

  /** A form: `work` makes the change and returns the cart's key. The answer leads back to the cart, or shows it. */
  const form = (path: string, work: (req: Request) => Promise<CartKey>) =>
    router.post(path, async (req, res) => {
      try {
        setCartCookie(res, await work(req), secureCookies);
        res.redirect(303, '/cart');
      } catch (error) {
        const problem = toProblem(error);
        if (problem.status >= 500) throw error;
        await showCart(req, res, problem);
      }
    });

  form('/cart/items', async (req) => {
    const { body } = parseRequest(req, { body: AddToCartForm });
    const { key } = await carts.addToOwn(ownCart(req), body);
    return key;
  });
  form('/cart/items/:pid', async (req) => {
    const { params, body } = parseRequest(req, { params: ItemParams, body: SetItemForm });
    const key = heldKey(req);
    await carts.setItem(key, { productId: params.pid, ...body });
    return key;
  });
  form('/cart/items/:pid/remove', async (req) => {
    const { params, body } = parseRequest(req, { params: ItemParams, body: RemoveItemForm });
    const key = heldKey(req);
    // What was to be removed and is gone already needs no complaint.
    await carts.removeItem(key, { productId: params.pid, ...body }).catch(nullIfNotFound);
    return key;
  });
  form('/cart/empty', async (req) => {
    const key = heldKey(req);
    await carts.empty(key).catch(nullIfNotFound);
    return key;
  });
  form('/cart/coupon', async (req) => {
    const { body } = parseRequest(req, { body: SetCoupon });
    const key = heldKey(req);
    await carts.setCoupon(key, body.code, req.ip ?? '');
    return key;
  });
  form('/cart/coupon/remove', async (req) => {
    const key = heldKey(req);
    await carts.removeCoupon(key);
    return key;
  });
  form('/cart/shipping', async (req) => {
    const { body } = parseRequest(req, { body: ShippingForm });
    const key = heldKey(req);
    await carts.setShipping(key, body);
    return key;
  });
  // A page that shows a refusal has the address of its form; asked for again, that is the cart.
  router.get(['/cart/empty', '/cart/shipping', '/cart/coupon{/*rest}', '/cart/items{/*rest}'], (_req, res) =>
    res.redirect(303, '/cart'),
  );

  return router;
}

/** @throws AppError NOT_FOUND for somebody without a cart */
function heldKey(req: Request): CartKey {
  const key = ownCart(req);
  if (!key) throw new AppError('NOT_FOUND', 'You have no cart any more.');
  return key;
}
