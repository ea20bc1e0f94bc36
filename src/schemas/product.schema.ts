/** What comes in and goes out of the catalogue. The OpenAPI document is made from these. */
import { z } from 'zod';
import { ObjectIdText, pageOf, paging, plainText, queryFlag, queryNumber } from './common.schema.ts';

const MAX_PRICE = 1_000_000_000;
export const MAX_STOCK = 1_000_000;

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
const thumbnails = z
  .array(thumbnail)
  .max(20)
  .meta({ description: 'Addresses of small pictures: http, https, or a path of this server such as `/img/mug.jpg`' });

const option = z.strictObject({
  name: plainText(1, 60).meta({ example: 'Colour' }),
  values: z.array(plainText(1, 60)).min(1).max(30),
});
const options = z.array(option).max(3).meta({ description: 'What a buyer chooses from, such as colours' });
const variant = z.strictObject({
  id: ObjectIdText.optional().meta({ description: 'Of a variant that is there; otherwise it is known by its code' }),
  code,
  values: z.array(plainText(1, 60)).min(1).max(3).meta({ description: 'One for each option, in their order' }),
  price,
  stock,
  picture: z.string().max(64).nullable().default(null).meta({ description: "The id of one of the product's images" }),
});
export type VariantInput = z.output<typeof variant>;
const variants = z.array(variant).max(100).meta({
  description: 'All of them; the price and the stock of the product follow from theirs and are not written then',
});
const draft = z.boolean().meta({ description: 'True hides it from the public' });
const listPrice = price.nullable().meta({ description: 'The regular price of a reduced product' });
const related = z.array(ObjectIdText).max(12).meta({ description: 'Ids of products that go with it' });

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
  options,
  variants,
  draft,
  listPrice,
  related,
};

const creatable = {
  ...writable,
  description: writable.description.default(''),
  price: price.optional(),
  currency: currency.optional(),
  stock: stock.optional(),
  status: status.default(true),
  thumbnails: thumbnails.default([]),
  options: options.default([]),
  variants: variants.default([]),
  draft: draft.default(false),
  listPrice: listPrice.default(null),
  related: related.default([]),
};

/** Without variants a product has a price and a stock of its own. */
function expectPriceAndStock(context: z.core.ParsePayload): void {
  const body: unknown = context.value;
  if (typeof body !== 'object' || body === null || ('variants' in body && !isEmptyList(body.variants))) return;
  for (const field of ['price', 'stock'])
    if (!(field in body))
      context.issues.push({ code: 'custom', path: [field], message: 'is needed without variants', input: body });
}
const isEmptyList = (value: unknown) => Array.isArray(value) && value.length === 0;
/** Also judged when other fields are wrong. */
const priced = z.check(expectPriceAndStock);
priced._zod.def.when = () => true;

export const CreateProduct = z.strictObject(creatable).check(priced).meta({ id: 'CreateProduct' });
export type CreateProduct = z.output<typeof CreateProduct>;

/** Replaces every field that a caller may write. Pictures stay as they are when `thumbnails` is absent. */
export const ReplaceProduct = z
  .strictObject({ ...creatable, thumbnails: thumbnails.optional() })
  .check(priced)
  .meta({ id: 'ReplaceProduct' });
export type ReplaceProduct = z.output<typeof ReplaceProduct>;

export const UpdateProduct = z
  .strictObject(writable)
  .partial()
  .refine((fields) => Object.keys(fields).length > 0, 'must hold at least one field')
  .meta({ id: 'UpdateProduct', override: { minProperties: 1 } });
export type UpdateProduct = z.output<typeof UpdateProduct>;

/** What changes of one variant without the others. */
export const UpdateVariant = variant
  .pick({ code: true, price: true, stock: true })
  .extend({ picture: variant.shape.picture.unwrap() })
  .partial()
  .refine((fields) => Object.keys(fields).length > 0, 'must hold at least one field')
  .meta({ id: 'UpdateVariant', override: { minProperties: 1 } });
export type UpdateVariant = z.output<typeof UpdateVariant>;

/** More or fewer units than there are now, or what was counted. */
export const ChangeStock = z
  .strictObject({
    change: z
      .int()
      .min(-MAX_STOCK)
      .max(MAX_STOCK)
      .optional()
      .meta({ description: 'Units that came, or went when below 0' }),
    counted: stock.optional().meta({ description: 'Units that are there' }),
    reason: plainText(1, 200).meta({ example: 'Delivery of 20 November' }),
    variantId: ObjectIdText.nullable().default(null).meta({ description: 'Which of the variants, if there are some' }),
  })
  .refine(({ change, counted }) => (change === undefined) !== (counted === undefined), {
    path: ['change'],
    message: 'must be there, or else counted',
  })
  .meta({ id: 'ChangeStock' });
export type ChangeStock = z.output<typeof ChangeStock>;

export const ListMovements = z.strictObject({
  after: ObjectIdText.optional().meta({ description: '`next` of the page before' }),
  limit: queryNumber(1, 100).default(20).meta({ description: 'At most 100' }),
});
export type ListMovements = z.output<typeof ListMovements>;

export const MovementListBody = z
  .object({
    items: z.array(
      z.object({
        id: ObjectIdText,
        variantId: ObjectIdText.nullable(),
        change: z.int().meta({ description: 'Units that came, or went when below 0' }),
        cause: z.string().meta({ example: 'order:665f1c2ab8a1f0c3d4e5f601' }),
        reason: z.string().nullable(),
        at: z.iso.datetime(),
      }),
    ),
    next: z.string().nullable().meta({ description: 'Ask for `after` this to get the next page' }),
  })
  .meta({ id: 'StockMovementList' });

/** All pictures of a product, in their new order. */
export const ArrangeImages = z
  .array(z.strictObject({ id: z.string().max(64), alt: plainText(0, 300) }))
  .max(100)
  .meta({ id: 'ArrangeImages' });
export type ArrangeImages = z.output<typeof ArrangeImages>;

export const ProductParams = z.strictObject({ pid: ObjectIdText });
export const VariantParams = ProductParams.extend({ vid: ObjectIdText });
export const ImageParams = ProductParams.extend({ iid: z.string().max(64) });

export const PRODUCT_SORTS = ['createdAt', 'updatedAt', 'price', 'title', 'stock', 'code', 'category'] as const;
export type ProductSort = (typeof PRODUCT_SORTS)[number] | `-${(typeof PRODUCT_SORTS)[number]}`;
const sorts = PRODUCT_SORTS.flatMap((field): ProductSort[] => [field, `-${field}`]);

export const ListProducts = z
  .strictObject({
    ...paging,
    sort: z
      .enum(sorts, `must be one of ${PRODUCT_SORTS.join(', ')}; with - in front for the largest or newest first`)
      .default('-createdAt'),
    category: z.string().max(400).optional().meta({
      description: 'The name of a category, or its path of slugs such as `kitchen/mugs`; with all below it',
    }),
    status: queryFlag.optional().meta({ description: 'Only those for sale (true) or not (false)' }),
    minPrice: queryNumber(0, MAX_PRICE).optional().meta({ description: 'In minor units' }),
    maxPrice: queryNumber(0, MAX_PRICE).optional().meta({ description: 'In minor units' }),
    inStock: queryFlag.optional().meta({ description: 'Only those with units in stock (true) or without (false)' }),
    draft: queryFlag.optional().meta({ description: 'True: the drafts alone; needs the permission products:write' }),
    q: z.string().max(200).optional().meta({
      description: 'Words, or their beginnings, that all occur in the product',
    }),
    exact: queryFlag.optional().meta({ description: 'True: the words of `q` as they are, typing errors too' }),
    facets: queryFlag.optional().meta({ description: 'True: also what the list can be narrowed by; not for drafts' }),
  })
  .refine(({ draft, facets }) => !(draft && facets), {
    path: ['facets'],
    message: 'are of what the public sees, not of drafts',
  })
  .refine((query) => (query.minPrice ?? 0) <= (query.maxPrice ?? MAX_PRICE), {
    path: ['minPrice'],
    message: 'must not be more than maxPrice',
  });
export type ListProducts = z.output<typeof ListProducts>;

const ProductImageBody = z.object({
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

const count = z.int().meta({ description: 'Products that this choice leaves, with all other filters' });
const Facets = z
  .object({
    categories: z
      .array(z.object({ name: z.string(), path: z.string(), count }))
      .meta({ description: 'Each with all below it right behind it' }),
    prices: z.array(z.object({ min: z.int().nullable(), max: z.int().nullable(), count })).meta({
      description: 'For `minPrice` and `maxPrice`; null where there is no end. None when all cost about the same',
    }),
    availability: z.object({ inStock: count, outOfStock: count }),
  })
  .meta({ id: 'Facets', description: 'With `facets=true`. Each facet is counted without the filter that it is for' });

export const ProductPage = pageOf(ProductBody)
  .extend({
    facets: Facets.optional(),
    corrected: z.string().optional().meta({
      description: 'The words that were looked for, because nothing has one of those in `q`',
      example: 'speckled mug',
    }),
  })
  .meta({ id: 'ProductPage' });

/** Socket message `catalogue:changes`. */
export const CatalogueChanges = z.strictObject({ since: z.int().min(0) });

/** Socket message `product:editing`. */
export const EditProduct = z.strictObject({ id: ObjectIdText });
