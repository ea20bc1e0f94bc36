/** Each checkout is sent three times under its key, some while the server dies and comes back: one order, one answer. */
import { setTimeout as delay } from 'node:timers/promises';
import { note, type Outcome, pick, unexpected } from './part.ts';
import { type Answer, atOnce, type Cart, checkOut, insist, type OrderAnswer } from './requests.ts';
import type { Shop } from './shop-under-test.ts';

const BATCH = 50;

export async function replays(shop: Shop, { checkouts }: { checkouts: number }): Promise<Outcome> {
  const products = await shop.stock(10, checkouts);
  const faults: string[] = [];
  let [kills, replayed] = [0, 0];
  for (let done = 0; done < checkouts; done += BATCH) {
    const count = Math.min(BATCH, checkouts - done);
    const carts = await shop.carts(Array.from({ length: count }, (_, i) => ({ productIds: [pick(products, i)] })));
    const answers = new Map<Cart, Answer<OrderAnswer>[]>(carts.map((cart) => [cart, []]));
    const ask = async (cart: Cart, i: number) => {
      const answer = await insist(() => checkOut(pick(shop.urls, i), cart));
      answers.get(cart)?.push(answer);
      if (isReplay(answer)) replayed += 1;
    };
    // Two copies of each next to each other, by both processes where there are two.
    const asking = atOnce(BATCH, [...carts, ...carts].sort(byId), ask);
    if ((done / BATCH) % 2 === 0) {
      await delay(20 + Math.random() * 300);
      await shop.kill();
      await shop.open();
      kills += 1;
    }
    await asking;
    await atOnce(BATCH, carts, ask);
    for (const [cart, copies] of answers) faults.push(...judge(shop, cart, copies));
  }
  return { facts: { checkouts, 'copies sent': checkouts * 3, replayed, kills }, faults };
}

const byId = (a: Cart, b: Cart) => (a.id < b.id ? -1 : 1);
const isReplay = ({ headers }: Answer<unknown>) => headers.get('idempotent-replayed') === 'true';

/** The status of an order moves on while its payment does; the rest of an answer is the same each time. */
function judge(shop: Shop, cart: Cart, copies: Answer<OrderAnswer>[]): string[] {
  const strange = copies.filter(({ status }) => status !== 201);
  if (strange.length > 0) return strange.map((copy) => unexpected(`a copy of cart ${cart.id}`, copy));
  for (const copy of copies) note(shop, cart, copy);
  const same = copies.map(({ headers, body: { id, number, lines, totals, address, email, coupon } }) =>
    JSON.stringify([headers.get('order-token'), id, number, lines, totals, address, email, coupon]),
  );
  const isOne = copies.length === 3 && new Set(same).size === 1 && copies.filter(isReplay).length >= 2;
  return isOne ? [] : [`cart ${cart.id}, ${copies.map(isReplay)}: ${same}`];
}
