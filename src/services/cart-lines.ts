/** The rules for what may be in a cart, as pure functions from one set of lines to the next. */
import { Types } from 'mongoose';
import { AppError, invalidInput } from '../errors.ts';
import type { CartFields, CartLine, CartMerge } from '../models/cart.model.ts';
import { type ProductDto, type Unit, unitOf } from '../models/product.model.ts';
import { type CartItemInput, MAX_LINES, MAX_QUANTITY } from '../schemas/cart.schema.ts';

export type CartLines = Pick<CartFields, 'items' | 'currency'>;

export const noLines: CartLines = { items: [], currency: null };

/** Products that are shown to the public, by id. */
export type Catalogue = ReadonlyMap<string, ProductDto>;

/** What a line is about: a product, or one variant of it. */
export type UnitId = Pick<Unit, 'productId' | 'variantId'>;

export const variantOf = ({ variantId }: CartLine) => variantId?.toHexString() ?? null;

const isOf = (line: CartLine, unit: UnitId) =>
  line.productId.equals(unit.productId) && variantOf(line) === unit.variantId;

const linesOf = ({ items, currency }: CartLines) => ({ items, currency });

/** What can be bought of the catalogue. @throws AppError NOT_FOUND for a product, INVALID_INPUT for a variant */
export function inCatalogue(catalogue: Catalogue, { productId, variantId }: UnitId): Unit {
  const product = catalogue.get(productId);
  if (!product) throw new AppError('NOT_FOUND', 'There is no product with this id.', { productId });
  const unit = unitOf(product, variantId);
  if (!unit) throw invalidInput([{ pointer: '#/variantId', detail: 'must be one of the variants of the product' }]);
  return unit;
}

/** How many of a unit are in the lines. */
function quantityOf({ items }: CartLines, unit: UnitId): number {
  return items.find((line) => isOf(line, unit))?.quantity ?? 0;
}

/**
 * The lines with `quantity` of a unit, where it stands when it is there already, otherwise at the end.
 * @param seenPrice what the buyer has seen; the price of now when they change the line themselves
 * @throws AppError NOT_FOR_SALE, CURRENCY_MISMATCH, OUT_OF_STOCK with `available`, LIMIT_REACHED
 */
export function withQuantity(lines: CartLines, unit: Unit, quantity: number, seenPrice = unit.price): CartLines {
  const { productId, variantId, code, title, currency } = unit;
  const others = lines.items.filter((line) => !isOf(line, unit));
  if (!unit.forSale) throw new AppError('NOT_FOR_SALE', `${title} is not for sale at the moment.`, { productId });
  if (others.length > 0 && lines.currency !== currency)
    throw new AppError('CURRENCY_MISMATCH', `The cart is in ${lines.currency}, ${title} is sold in ${currency}.`, {
      productId,
    });
  checkQuantity(unit, quantity);

  const line = {
    productId: new Types.ObjectId(productId),
    variantId: variantId === null ? null : new Types.ObjectId(variantId),
    quantity,
    code,
    title,
    price: seenPrice,
  };
  if (others.length < lines.items.length)
    return { items: lines.items.map((old) => (isOf(old, unit) ? line : old)), currency };
  if (others.length >= MAX_LINES)
    throw new AppError('LIMIT_REACHED', `A cart has at most ${MAX_LINES} lines.`, { limit: MAX_LINES });
  return { items: [...others, line], currency };
}

function checkQuantity({ productId, variantId, title, stock }: Unit, requested: number): void {
  const unit = { productId, ...(variantId && { variantId }) };
  if (requested > stock) {
    const detail = stock === 0 ? `${title} is out of stock.` : `Only ${stock} in stock: ${title}.`;
    throw new AppError('OUT_OF_STOCK', detail, { ...unit, available: stock, requested });
  }
  if (requested > MAX_QUANTITY)
    throw new AppError('LIMIT_REACHED', `A cart has at most ${MAX_QUANTITY} of one product.`, {
      ...unit,
      limit: MAX_QUANTITY,
    });
}

/** The lines with these added up. @throws AppError as `inCatalogue` and `withQuantity` do */
export function withItems(lines: CartLines, items: readonly CartItemInput[], catalogue: Catalogue): CartLines {
  return items.reduce(
    (sum, item) => withQuantity(sum, inCatalogue(catalogue, item), quantityOf(sum, item) + item.quantity),
    linesOf(lines),
  );
}

/** The lines without a unit. @throws AppError NOT_FOUND when it is not among them */
export function withoutUnit({ items, currency }: CartLines, unit: UnitId): CartLines {
  const left = items.filter((line) => !isOf(line, unit));
  if (left.length === items.length)
    throw new AppError('NOT_FOUND', 'This product is not in the cart.', { productId: unit.productId });
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
  products: Catalogue,
): { lines: CartLines; report: CartMerge } {
  const report: CartMerge = { merged: [], reduced: [], leftOut: [] };
  let lines = linesOf(own);
  for (const line of guest.items) {
    const { title, quantity: brought } = line;
    const [productId, variantId] = [line.productId.toHexString(), variantOf(line)];
    const named = { productId, ...(variantId && { variantId }), title };
    const wanted = quantityOf(lines, { productId, variantId }) + brought;
    try {
      const product = products.get(productId);
      const unit = product && unitOf(product, variantId);
      if (!unit) throw new AppError('NOT_FOUND', `${title} is no longer sold.`);
      // At least one, so that what is out of stock is refused.
      const quantity = Math.max(1, Math.min(wanted, unit.stock, MAX_QUANTITY));
      lines = withQuantity(lines, unit, quantity, line.price);
      if (quantity === wanted) report.merged.push({ ...named, quantity });
      else report.reduced.push({ ...named, quantity, wanted });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      report.leftOut.push({ ...named, quantity: brought, code: error.code, reason: error.message });
    }
  }
  return { lines, report };
}
