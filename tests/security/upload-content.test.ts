/** Files that are not what they say, and pictures that are larger than they look. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import sharp from 'sharp';
import { createProduct } from '../helpers/factories.ts';
import { KINDS, picture, pngBomb, rawGif } from '../helpers/pictures.ts';
import { decoders } from '../helpers/processes.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { expectRefused, filesOf, storedFile, upload, uploadTo } from '../helpers/uploads.ts';
import { eventually } from '../helpers/wait-for.ts';

const MEGABYTE = 1024 * 1024;
const UNSUPPORTED = { status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' };
const UNREADABLE = { status: 422, code: 'UNREADABLE_PICTURE' };
const SCRIPT = '<script>alert(1)</script>';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
});
afterAll(() => feira.stop());

describe('a file that is no picture of the five kinds', () => {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10">${SCRIPT}</svg>`;
  const tiff = () =>
    sharp({ create: { width: 9, height: 9, channels: 3, background: 'red' } })
      .tiff()
      .toBuffer();

  it.each([
    ['SVG with a script', svg],
    ['SVG behind an XML declaration', `<?xml version="1.0"?>\n${svg}`],
    ['HTML', `<!doctype html><body>${SCRIPT}`],
    ['PDF with a script', '%PDF-1.4\n1 0 obj\n<< /S /JavaScript /JS (app.alert(1)) >>\nendobj\n%%EOF'],
    ['PPM', `P6 2 2 255\n${'a'.repeat(12)}`],
    ['ZIP', 'PK\x03\x04and the rest'],
    ['program', '\x7fELF\x02\x01\x01'],
    ['JavaScript', 'alert(1)'],
    ['empty file', ''],
  ])('is refused: %s', async (_name, text) => {
    const lie = { filename: 'cat.png', contentType: 'image/png' };
    await expectRefused(feira, (p) => uploadTo(feira, p).attach('file', Buffer.from(text, 'latin1'), lie), UNSUPPORTED);
  });

  it('is refused: TIFF', async () => {
    const bytes = await tiff();
    await expectRefused(feira, (p) => upload(feira, p, bytes), UNSUPPORTED);
  });
});

describe('a picture that is something else as well', () => {
  it('loses the script that it was, too', async () => {
    const product = await createProduct(feira);
    // `GIF89a/*...*/=1;alert(...)` is a program to a browser that is told so.
    const polyglot = rawGif(1, 0x2a2f, 1, '*/=1;alert(document.domain)//');
    expect(polyglot.subarray(0, 8).toString()).toBe('GIF89a/*');
    const { body } = await upload(feira, product, polyglot).expect(200);
    const stored = await storedFile(feira, body.images[0].url);
    expect(stored.includes('alert')).toBe(false);
    expect(stored.includes('GIF89a/*')).toBe(false);
  });

  it.each(KINDS)('loses what was hung on a %s, and what was hidden in it', async (kind) => {
    const product = await createProduct(feira);
    const bytes = Buffer.concat([await picture(kind), Buffer.from(SCRIPT)]);
    const { body } = await upload(feira, product, bytes).expect(200);
    const [{ url, thumbnail }] = body.images;
    for (const address of [url, thumbnail]) expect((await storedFile(feira, address)).includes('script')).toBe(false);
    const { headers } = await feira.api.get(url).expect(200);
    expect(headers).toMatchObject({
      'content-type': `image/${kind}`,
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining('sandbox'),
    });
  });
});

describe('a damaged picture', () => {
  it.each(KINDS)('is refused: %s, cut', async (kind) => {
    const bytes = await picture(kind);
    await expectRefused(feira, (p) => upload(feira, p, bytes.subarray(0, bytes.length * 0.7)), UNREADABLE);
  });

  it.each([
    ['only its first bytes', '89504e470d0a1a0a'],
    ['JPEG without an end', 'ffd8ffe000104a46494600010100000100010000'],
    ['GIF without a frame', '474946383961010001008000000000000000003b'],
  ])('is refused: %s', async (_name, hex) => {
    await expectRefused(feira, (p) => upload(feira, p, Buffer.from(hex, 'hex')), UNREADABLE);
  });
});

describe('a picture bomb', () => {
  const bombs: [string, () => Buffer | Promise<Buffer>][] = [
    ['20 kB PNG of 50,000 x 50,000', () => pngBomb(50_000, 50_000, 20_000_000)],
    ['PNG of 2,147,483,647 x 1', () => pngBomb(2_147_483_647, 1, 1000)],
    ['PNG with fewer pixels than it says', () => pngBomb(7000, 7000, 1000)],
    ['GIF of 10,000 frames', () => rawGif(10_000)],
    ['GIF of 201 frames', () => rawGif(201)],
    ['GIF of 150 frames with 600 x 600', () => rawGif(150, 600, 600)],
    ['AVIF of 1 kB with 49 million pixels', () => hugeAvif()],
  ];

  it.each(bombs)('is refused at once, in little memory: %s', async (_name, make) => {
    const bytes = await make();
    const before = process.memoryUsage.rss();
    // What a decoder keeps of the pictures that it has read before is not the bomb's.
    const had = new Map((await decoders()).map(({ pid, bytes }) => [pid, bytes]));
    const started = performance.now();
    await expectRefused(feira, (p) => upload(feira, p, bytes), UNREADABLE);
    expect(performance.now() - started).toBeLessThan(1000);
    expect(process.memoryUsage.rss() - before).toBeLessThan(100 * MEGABYTE);
    for (const { pid, bytes } of await decoders())
      expect(bytes).toBeLessThan(Math.max(200 * MEGABYTE, (had.get(pid) ?? 0) + 100 * MEGABYTE));
  });

  it('is refused ten at a time, all the same', async () => {
    const product = await createProduct(feira);
    const before = await filesOf(feira);
    const bytes = pngBomb(50_000, 50_000, 1_000_000);
    const rss = process.memoryUsage.rss();
    const answers = await Promise.all(Array.from({ length: 10 }, () => upload(feira, product, bytes, bytes)));
    expect(new Set(answers.map((res) => res.status))).toEqual(new Set([422]));
    expect(process.memoryUsage.rss() - rss).toBeLessThan(100 * MEGABYTE);
    expect(await filesOf(feira)).toEqual(before);
  });

  it('is no picture with as many frames as are accepted', async () => {
    const product = await createProduct(feira);
    const { body } = await upload(feira, product, rawGif(200)).expect(200);
    expect(body.images[0]).toMatchObject({ width: 1, height: 1 });
  });
});

describe('a picture that brings its decoder down', () => {
  it('is refused, and the next one is taken', async () => {
    const product = await createProduct(feira);
    const before = await filesOf(feira);
    const bytes = await picture('avif', 1900, 1900);
    let answer: { status: number; body: { code?: string } } | undefined;
    upload(feira, product, bytes).then((res) => (answer = res));
    await eventually(async () => {
      for (const { pid } of await decoders()) process.kill(pid, 'SIGKILL');
      return answer !== undefined;
    });
    expect({ status: answer?.status, code: answer?.body.code }).toEqual(UNREADABLE);
    expect(await filesOf(feira)).toEqual(before);
    await upload(feira, product, bytes).expect(200);
  });
});

/** Made in a moment and small, because it is of one colour. */
const hugeAvif = () =>
  sharp({ create: { width: 7000, height: 7000, channels: 3, background: 'red' } })
    .avif({ effort: 0 })
    .toBuffer();
