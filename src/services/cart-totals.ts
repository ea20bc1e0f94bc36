/** What each line of a cart costs, from the catalogue as it is now: whole numbers of minor units. Pure. */
import type { CartItemDto, CartLine, CartNotice } from '../models/cart.model.ts';
import { type ProductDto, type Unit, unitOf } from '../models/product.model.ts';
import { variantOf } from './cart-lines.ts';

/**
 * Prices every line. A line of which nothing is available stays, with a notice, and costs nothing; one that asks for
 * more than there is counts as asked, with a notice; so does one whose price has changed, at the price of now.
 * @param products those of the lines that the catalogue still has, by id
 * @param currency the currency of the cart; products that now have another one cannot be bought in it
 */
export function priceLines(
  lines: readonly CartLine[],
  products: ReadonlyMap<string, ProductDto>,
  currency: string,
): { item: CartItemDto; unit: Unit | null }[] {
  return lines.map((line) => {
    const product = products.get(line.productId.toHexString());
    const unit = product ? unitOf(product, variantOf(line)) : null;
    return { item: priceLine(line, unit, currency), unit };
  });
}

function priceLine(line: CartLine, unit: Unit | null, currency: string): CartItemDto {
  const shown = unit ? summary(unit) : remembered(line, currency);
  const available = unit?.forSale && unit.currency === currency ? unit.stock : 0;
  return {
    productId: shown.id,
    variantId: variantOf(line),
    product: shown,
    quantity: line.quantity,
    unitPrice: shown.price,
    lineTotal: available === 0 ? 0 : shown.price * line.quantity,
    available,
    notice: noticeFor(line, unit, currency),
  };
}

function summary({ productId, code, title, price, currency, stock, forSale, picture }: Unit): CartItemDto['product'] {
  return { id: productId, code, title, price, currency, stock, status: forSale, thumbnail: picture };
}

/** A product that is gone, as its line remembers it. */
function remembered({ productId, code, title, price }: CartLine, currency: string): CartItemDto['product'] {
  return { id: productId.toHexString(), code, title, price, currency, stock: 0, status: false, thumbnail: null };
}

function noticeFor({ quantity, price }: CartLine, unit: Unit | null, currency: string): CartNotice | null {
  if (!unit) return { code: 'NO_LONGER_SOLD', detail: 'This product is no longer sold.' };
  if (!unit.forSale) return { code: 'NOT_FOR_SALE', detail: 'This product is not for sale at the moment.' };
  if (unit.currency !== currency)
    return { code: 'CURRENCY_CHANGED', detail: `This product is now sold in ${unit.currency}.` };
  if (unit.stock === 0) return { code: 'OUT_OF_STOCK', detail: 'This product is out of stock.' };
  if (unit.stock < quantity) return { code: 'INSUFFICIENT_STOCK', detail: `Only ${unit.stock} left in stock.` };
  if (unit.price !== price)
    return { code: 'PRICE_CHANGED', detail: 'The price has changed since you put it into the cart.', was: price };
  return null;
}
