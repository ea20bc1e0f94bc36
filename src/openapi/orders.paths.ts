/** Checkout and orders in the OpenAPI document. */
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import type { ProblemCode } from '../problem-codes.ts';
import { CartParams } from '../schemas/cart.schema.ts';
import {
  CancelOrder,
  Checkout,
  FulfilOrder,
  ListOrders,
  LookUpOrder,
  NoDetails,
  NoteOrder,
  OrderBody,
  OrderListBody,
  OrderParams,
  PaidOrderBody,
  PayOrder,
  RefundOrder,
  RefundParams,
} from '../schemas/order.schema.ts';
import {
  byHand,
  change,
  json,
  jsonBody,
  needsCartSecret,
  needsLogin,
  needsPermission,
  notModified,
  read,
} from './operation.ts';
import { idempotencyKeyHeader, ifMatchHeader, ifNoneMatchHeader } from './parameters.ts';

const orders: [string] = ['Orders'];
const theOrder = json(OrderBody, 'The order as it is then', 'ETag');
/** Whoever placed it, and staff. */
const needsOrder = {
  security: ['orderToken', 'accessToken', 'session', 'key'].map((proof) => ({ [proof]: [] })),
  tags: orders,
};
const REFUSALS: ProblemCode[] = ['INVALID_ID', 'NOT_FOUND', 'ILLEGAL_MOVE', 'CONCURRENT_CHANGE'];
const MONEY: ProblemCode[] = ['PAYMENT_RUNNING', 'UNAVAILABLE'];
const versioned = { path: OrderParams, header: z.object({ ...ifMatchHeader }) };

/** A move of staff. */
const move = (operationId: string, summary: string, schema: z.ZodType, refusals: ProblemCode[] = [], hand = {}) => ({
  post: change({
    ...needsPermission('orders:write'),
    ...hand,
    tags: orders,
    operationId,
    summary,
    requestParams: versioned,
    requestBody: { ...jsonBody(schema, {}), required: false },
    answers: { 200: theOrder },
    refusals: [...REFUSALS, 'VERSION_MISMATCH', ...refusals],
  }),
});

const address = { name: 'Ana Sousa', line1: 'Rua das Flores 12', city: 'Porto', postalCode: '4050-262', country: 'PT' };

export const orderPaths: ZodOpenApiPathsObject = {
  '/api/carts/{cid}/checkout': {
    post: change({
      ...needsCartSecret,
      tags: orders,
      operationId: 'checkOut',
      summary: 'Make the order of a cart, and pay it',
      description:
        'Takes the units out of stock, makes the order and closes the cart, all or nothing; then asks for the payment. ' +
        'Asked again, or by several at once, it answers the same order (200). A declined payment leaves an order that ' +
        'can be paid again. Guests keep the header `Order-Token`.',
      requestParams: { path: CartParams, header: z.object({ ...ifMatchHeader, ...idempotencyKeyHeader }) },
      requestBody: jsonBody(Checkout, {
        ...{ email: 'ana@example.com', address, shippingMethod: 'standard' },
        ...{ paymentMethod: 'test', payment: { outcome: 'approve' } },
      }),
      answers: {
        200: json(PaidOrderBody, 'The order that the cart had become before', 'ETag', 'Location', 'Order-Token'),
        201: json(PaidOrderBody, 'The order', 'ETag', 'Location', 'Order-Token', 'Idempotent-Replayed'),
      },
      refusals: [
        ...(['NOT_FOUND', 'INVALID_ID', 'CART_EMPTY', 'CART_CHANGED', 'OUT_OF_STOCK', 'NOT_FOR_SALE'] as const),
        ...(['COUPON_NOT_VALID', 'CONCURRENT_CHANGE', 'VERSION_MISMATCH', 'IDEMPOTENCY_KEY_REUSED'] as const),
      ],
    }),
  },
  '/api/orders': {
    get: read({
      security: [...needsLogin.security, { key: [] }],
      tags: orders,
      operationId: 'listOrders',
      summary: 'Your orders, or those of everybody for staff',
      description: 'The newest first. Keys, and staff who want all of them, need the permission orders:read.',
      requestParams: { query: ListOrders },
      answers: { 200: json(OrderListBody, 'A page of orders') },
      refusals: ['INVALID_INPUT', 'FORBIDDEN'],
    }),
  },
  '/api/orders/lookup': {
    post: change({
      tags: orders,
      operationId: 'lookUpOrder',
      summary: 'Have the link to an order mailed',
      description: 'To the address of the order, if both belong together. The answer is the same when they do not.',
      requestBody: jsonBody(LookUpOrder, { email: 'ana@example.com', number: 'F-7KQ4-ZD2M' }),
      answers: { 202: json(z.object({}), 'If there is such an order, its link is on the way') },
    }),
  },
  '/api/orders/{oid}': {
    get: read({
      ...needsOrder,
      operationId: 'getOrder',
      summary: 'Read an order',
      description: 'Opens to its account, to the token of its link, and to staff with orders:read.',
      requestParams: { path: OrderParams, header: z.object({ ...ifNoneMatchHeader }) },
      answers: { 200: theOrder, 304: notModified },
      refusals: ['INVALID_ID', 'NOT_FOUND'],
    }),
  },
  '/api/orders/{oid}/pay': {
    post: change({
      ...needsOrder,
      ...byHand('Needs an order that is not paid.'),
      operationId: 'payOrder',
      summary: 'Pay an order, again or in another way',
      description:
        'Keeps the units for another while, at most an hour after the order was placed. Buyers pay their own orders, ' +
        'staff with orders:write any.',
      requestParams: { path: OrderParams, header: z.object({ ...ifMatchHeader, ...idempotencyKeyHeader }) },
      requestBody: { ...jsonBody(PayOrder, { payment: { outcome: 'approve' } }), required: false },
      answers: { 200: json(PaidOrderBody, 'The order, and what became of the payment', 'ETag', 'Idempotent-Replayed') },
      refusals: [...REFUSALS, ...MONEY, 'VERSION_MISMATCH', 'LIMIT_REACHED', 'IDEMPOTENCY_KEY_REUSED', 'FORBIDDEN'],
    }),
  },
  '/api/orders/{oid}/cancel': {
    post: change({
      ...needsOrder,
      ...byHand('Needs an order that is not sent.'),
      operationId: 'cancelOrder',
      summary: 'Cancel an order',
      description:
        'Buyers cancel what is not paid. Staff with orders:write cancel what is not sent; with orders:refund also what ' +
        'is paid, which is given back.',
      requestParams: versioned,
      requestBody: { ...jsonBody(CancelOrder, {}), required: false },
      answers: { 200: theOrder },
      refusals: [...REFUSALS, ...MONEY, 'VERSION_MISMATCH', 'FORBIDDEN'],
    }),
  },
  '/api/orders/{oid}/capture': move(
    'captureOrder',
    'Take authorized money, or confirm a bank transfer',
    NoDetails,
    [...MONEY, 'NO_PAYMENT'],
    byHand('Needs an order whose money is reserved, or comes by bank transfer.'),
  ),
  '/api/orders/{oid}/fulfil': move('fulfilOrder', 'The goods are on their way', FulfilOrder),
  '/api/orders/{oid}/deliver': move('deliverOrder', 'The goods have arrived', NoDetails),
  '/api/orders/{oid}/notes': {
    post: change({
      ...needsPermission('orders:write'),
      tags: orders,
      operationId: 'noteOrder',
      summary: 'Write a note that staff alone see',
      requestParams: versioned,
      requestBody: jsonBody(NoteOrder, { text: 'Asked for a gift wrap by phone' }),
      answers: { 200: theOrder },
      refusals: ['INVALID_ID', 'NOT_FOUND', 'CONCURRENT_CHANGE', 'VERSION_MISMATCH', 'LIMIT_REACHED'],
    }),
  },
  '/api/orders/{oid}/refund': {
    post: change({
      ...needsPermission('orders:refund'),
      tags: orders,
      operationId: 'refundOrder',
      summary: 'Give money back',
      description:
        'For lines, for shipping, or any amount up to what is left. The ledger shows `refund-requested` at once, and ' +
        '`refunded` when the provider has done it. When it has failed, what it was for can be refunded in another way; ' +
        'units that are back in stock already are not put there again.',
      requestParams: { path: OrderParams, header: z.object({ ...ifMatchHeader, ...idempotencyKeyHeader }) },
      requestBody: jsonBody(RefundOrder, { lines: [{ line: 0, quantity: 1, restock: true }], reason: 'Broken' }),
      answers: { 200: json(OrderBody, 'The order as it is then', 'ETag', 'Idempotent-Replayed') },
      refusals: [...REFUSALS, 'VERSION_MISMATCH', 'LIMIT_REACHED', 'IDEMPOTENCY_KEY_REUSED'],
    }),
  },
  '/api/orders/{oid}/refunds/{refundId}/retry': {
    post: change({
      ...needsPermission('orders:refund'),
      ...byHand('The provider must have refused the refund, or not answered for three days.'),
      tags: orders,
      operationId: 'retryRefund',
      summary: 'Try a refund again that is stuck',
      description:
        'One of `stuckRefunds`. A refund that the provider has refused is asked for anew, and the ledger shows another ' +
        '`refund-requested` with its id as `refundId`. One that nobody has answered for three days is asked for once ' +
        'more under the same id, after the provider was asked whether it is done: money never goes back twice.',
      requestParams: { path: RefundParams, header: z.object({ ...ifMatchHeader }) },
      requestBody: { ...jsonBody(NoDetails, {}), required: false },
      answers: { 200: theOrder },
      refusals: [
        ...(['INVALID_ID', 'NOT_FOUND', 'REFUND_NOT_STUCK', 'CONCURRENT_CHANGE', 'VERSION_MISMATCH'] as const),
        'LIMIT_REACHED',
      ],
    }),
  },
};
