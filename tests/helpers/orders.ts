/** Buyers, what they check out, and what becomes of it. */
import { randomBytes } from 'node:crypto';
import mongoose from 'mongoose';
import { Webhook } from 'standardwebhooks';
import request from 'supertest';
import type { ProductDto } from '../../src/models/product.model.ts';
import { createCart, createProduct } from './factories.ts';
import type { Feira } from './start-feira.ts';

export const anEmail = () => `buyer.${randomBytes(6).toString('hex')}@example.com`;

export const checkoutInput = (overrides: object = {}) => ({
  email: anEmail(),
  address: {
    name: 'Ana Sousa',
    line1: 'Rua das Flores 12',
    city: 'Porto',
    postalCode: '4050-262',
    country: 'PT',
    phone: '+351 222 000 111',
  },
  shippingMethod: 'standard',
  paymentMethod: 'test',
  payment: { outcome: 'approve' },
  ...overrides,
});

/** A guest with a cart of one product each of these, or of a new one. */
export async function aBuyer(feira: Feira, lines: { product: ProductDto; quantity?: number }[] = []) {
  const wanted = lines.length > 0 ? lines : [{ product: await createProduct(feira) }];
  const cart = await createCart(
    feira,
    wanted.map(({ product, quantity = 1 }) => ({ productId: product.id, quantity })),
  );
  const checkOut = (overrides: object = {}, headers: Record<string, string> = {}) =>
    cart.request('post', '/checkout').set(headers).send(checkoutInput(overrides));
  return { cart, checkOut, product: wanted[0]!.product };
}

/** An order of a guest, with requests that show its token. */
export async function anOrder(
  feira: Feira,
  overrides: object = {},
  lines: { product: ProductDto; quantity?: number }[] = [],
) {
  const { checkOut, product, cart } = await aBuyer(feira, lines);
  const answer = await checkOut(overrides);
  if (answer.status !== 201) throw new Error(`The checkout was refused: ${answer.text}`);
  const token = String(answer.headers['order-token']);
  const id: string = answer.body.id;
  return {
    id,
    token,
    cart,
    product,
    order: answer.body,
    asGuest: (method: 'get' | 'post', path = '') =>
      request(feira.url)[method](`/api/orders/${id}${path}`).set('Order-Token', token),
    path: (move = '') => `/api/orders/${id}${move}`,
  };
}

/** What can be bought now, as it is stored: what is shown follows in a moment. */
export async function stockOf({ id }: Pick<ProductDto, 'id'>): Promise<number> {
  const product = await mongoose.connection.collection('products').findOne({ _id: new mongoose.Types.ObjectId(id) });
  return product?.stock;
}

/** What the movements of a product sum up to. */
export async function movedOf({ id }: Pick<ProductDto, 'id'>): Promise<number> {
  const productId = new mongoose.Types.ObjectId(id);
  const docs = await mongoose.connection.collection('stock_movements').find({ productId }).toArray();
  return docs.reduce((sum, { change }) => sum + change, 0);
}

export const changeOrderInStore = (id: string, $set: object) =>
  mongoose.connection.collection('orders').updateOne({ _id: new mongoose.Types.ObjectId(id) }, { $set });

/** As if nobody had paid in time. */
export const letExpire = (id: string) => changeOrderInStore(id, { holdUntil: new Date(Date.now() - 1000) });

/** Tells the shop by a signed webhook of the test payments that money has come, each time the same. */
export async function tellOfMoney(feira: Feira, orderId: string, amount: number, overrides: object = {}) {
  const { value } = (await mongoose.connection.collection('secrets').findOne({ _id: 'test-payments' as never }))!;
  const reference = `late-${randomBytes(4).toString('hex')}`;
  const fact = { id: `captured:${reference}`, kind: 'captured', orderId, reference, amount, currency: 'EUR' };
  const body = JSON.stringify({ type: 'payment.captured', data: { ...fact, ...overrides } });
  const [id, now] = [`evt_${reference}`, new Date()];
  return () =>
    request(feira.url)
      .post('/api/payments/test/webhook')
      .set({
        'Content-Type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
        'webhook-signature': new Webhook(value, { format: 'raw' }).sign(id, now, body),
      })
      .send(body);
}
