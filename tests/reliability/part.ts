/** What the parts of the report have in common. */
import { faultsIn } from './checker.ts';
import type { Answer, Cart, OrderAnswer } from './requests.ts';
import { openShop, type Shop, type ShopOptions } from './shop-under-test.ts';

export interface Outcome {
  /** What was done and seen. */
  facts: Record<string, number | string>;
  faults: string[];
}

/**
 * Runs a part on a shop of its own, lets everything come to rest, and has the database checked. When something is wrong,
 * the directory of the shop (its log, its clients' list, its store) and its database are kept.
 */
export async function onShop(options: ShopOptions, part: (shop: Shop) => Promise<Outcome>): Promise<Outcome> {
  const shop = await openShop(options);
  let isWell = false;
  try {
    const { facts, faults } = await part(shop);
    const all = [...faults, ...(await check(shop))];
    isWell = all.length === 0;
    const orders = new Set(shop.sales.map(({ orderId }) => orderId)).size;
    return { facts: { ...facts, orders }, faults: isWell ? [] : [...all, `kept: ${shop.dir}`] };
  } finally {
    await shop.remove(!isWell);
  }
}

/** Closes the shop. @returns faults */
export async function check(shop: Shop): Promise<string[]> {
  await shop.settle();
  return shop.read((db) => faultsIn(db, shop));
}

/** What the client of a cart writes down when it is told that there is an order. */
export function note(shop: Shop, { id: cart, email, productIds, coupon }: Cart, { body }: Answer<OrderAnswer>) {
  const { id: orderId, number, status, totals } = body;
  shop.note({ orderId, number, cart, email, productIds, coupon: coupon ?? null, total: totals.total, status });
}

export const unexpected = (what: string, { status, body }: Answer<unknown>) =>
  `${what}: ${status} ${JSON.stringify(body).slice(0, 300)}`;

/** Of a list that is never empty. */
export const pick = <T>(items: readonly T[], i = Math.floor(Math.random() * items.length)): T =>
  items[i % items.length] as T;
