/** A shop of 10,000 products and some carts, made through the API. */
export const PRODUCTS = 10_000;
const PARALLEL = 32;
const CARTS = 200;
const PRODUCTS_PER_CART = 10;

export interface Shop {
  productIds: string[];
  listEtag: string;
  /** Requests that each add one unit to one of the carts. */
  additions: { method: 'POST'; path: string; headers: Record<string, string>; body: string }[];
}

const CATEGORIES = ['Ceramics', 'Kitchen', 'Textiles', 'Pantry', 'Garden', 'Paper'];

export const benchProduct = (n: number) => ({
  code: `B-${n}`,
  title: `Product ${n}`,
  description: 'Thrown by hand, glazed in two colours, each a little different from the next.',
  price: 500 + ((n * 7919) % 20_000),
  stock: 1_000_000,
  category: CATEGORIES[n % CATEGORIES.length],
});

export async function fillShop(url: string, key: string): Promise<Shop> {
  const productIds: string[] = [];
  await inParallel(PRODUCTS, async (n) => {
    const product = await post(`${url}/api/products`, { Authorization: `Bearer ${key}` }, benchProduct(n));
    productIds.push(((await product.json()) as { id: string }).id);
  });
  const list = await fetch(`${url}/api/products`);
  return { productIds, listEtag: list.headers.get('etag') ?? '', additions: await fillCarts(url, productIds) };
}

async function fillCarts(url: string, productIds: string[]): Promise<Shop['additions']> {
  const additions: Shop['additions'] = [];
  await inParallel(CARTS, async (n) => {
    const answer = await post(`${url}/api/carts`, {}, {});
    const { id } = (await answer.json()) as { id: string };
    const headers = { 'content-type': 'application/json', 'Cart-Secret': answer.headers.get('cart-secret') ?? '' };
    for (let i = 0; i < PRODUCTS_PER_CART; i++) {
      const path = `/api/carts/${id}/products/${productIds[(n * PRODUCTS_PER_CART + i) % productIds.length]}`;
      additions.push({ method: 'POST', path, headers, body: '{"quantity":1}' });
    }
  });
  return shuffled(additions);
}

async function post(url: string, headers: Record<string, string>, body: object): Promise<Response> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`POST ${url}: ${answer.status} ${await answer.text()}`);
  return answer;
}

async function inParallel(count: number, work: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: PARALLEL }, async () => {
      while (next < count) await work(next++);
    }),
  );
}

/** So that connections that walk the same requests do not all meet at one cart. */
function shuffled<T>(items: T[]): T[] {
  return items
    .map((item) => ({ item, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}
