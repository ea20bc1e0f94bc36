/**
 * A cart: which products, and how many of each. Prices are the catalogue's own, read each time; what a line keeps of
 * its product only serves to show the line when the product is gone. Whoever knows the secret holds the cart.
 */
import { model, Schema, type Types } from 'mongoose';

export interface CartLine {
  productId: Types.ObjectId;
  quantity: number;
  /** The product as it was when the line last changed. `price` is in minor units of the cart's currency. */
  code: string;
  title: string;
  price: number;
}

export interface CartFields {
  /** SHA-256 of the secret, which is random: no slow hash is needed. */
  secretHash: string;
  /** The currency of every line; null while there is none. */
  currency: string | null;
  items: CartLine[];
  version: number;
  expiresAt: Date;
  createdAt: Date;
  updatedAt: Date;
}

const lineSchema = new Schema<CartLine>(
  {
    productId: { type: Schema.Types.ObjectId, ref: 'Product', required: true },
    quantity: { type: Number, required: true },
    code: { type: String, required: true },
    title: { type: String, required: true },
    price: { type: Number, required: true },
  },
  { _id: false, id: false },
);

const cartSchema = new Schema<CartFields>(
  {
    secretHash: { type: String, required: true },
    currency: { type: String, default: null },
    items: { type: [lineSchema], required: true },
    version: { type: Number, required: true, default: 1 },
    expiresAt: { type: Date, required: true },
  },
  { timestamps: true, versionKey: false, id: false },
);
cartSchema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });

export const Cart = model('Cart', cartSchema, 'carts');

/** Why a line cannot be bought as it stands. `detail` is for people. */
export interface CartNotice {
  code: 'NO_LONGER_SOLD' | 'NOT_FOR_SALE' | 'CURRENCY_CHANGED' | 'OUT_OF_STOCK' | 'INSUFFICIENT_STOCK';
  detail: string;
}

export interface CartItemDto {
  productId: string;
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

/** What is derived from the lines and the catalogue together. */
export interface PricedLines {
  items: CartItemDto[];
  /** Units in all lines. */
  quantity: number;
  total: number;
}

/** What leaves the server of a cart: never its secret. */
export interface CartDto extends PricedLines {
  id: string;
  currency: string;
  version: number;
  createdAt: string;
  updatedAt: string;
}

/** @param shopCurrency what an empty cart is shown in. */
export function toCartDto(
  doc: CartFields & { _id: Types.ObjectId },
  { items, quantity, total }: PricedLines,
  shopCurrency: string,
): CartDto {
  return {
    id: doc._id.toHexString(),
    items,
    quantity,
    total,
    currency: doc.currency ?? shopCurrency,
    version: doc.version,
    createdAt: doc.createdAt.toISOString(),
    updatedAt: doc.updatedAt.toISOString(),
  };
}
