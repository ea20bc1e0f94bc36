import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ProductDto } from '../../src/models/product.model.ts';
import { createProduct, shirtInput } from '../helpers/factories.ts';
import { picture } from '../helpers/pictures.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { upload } from '../helpers/uploads.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

async function withPictures(count: number): Promise<ProductDto> {
  const product = await createProduct(feira, { thumbnails: ['/img/logo.svg'] });
  const files = await Promise.all(Array.from({ length: count }, () => picture()));
  return (await upload(feira, product, ...files).expect(200)).body;
}
const arrange = (product: ProductDto, body: unknown) =>
  feira.withKey('put', `/api/products/${product.id}/images`).send(body as object);

describe('PUT /api/products/:pid/images', () => {
  it('puts the pictures in order and describes them', async () => {
    const product = await withPictures(2);
    const [first, second] = product.images;
    const order = [
      { id: second?.id, alt: 'From behind' },
      { id: first?.id, alt: '' },
    ];
    const { body } = await arrange(product, order).expect(200);
    expect(body.images).toEqual([{ ...second, alt: 'From behind' }, first]);
    expect(body.thumbnails).toEqual([second?.thumbnail, first?.thumbnail, '/img/logo.svg']);
    expect((await feira.api.get(`/api/products/${product.id}`)).body).toEqual(body);
  });

  it('is refused unless it names each picture once', async () => {
    const product = await withPictures(2);
    const [a, b] = product.images.map(({ id }) => ({ id, alt: '' }));
    const unknown = { id: 'x', alt: '' };
    for (const wrong of [[a], [a, a], [a, b, a], [a, unknown], [a, b, unknown], [a, { id: b?.id }], {}, [[a, b]]])
      expect((await arrange(product, wrong).expect(422)).body.code).toBe('INVALID_INPUT');
    await arrange(product, [a, b]).set('If-Match', '"1"').expect(412);
  });
});

describe('DELETE /api/products/:pid/images/:iid', () => {
  it('takes the picture from the product and its variants, and its files from the server', async () => {
    const product = await withPictures(2);
    const [first, second] = product.images as [ProductDto['images'][0], ProductDto['images'][0]];
    const { options, variants } = shirtInput();
    const path = `/api/products/${product.id}`;
    const pictured = variants.map((variant) => ({ ...variant, picture: first.id }));
    await feira.withKey('patch', path).send({ options, variants: pictured }).expect(200);

    const { body } = await feira.withKey('delete', `${path}/images/${first.id}`).expect(200);
    expect(body.images).toEqual([second]);
    expect(body.thumbnails).toEqual(['/img/logo.svg', second.thumbnail]);
    expect(body.variants.map((one: { picture: unknown }) => one.picture)).toEqual([null, null]);
    for (const url of [first.url, first.thumbnail]) await feira.api.get(url).expect(404);
    await feira.api.get(second.url).expect(200);
    await feira.withKey('delete', `${path}/images/${first.id}`).expect(404);
  });

  it('leaves the files when it is refused', async () => {
    const product = await withPictures(1);
    const [image] = product.images as [ProductDto['images'][0]];
    const path = `/api/products/${product.id}/images/${image.id}`;
    await feira.withKey('delete', path).set('If-Match', '"1"').expect(412);
    await feira.api.delete(path).expect(401);
    await feira.api.get(image.url).expect(200);
  });
});
