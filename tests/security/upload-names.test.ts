/** Names of files that try to leave their folder, on the way in and on the way out. */
import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createProduct } from '../helpers/factories.ts';
import { picture } from '../helpers/pictures.ts';
import { type Feira, startFeira } from '../helpers/start-feira.ts';
import { form, part, sendForm, upload } from '../helpers/uploads.ts';

let feira: Feira;
beforeAll(async () => {
  feira = await startFeira();
  await upload(feira, await createProduct(feira), await picture()).expect(200);
});
afterAll(() => feira.stop());

describe('the name of an uploaded file', () => {
  it.each([
    ['parents', '../../x.png'],
    ['encoded parents', '..%2f..%2fx.png'],
    ['backslashes', '..\\..\\x.png'],
    ['an absolute path', '/etc/x.png'],
    ['a NUL', 'a.php\0.png'],
    ['5,000 characters', 'a'.repeat(5000)],
    ['only dots', '..'],
    ['markup', '"><img src=x onerror=alert(1)>.svg'],
    ['quotes and line ends', 'a%22%0D%0AX: y.png'],
    ['a pipe', '|sh'],
  ])('is not used: %s', async (_name, filename) => {
    const product = await createProduct(feira);
    const outside = await readdir(dirname(feira.config.uploadsDir));
    const escaped = filename.replaceAll('"', '%22');
    const res = await sendForm(
      feira,
      product,
      form(part(`; name="file"; filename="${escaped}"\r\nContent-Type: image/png`, await picture())),
    );
    expect([200, 400, 422]).toContain(res.status);
    if (res.status === 200) expect(res.body.images[0].url).toBe(`/uploads/products/${res.body.images[0].id}.png`);
    expect(await readdir(dirname(feira.config.uploadsDir))).toEqual(outside);
    expect((await readdir(feira.config.uploadsDir)).sort()).toEqual(['.incoming', 'products']);
    expect(await readdir(join(feira.config.uploadsDir, '.incoming'))).toEqual([]);
    for (const name of await readdir(join(feira.config.uploadsDir, 'products')))
      expect(name).toMatch(/^[\da-f]{32}(-480)?\.\w+$/);
    await feira.api.get('/healthz').expect(200);
  });
});

/** The path as it stands, which clients of the tests would tidy up. */
function rawGet(path: string): Promise<{ status: number; body: string }> {
  const { hostname, port } = new URL(feira.url);
  return new Promise((resolve, reject) => {
    request({ hostname, port, path, agent: false }, (res) => {
      let body = '';
      res.on('data', (chunk) => (body += chunk)).on('end', () => resolve({ status: res.statusCode ?? 0, body }));
    })
      .on('error', reject)
      .end();
  });
}

describe('the address of an uploaded file', () => {
  it.each([
    '/uploads/../package.json',
    '/uploads/products/../../package.json',
    '/uploads/..%2f..%2fpackage.json',
    '/uploads/products/..%2f..%2fpackage.json',
    '/uploads/products/%2e%2e/%2e%2e/package.json',
    '/uploads/products/..%252f..%252fpackage.json',
    '/uploads/products/..%5c..%5cpackage.json',
    '/uploads/products/%00.png',
    '/uploads/products//etc/passwd',
    '/uploads//etc/passwd',
    '/uploads/%',
    '/uploads/products/%',
    '/uploads/products/%E0%A4%A',
    '/uploads/avatars/../.incoming/',
    '/uploads/avatars/..%2f..%2fpackage.json',
    '/uploads/avatars/../../package.json',
    `/uploads/avatars/${'0'.repeat(32)}-480.webp`,
    `/uploads/avatars/${'0'.repeat(32)}.png`,
    '/uploads/.incoming/',
    '/uploads/products/.%2e/.incoming',
    '/%2e%2e/%2e%2e/etc/passwd',
    `/uploads/products/${'a'.repeat(5000)}.png`,
    `/uploads/products/${'0'.repeat(32)}.svg`,
    `/uploads/products/${'0'.repeat(32)}.png/`,
    `/uploads/products/${'0'.repeat(32)}.png%00.html`,
  ])('leads nowhere else: %s', async (path) => {
    const { status, body } = await rawGet(path);
    expect([400, 404]).toContain(status);
    expect(JSON.parse(body)).toMatchObject({ status });
    expect(body).not.toMatch(/root:|"dependencies"|node_modules/);
    await feira.api.get('/healthz').expect(200);
  });

  it('takes no detour to a picture that is there', async () => {
    const { body } = await upload(feira, await createProduct(feira), await picture()).expect(200);
    const { url } = body.images[0];
    expect((await rawGet(url)).status).toBe(200);
    const name = url.split('/').at(-1);
    for (const path of [`/uploads/${name}`, `/uploads/x/../products/${name}`, `/uploads/products/x/../${name}`])
      expect((await rawGet(path)).status).toBe(404);
  });
});
