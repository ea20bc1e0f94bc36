/** What comes in and goes out of carts. The OpenAPI document is made from these. */
import { z } from 'zod';
import { ObjectIdText } from './common.schema.ts';
import { ProductBody } from './product.schema.ts';

export const MAX_LINES = 100;
export const MAX_QUANTITY = 999;
const QUANTITY_RANGE = `must be a whole number from 1 to ${MAX_QUANTITY}`;

const quantity = z
  .int(QUANTITY_RANGE)
  .min(1, QUANTITY_RANGE)
  .max(MAX_QUANTITY, QUANTITY_RANGE)
  .meta({ description: 'How many', example: 2 });

const CartItemInput = z.strictObject({ productId: ObjectIdText, quantity }).meta({ id: 'CartItemInput' });
export type CartItemInput = z.output<typeof CartItemInput>;

const items = z
  .array(CartItemInput)
  .max(MAX_LINES, `must have at most ${MAX_LINES} lines`)
  .meta({ description: 'A product that occurs twice becomes one line. Prices are always those of the catalogue.' });

export const CreateCart = z
  .strictObject({ items: items.default([]) })
  .meta({ id: 'CreateCart', description: 'What the new cart holds; nothing when absent' });

export const ReplaceCart = z.strictObject({ items }).meta({ id: 'ReplaceCart', description: 'Replaces every line' });

export const AddCartItem = z
  .strictObject({ quantity: quantity.default(1) })
  .meta({ id: 'AddCartItem', description: 'Added to what the cart holds of the product; 1 when absent' });

export const SetCartItem = z
  .strictObject({ quantity })
  .meta({ id: 'SetCartItem', description: 'How many of the product the cart holds from now on' });

export const CartParams = z.strictObject({
  cid: z.union([z.literal('mine'), ObjectIdText]).meta({
    description:
      "The cart's id, or `mine` for the account's when you are logged in, otherwise for the one of the cookie " +
      '`feira_cart`. Adding to `mine` makes the cart when needed.',
  }),
});

export const CartItemParams = CartParams.extend({ pid: ObjectIdText });

/** A number from an input of a form. */
const typedQuantity = z
  .string(QUANTITY_RANGE)
  .trim()
  .regex(/^\d{1,3}$/, QUANTITY_RANGE)
  .transform(Number)
  .pipe(quantity);

export const AddToCartForm = z.strictObject({ productId: ObjectIdText, quantity: typedQuantity.default(1) });
export const SetItemForm = z.strictObject({ quantity: typedQuantity });
export const ItemParams = z.strictObject({ pid: ObjectIdText });

const money = z.int().meta({ description: 'In minor units of the currency: 1999 is 19.99', example: 1999 });

export const CartItemBody = z
  .object({
    productId: ObjectIdText,
    product: ProductBody.pick({ id: true, code: true, title: true, price: true, currency: true, stock: true })
      .extend({ status: z.boolean(), thumbnail: z.string().nullable() })
      .meta({ description: 'As the catalogue has it; when it is gone, as it was last seen' }),
    quantity,
    unitPrice: money,
    lineTotal: money.meta({ description: '0 when none is available: the line is not part of the total then' }),
    available: z.int().meta({ description: 'How many can be bought at the moment' }),
    notice: z
      .object({
        code: z.enum(['NO_LONGER_SOLD', 'NOT_FOR_SALE', 'CURRENCY_CHANGED', 'OUT_OF_STOCK', 'INSUFFICIENT_STOCK']),
        detail: z.string(),
      })
      .nullable()
      .meta({ description: 'Why the line cannot be bought as it stands; null when it can' }),
  })
  .meta({ id: 'CartItem' });

export const CartBody = z
  .object({
    id: ObjectIdText,
    items: z.array(CartItemBody),
    quantity: z.int().meta({ description: 'Units in all lines' }),
    total: money,
    currency: z.string().meta({ description: 'Of every line', example: 'EUR' }),
    version: z.int().meta({ description: 'Goes up by one with each change of the lines' }),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'Cart' });

const mergedLine = {
  productId: ObjectIdText,
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
