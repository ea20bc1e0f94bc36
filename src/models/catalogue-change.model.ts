/** The last week of changes of the catalogue, for clients that missed some. `_id` is the catalogue's sequence. */
import { type InferSchemaType, model, Schema } from 'mongoose';
import type { ProductDto } from './product.model.ts';

const KEPT_SECONDS = 7 * 24 * 60 * 60;

const catalogueChangeSchema = new Schema(
  {
    _id: { type: Number, required: true },
    type: {
      type: String,
      required: true,
      enum: ['created', 'updated', 'deleted'] as const,
    },
    product: { type: Schema.Types.Mixed, required: true },
    at: { type: Date, required: true },
  },
  { versionKey: false },
);
catalogueChangeSchema.index({ at: 1 }, { expireAfterSeconds: KEPT_SECONDS });

export const CatalogueChange = model('CatalogueChange', catalogueChangeSchema, 'catalogue_changes');

export type ChangeType = 'created' | 'updated' | 'deleted';

/** One change; `product` is the product as it was right after it. */
export interface CatalogueChangeDto {
  sequence: number;
  type: ChangeType;
  product: ProductDto;
}

export function toCatalogueChangeDto(doc: InferSchemaType<typeof catalogueChangeSchema>): CatalogueChangeDto {
  return {
    sequence: doc._id,
    type: doc.type,
    product: doc.product as ProductDto,
  };
}
