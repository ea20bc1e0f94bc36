/** A cart as it costs now: its lines by the catalogue, its coupon, and delivery and tax by the rules of the shop. */
import type { Types } from 'mongoose';
import { AppError } from '../errors.ts';
import type { CartFields, CartShipping, CheckoutCart, CheckoutNotice, PricedCart } from '../models/cart.model.ts';
import type { ProductDto, Unit } from '../models/product.model.ts';
import { methodsFor, type ShopRules, taxRateOf } from '../shop-rules.ts';
import { priceLines } from './cart-totals.ts';
import { quoteCoupon } from './coupon-uses.ts';
import { calculateTotals, type Discount } from './order-totals.ts';

interface Pricing {
  rules: ShopRules;
  /** Of the rules' amounts, and what an empty cart is shown in. */
  currency: string;
}

/** `units` are those of the items, null for what is gone; `couponId` that of a coupon that counts. */
export interface PricedParts extends PricedCart {
  units: (Unit | null)[];
  couponId: string | null;
}

/**
 * @param catalogue the products of the lines that are still shown, by id
 * @param delivery where to and how; a method that is not offered there is replaced by the cheapest one that is
 */
export async function priceCart(
  cart: CartFields,
  catalogue: ReadonlyMap<string, ProductDto>,
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

/** A coupon that is not valid any more stays in the cart and counts for nothing. */
async function quote(
  code: string | null | undefined,
  subtotal: number,
  currency: string,
): Promise<{ discount: Discount | null; couponId: string | null; coupon: PricedCart['coupon'] }> {
  if (!code) return { discount: null, couponId: null, coupon: null };
  try {
    const { id, discount } = await quoteCoupon(code, { subtotal, currency, now: new Date() });
    return { discount, couponId: id, coupon: { code, notice: null } };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const notice = { code: 'COUPON_NOT_VALID' as const, detail: error.message };
    return { discount: null, couponId: null, coupon: { code, notice } };
  }
}

/** What checkout needs of a priced cart: lines that can be bought, and what stands against buying all of it. */
export function toCheckoutCart(
  doc: CartFields & { _id: Types.ObjectId },
  parts: PricedParts,
  { currency, shipping }: Pick<CheckoutCart, 'currency' | 'shipping'>,
): CheckoutCart {
  const lines = parts.items.flatMap((item, i) => {
    const unit = item.available > 0 ? parts.units[i] : null;
    const total = parts.totals.lines[i];
    if (!unit || !total) return [];
    const seenPrice = doc.items[i]?.price ?? item.unitPrice;
    return [{ line: { unit, quantity: item.quantity, seenPrice, thumbnail: unit.picture }, total }];
  });
  return {
    id: doc._id.toHexString(),
    version: doc.version,
    owner: doc.owner?.toHexString() ?? null,
    currency,
    lines: lines.map(({ line }) => line),
    coupon: parts.coupon && parts.couponId ? { id: parts.couponId, code: parts.coupon.code } : null,
    shipping,
    totals: { ...parts.totals, lines: lines.map(({ total }) => total) },
    notices: noticesOf(parts),
  };
}

function noticesOf({ items, coupon }: PricedParts): CheckoutNotice[] {
  const ofLines = items.flatMap(({ notice, productId, variantId, product, unitPrice }): CheckoutNotice[] => {
    if (!notice) return [];
    const now = notice.was === undefined ? {} : { now: unitPrice };
    return [{ productId, variantId, title: product.title, ...notice, ...now }];
  });
  if (!coupon?.notice) return ofLines;
  return [...ofLines, { productId: null, variantId: null, title: coupon.code, ...coupon.notice }];
}
