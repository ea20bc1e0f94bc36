/** /api/carts: whoever has the secret of a guest's cart, or is logged in to its account; to others it does not exist. */
import { createHash } from 'node:crypto';
import { type Request, type Response, Router } from 'express';
import { cartKey, ownCart, renewCartCookie, setCartCookie } from '../middleware/cart-cookie.ts';
import { allowOnly } from '../middleware/error-handler.ts';
import { onceKey, sayReplayed } from '../middleware/idempotency.ts';
import {
  AddCartItem,
  CartItemParams,
  CartItemQuery,
  CartParams,
  ChooseShipping,
  CreateCart,
  ReplaceCart,
  SetCartItem,
  SetCoupon,
} from '../schemas/cart.schema.ts';
import { parseRequest } from '../schemas/parse-request.ts';
import type { CartDto, CartKey, CartService } from '../services/cart.service.ts';
import { ifMatch } from './versions.ts';

interface CartsRouterDeps {
  carts: CartService;
  /** Whether the shop is reached by https only. */
  secureCookies: boolean;
}

export function cartsRouter({ carts, secureCookies }: CartsRouterDeps): Router {
  const router = Router();
  /** Every change renews the cart, and so the cookie that opened it. */
  const sendChanged = (req: Request, res: Response, key: CartKey, cart: CartDto) => {
    renewCartCookie(req, res, key, secureCookies);
    sendCart(res, cart);
  };

  router
    .route('/')
    .post(async (req, res) => {
      const { body } = parseRequest(req, { body: CreateCart });
      const own = ownCart(req);
      if (own && 'owner' in own) {
        const { cart, created, replayed } = await carts.open(own, body.items, onceKey(req));
        sayReplayed(res, replayed);
        res.status(created ? 201 : 200).location(`/api/carts/${cart.id}`);
        return sendCart(res, cart);
      }
      const { cart, key, replayed } = await carts.create(body.items, onceKey(req));
      sayReplayed(res, replayed);
      setCartCookie(res, key, secureCookies);
      res.status(201).location(`/api/carts/${cart.id}`).setHeader('Cart-Secret', key.secret);
      sendCart(res, cart);
    })
    .all(allowOnly('POST'));

  router
    .route('/:cid')
    .get(async (req, res) => {
      const { params } = parseRequest(req, { params: CartParams });
      sendCart(res, await carts.get(cartKey(req, params.cid)));
    })
    .put(async (req, res) => {
      const { params, body } = parseRequest(req, { params: CartParams, body: ReplaceCart });
      const key = cartKey(req, params.cid);
      const cart = await carts.replaceItems(key, body.items, ifMatch(req));
      sendChanged(req, res, key, cart);
    })
    .delete(async (req, res) => {
      const { params } = parseRequest(req, { params: CartParams });
      const key = cartKey(req, params.cid);
      await carts.empty(key, ifMatch(req));
      renewCartCookie(req, res, key, secureCookies);
      res.status(204).end();
    })
    .all(allowOnly('GET', 'HEAD', 'PUT', 'DELETE'));

  router
    .route(['/:cid/products/:pid', '/:cid/product/:pid'])
    .post(async (req, res) => {
      const { params, body } = parseRequest(req, { params: CartItemParams, body: AddCartItem });
      const item = { productId: params.pid, ...body };
      if (params.cid === 'mine') {
        const { cart, key, replayed } = await carts.addToOwn(ownCart(req), item, ifMatch(req), onceKey(req));
        sayReplayed(res, replayed);
        setCartCookie(res, key, secureCookies);
        return sendCart(res, cart);
      }
      const key = cartKey(req, params.cid);
      const { result: cart, replayed } = await carts.addItems(key, [item], ifMatch(req), onceKey(req));
      sayReplayed(res, replayed);
      sendChanged(req, res, key, cart);
    })
    .put(async (req, res) => {
      const { params, body } = parseRequest(req, { params: CartItemParams, body: SetCartItem });
      const key = cartKey(req, params.cid);
      const cart = await carts.setItem(key, { productId: params.pid, ...body }, ifMatch(req));
      sendChanged(req, res, key, cart);
    })
    .delete(async (req, res) => {
      const { params, query } = parseRequest(req, { params: CartItemParams, query: CartItemQuery });
      const key = cartKey(req, params.cid);
      const unit = { productId: params.pid, variantId: query.variantId ?? null };
      const cart = await carts.removeItem(key, unit, ifMatch(req));
      sendChanged(req, res, key, cart);
    })
    .all(allowOnly('POST', 'PUT', 'DELETE'));

  router
    .route('/:cid/coupon')
    .put(async (req, res) => {
      const { params, body } = parseRequest(req, { params: CartParams, body: SetCoupon });
      const key = cartKey(req, params.cid);
      const cart = await carts.setCoupon(key, body.code, req.ip ?? '', ifMatch(req));
      sendChanged(req, res, key, cart);
    })
    .delete(async (req, res) => {
      const { params } = parseRequest(req, { params: CartParams });
      const key = cartKey(req, params.cid);
      const cart = await carts.removeCoupon(key, ifMatch(req));
      sendChanged(req, res, key, cart);
    })
    .all(allowOnly('PUT', 'DELETE'));

  router
    .route('/:cid/shipping')
    .put(async (req, res) => {
      const { params, body } = parseRequest(req, { params: CartParams, body: ChooseShipping });
      const key = cartKey(req, params.cid);
      const cart = await carts.setShipping(key, body, ifMatch(req));
      sendChanged(req, res, key, cart);
    })
    .all(allowOnly('PUT'));

  return router;
}

/**
 * The ETag holds the version of the lines, which If-Match compares, and a digest of what is shown: that changes with
 * the catalogue's prices and stock too, so that If-None-Match never keeps an old price alive.
 */
function sendCart(res: Response, cart: { version: number }): void {
  const digest = createHash('sha1').update(JSON.stringify(cart)).digest('base64url').slice(0, 16);
  res.setHeader('ETag', `"${cart.version}-${digest}"`);
  res.setHeader('Cache-Control', 'private, no-cache').vary('Authorization, Cookie, Cart-Secret');
  res.json(cart);
}
