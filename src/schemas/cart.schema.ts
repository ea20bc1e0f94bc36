/** What comes in and goes out of carts. The OpenAPI document is made from these. */
import { z } from 'zod';
import { ObjectIdText, plainText } from './common.schema.ts';
import { CountryText } from './country.schema.ts';
import { ProductBody } from './product.schema.ts';

export const MAX_LINES = 100;
export const MAX_QUANTITY = 999;
const QUANTITY_RANGE = `must be a whole number from 1 to ${MAX_QUANTITY}`;

const quantity = z
  .int(QUANTITY_RANGE)
  .min(1, QUANTITY_RANGE)
  .max(MAX_QUANTITY, QUANTITY_RANGE)
  .meta({ description: 'How many', example: 2 });

const variantId = ObjectIdText.nullable().default(null).meta({ description: 'Of a product that has variants' });

const CartItemInput = z.strictObject({ productId: ObjectIdText, variantId, quantity }).meta({ id: 'CartItemInput' });
export type CartItemInput = z.output<typeof CartItemInput>;

const items = z
  .array(CartItemInput)
  .max(MAX_LINES, `must have at most ${MAX_LINES} lines`)
  .meta({ description: 'What occurs twice becomes one line. Prices are always those of the catalogue.' });

export const CreateCart = z
  .strictObject({ items: items.default([]) })
  .meta({ id: 'CreateCart', description: 'What the new cart holds; nothing when absent' });

export const ReplaceCart = z.strictObject({ items }).meta({ id: 'ReplaceCart', description: 'Replaces every line' });

export const AddCartItem = z
  .strictObject({ quantity: quantity.default(1), variantId })
  .meta({ id: 'AddCartItem', description: 'Added to what the cart holds of the product; 1 when absent' });

export const SetCartItem = z
  .strictObject({ quantity, variantId })
  .meta({ id: 'SetCartItem', description: 'How many of the product the cart holds from now on' });

export const CartParams = z.strictObject({
  cid: z.union([z.literal('mine'), ObjectIdText]).meta({
    description:
      "The cart's id, or `mine` for the account's when you are logged in, otherwise for the one of the cookie " +
      '`feira_cart`. Adding to `mine` makes the cart when needed.',
  }),
});

export const CartItemParams = CartParams.extend({ pid: ObjectIdText });

export const CartItemQuery = z.strictObject({
  variantId: ObjectIdText.optional().meta({ description: 'Of a product that has variants' }),
});

const couponCode = plainText(1, 40).meta({ description: 'In capitals or not', example: 'SUMMER-10' });

export const SetCoupon = z.strictObject({ code: couponCode }).meta({ id: 'SetCoupon' });

const region = plainText(1, 60)
  .nullable()
  .default(null)
  .meta({ description: 'Where taxes differ within the country', example: null });

export const ChooseShipping = z
  .strictObject({
    country: CountryText,
    region,
    method: z.string().max(40).optional().meta({ description: 'The cheapest when absent', example: 'standard' }),
  })
  .meta({ id: 'ChooseShipping' });
export type ChooseShipping = z.output<typeof ChooseShipping>;

/** A number from an input of a form. */
const typedQuantity = z
  .string(QUANTITY_RANGE)
  .trim()
  .regex(/^\d{1,3}$/, QUANTITY_RANGE)
  .transform(Number)
  .pipe(quantity);

/** An input that was left empty says nothing. */
const emptyAs = <S extends z.ZodType>(nothing: null | undefined, schema: S) =>
  z.preprocess((value) => (typeof value === 'string' && value.trim() === '' ? nothing : value), schema);

const chosenVariant = emptyAs(null, variantId);

export const AddToCartForm = z.strictObject({
  productId: ObjectIdText,
  variantId: chosenVariant,
  quantity: typedQuantity.default(1),
});
export const SetItemForm = z.strictObject({ variantId: chosenVariant, quantity: typedQuantity });
export const RemoveItemForm = z.strictObject({ variantId: chosenVariant });
export const ShippingForm = ChooseShipping.extend({
  region: emptyAs(null, region),
  method: emptyAs(undefined, ChooseShipping.shape.method),
});
export const ItemParams = z.strictObject({ pid: ObjectIdText });

const money = z.int().meta({ description: 'In minor units of the currency: 1999 is 19.99', example: 1999 });

const CartItemBody = z
  .object({
    productId: ObjectIdText,
    variantId: ObjectIdText.nullable().meta({ description: 'null for a product without variants' }),
    product: ProductBody.pick({ id: true, code: true, title: true, price: true, currency: true, stock: true })
      .extend({ status: z.boolean(), thumbnail: z.string().nullable() })
      .meta({ description: 'As the catalogue has it, or its variant; when it is gone, as last seen' }),
    quantity,
    unitPrice: money,
    lineTotal: money.meta({ description: '0 when none is available: the line is not part of the total then' }),
    available: z.int().meta({ description: 'How many can be bought at the moment' }),
    notice: z
      .object({
        code: z.enum([
          'NO_LONGER_SOLD',
          'NOT_FOR_SALE',
          'CURRENCY_CHANGED',
          'OUT_OF_STOCK',
          'INSUFFICIENT_STOCK',
          'PRICE_CHANGED',
        ]),
        detail: z.string(),
        was: money.optional().meta({ description: 'Of PRICE_CHANGED: the price when the line last changed' }),
      })
      .nullable()
      .meta({
        description:
          'Why the line cannot be bought as it stands; null when it can. A line whose price has changed counts at the ' +
          'price of now; changing the line accepts it.',
      }),
  })
  .meta({ id: 'CartItem' });

const ShippingMethodBody = z.object({ id: z.string(), title: z.string(), price: money }).meta({ id: 'ShippingMethod' });

/** What a cart or an order costs. */
const TotalsBody = z
  .object({
    subtotal: money.meta({ description: 'Of the lines, before the discount' }),
    discount: money,
    shipping: money,
    tax: money.meta({ description: 'Of lines and delivery; a part of the total when `taxIncluded`' }),
    total: money,
    taxIncluded: z.boolean(),
    lines: z
      .array(z.object({ total: money.meta({ description: 'Before the discount' }), discount: money, tax: money }))
      .meta({ description: 'The share of each line, in their order' }),
  })
  .meta({ id: 'Totals', description: 'Whole numbers of minor units' });

const couponOfCart = z.object({
  code: z.string(),
  notice: z
    .object({ code: z.literal('COUPON_NOT_VALID'), detail: z.string() })
    .nullable()
    .meta({ description: 'Why it counts for nothing at the moment' }),
});

const shippingOfCart = z.object({
  country: z.string(),
  region: z.string().nullable(),
  method: ShippingMethodBody.nullable().meta({ description: 'null when nothing is delivered there any more' }),
});

export const CartBody = z
  .object({
    id: ObjectIdText,
    items: z.array(CartItemBody),
    quantity: z.int().meta({ description: 'Units in all lines' }),
    coupon: couponOfCart.nullable(),
    shipping: shippingOfCart.nullable().meta({ description: 'Where to, and how' }),
    shippingMethods: z.array(ShippingMethodBody).meta({ description: 'What is offered there, the cheapest first' }),
    totals: TotalsBody,
    total: money.meta({ description: '`totals.total`' }),
    currency: z.string().meta({ description: 'Of every line', example: 'EUR' }),
    version: z.int().meta({ description: 'Goes up by one with each change of the lines' }),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Cart' });

const mergedLine = {
  productId: ObjectIdText,
  variantId: ObjectIdText.optional(),
  title: z.string(),
  quantity: z.int().meta({ description: 'What the cart holds of it now' }),
};

/** What a login has brought from the guest's cart into the account's. */
export const CartMergeBody = z
  .object({
    merged: z.array(z.object(mergedLine)).meta({ description: 'Came along whole' }),
    reduced: z
      .array(z.object({ ...mergedLine, wanted: z.int().meta({ description: 'What both carts held together' }) }))
      .meta({ description: 'Cut to what is in stock, or to what a cart may hold' }),
    leftOut: z
      .array(
        z.object({
          ...mergedLine,
          quantity: z.int().meta({ description: "What the guest's cart held" }),
          code: z.enum(['NOT_FOUND', 'NOT_FOR_SALE', 'OUT_OF_STOCK', 'CURRENCY_MISMATCH', 'LIMIT_REACHED']),
          reason: z.string().meta({ description: 'In words for people' }),
        }),
      )
      .meta({ description: 'Could not be bought in this cart' }),
  })
  .meta({ id: 'CartMerge', description: "What came from the guest's cart; empty lists when there was none" });

/** What the ETag of a cart is made of, for the OpenAPI document. */
export const CART_ETAG_DESCRIPTION =
  'The version of the lines and a digest of what is shown, so that it changes with prices and stock too. ' +
  'If-Match compares the version alone: a new price does not refuse a change of the lines.';

/** For the OpenAPI document: what DELETE on a cart does. */
export const EMPTY_CART_DESCRIPTION = 'Removes every line. The cart and its id stay; the answer is 204 without a body.';
