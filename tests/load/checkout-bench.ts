/**
 * What a checkout costs: a cart of two lines with the payment `test`, from request to paid order, beside one flushed
 * insert on the same store in the same run; how it grows with buyers; and 100 buyers of one unit. The shop as built and
 * its store are processes of their own; `CHECKOUT_BENCH_URI=mongodb://...` measures on another server.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { startProcess } from '../helpers/start-process.ts';
import { startBuiltStore } from './built-store.ts';
import { report } from './report.ts';
import { median, percentile } from './statistics.ts';

const KEY = 'bench-key-of-the-checkout';
/** Until both are compiled: a shop that sells is not in its first minute. */
const WARM_UP = 500;
const SAMPLES = 300;
const PER_BUYER_COUNT = 400;
const PRODUCTS = 200;

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  body: Record<string, never> & { id: string; status: string };
}

const dir = await mkdtemp(join(tmpdir(), 'feira-checkout-bench-'));
const given = process.env.CHECKOUT_BENCH_URI;
const store = given ? null : await startBuiltStore(join(dir, 'store'));
const url = new URL(given ?? store?.uri ?? '');
url.pathname = `/feira_checkout_bench_${process.pid}`;
const client = new MongoClient(url.href);
const feira = await startProcess({
  MONGODB_URI: url.href,
  UPLOADS_DIR: join(dir, 'uploads'),
  DATA_DIR: join(dir, 'data'),
  FEIRA_API_KEY: KEY,
  PAYMENT_TEST: '1',
  NODE_ENV: 'test',
  LOG_LEVEL: 'error',
  WRITES_PER_MINUTE: '1000000',
});
const agent = new Agent({ keepAlive: true, maxSockets: 128 });

function post(path: string, body: object, headers: Record<string, string> = {}): Promise<Answer> {
  const text = JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      `${feira.url}${path}`,
      { agent, method: 'POST', headers: { 'Content-Type': 'application/json', ...headers } },
      (res) => {
        let got = '';
        res
          .on('data', (chunk) => (got += chunk))
          .on('end', () => {
            resolve({ status: res.statusCode ?? 0, headers: res.headers, body: JSON.parse(got) });
          });
      },
    );
    sent.on('error', reject).end(text);
  });
}

async function createProduct(code: string, stock: number): Promise<string> {
  const product = { code, title: `Mug ${code}`, price: 1999, stock, category: 'Ceramics' };
  const { status, body } = await post('/api/products', product, { Authorization: `Bearer ${KEY}` });
  if (status !== 201) throw new Error(`No product: ${JSON.stringify(body)}`);
  return body.id;
}

interface Cart {
  path: string;
  secret: string;
}

async function createCart(productIds: readonly string[]): Promise<Cart> {
  const made = await post('/api/carts', { items: productIds.map((productId) => ({ productId, quantity: 1 })) });
  if (made.status !== 201) throw new Error(`No cart: ${JSON.stringify(made.body)}`);
  return { path: `/api/carts/${made.body.id}/checkout`, secret: String(made.headers['cart-secret']) };
}

const order = {
  email: 'buyer@example.com',
  address: { name: 'Ana Sousa', line1: 'Rua das Flores 12', city: 'Porto', postalCode: '4050-262', country: 'PT' },
  ...{ shippingMethod: 'standard', paymentMethod: 'test', payment: { outcome: 'approve' } },
};
const checkOut = ({ path, secret }: Cart) => post(path, order, { 'Cart-Secret': secret });

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** Runs the work over the items, so many at a time. */
async function atOnce<T>(items: readonly T[], count: number, work: (item: T) => Promise<unknown>): Promise<void> {
  const waiting = [...items];
  const worker = async () => {
    for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: count }, worker));
}

async function cartsOf(products: readonly string[], count: number): Promise<Cart[]> {
  const pick = (i: number) => products[i % products.length] ?? '';
  const carts: Cart[] = [];
  const wanted = Array.from({ length: count }, (_, i) => i);
  await atOnce(wanted, 8, async (i) => carts.push(await createCart([pick(i), pick(i * 7 + 1)])));
  return carts;
}

async function paid(cart: Cart): Promise<void> {
  const { status, body } = await checkOut(cart);
  if (status !== 201 || body.status !== 'paid') throw new Error(`Not paid: ${status} ${JSON.stringify(body)}`);
}

try {
  await client.connect();
  const probe = client.db().collection('bench_probe');
  const insert = () => probe.insertOne({ text: 'x'.repeat(500), at: new Date() });
  const products: string[] = [];
  for (let i = 0; i < PRODUCTS; i++) products.push(await createProduct(`B-${i}`, 100_000));

  for (const cart of await cartsOf(products, WARM_UP)) await Promise.all([paid(cart), insert()]);
  const inserts: number[] = [];
  const checkouts: number[] = [];
  // In turn, so that both meet the same moments of the machine.
  for (const cart of await cartsOf(products, SAMPLES)) {
    inserts.push(await milliseconds(insert));
    checkouts.push(await milliseconds(() => paid(cart)));
  }
  const ratio = median(checkouts) / median(inserts);
  const ms = (value: number) => `${value.toFixed(2)} ms`;
  report('one flushed insert', ms(median(inserts)), '');
  report('checkout of two lines, paid', ms(median(checkouts)), '', true, `p99 ${ms(percentile(checkouts, 0.99))}`);
  report('times one flushed insert', ratio.toFixed(1), 'at most 6', ratio <= 6);

  let before = 0;
  for (const buyers of [1, 4, 16, 64]) {
    const carts = await cartsOf(products, PER_BUYER_COUNT);
    const took = await milliseconds(() => atOnce(carts, buyers, paid));
    const rate = (carts.length / took) * 1000;
    report(`${buyers} buyers at once`, `${rate.toFixed(0)}/s`, 'grows', rate >= before * 0.9);
    before = rate;
  }

  for (const stock of [1, 100]) {
    const product = await createProduct(`HOT-${stock}`, stock);
    const carts = await Promise.all(Array.from({ length: 100 }, () => createCart([product])));
    const statuses: number[] = [];
    const took = await milliseconds(() =>
      Promise.all(carts.map(async (cart) => statuses.push((await checkOut(cart)).status))),
    );
    const sold = statuses.filter((status) => status === 201).length;
    report(`100 buyers of a product with ${stock} in stock`, ms(took), 'under 2 s', took < 2000, `${sold} sold`);
  }
} finally {
  await client.db().dropDatabase();
  await client.close();
  agent.destroy();
  await feira.end('SIGTERM');
  await store?.end('SIGTERM');
  await rm(dir, { recursive: true, force: true });
}
