/** Every change of a unit's stock and what caused it. Movements are only ever added; a cause moves a unit once. */
import { model, Schema, type Types } from 'mongoose';

export interface StockMovementFields {
  /** The product, and the variant when it has some: `<product>` or `<product>:<variant>`. */
  unit: string;
  productId: Types.ObjectId;
  /** Units that came (above 0) or went. */
  change: number;
  /** Such as `order:<id>`, `cancel:<id>:<version>`, `refund:<id>`, `staff:<request>`. */
  cause: string;
  /** What staff have said about it. */
  reason?: string | null;
  at: Date;
}

const stockMovementSchema = new Schema<StockMovementFields>(
  {
    unit: { type: String, required: true },
    productId: { type: Schema.Types.ObjectId, ref: 'Product', required: true },
    change: { type: Number, required: true },
    cause: { type: String, required: true },
    reason: { type: String, default: null },
    at: { type: Date, required: true },
  },
  { versionKey: false, id: false },
);
stockMovementSchema.index({ cause: 1, unit: 1 }, { unique: true });
stockMovementSchema.index({ unit: 1, _id: -1 });
stockMovementSchema.index({ productId: 1, _id: -1 });

export const StockMovement = model('StockMovement', stockMovementSchema, 'stock_movements');
