/**
 * A cart: which products, and how many of each. Prices are the catalogue's own, read each time; what a line keeps of
 * its product serves to show the line when the product is gone, and to tell that the price is another one. A guest's cart
 * is held by whoever knows its secret, the one cart of an account by whoever is logged in to it. One that was checked out
 * is kept for its order, and open to nothing else.
 */
import { model, Schema, type Types } from 'mongoose';
import type { Unit } from './product.model.ts';
import type { Totals } from './totals.ts';

export interface CartLine {
  productId: Types.ObjectId;
  /** Of a product that has variants; absent in lines of earlier times. */
  variantId?: Types.ObjectId | null;
  quantity: number;
  /** As it was when the line last changed. `price`, in minor units of the cart's currency, is what the buyer has seen. */
  code: string;
  title: string;
  price: number;
}

export interface CartFields {
  /** The account that it belongs to; a guest's cart has none. */
  owner?: Types.ObjectId | null;
  /** Of a guest's cart: SHA-256 of the secret, which is random: no slow hash is needed. */
  secretHash?: string | null;
  /** The currency of every line; null while there is none. */
  currency: string | null;
  items: CartLine[];
  /** The code of a coupon. */
  coupon?: string | null;
  shipping?: CartShipping | null;
  /** Of a cart that was checked out: its order, and the account that was its owner until then. */
  order?: Types.ObjectId | null;
  buyer?: Types.ObjectId | null;
  version: number;
  /** Of a guest's cart, and of one that was checked out; an account's stays. */
  expiresAt?: Date | null;
  /** What the last login brought into it, until the next change. */
  lastMerge?: (CartMerge & { at: Date }) | null;
  createdAt: Date;
  updatedAt: Date;
}

export type CartRecord = CartFields & { _id: Types.ObjectId };

/** Where to, and how: the country in two letters (ISO 3166-1). */
export interface CartShipping {
  country: string;
  region: string | null;
  method: string;
}

const lineSchema = new Schema<CartLine>(
  {
    productId: { type: Schema.Types.ObjectId, ref: 'Product', required: true },
    variantId: { type: Schema.Types.ObjectId, default: null },
    quantity: { type: Number, required: true },
    code: { type: String, required: true },
    title: { type: String, required: true },
    price: { type: Number, required: true },
  },
  { _id: false, id: false },
);

const shippingSchema = new Schema<CartShipping>(
  {
    country: { type: String, required: true },
    region: { type: String, default: null },
    method: { type: String, required: true },
  },
  { _id: false, id: false },
);

const cartSchema = new Schema<CartFields>(
  {
    owner: { type: Schema.Types.ObjectId, ref: 'User' },
    secretHash: { type: String },
    currency: { type: String, default: null },
    items: { type: [lineSchema], required: true },
    coupon: { type: String, default: null },
    shipping: { type: shippingSchema, default: null },
    order: { type: Schema.Types.ObjectId },
    buyer: { type: Schema.Types.ObjectId },
    version: { type: Number, required: true, default: 1 },
    expiresAt: { type: Date },
    lastMerge: { type: Schema.Types.Mixed },
  },
  { timestamps: true, versionKey: false, id: false },
);
cartSchema.index({ owner: 1 }, { unique: true, partialFilterExpression: { owner: { $exists: true } } });
cartSchema.index({ secretHash: 1 });
cartSchema.index({ buyer: 1, updatedAt: -1 }, { partialFilterExpression: { buyer: { $exists: true } } });
cartSchema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });

export const Cart = model('Cart', cartSchema, 'carts');

/** Why a line cannot be bought as it stands. `detail` is for people. */
export interface CartNotice {
  code:
    | 'NO_LONGER_SOLD'
    | 'NOT_FOR_SALE'
    | 'CURRENCY_CHANGED'
    | 'OUT_OF_STOCK'
    | 'INSUFFICIENT_STOCK'
    | 'PRICE_CHANGED'
    | 'COUPON_NOT_VALID';
  detail: string;
  /** Of PRICE_CHANGED: the price that the buyer has seen. */
  was?: number;
}

export interface CartItemDto {
  productId: string;
  variantId: string | null;
  /** What is bought: of a variant, its own code, title, price, stock and picture. */
  product: {
    id: string;
    code: string;
    title: string;
    price: number;
    currency: string;
    stock: number;
    status: boolean;
    thumbnail: string | null;
  };
  quantity: number;
  unitPrice: number;
  /** 0 when nothing of it is available: the line is not part of the total then. */
  lineTotal: number;
  /** How many can be bought at the moment. */
  available: number;
  notice: CartNotice | null;
}

/** One product of a guest's cart, and what became of it at the login. */
interface MergedLine {
  productId: string;
  variantId?: string;
  title: string;
  /** What the account's cart holds of it now; of what was left out, what the guest's cart held. */
  quantity: number;
}

/** What a login has brought from the guest's cart into the account's; a product is in one of the lists. */
export interface CartMerge {
  merged: MergedLine[];
  /** Fewer than both carts held together: `wanted`. */
  reduced: (MergedLine & { wanted: number })[];
  /** `reason` is for people. */
  leftOut: (MergedLine & { code: string; reason: string })[];
}

/** A way of delivery as it is offered; `price` in minor units of the cart's currency. */
export interface CartMethod {
  id: string;
  title: string;
  price: number;
}

/** What is derived from the cart, the catalogue and the rules of the shop together. */
export interface PricedCart {
  items: CartItemDto[];
  /** Units in all lines. */
  quantity: number;
  /** `notice` says why it counts for nothing at the moment. */
  coupon: { code: string; notice: CartNotice | null } | null;
  /** Where to, and how; `method` is null where nothing is delivered. */
  shipping: { country: string; region: string | null; method: CartMethod | null } | null;
  /** What can be chosen for that place, the cheapest first. */
  shippingMethods: CartMethod[];
  totals: Totals;
  /** As in `totals`. */
  total: number;
}

/** What leaves the server of a cart: never its secret. */
export interface CartDto extends PricedCart {
  id: string;
  currency: string;
  version: number;
  createdAt: string;
  updatedAt: string;
}

/** What checkout needs of a cart, at this moment. Without notices it can be bought as it stands. */
export interface CheckoutCart {
  id: string;
  version: number;
  /** The id of the account; null for a guest. */
  owner: string | null;
  currency: string;
  /** What can be bought; in the order of `totals.lines`. `seenPrice` is what the buyer has seen. */
  lines: { unit: Unit; quantity: number; seenPrice: number; thumbnail: string | null }[];
  coupon: { id: string; code: string } | null;
  shipping: { method: string; title: string; price: number };
  totals: Totals;
  notices: CheckoutNotice[];
}

/** What stands against buying the cart as it is; `productId` is null for what is about all of it. */
export interface CheckoutNotice {
  productId: string | null;
  variantId: string | null;
  title: string;
  code: CartNotice['code'];
  detail: string;
  /** Of PRICE_CHANGED: the price that the buyer has seen, and the one of now. */
  was?: number;
  now?: number;
}

/** @param shopCurrency what an empty cart is shown in. */
export function toCartDto(
  doc: CartRecord,
  { items, quantity, coupon, shipping, shippingMethods, totals, total }: PricedCart,
  shopCurrency: string,
): CartDto {
  return {
    id: doc._id.toHexString(),
    items,
    quantity,
    coupon,
    shipping,
    shippingMethods,
    totals,
    total,
    currency: doc.currency ?? shopCurrency,
    version: doc.version,
    createdAt: doc.createdAt.toISOString(),
    updatedAt: doc.updatedAt.toISOString(),
  };
}
