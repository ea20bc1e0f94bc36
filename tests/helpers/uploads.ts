/** Sending pictures, and looking at what is left of them on the disk. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import type { Test } from 'supertest';
import type { ProductDto } from '../../src/models/product.model.ts';
import { createProduct } from './factories.ts';
import type { Feira } from './start-feira.ts';

const BOUNDARY = 'boundary-of-the-tests';

export const uploadTo = (feira: Feira, product: Pick<ProductDto, 'id'>) =>
  feira.withKey('post', `/api/products/${product.id}/upload`);

/** One request with these files in the field `file`. */
export const upload = (feira: Feira, product: Pick<ProductDto, 'id'>, ...files: Buffer[]): Test =>
  files.reduce((req, file, i) => req.attach('file', file, `picture-${i}`), uploadTo(feira, product));

/** A body written by hand, sent as multipart/form-data. */
export const sendForm = (feira: Feira, product: Pick<ProductDto, 'id'>, body: Buffer): Test =>
  uploadTo(feira, product).set('Content-Type', `multipart/form-data; boundary=${BOUNDARY}`).send(body);

/** A part with this Content-Disposition after `form-data`. */
export const part = (disposition: string, content: Buffer | string = 'x'): Buffer =>
  Buffer.concat([
    Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data${disposition}\r\n\r\n`),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ]);

export const form = (...parts: Buffer[]): Buffer => Buffer.concat([...parts, Buffer.from(`--${BOUNDARY}--\r\n`)]);

/** Every file and folder below the uploads, relative to it, without the folders that are always there. */
export async function filesOf(feira: Feira): Promise<string[]> {
  const all = await readdir(feira.config.uploadsDir, { recursive: true }).catch(() => []);
  return all.filter((path) => !['products', 'avatars', '.incoming'].includes(path)).sort();
}

export const storedFile = (feira: Feira, url: string): Promise<Buffer> =>
  readFile(join(feira.config.uploadsDir, url.replace('/uploads/', '')));

/**
 * Sends an upload that is to be refused to a product of its own, and checks that nothing is left of it: no file, no
 * change of the product, and a shop that still answers.
 */
export async function expectRefused(
  feira: Feira,
  send: (product: ProductDto) => Test,
  { status, code }: { status: number; code: string },
): Promise<void> {
  const product = await createProduct(feira);
  const before = await filesOf(feira);
  const res = await send(product);
  expect({ status: res.status, code: res.body.code }).toEqual({ status, code });
  expect(res.headers['content-type']).toMatch('application/problem+json');
  expect(res.text).not.toMatch(/node_modules|\.ts:|at .*\(|\.incoming/);
  expect(await filesOf(feira)).toEqual(before);
  const { body } = await feira.api.get(`/api/products/${product.id}`).expect(200);
  expect(body).toEqual(product);
  await feira.api.get('/healthz').expect(200);
}
