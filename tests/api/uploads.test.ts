import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { createProduct } from '../helpers/factories.ts';
import { animation, halves, KINDS, picture } from '../helpers/pictures.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { expectRefused, filesOf, form, part, sendForm, storedFile, upload, uploadTo } from '../helpers/uploads.ts';
import { eventually, nextEvent } from '../helpers/wait-for.ts';

const MEGABYTE = 1024 * 1024;
let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

/** What a reader gets of the picture at this address. */
async function fetchPicture(url: string) {
  const res = await feira.api.get(url).expect(200);
  return { headers: res.headers, bytes: res.body as Buffer };
}

const colourAt = async (bytes: Buffer, left: number, top: number) => {
  const { data } = await sharp(bytes)
    .extract({ left, top, width: 1, height: 1 })
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return data[0]! > data[2]! ? 'red' : 'blue';
};

describe('POST /api/products/:pid/upload', () => {
  it.each(KINDS)('takes a %s, whatever it is called, and serves it in its own kind', async (kind) => {
    const product = await createProduct(feira);
    const bytes = await picture(kind);
    const { body, headers } = await uploadTo(feira, product)
      .attach('file', bytes, { filename: 'notes.txt', contentType: 'text/plain' })
      .expect(200);

    expect(headers.etag).toBe('"2"');
    const [image] = body.images;
    const extension = kind === 'jpeg' ? 'jpg' : kind;
    expect(image).toEqual({
      id: expect.stringMatching(/^[\da-f]{32}$/),
      url: `/uploads/products/${image.id}.${extension}`,
      thumbnail: `/uploads/products/${image.id}-480.webp`,
      alt: '',
      width: 300,
      height: 200,
    });
    expect(body).toEqual({
      ...product,
      images: [image],
      thumbnails: [image.thumbnail],
      version: 2,
      updatedAt: body.updatedAt,
    });
    expect((await feira.api.get(`/api/products/${product.id}`)).body).toEqual(body);

    const full = await fetchPicture(image.url);
    expect(full.headers['content-type']).toBe(`image/${kind}`);
    expect(await sharp(full.bytes).metadata()).toMatchObject({ format: kind === 'avif' ? 'heif' : kind, width: 300 });
    const small = await fetchPicture(image.thumbnail);
    expect(small.headers['content-type']).toBe('image/webp');
  });

  it('adds several pictures to those that are there', async () => {
    const product = await createProduct(feira, { thumbnails: ['https://pictures.example/old.png'] });
    await upload(feira, product, await picture('png')).expect(200);
    const { body } = await upload(feira, product, await picture('jpeg'), await picture('webp')).expect(200);
    expect(body.images.map((image: { url: string }) => image.url.split('.').at(-1))).toEqual(['png', 'jpg', 'webp']);
    expect(body.thumbnails).toEqual([
      'https://pictures.example/old.png',
      ...body.images.map((image: { thumbnail: string }) => image.thumbnail),
    ]);
  });

  it('tells every client of the change', async () => {
    const product = await createProduct(feira, { title: 'Pictured bowl' });
    const socket = await feira.connectSocket();
    const notice = nextEvent(socket, 'update_products');
    const typed = nextEvent<{ product: object }>(socket, 'product:updated');
    const { body } = await upload(feira, product, await picture()).expect(200);
    expect(await notice).toEqual({ id: product.id, msg: expect.stringContaining('Pictured bowl') });
    expect((await typed).product).toEqual(body);
  });

  it('bounds the size of what it keeps', async () => {
    const product = await createProduct(feira);
    const { body } = await upload(feira, product, await picture('jpeg', 3000, 1500)).expect(200);
    expect(body.images[0]).toMatchObject({ width: 2000, height: 1000 });
    const thumbnail = await storedFile(feira, body.images[0].thumbnail);
    expect(await sharp(thumbnail).metadata()).toMatchObject({ width: 480, height: 240 });
  });

  it('turns a picture upright', async () => {
    const product = await createProduct(feira);
    const lying = await halves().withMetadata({ orientation: 6 }).jpeg().toBuffer();
    const { body } = await upload(feira, product, lying).expect(200);
    expect(body.images[0]).toMatchObject({ width: 200, height: 300 });
    const stored = await storedFile(feira, body.images[0].url);
    expect((await sharp(stored).metadata()).orientation).toBeUndefined();
    expect([await colourAt(stored, 100, 20), await colourAt(stored, 100, 280)]).toEqual(['red', 'blue']);
  });

  it.each(['jpeg', 'png', 'webp', 'avif'] as const)('removes place and owner from a %s', async (kind) => {
    const product = await createProduct(feira);
    const exif = {
      IFD0: { Artist: 'A secret owner' },
      IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '38/1 42/1 0/1' },
    };
    const bytes = await halves().withExif(exif).toFormat(kind).toBuffer();
    expect(bytes.includes('A secret owner')).toBe(true);
    const { body } = await upload(feira, product, bytes).expect(200);
    for (const url of [body.images[0].url, body.images[0].thumbnail]) {
      const stored = await storedFile(feira, url);
      expect(stored.includes('A secret owner')).toBe(false);
      expect(await sharp(stored).metadata()).not.toHaveProperty('exif');
    }
  });

  it.each(['gif', 'webp'] as const)('keeps an animated %s moving', async (kind) => {
    const product = await createProduct(feira);
    const { body } = await upload(feira, product, await animation(kind)).expect(200);
    expect(body.images[0]).toMatchObject({ width: 60, height: 40 });
    const stored = await storedFile(feira, body.images[0].url);
    expect(await sharp(stored).metadata()).toMatchObject({ format: kind, pages: 2, delay: [120, 240], loop: 0 });
    expect((await sharp(await storedFile(feira, body.images[0].thumbnail)).metadata()).pages ?? 1).toBe(1);
  });

  it('honours If-Match', async () => {
    const product = await createProduct(feira);
    await upload(feira, product, await picture())
      .set('If-Match', '"1"')
      .expect(200);
    await expectRefused(feira, (fresh) => upload(feira, fresh, Buffer.alloc(10)).set('If-Match', '"7"'), {
      status: 412,
      code: 'VERSION_MISMATCH',
    });
  });

  it('stores nothing when the product changes while the pictures are decoded', async () => {
    const product = await createProduct(feira);
    const before = await filesOf(feira);
    const bytes = await picture('avif', 1500, 1500);
    const answers = await Promise.all(
      Array.from({ length: 3 }, () => upload(feira, product, bytes).set('If-Match', '"1"')),
    );
    expect(answers.map((res) => res.status).sort()).toEqual([200, 412, 412]);
    expect(await filesOf(feira)).toHaveLength(before.length + 2);
  });

  it('stores nothing when the product is deleted meanwhile', async () => {
    const product = await createProduct(feira);
    const before = await filesOf(feira);
    const uploading = upload(feira, product, await picture('avif', 1900, 1900)).then((res) => res.status);
    await eventually(async () => (await filesOf(feira)).length > before.length);
    await feira.withKey('delete', `/api/products/${product.id}`).expect(204);
    expect(await uploading).toBe(404);
    expect(await filesOf(feira)).toEqual(before);
    await upload(feira, product, await picture()).expect(404);
  });

  it('keeps at most 20 pictures of a product', async () => {
    const product = await createProduct(feira);
    const ten = Array.from({ length: 10 }, () => picture('png', 20, 20));
    for (let i = 0; i < 2; i += 1) await upload(feira, product, ...(await Promise.all(ten))).expect(200);
    const before = await filesOf(feira);
    const { body } = await upload(feira, product, await picture()).expect(409);
    expect(body).toMatchObject({ code: 'LIMIT_REACHED', limit: 20 });
    expect(await filesOf(feira)).toEqual(before);
  });
});

describe('an upload is refused', () => {
  it('without a key, before its body is read', async () => {
    const product = await createProduct(feira);
    const path = `/api/products/${product.id}/upload`;
    const { body } = await feira.api.post(path).attach('file', Buffer.alloc(20 * MEGABYTE), 'a.png');
    expect(body).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
  });

  it('for a product that does not exist, and for an id that is none', async () => {
    await upload(feira, { id: '0123456789abcdef01234567' }, Buffer.alloc(10)).expect(404);
    await upload(feira, { id: '..%2f..' }, Buffer.alloc(10)).expect(400);
  });

  it('with another method', async () => {
    const product = await createProduct(feira);
    const { headers } = await feira.api.get(`/api/products/${product.id}/upload`).expect(405);
    expect(headers.allow).toBe('POST');
  });

  it('as something other than a form', async () => {
    const refusal = { status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' };
    const bytes = await picture();
    await expectRefused(feira, (product) => uploadTo(feira, product).send({ file: 'x' }), refusal);
    await expectRefused(feira, (product) => uploadTo(feira, product), refusal);
    await expectRefused(
      feira,
      (product) => uploadTo(feira, product).set('Content-Type', 'image/png').send(bytes),
      refusal,
    );
    await expectRefused(feira, (product) => upload(feira, product, bytes).set('Content-Encoding', 'gzip'), refusal);
  });

  it('without a file, or with a field that is not known', async () => {
    const refusal = { status: 422, code: 'INVALID_INPUT' };
    const bytes = await picture();
    await expectRefused(feira, (product) => sendForm(feira, product, form()), { ...refusal });
    await expectRefused(
      feira,
      (product) => sendForm(feira, product, form(part('; name="file"; filename=""'))),
      refusal,
    );
    await expectRefused(feira, (product) => sendForm(feira, product, form(part('; name="file"'))), refusal);
    await expectRefused(feira, (product) => upload(feira, product, bytes).field('title', 'mine'), refusal);
    await expectRefused(feira, (product) => uploadTo(feira, product).attach('picture', bytes, 'a.png'), refusal);
  });

  it('with more or larger pictures than it takes', async () => {
    const refusal = { status: 413, code: 'TOO_LARGE' };
    const small = await picture('png', 20, 20);
    await expectRefused(feira, (product) => upload(feira, product, Buffer.alloc(10 * MEGABYTE + 1)), refusal);
    await expectRefused(
      feira,
      (product) => upload(feira, product, ...Array.from({ length: 11 }, () => small)),
      refusal,
    );
  });

  it('as a whole when one of its pictures is not accepted', async () => {
    const [good, bad] = [await picture(), Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')];
    const product = await createProduct(feira);
    const before = await filesOf(feira);
    const { body } = await upload(feira, product, good, bad, good).expect(415);
    expect(body.detail).toMatch('Picture 2 of 3');
    expect(await filesOf(feira)).toEqual(before);
    expect((await feira.api.get(`/api/products/${product.id}`)).body).toEqual(product);
  });
});

describe('GET /uploads/products/:name', () => {
  it('lets a picture be kept for good, and nothing be done by it', async () => {
    const product = await createProduct(feira);
    const { body } = await upload(feira, product, await picture()).expect(200);
    const { headers } = await fetchPicture(body.images[0].url);
    expect(headers).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
    });
    await feira.api.get(body.images[0].url).set('If-None-Match', String(headers.etag)).expect(304);
    await feira.api.head(body.images[0].url).expect(200);
  });

  it('answers a part of it, and says what is wrong with a part that it does not have', async () => {
    const product = await createProduct(feira);
    const { body } = await upload(feira, product, await picture()).expect(200);
    const get = (header: string, value: string) => feira.api.get(body.images[0].url).set(header, value);
    expect((await get('Range', 'bytes=0-9').expect(206)).headers['content-range']).toMatch(/^bytes 0-9\//);
    await get('Range', 'bytes=0-1,4-5').expect(200);
    for (const range of ['bytes=99999999-', 'bytes=5-2']) {
      const { headers, body: problem } = await get('Range', range).expect(416);
      expect(problem).toMatchObject({ status: 416, code: 'RANGE_NOT_SATISFIABLE' });
      expect(headers['content-range']).toMatch(/^bytes \*\/\d+$/);
    }
    expect((await get('If-Match', '"another"').expect(412)).body.code).toBe('VERSION_MISMATCH');
  });

  it('has no directory and nothing else', async () => {
    for (const path of ['/uploads', '/uploads/', '/uploads/products', '/uploads/products/', '/uploads/.gitkeep'])
      await feira.api.get(path).expect(404);
    const { body } = await feira.api.get(`/uploads/products/${'0'.repeat(32)}.png`).expect(404);
    expect(body.code).toBe('NOT_FOUND');
  });
});

describe('what a killed process has left in the quarantine', () => {
  it('is removed with the next upload, without touching what has just come', async () => {
    const quarantine = join(feira.config.uploadsDir, '.incoming');
    for (const name of ['upload-old', 'upload-new']) {
      await mkdir(join(quarantine, name), { recursive: true });
      await writeFile(join(quarantine, name, 'half'), 'half a picture');
    }
    const yesterday = new Date(Date.now() - 24 * 60 * 60 * 1000);
    await utimes(join(quarantine, 'upload-old'), yesterday, yesterday);

    await upload(feira, await createProduct(feira), await picture()).expect(200);
    const left = await filesOf(feira);
    expect(left).not.toContain('.incoming/upload-old');
    expect(left).toContain('.incoming/upload-new');
  });
});
