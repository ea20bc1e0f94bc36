/** 100 clients want the same units, of which there is one each: all are sold, and each once. */
import { note, type Outcome, pick, unexpected } from './part.ts';
import { atOnce, type Cart, checkOut, codeOf, insist, shuffled } from './requests.ts';
import type { Shop } from './shop-under-test.ts';

const CLIENTS = 100;

export async function races(shop: Shop, { rounds, units: count }: { rounds: number; units: number }): Promise<Outcome> {
  const faults: string[] = [];
  let [wanted, refused] = [0, 0];
  const race = (carts: Cart[]) =>
    atOnce(CLIENTS, carts, async (cart, i) => {
      const answer = await insist(() => checkOut(pick(shop.urls, i), cart));
      wanted += cart.productIds.length;
      if (answer.status === 201) note(shop, cart, answer);
      else if (codeOf(answer) === 'OUT_OF_STOCK') refused += 1;
      else faults.push(unexpected('checkout', answer));
    });
  const soldSoFar = () => shop.sales.flatMap(({ productIds }) => productIds).length;
  for (let round = 1; round <= rounds; round++) {
    const units = await shop.stock(count, 1);
    // Each unit in two carts alone, and in four with another one, on average. All are filled before the first is bought.
    const singles = await shop.carts(shuffled([...units, ...units]).map((id) => ({ productIds: [id] })));
    const pairs = await shop.carts(
      shuffled([...units, ...units]).map((id) => ({ productIds: [id, pick(units.filter((other) => other !== id))] })),
    );
    await race(pairs);
    // What is left because of a pair that could not be had whole is sold now.
    await race(singles);
    if (soldSoFar() !== round * count) faults.push(`round ${round}: ${soldSoFar()} of ${round * count} units are sold`);
  }
  return { facts: { rounds, 'units at the start': rounds * count, sold: soldSoFar(), wanted, refused }, faults };
}
