/** What a cart costs: whole numbers of minor units, from the lines and the catalogue as it is now. Pure. */
import type { CartItemDto, CartLine, CartNotice, PricedLines } from '../models/cart.model.ts';
import type { ProductDto } from '../models/product.model.ts';

/**
 * Prices every line. A line of which nothing is available stays, with a notice, and costs nothing; one that asks for
 * more than there is counts as asked, with a notice.
 * @param products those of the lines that the catalogue still has, by id
 * @param currency the currency of the cart; products that now have another one cannot be bought in it
 * @throws RangeError when a sum is not exact any more; the limits on prices, quantities and lines rule that out
 */
export function priceLines(
  lines: readonly CartLine[],
  products: ReadonlyMap<string, ProductDto>,
  currency: string,
): PricedLines {
  const items = lines.map((line) => priceLine(line, products.get(line.productId.toHexString()), currency));
  return {
    items,
    quantity: exact(items.reduce((sum, item) => sum + item.quantity, 0)),
    total: exact(items.reduce((sum, item) => sum + item.lineTotal, 0)),
  };
}

function priceLine(line: CartLine, product: ProductDto | undefined, currency: string): CartItemDto {
  const shown = product ? summary(product) : remembered(line, currency);
  const available = product?.status && product.currency === currency ? product.stock : 0;
  return {
    productId: shown.id,
    product: shown,
    quantity: line.quantity,
    unitPrice: shown.price,
    lineTotal: available === 0 ? 0 : exact(shown.price * line.quantity),
    available,
    notice: noticeFor(line, product, currency),
  };
}

function summary({ id, code, title, price, currency, stock, status, thumbnails }: ProductDto): CartItemDto['product'] {
  return { id, code, title, price, currency, stock, status, thumbnail: thumbnails[0] ?? null };
}

/** A product that is gone, as its line remembers it. */
function remembered({ productId, code, title, price }: CartLine, currency: string): CartItemDto['product'] {
  return { id: productId.toHexString(), code, title, price, currency, stock: 0, status: false, thumbnail: null };
}

function noticeFor({ quantity }: CartLine, product: ProductDto | undefined, currency: string): CartNotice | null {
  if (!product) return { code: 'NO_LONGER_SOLD', detail: 'This product is no longer sold.' };
  if (!product.status) return { code: 'NOT_FOR_SALE', detail: 'This product is not for sale at the moment.' };
  if (product.currency !== currency)
    return { code: 'CURRENCY_CHANGED', detail: `This product is now sold in ${product.currency}.` };
  if (product.stock === 0) return { code: 'OUT_OF_STOCK', detail: 'This product is out of stock.' };
  if (product.stock < quantity) return { code: 'INSUFFICIENT_STOCK', detail: `Only ${product.stock} left in stock.` };
  return null;
}

function exact(sum: number): number {
  if (Number.isSafeInteger(sum)) return sum;
  throw new RangeError('The sum is not a whole number that can be held exactly.');
}
