/** Bodies that are not what a browser sends, and bodies that never end. */
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createProduct } from '../helpers/factories.ts';
import { picture } from '../helpers/pictures.ts';
import { API_KEY, type Feira, startFeira } from '../helpers/start-feira.ts';
import { expectRefused, filesOf, form, part, sendForm, upload } from '../helpers/uploads.ts';
import { eventually } from '../helpers/wait-for.ts';

const ABORTED = 60;
const MALFORMED = { status: 400, code: 'MALFORMED_REQUEST' };
const TOO_LARGE = { status: 413, code: 'TOO_LARGE' };
const UNKNOWN = { status: 422, code: 'INVALID_INPUT' };

let uploadsDir: string;
let feira: Feira;
beforeAll(async () => {
  uploadsDir = await mkdtemp(join(tmpdir(), 'feira-uploads-'));
  const left = join(uploadsDir, '.incoming', 'upload-left');
  await mkdir(left, { recursive: true });
  await writeFile(join(left, 'half'), 'half a picture');
  await utimes(left, new Date(0), new Date(0));
  feira = await startFeira({ UPLOADS_DIR: uploadsDir });
});
afterAll(async () => {
  await feira.stop();
  await rm(uploadsDir, { recursive: true, force: true });
});

describe('the quarantine', () => {
  it('is rid of what a killed process has left when the shop starts', async () => {
    expect(await filesOf(feira)).toEqual([]);
  });
});

describe('a hostile form', () => {
  const many = (count: number, make: (i: number) => Buffer) => Array.from({ length: count }, (_, i) => make(i));
  const file = (name: string, content = 'x') => part(`; name="${name}"; filename="a.png"`, content);

  it.each<[string, () => Buffer, { status: number; code: string }]>([
    ['a huge index and a name', () => form(part('; name="a[4294967294]"'), part('; name="a[x]"')), MALFORMED],
    ['400 nested brackets', () => form(part(`; name="a${'[b]'.repeat(400)}"`)), MALFORMED],
    ['400 open brackets', () => form(part(`; name="${'['.repeat(400)}"`)), MALFORMED],
    ['__proto__', () => form(part('; name="__proto__[isAdmin]"', 'true')), MALFORMED],
    ['__proto__ alone', () => form(part('; name="__proto__"', 'true')), UNKNOWN],
    ['constructor', () => form(part('; name="constructor"', 'true')), UNKNOWN],
    ['an empty name', () => form(part('; name=""')), MALFORMED],
    ['no name', () => form(part('')), MALFORMED],
    ['an empty name of a file', () => form(file('')), MALFORMED],
    ['a name of 5,000 characters', () => form(part(`; name="${'a'.repeat(5000)}"`)), MALFORMED],
    ['a value of 1 MB', () => form(part('; name="a"', 'a'.repeat(1024 * 1024))), TOO_LARGE],
    ['5,000 fields', () => form(...many(5000, (i) => part(`; name="a${i}"`))), TOO_LARGE],
    ['5,000 files', () => form(...many(5000, () => file('file'))), TOO_LARGE],
    ['5,000 files in other fields', () => form(...many(5000, (i) => file(`f${i}`))), UNKNOWN],
    ['20 kB of headers', () => form(part(`; name="file"; filename="a"\r\nX: ${'a'.repeat(20_000)}`)), MALFORMED],
    ['10,000 headers', () => form(part(`; name="file"; filename="a"${'\r\nX: y'.repeat(10_000)}`)), MALFORMED],
    ['a cut boundary', () => form(file('file')).subarray(0, -8), MALFORMED],
    ['a cut part', () => file('file').subarray(0, 60), MALFORMED],
    ['no parts', () => Buffer.from('nothing of a form'), MALFORMED],
    ['nothing', () => Buffer.alloc(0), MALFORMED],
  ])('is refused in a moment: %s', async (_name, body, refusal) => {
    const bytes = body();
    const started = performance.now();
    await expectRefused(feira, (product) => sendForm(feira, product, bytes), refusal);
    expect(performance.now() - started).toBeLessThan(1000);
    expect(({} as { isAdmin?: unknown }).isAdmin).toBeUndefined();
  });

  it('is refused without a boundary', async () => {
    await expectRefused(
      feira,
      (product) => sendForm(feira, product, form()).set('Content-Type', 'multipart/form-data'),
      MALFORMED,
    );
  });

  it('is refused for its length alone', async () => {
    const product = await createProduct(feira);
    const { socket, answer } = openUpload(product.id, 1024 ** 4, Buffer.from('--b\r\n'));
    expect(await answer).toMatch(/^HTTP\/1\.1 413 /);
    socket.destroy();
  });
});

/** Starts an upload of `length` bytes by hand and sends only its `beginning`. */
function openUpload(pid: string, length: number, beginning: Buffer) {
  const { hostname, port } = new URL(feira.url);
  const socket = connect(Number(port), hostname);
  const head = [
    `POST /api/products/${pid}/upload HTTP/1.1`,
    `Host: ${hostname}:${port}`,
    `Authorization: Bearer ${API_KEY}`,
    'Content-Type: multipart/form-data; boundary=b',
    `Content-Length: ${length}`,
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  socket.write(beginning);
  const answer = new Promise<string>((resolve, reject) => {
    socket.once('data', (chunk) => resolve(String(chunk))).once('error', reject);
  });
  answer.catch(() => undefined);
  return { socket, answer };
}

describe('an upload that breaks off', () => {
  it(`leaves nothing behind, ${ABORTED} times at once`, async () => {
    const product = await createProduct(feira);
    const bytes = await picture('png', 400, 400);
    const beginning = Buffer.concat([
      Buffer.from('--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'),
      bytes,
      Buffer.from('\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="b.png"\r\n\r\nhalf'),
    ]);
    // Some break off while their first file is on its way, some before the shop has begun to read.
    const open = Array.from({ length: ABORTED }, () => openUpload(product.id, 5_000_000, beginning));
    const halfWay = async () => (await filesOf(feira)).some((path) => /upload-\w+\/./.test(path));
    await eventually(halfWay);
    for (const { socket } of open) socket.destroy();
    let left: string[] = [];
    await eventually(async () => {
      left = await filesOf(feira);
      return left.length === 0;
    }).catch(() => expect(left).toEqual([]));
    expect((await feira.api.get(`/api/products/${product.id}`)).body).toEqual(product);
    await upload(feira, product, bytes).expect(200);
  });
});
