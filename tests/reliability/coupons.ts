/** Coupons that may be used once, in twenty carts each that are checked out at once. */
import { note, type Outcome, pick, unexpected } from './part.ts';
import { atOnce, checkOut, codeOf, insist } from './requests.ts';
import type { Shop } from './shop-under-test.ts';

const CARTS = 20;

export async function coupons(shop: Shop, { coupons: count }: { coupons: number }): Promise<Outcome> {
  const products = await shop.stock(CARTS, count);
  const faults: string[] = [];
  let refused = 0;
  const codes = Array.from({ length: count }, (_, i) => `ONCE-${i}`);
  await shop.coupons(codes, 1);
  for (const coupon of codes) {
    const carts = await shop.carts(products.map((productId) => ({ productIds: [productId], coupon })));
    const before = shop.sales.length;
    await atOnce(CARTS, carts, async (cart, n) => {
      const answer = await insist(() => checkOut(pick(shop.urls, n), cart));
      if (answer.status === 201) note(shop, cart, answer);
      // Used up when it is redeemed, or already when the cart is read.
      else if (['COUPON_NOT_VALID', 'CART_CHANGED'].includes(codeOf(answer))) refused += 1;
      else faults.push(unexpected(`coupon ${coupon}`, answer));
    });
    const uses = shop.sales.length - before;
    if (uses !== 1 || carts.length !== CARTS) faults.push(`coupon ${coupon}: ${uses} uses by ${carts.length} carts`);
  }
  return { facts: { coupons: count, carts: count * CARTS, refused }, faults };
}
