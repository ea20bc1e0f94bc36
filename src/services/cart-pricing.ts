/** A cart as it costs now: its lines by the catalogue, its coupon, and delivery and tax by the rules of the shop. */
import { AppError, invalidInput } from '../errors.ts';
import type { CartFields, CartShipping, PricedCart } from '../models/cart.model.ts';
import type { Unit } from '../models/product.model.ts';
import { methodsFor, type ShopRules, taxRateOf } from '../shop-rules.ts';
import type { Catalogue } from './cart-lines.ts';
import { priceLines } from './cart-totals.ts';
import { findCoupon, quoteCoupon } from './coupon-uses.ts';
import { calculateTotals, type Discount } from './order-totals.ts';
import type { ProductService } from './product.service.ts';

interface Pricing {
  rules: ShopRules;
  /** Of the rules' amounts, and what an empty cart is shown in. */
  currency: string;
}

/** What carts know of the shop. */
export interface CartShop extends Pricing {
  products: Pick<ProductService, 'getMany'>;
}

/** `units` are those of the items, null for what is gone; `couponId` that of a coupon that counts. */
export interface PricedParts extends PricedCart {
  units: (Unit | null)[];
  couponId: string | null;
}

/** The products of these lines. Drafts are hidden: a product that has become one is as good as gone. */
export async function productsOf(
  { products }: CartShop,
  lines: readonly { productId: { toString(): string } }[],
  known: Catalogue = new Map(),
): Promise<Catalogue> {
  const ids = new Set(lines.map(({ productId }) => productId.toString()).filter((id) => !known.has(id)));
  const found = await products.getMany([...ids]);
  return new Map([...known, ...found.filter(({ draft }) => !draft).map((one) => [one.id, one] as const)]);
}

/**
 * @param catalogue the products of the lines that are still shown, by id
 * @param delivery where to and how; a method that is not offered there is replaced by the cheapest one that is
 */
export async function priceCart(
  cart: CartFields,
  catalogue: Catalogue,
  { rules, currency: shopCurrency }: Pricing,
  delivery: CartShipping | null = cart.shipping ?? null,
): Promise<PricedParts> {
  const currency = cart.currency ?? shopCurrency;
  const priced = priceLines(cart.items, catalogue, currency);
  const items = priced.map(({ item }) => item);
  const lines = items.map(({ unitPrice, quantity, available }) => ({ unitPrice, quantity: available && quantity }));
  const subtotal = items.reduce((sum, { lineTotal }) => sum + lineTotal, 0);
  const quoted = await quote(cart.coupon, subtotal, currency);

  // What delivery costs is known in one currency.
  const offered = delivery && currency === shopCurrency ? methodsFor(rules, delivery.country, subtotal) : [];
  const method = offered.find(({ id }) => id === delivery?.method) ?? offered[0] ?? null;
  const rate = delivery ? taxRateOf(rules, delivery.country, delivery.region) : 0;
  const totals = calculateTotals({
    lines,
    discount: quoted.discount,
    shipping: method?.price ?? 0,
    tax: { rate, included: rules.pricesIncludeTax },
  });
  return {
    items,
    units: priced.map(({ unit }) => unit),
    quantity: items.reduce((sum, { quantity }) => sum + quantity, 0),
    coupon: quoted.coupon,
    couponId: quoted.couponId,
    shipping: delivery && { country: delivery.country, region: delivery.region, method },
    shippingMethods: offered,
    totals,
    total: totals.total,
  };
}

/** @throws AppError INVALID_INPUT when the chosen way of delivery is not the one that is offered instead */
export function expectOffered(chosen: string, offered: string | undefined, pointer: string): void {
  if (chosen !== offered) throw invalidInput([{ pointer, detail: 'is not a way of delivery that is offered there' }]);
}

/** A coupon that is not valid any more stays in the cart and counts for nothing. */
async function quote(
  code: string | null | undefined,
  subtotal: number,
  currency: string,
): Promise<{ discount: Discount | null; couponId: string | null; coupon: PricedCart['coupon'] }> {
  if (!code) return { discount: null, couponId: null, coupon: null };
  try {
    const now = new Date();
    const { id, discount } = quoteCoupon(await findCoupon(code, now), { subtotal, currency, now });
    return { discount, couponId: id, coupon: { code, notice: null } };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const notice = { code: 'COUPON_NOT_VALID' as const, detail: error.message };
    return { discount: null, couponId: null, coupon: { code, notice } };
  }
}
