/** Valid records with overrides. */
import { randomBytes } from 'node:crypto';
import type request from 'supertest';
import type { CouponDto } from '../../src/models/coupon.model.ts';
import type { ProductDto } from '../../src/models/product.model.ts';
import type { Feira } from './start-feira.ts';

export const productInput = (overrides: object = {}) => ({
  code: `T-${randomBytes(5).toString('hex')}`,
  title: 'Speckled mug',
  description: 'Thrown by hand.',
  price: 1999,
  stock: 10,
  category: 'Ceramics',
  ...overrides,
});

/** A product made through the API. */
export async function createProduct(feira: Pick<Feira, 'withKey'>, overrides: object = {}): Promise<ProductDto> {
  const res = await feira.withKey('post', '/api/products').send(productInput(overrides));
  if (res.status !== 201) throw new Error(`Could not create a product: ${res.text}`);
  return res.body;
}

/** A cart made through the API, with requests that show its secret, such as `cart.request('get')`. */
export async function createCart(
  feira: Pick<Feira, 'api'>,
  items: { productId: string; variantId?: string | null; quantity: number }[] = [],
) {
  const res = await feira.api.post('/api/carts').send({ items });
  if (res.status !== 201) throw new Error(`Could not create a cart: ${res.text}`);
  const secret = String(res.headers['cart-secret']);
  return {
    id: String(res.body.id),
    secret,
    etag: String(res.headers.etag),
    /** @param path below the cart, such as `/products/:pid` */
    request: (method: 'get' | 'head' | 'post' | 'put' | 'patch' | 'delete', path = '') =>
      feira.api[method](`/api/carts/${res.body.id}${path}`).set('Cart-Secret', secret),
  };
}

/** A product in two colours, of which there are 4 and 5. */
export function shirtInput(overrides: object = {}) {
  const { price: _price, stock: _stock, ...input } = productInput({ title: 'Linen shirt', category: 'Clothes' });
  return {
    ...input,
    options: [{ name: 'Colour', values: ['Red', 'Blue'] }],
    variants: [
      { code: `${input.code}-R`, values: ['Red'], price: 2500, stock: 4 },
      { code: `${input.code}-B`, values: ['Blue'], price: 2900, stock: 5 },
    ],
    ...overrides,
  };
}

/** The shirt of `shirtInput`, made through the API. */
export const createShirt = (feira: Pick<Feira, 'withKey'>, overrides: object = {}): Promise<ProductDto> =>
  createProduct(feira, { price: undefined, stock: undefined, ...shirtInput(overrides) });

/** A coupon of 10 % made through the API by somebody of the staff. */
export async function createCoupon(
  { as }: { as: (method: 'post', path: string) => request.Test },
  overrides: object = {},
): Promise<CouponDto> {
  const code = `C-${randomBytes(6).toString('hex')}`;
  const value = 'kind' in overrides ? {} : { kind: 'percentage', value: 1000 };
  const res = await as('post', '/api/coupons').send({ code, ...value, ...overrides });
  if (res.status !== 201) throw new Error(`Could not create a coupon: ${res.text}`);
  return res.body;
}

/** A shirt in red for 20.00 and in blue for 25.00, ten of each. */
export async function createRedAndBlue(feira: Pick<Feira, 'withKey'>, overrides: object = {}) {
  const variant = (value: string, price: number) => ({
    code: `V-${randomBytes(5).toString('hex')}`,
    values: [value],
    price,
    stock: 10,
    ...overrides,
  });
  const product = await createProduct(feira, {
    title: 'Shirt',
    price: undefined,
    stock: undefined,
    options: [{ name: 'Colour', values: ['Red', 'Blue'] }],
    variants: [variant('Red', 2000), variant('Blue', 2500)],
  });
  const [red, blue] = product.variants;
  if (!red || !blue) throw new Error('The shirt has no variants.');
  return { product, red, blue };
}
