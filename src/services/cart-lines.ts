/** The rules for what may be in a cart, as pure functions from one set of lines to the next. */
import { Types } from 'mongoose';
import { AppError } from '../errors.ts';
import type { CartFields, CartMerge } from '../models/cart.model.ts';
import type { ProductDto } from '../models/product.model.ts';
import { MAX_LINES, MAX_QUANTITY } from '../schemas/cart.schema.ts';

export type CartLines = Pick<CartFields, 'items' | 'currency'>;

export const noLines: CartLines = { items: [], currency: null };

/** How many of a product are in the lines. */
export function quantityOf({ items }: CartLines, productId: string): number {
  return items.find((line) => line.productId.equals(productId))?.quantity ?? 0;
}

/**
 * The lines with `quantity` of a product, where it stands when it is there already, otherwise at the end.
 * @throws AppError NOT_FOR_SALE, CURRENCY_MISMATCH, OUT_OF_STOCK with `available`, LIMIT_REACHED
 */
export function withQuantity(lines: CartLines, product: ProductDto, quantity: number): CartLines {
  const { id: productId, code, title, price, currency } = product;
  const others = lines.items.filter((line) => !line.productId.equals(productId));
  if (!product.status) throw new AppError('NOT_FOR_SALE', `${title} is not for sale at the moment.`, { productId });
  if (others.length > 0 && lines.currency !== currency)
    throw new AppError('CURRENCY_MISMATCH', `The cart is in ${lines.currency}, ${title} is sold in ${currency}.`, {
      productId,
    });
  checkQuantity(product, quantity);

  const line = { productId: new Types.ObjectId(productId), quantity, code, title, price };
  if (others.length < lines.items.length)
    return { items: lines.items.map((old) => (old.productId.equals(productId) ? line : old)), currency };
  if (others.length >= MAX_LINES)
    throw new AppError('LIMIT_REACHED', `A cart has at most ${MAX_LINES} lines.`, { limit: MAX_LINES });
  return { items: [...others, line], currency };
}

function checkQuantity({ id: productId, title, stock }: ProductDto, requested: number): void {
  if (requested > stock) {
    const detail = stock === 0 ? `${title} is out of stock.` : `Only ${stock} in stock: ${title}.`;
    throw new AppError('OUT_OF_STOCK', detail, { productId, available: stock, requested });
  }
  if (requested > MAX_QUANTITY)
    throw new AppError('LIMIT_REACHED', `A cart has at most ${MAX_QUANTITY} of one product.`, {
      productId,
      limit: MAX_QUANTITY,
    });
}

/** The lines without a product. @throws AppError NOT_FOUND when it is not among them */
export function withoutProduct({ items, currency }: CartLines, productId: string): CartLines {
  const left = items.filter((line) => !line.productId.equals(productId));
  if (left.length === items.length) throw new AppError('NOT_FOUND', 'This product is not in the cart.', { productId });
  return { items: left, currency: left.length > 0 ? currency : null };
}

/**
 * The account's lines with those of a guest added up, as far as there is stock and room. What cannot be bought in this
 * cart is left out.
 * @param products those of the guest's lines that the catalogue still has, by id
 */
export function mergeLines(
  own: CartLines,
  guest: CartLines,
  products: ReadonlyMap<string, ProductDto>,
): { lines: CartLines; report: CartMerge } {
  const report: CartMerge = { merged: [], reduced: [], leftOut: [] };
  let lines = own;
  for (const { productId: id, title, quantity: brought } of guest.items) {
    const productId = id.toHexString();
    const wanted = quantityOf(lines, productId) + brought;
    try {
      const product = products.get(productId);
      if (!product) throw new AppError('NOT_FOUND', `${title} is no longer sold.`);
      // At least one, so that what is out of stock is refused.
      const quantity = Math.max(1, Math.min(wanted, product.stock, MAX_QUANTITY));
      lines = withQuantity(lines, product, quantity);
      if (quantity === wanted) report.merged.push({ productId, title, quantity });
      else report.reduced.push({ productId, title, quantity, wanted });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      report.leftOut.push({ productId, title, quantity: brought, code: error.code, reason: error.message });
    }
  }
  return { lines, report };
}
