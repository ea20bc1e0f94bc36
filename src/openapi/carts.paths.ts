/** Carts in the OpenAPI document. */
import { z } from 'zod';
import type { ZodOpenApiPathItemObject, ZodOpenApiPathsObject } from 'zod-openapi';
import type { ProblemCode } from '../problem-codes.ts';
import {
  AddCartItem,
  CART_ETAG_DESCRIPTION,
  CartBody,
  CartItemParams,
  CartItemQuery,
  CartParams,
  ChooseShipping,
  CreateCart,
  EMPTY_CART_DESCRIPTION,
  ReplaceCart,
  SetCartItem,
  SetCoupon,
} from '../schemas/cart.schema.ts';
import { change, empty, json, jsonBody, needsCartSecret, notModified, read } from './operation.ts';
import { idempotencyKeyHeader, ifMatchHeader, ifNoneMatchHeader } from './parameters.ts';

const carts: [string] = ['Carts'];
const theCart = json(CartBody, 'The cart with its prices, totals and what can be bought of it now', 'ETag');
const versioned = z.object({ ...ifMatchHeader });
const replayable = json(CartBody, 'The cart, or the answer of the earlier request', 'ETag', 'Idempotent-Replayed');
const REFUSALS: ProblemCode[] = ['INVALID_ID', 'NOT_FOUND', 'VERSION_MISMATCH', 'CONCURRENT_CHANGE'];
const ADDING: ProblemCode[] = [...REFUSALS, 'OUT_OF_STOCK', 'NOT_FOR_SALE', 'CURRENCY_MISMATCH', 'LIMIT_REACHED'];

const twoMugs = { items: [{ productId: '665f1c2ab8a1f0c3d4e5f601', quantity: 2 }] };

/** The operations on one product of a cart, at either of its two addresses. */
const cartItem = ({ alias = false } = {}): ZodOpenApiPathItemObject => ({
  post: change({
    ...needsCartSecret,
    tags: carts,
    ...named('addCartItem', 'Add a product to a cart', alias),
    description: 'Adds to what the cart holds of it. Refused when there is less in stock than the sum.',
    requestParams: { path: CartItemParams, header: z.object({ ...ifMatchHeader, ...idempotencyKeyHeader }) },
    requestBody: { ...jsonBody(AddCartItem, { quantity: 2 }), required: false },
    answers: { 200: replayable },
    refusals: [...ADDING, 'IDEMPOTENCY_KEY_REUSED'],
  }),
  put: change({
    ...needsCartSecret,
    tags: carts,
    ...named('setCartItem', 'Set how many of a product a cart holds', alias),
    requestParams: { path: CartItemParams, header: versioned },
    requestBody: jsonBody(SetCartItem, { quantity: 3 }),
    answers: { 200: theCart },
    refusals: ADDING,
  }),
  delete: change({
    ...needsCartSecret,
    tags: carts,
    ...named('removeCartItem', 'Remove a product from a cart', alias),
    requestParams: { path: CartItemParams, query: CartItemQuery, header: versioned },
    answers: { 200: theCart },
    refusals: [...REFUSALS, 'INVALID_INPUT'],
  }),
});

const named = (operationId: string, summary: string, alias: boolean) =>
  alias
    ? { operationId: `${operationId}AtSingular`, summary: `${summary} (other address)`, 'x-alias-of': operationId }
    : { operationId, summary };

export const cartPaths: ZodOpenApiPathsObject = {
  '/api/carts': {
    post: change({
      operationId: 'createCart',
      tags: carts,
      summary: 'Create a cart',
      description:
        'Keep the header `Cart-Secret` of the answer: who does not send it, or the cookie of the same answer, is told ' +
        'that the cart does not exist. Who is logged in has one cart, which needs no secret: it is made, or opened and ' +
        'added to.',
      requestParams: { header: z.object({ ...idempotencyKeyHeader }) },
      requestBody: { ...jsonBody(CreateCart, twoMugs), required: false },
      answers: {
        200: json(CartBody, "The account's cart, which was there", 'ETag', 'Location', 'Idempotent-Replayed'),
        201: json(
          CartBody,
          'The cart; a secret for guests alone',
          'ETag',
          'Location',
          'Cart-Secret',
          'Set-Cookie',
          'Idempotent-Replayed',
        ),
      },
      refusals: [
        'NOT_FOUND',
        'OUT_OF_STOCK',
        'NOT_FOR_SALE',
        'CURRENCY_MISMATCH',
        'LIMIT_REACHED',
        'CONCURRENT_CHANGE',
        'IDEMPOTENCY_KEY_REUSED',
      ],
    }),
  },
  '/api/carts/{cid}': {
    get: read({
      ...needsCartSecret,
      tags: carts,
      operationId: 'getCart',
      summary: 'Read a cart',
      description: `Prices and stock are those of this moment. ETag: ${CART_ETAG_DESCRIPTION}`,
      requestParams: { path: CartParams, header: z.object({ ...ifNoneMatchHeader }) },
      answers: { 200: theCart, 304: notModified },
      refusals: ['INVALID_ID', 'NOT_FOUND'],
    }),
    put: change({
      ...needsCartSecret,
      tags: carts,
      operationId: 'replaceCart',
      summary: 'Replace what a cart holds',
      requestParams: { path: CartParams, header: versioned },
      requestBody: jsonBody(ReplaceCart, twoMugs),
      answers: { 200: theCart },
      refusals: ADDING,
    }),
    delete: change({
      ...needsCartSecret,
      tags: carts,
      operationId: 'emptyCart',
      summary: 'Empty a cart',
      description: EMPTY_CART_DESCRIPTION,
      requestParams: { path: CartParams, header: versioned },
      answers: { 204: empty('It is empty') },
      refusals: REFUSALS,
    }),
  },
  '/api/carts/{cid}/coupon': {
    put: change({
      ...needsCartSecret,
      tags: carts,
      operationId: 'setCoupon',
      summary: 'Use a coupon',
      description:
        'It replaces the one before. When it stops to be valid it stays, with a notice, and counts for nothing.',
      requestParams: { path: CartParams, header: versioned },
      requestBody: jsonBody(SetCoupon, { code: 'SUMMER-10' }),
      answers: { 200: theCart },
      refusals: [...REFUSALS, 'COUPON_NOT_VALID'],
    }),
    delete: change({
      ...needsCartSecret,
      tags: carts,
      operationId: 'removeCoupon',
      summary: 'Do without the coupon',
      requestParams: { path: CartParams, header: versioned },
      answers: { 200: theCart },
      refusals: REFUSALS,
    }),
  },
  '/api/carts/{cid}/shipping': {
    put: change({
      ...needsCartSecret,
      tags: carts,
      operationId: 'setShipping',
      summary: 'Choose where to, and how',
      description:
        'Delivery and tax are part of the totals from now on. `shippingMethods` lists what is offered there.',
      requestParams: { path: CartParams, header: versioned },
      requestBody: jsonBody(ChooseShipping, { country: 'PT' }),
      answers: { 200: theCart },
      refusals: REFUSALS,
    }),
  },
  '/api/carts/{cid}/products/{pid}': cartItem(),
  '/api/carts/{cid}/product/{pid}': cartItem({ alias: true }),
};
