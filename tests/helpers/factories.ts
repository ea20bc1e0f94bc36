/** Valid records with overrides. */
import { randomBytes } from 'node:crypto';
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
