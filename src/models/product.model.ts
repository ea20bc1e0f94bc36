/**
 * A product of the catalogue. `listed`, `codes`, `categoryPaths`, `titleKey` and `terms` are derived, for uniqueness,
 * sorting and searching, and never leave. Documents of older versions lack what came later: services/product-upgrade.ts.
 */
import { type HydratedDocument, model, Schema, type Types } from 'mongoose';

/** A picture that was uploaded: addresses on this server, sizes in pixels. */
export interface ProductImage {
  id: string;
  url: string;
  thumbnail: string;
  width: number;
  height: number;
  /** What is in it, for those who do not see it. */
  alt: string;
}

/** Something that a buyer chooses, such as the colour. */
export interface ProductOption {
  name: string;
  values: string[];
}

/** One combination of values, sold as a thing of its own. */
export interface Variant {
  /** 24 hexadecimal digits; stays the same when everything else changes. */
  id: string;
  code: string;
  /** One for each option, in the order of the options. */
  values: string[];
  /** In minor units of the product's currency. */
  price: number;
  stock: number;
  /** The id of one of the product's images. */
  picture: string | null;
}

export interface ProductFields {
  code: string;
  title: string;
  description: string;
  /** In minor units of `currency` (cents), a whole number; with variants the lowest of theirs. */
  price: number;
  currency: string;
  /** What can be bought now; with variants the sum of theirs. */
  stock: number;
  /** False: shown, and not for sale. */
  status: boolean;
  /** The name of its category. */
  category: string;
  /** The slug paths of its category and of those above it, such as `kitchen` and `kitchen/mugs`. */
  categoryPaths: string[];
  thumbnails: string[];
  images: ProductImage[];
  options: ProductOption[];
  variants: Variant[];
  /** Its own code and those of its variants: none of them is another thing's too. */
  codes: string[];
  /** Not yet, or no longer, for the public. */
  draft: boolean;
  /** Neither a draft nor deleted. */
  listed: boolean;
  /** The regular price of a reduced product. */
  listPrice: number | null;
  /** The lowest price of the 30 days before `price` began; null when it has always been the same. */
  lowestPriceBefore: number | null;
  /** Ids of products that go with it. */
  related: string[];
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
    alt: { type: String, default: '' },
  },
  { _id: false, id: false },
);

const optionSchema = new Schema<ProductOption>(
  { name: { type: String, required: true }, values: { type: [String], required: true } },
  { _id: false, id: false },
);

const variantSchema = new Schema<Variant>(
  {
    id: { type: String, required: true },
    code: { type: String, required: true },
    values: { type: [String], required: true },
    price: { type: Number, required: true },
    stock: { type: Number, required: true },
    picture: { type: String, default: null },
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
    categoryPaths: { type: [String], required: true },
    images: { type: [imageSchema], required: true },
    options: { type: [optionSchema], required: true },
    variants: { type: [variantSchema], required: true },
    codes: { type: [String], required: true },
    draft: { type: Boolean, required: true, default: false },
    listed: { type: Boolean, required: true },
    listPrice: { type: Number, default: null },
    lowestPriceBefore: { type: Number, default: null },
    related: { type: [String], required: true },
    titleKey: { type: String, required: true },
    terms: { type: [String], required: true },
    deleted: { type: Boolean, required: true, default: false },
    version: { type: Number, required: true, default: 1 },
  },
  { timestamps: true, versionKey: false, id: false },
);
// A deleted product gives its codes free. What an older version stored has no `codes` yet.
productSchema.index({ code: 1 }, { unique: true, partialFilterExpression: { deleted: false } });
productSchema.index(
  { codes: 1 },
  { unique: true, partialFilterExpression: { deleted: false, codes: { $exists: true } } },
);
for (const sorted of ['createdAt', 'updatedAt', 'price', 'titleKey', 'stock', 'code'])
  productSchema.index({ listed: 1, [sorted]: 1, _id: 1 });
productSchema.index({ listed: 1, status: 1, category: 1 });
// Not with `listed` in front: these hold a product several times, which is no way to count them.
productSchema.index({ categoryPaths: 1, listed: 1, createdAt: 1, _id: 1 });
productSchema.index({ terms: 1, listed: 1 });
productSchema.index({ category: 1, _id: 1 });
productSchema.index({ draft: 1, createdAt: 1, _id: 1 }, { partialFilterExpression: { draft: true } });

export const Product = model('Product', productSchema, 'products');

/** What leaves the server of a product; `ProductFields` says more. */
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
  /** The slugs from the top to its category: `kitchen/mugs`. */
  categoryPath: string;
  thumbnails: string[];
  images: ProductImage[];
  options: ProductOption[];
  variants: Variant[];
  draft: boolean;
  listPrice: number | null;
  /** Only of a reduced product: the lowest price of the 30 days before the reduction. */
  lowestPrice30Days: number | null;
  related: string[];
  version: number;
  createdAt: string;
  updatedAt: string;
}

type Later = 'categoryPaths' | 'options' | 'variants' | 'draft' | 'listPrice' | 'lowestPriceBefore' | 'related';

/** What is needed of a document, lean or hydrated; documents of older versions lack the later fields. */
export type StoredProduct = Omit<ProductFields, 'titleKey' | 'terms' | 'deleted' | 'codes' | 'listed' | Later> &
  Partial<Pick<ProductFields, Later>> & { _id: Types.ObjectId };

export function toProductDto(doc: StoredProduct): ProductDto {
  const listPrice = doc.listPrice ?? null;
  const reduced = listPrice !== null && listPrice > doc.price;
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
    categoryPath: doc.categoryPaths?.at(-1) ?? '',
    thumbnails: [...doc.thumbnails],
    images: doc.images.map(({ id, url, thumbnail, width, height, alt }) => ({
      id,
      url,
      thumbnail,
      width,
      height,
      alt: alt ?? '',
    })),
    options: (doc.options ?? []).map(({ name, values }) => ({ name, values: [...values] })),
    variants: (doc.variants ?? []).map(({ id, code, values, price, stock, picture }) => ({
      id,
      code,
      values: [...values],
      price,
      stock,
      picture: picture ?? null,
    })),
    draft: doc.draft ?? false,
    listPrice,
    lowestPrice30Days: reduced ? (doc.lowestPriceBefore ?? doc.price) : null,
    related: [...(doc.related ?? [])],
    version: doc.version,
    createdAt: doc.createdAt.toISOString(),
    updatedAt: doc.updatedAt.toISOString(),
  };
}

/** What can be put into a cart: a product without variants, or one variant of a product. */
export interface Unit {
  productId: string;
  variantId: string | null;
  code: string;
  /** With the values of a variant: `Mug – Red, Large`. */
  title: string;
  price: number;
  currency: string;
  stock: number;
  forSale: boolean;
  /** The address of a small picture. */
  picture: string | null;
}

/** Null when there is no such unit: a product with variants is not sold without one, nor the other way round. */
export function unitOf(product: ProductDto, variantId: string | null): Unit | null {
  const { id: productId, currency, status, draft, thumbnails, images } = product;
  const common = { productId, variantId, currency, forSale: status && !draft };
  if (variantId === null) {
    if (product.variants.length > 0) return null;
    const { code, title, price, stock } = product;
    return { ...common, code, title, price, stock, picture: thumbnails[0] ?? null };
  }
  const variant = product.variants.find((one) => one.id === variantId);
  if (!variant) return null;
  const { code, values, price, stock } = variant;
  const picture = images.find((image) => image.id === variant.picture)?.thumbnail ?? thumbnails[0] ?? null;
  return { ...common, code, title: `${product.title} – ${values.join(', ')}`, price, stock, picture };
}
