/** The prices that the public has seen, each from `at` until the next one of the same unit. Only ever added to. */
import { model, Schema, type Types } from 'mongoose';

export interface PriceChangeFields {
  productId: Types.ObjectId;
  /** Null for the product's own price, which with variants is the lowest of theirs. */
  variantId: string | null;
  /** In minor units of the product's currency. */
  price: number;
  at: Date;
}

const priceChangeSchema = new Schema<PriceChangeFields>(
  {
    productId: { type: Schema.Types.ObjectId, ref: 'Product', required: true },
    variantId: { type: String, default: null },
    price: { type: Number, required: true },
    at: { type: Date, required: true },
  },
  { versionKey: false, id: false },
);
priceChangeSchema.index({ productId: 1, at: -1, _id: -1 });

export const PriceChange = model('PriceChange', priceChangeSchema, 'price_changes');
