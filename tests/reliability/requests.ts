/** What clients of the shop do: requests, and insisting on an answer while the shop dies and comes back. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import pLimit from 'p-limit';

/** Nobody waits longer than this for one answer: then it counts as lost. */
const ANSWER_MS = 30_000;
/** Under one kill after another somebody has to have patience. */
const GIVE_UP_MS = 1_200_000;

export interface Answer<T> {
  status: number;
  headers: Headers;
  body: T;
}

/** Rejects when there is no whole answer. */
export async function send<T>(
  url: string,
  body?: object | string,
  headers: Record<string, string> = {},
  method = 'POST',
): Promise<Answer<T>> {
  const answer = await fetch(url, {
    method,
    body: typeof body === 'string' ? body : (JSON.stringify(body) ?? null),
    headers: { 'Content-Type': 'application/json', ...headers },
    signal: AbortSignal.timeout(ANSWER_MS),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: text ? JSON.parse(text) : null };
}

/** Asks again until there is an answer that says something: neither silence, nor "not now" (503), nor "again" (409). */
export async function insist<T>(ask: () => Promise<Answer<T>>): Promise<Answer<T>> {
  const deadline = Date.now() + GIVE_UP_MS;
  for (;;) {
    let silence: unknown;
    const answer = await ask().catch((error) => {
      silence = error.cause ?? error;
      return null;
    });
    if (answer && answer.status !== 503 && codeOf(answer) !== 'CONCURRENT_CHANGE') return answer;
    if (Date.now() > deadline) throw new Error(`No answer within ${GIVE_UP_MS} ms: ${answer?.status ?? silence}`);
    await delay(20 + Math.random() * 50);
  }
}

/** The code of a refusal. */
export const codeOf = ({ body }: Answer<unknown>): string => (body as { code?: string } | null)?.code ?? '';

export interface Choices {
  productIds: string[];
  coupon?: string;
  /** What the test payments are asked for. */
  outcome?: string;
}

/** A guest's cart, and all that its checkout is told: each copy of the request is the same, byte by byte. */
export interface Cart extends Choices {
  id: string;
  secret: string;
  email: string;
  key: string;
}

export interface OrderAnswer {
  id: string;
  number: string;
  status: string;
  totals: { total: number };
  [field: string]: unknown;
}

/** One unit of each product. @returns null when the shop refuses it: something is sold out, or the coupon is used up */
export async function fillCart(url: string, choices: Choices): Promise<Cart | null> {
  const items = choices.productIds.map((productId) => ({ productId, quantity: 1 }));
  const made = await insist(() => send<{ id: string }>(`${url}/api/carts`, { items }));
  if (made.status === 409) return null;
  if (made.status !== 201) throw new Error(`No cart: ${made.status} ${JSON.stringify(made.body)}`);
  const { id } = made.body;
  const secret = String(made.headers.get('cart-secret'));
  if (choices.coupon) {
    const path = `${url}/api/carts/${id}/coupon`;
    const put = await insist(() => send(path, { code: choices.coupon }, { 'Cart-Secret': secret }, 'PUT'));
    if (put.status === 409) return null;
    if (put.status !== 200) throw new Error(`No coupon: ${put.status}`);
  }
  return { ...choices, id, secret, email: `buyer.${randomUUID()}@example.com`, key: randomUUID() };
}

/** One copy of the checkout, once. */
export function checkOut(url: string, { id, secret, email, key, outcome = 'approve' }: Cart) {
  const address = { name: 'Ana Sousa', line1: 'Rua 1', city: 'Porto', postalCode: '4050-262', country: 'PT' };
  const body = { email, address, shippingMethod: 'standard', paymentMethod: 'test', payment: { outcome } };
  const headers = { 'Cart-Secret': secret, 'Idempotency-Key': key };
  return send<OrderAnswer>(`${url}/api/carts/${id}/checkout`, body, headers);
}

/** Runs the work over the items, so many at a time. */
export async function atOnce<T, R>(count: number, items: readonly T[], work: (item: T, index: number) => Promise<R>) {
  const limit = pLimit(count);
  return Promise.all(items.map((item, index) => limit(() => work(item, index))));
}

export const shuffled = <T>(items: readonly T[]): T[] =>
  items
    .map((item) => ({ item, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
