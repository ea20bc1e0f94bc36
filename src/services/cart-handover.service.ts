/** Where a cart goes: a guest's into the account's at a login, and every one into an order at checkout. */
import { inTransaction, upserting } from '../database/transaction.ts';
import { AppError } from '../errors.ts';
import {
  Cart,
  type CartMerge,
  type CartRecord,
  type CartShipping,
  type CheckoutCart,
  type CheckoutNotice,
} from '../models/cart.model.ts';
import { mergeLines, noLines } from './cart-lines.ts';
import { type CartShop, expectOffered, type PricedParts, priceCart, productsOf } from './cart-pricing.ts';
import { type AccountKey, type CartKey, findAlsoClosed, heldBy, inTurn } from './cart-store.ts';

/** How long a login's effect on the cart is news. */
const NEWS_MS = 30 * 60 * 1000;

export type { CartMerge, CheckoutCart };

const nothingMerged: CartMerge = { merged: [], reduced: [], leftOut: [] };

export class CartHandoverService {
  readonly #shop: CartShop;

  constructor({ shop }: { shop: CartShop }) {
    this.#shop = shop;
  }

  /**
   * Brings a guest's cart into the one of the account that they log in to. The guest's cart is gone in the same moment,
   * so that nothing comes twice, however often or from however many places somebody logs in.
   * @param guest shows the cart; one that is not there any more brings nothing
   */
  mergeAtLogin(owner: string, { id, secret }: { id?: string | undefined; secret: string }): Promise<CartMerge> {
    const merge = () =>
      inTransaction(async (session) => {
        const guest = await Cart.findOneAndDelete(heldBy({ id, secret }), { session }).lean();
        if (!guest || guest.items.length === 0) return nothingMerged;
        // A write at first, so that nobody else changes the cart until the commit.
        const own = await Cart.findOneAndUpdate(
          { owner },
          { $setOnInsert: { ...noLines }, $inc: { version: 1 } },
          { session, upsert: true, returnDocument: 'after', setDefaultsOnInsert: false },
        ).lean();
        const { lines, report } = mergeLines(own, guest, await productsOf(this.#shop, guest.items));
        const chosen = { coupon: own.coupon ?? guest.coupon ?? null, shipping: own.shipping ?? guest.shipping ?? null };
        const lastMerge = { ...report, at: new Date() };
        await Cart.updateOne({ _id: own._id }, { $set: { ...lines, ...chosen, lastMerge } }, { session });
        return report;
      });
    return inTurn({ owner }, () => upserting(merge));
  }

  /** What the last login has brought, for half an hour or until the cart changes; null when that is nothing. */
  async lastMerge({ owner }: AccountKey): Promise<CartMerge | null> {
    const since = new Date(Date.now() - NEWS_MS);
    const doc = await Cart.findOne({ owner, 'lastMerge.at': { $gt: since } }, { lastMerge: 1 }).lean();
    return doc?.lastMerge ?? null;
  }

  /**
   * The cart as it can be bought now, delivered as asked; of one that was checked out before, its order.
   * @throws AppError NOT_FOUND, CART_EMPTY, INVALID_INPUT at `#/shippingMethod` when it is not offered there
   */
  async readForCheckout(key: CartKey, delivery: CartShipping): Promise<CheckoutCart | { order: string }> {
    const doc = await findAlsoClosed(key);
    if (doc.order) return { order: doc.order.toHexString() };
    if (doc.items.length === 0) throw new AppError('CART_EMPTY', 'There is nothing in the cart.');
    const parts = await priceCart(doc, await productsOf(this.#shop, doc.items), this.#shop, delivery);
    const method = parts.shipping?.method;
    expectOffered(delivery.method, method?.id, '#/shippingMethod');
    return toCheckoutCart(doc, parts, {
      currency: doc.currency ?? this.#shop.currency,
      shipping: { method: delivery.method, title: method?.title ?? '', price: parts.totals.shipping },
    });
  }
}

/** What checkout needs of a priced cart: lines that can be bought, and what stands against buying all of it. */
function toCheckoutCart(
  doc: CartRecord,
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
