/** A product of the catalogue. `titleKey` and `terms` are derived, for sorting and searching, and never leave. */
import { type HydratedDocument, model, Schema, type Types } from 'mongoose';

/** A picture that was uploaded: addresses on this server, sizes in pixels. */
export interface ProductImage {
  id: string;
  url: string;
  thumbnail: string;
  width: number;
  height: number;
}

export interface ProductFields {
  code: string;
  title: string;
  description: string;
  /** In minor units of `currency` (cents), a whole number. */
  price: number;
  currency: string;
  stock: number;
  status: boolean;
  category: string;
  thumbnails: string[];
  images: ProductImage[];
  titleKey: string;
  terms: string[];
  deleted: boolean;
  version: number;
  createdAt: Date;
  updatedAt: Date;
}

export type ProductDocument = HydratedDocument<ProductFields>;

const imageSchema = new Schema<ProductImage>(
  {
    id: { type: String, required: true },
    url: { type: String, required: true },
    thumbnail: { type: String, required: true },
    width: { type: Number, required: true },
    height: { type: Number, required: true },
  },
  { _id: false, id: false },
);

const productSchema = new Schema<ProductFields>(
  {
    code: { type: String, required: true },
    title: { type: String, required: true },
    description: { type: String, default: '' },
    price: { type: Number, required: true },
    currency: { type: String, required: true },
    stock: { type: Number, required: true },
    status: { type: Boolean, required: true },
    category: { type: String, required: true },
    thumbnails: { type: [String], required: true },
    images: { type: [imageSchema], required: true },
    titleKey: { type: String, required: true },
    terms: { type: [String], required: true },
    deleted: { type: Boolean, required: true, default: false },
    version: { type: Number, required: true, default: 1 },
  },
  { timestamps: true, versionKey: false, id: false },
);
// A deleted product gives its code free.
productSchema.index({ code: 1 }, { unique: true, partialFilterExpression: { deleted: false } });
productSchema.index({ deleted: 1, createdAt: 1, _id: 1 });
productSchema.index({ deleted: 1, price: 1, _id: 1 });
productSchema.index({ deleted: 1, titleKey: 1, _id: 1 });
productSchema.index({ deleted: 1, category: 1, createdAt: 1, _id: 1 });
productSchema.index({ deleted: 1, terms: 1 });

export const Product = model('Product', productSchema, 'products');

/** What leaves the server of a product. */
export interface ProductDto {
  id: string;
  code: string;
  title: string;
  description: string;
  price: number;
  currency: string;
  stock: number;
  status: boolean;
  category: string;
  thumbnails: string[];
  images: ProductImage[];
  version: number;
  createdAt: string;
  updatedAt: string;
}

/** Works on lean and on hydrated documents. */
export function toProductDto(
  doc: Omit<ProductFields, 'titleKey' | 'terms' | 'deleted'> & {
    _id: Types.ObjectId;
  },
): ProductDto {
  return {
    id: doc._id.toHexString(),
    code: doc.code,
    title: doc.title,
    description: doc.description,
    price: doc.price,
    currency: doc.currency,
    stock: doc.stock,
    status: doc.status,
    category: doc.category,
    thumbnails: [...doc.thumbnails],
    images: doc.images.map(({ id, url, thumbnail, width, height }) => ({
      id,
      url,
      thumbnail,
      width,
      height,
    })),
    version: doc.version,
    createdAt: doc.createdAt.toISOString(),
    updatedAt: doc.updatedAt.toISOString(),
  };
}
