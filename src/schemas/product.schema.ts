/** What comes in and goes out of the catalogue. The OpenAPI document is made from these. */
import { z } from 'zod';
import { ObjectIdText, pageOf, paging, plainText, queryFlag, queryNumber } from './common.schema.ts';

const MAX_PRICE = 1_000_000_000;
const MAX_STOCK = 1_000_000;

const code = z
  .string()
  .trim()
  .regex(/^[\w.\-/]{1,64}$/, 'must be 1 to 64 letters, digits or . _ - /')
  .meta({ description: 'Unique in the catalogue', example: 'CER-001' });
const price = z.int('must be a whole number of minor units').min(0).max(MAX_PRICE).meta({
  description: 'In minor units of the currency: 1999 is 19.99',
  example: 1999,
});
const currency = z
  .string()
  .regex(/^[A-Z]{3}$/, 'must be a three-letter currency code')
  .meta({
    description: "ISO 4217; the shop's own when absent",
    example: 'EUR',
  });
const stock = z.int().min(0).max(MAX_STOCK).meta({ description: 'Units in stock', example: 12 });
const status = z.boolean().meta({ description: 'True when it is for sale' });
const category = plainText(1, 60).meta({ example: 'Ceramics' });
/** An http address or a path of this server: never `javascript:` or `data:`. */
const thumbnail = z
  .string()
  .max(2000)
  .refine((text) => /^\/(?![/\\])[^\s\\]*$/.test(text) || (/^https?:\/\//i.test(text) && URL.canParse(text)), {
    message: 'must be an http or https address, or a path that starts with /',
  });
const thumbnails = z.array(thumbnail).max(20).meta({ description: 'Addresses of small pictures' });

const writable = {
  code,
  title: plainText(1, 200).meta({ example: 'Speckled mug' }),
  description: plainText(0, 5000),
  price,
  currency,
  stock,
  status,
  category,
  thumbnails,
};

export const CreateProduct = z
  .strictObject({
    ...writable,
    description: writable.description.default(''),
    currency: currency.optional(),
    status: status.default(true),
    thumbnails: thumbnails.default([]),
  })
  .meta({ id: 'CreateProduct' });
export type CreateProduct = z.output<typeof CreateProduct>;

/** Replaces every field that a caller may write. Pictures stay as they are when `thumbnails` is absent. */
export const ReplaceProduct = CreateProduct.extend({
  thumbnails: thumbnails.optional(),
}).meta({ id: 'ReplaceProduct' });
export type ReplaceProduct = z.output<typeof ReplaceProduct>;

export const UpdateProduct = z
  .strictObject(writable)
  .partial()
  .refine((fields) => Object.keys(fields).length > 0, 'must hold at least one field')
  .meta({ id: 'UpdateProduct', override: { minProperties: 1 } });
export type UpdateProduct = z.output<typeof UpdateProduct>;

export const ProductParams = z.strictObject({ pid: ObjectIdText });

export const PRODUCT_SORTS = ['createdAt', 'updatedAt', 'price', 'title', 'stock', 'code', 'category'] as const;
export type ProductSort = (typeof PRODUCT_SORTS)[number] | `-${(typeof PRODUCT_SORTS)[number]}`;
const sorts = PRODUCT_SORTS.flatMap((field): ProductSort[] => [field, `-${field}`]);

export const ListProducts = z
  .strictObject({
    ...paging,
    sort: z
      .enum(sorts, `must be one of ${PRODUCT_SORTS.join(', ')}; with - in front for the largest or newest first`)
      .default('-createdAt'),
    category: z.string().max(60).optional(),
    status: queryFlag.optional().meta({ description: 'Only those for sale (true) or not (false)' }),
    minPrice: queryNumber(0, MAX_PRICE).optional().meta({ description: 'In minor units' }),
    maxPrice: queryNumber(0, MAX_PRICE).optional().meta({ description: 'In minor units' }),
    q: z.string().max(200).optional().meta({
      description: 'Words, or their beginnings, that all occur in the product',
    }),
  })
  .refine((query) => (query.minPrice ?? 0) <= (query.maxPrice ?? MAX_PRICE), {
    path: ['minPrice'],
    message: 'must not be more than maxPrice',
  });
export type ListProducts = z.output<typeof ListProducts>;

export const ProductImageBody = z.object({
  id: z.string(),
  url: z.string(),
  thumbnail: z.string(),
  width: z.int(),
  height: z.int(),
  alt: z.string().meta({ description: 'What is in it, for those who do not see it' }),
});

const OptionBody = z.object({ name: z.string(), values: z.array(z.string()) });

const VariantBody = z.object({
  id: ObjectIdText,
  code: z.string(),
  values: z.array(z.string()).meta({ description: 'One for each option, in the order of the options' }),
  price: z.int().meta({ description: "In minor units of the product's currency" }),
  stock: z.int(),
  picture: z.string().nullable().meta({ description: "The id of one of the product's images" }),
});

export const ProductBody = z
  .object({
    id: ObjectIdText,
    ...writable,
    price: writable.price.meta({ description: 'In minor units of the currency; with variants the lowest of theirs' }),
    stock: writable.stock.meta({ description: 'Units that can be bought now; with variants the sum of theirs' }),
    categoryPath: z.string().meta({ description: 'Slugs from the top of the tree', example: 'kitchen/mugs' }),
    images: z.array(ProductImageBody),
    options: z.array(OptionBody),
    variants: z.array(VariantBody),
    draft: z.boolean().meta({ description: 'True when it is hidden from the public' }),
    listPrice: z.int().nullable().meta({ description: 'The regular price, when the product is reduced' }),
    lowestPrice30Days: z
      .int()
      .nullable()
      .meta({ description: 'Of a reduced product: the lowest price of the 30 days before the reduction' }),
    related: z.array(ObjectIdText).meta({ description: 'Ids of products that go with it' }),
    version: z.int().meta({
      description: 'Goes up by one with each change; the ETag is made from it',
    }),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Product' });

export const ProductPage = pageOf(ProductBody).meta({ id: 'ProductPage' });

export const CategoryBody = z
  .object({
    name: z.string(),
    count: z.int().meta({ description: 'Products for sale in it' }),
  })
  .meta({ id: 'Category' });

export const CategoryList = z.object({ items: z.array(CategoryBody) }).meta({ id: 'CategoryList' });

/** Socket message `catalogue:changes`. */
export const CatalogueChanges = z.strictObject({ since: z.int().min(0) });
