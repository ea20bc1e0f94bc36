import { describe, expect, it } from '@jest/globals';
import { Types } from 'mongoose';
import type { CartFields, CartLine } from '../../src/models/cart.model.ts';
import type { ProductDto } from '../../src/models/product.model.ts';
import { priceCart } from '../../src/services/cart-pricing.ts';
import { DEFAULT_RULES } from '../../src/shop-rules.ts';

const product = (overrides: Partial<ProductDto> = {}): ProductDto => ({
  id: new Types.ObjectId().toHexString(),
  code: 'CER-001',
  title: 'Speckled mug',
  description: '',
  price: 1999,
  currency: 'EUR',
  stock: 10,
  status: true,
  category: 'Ceramics',
  categoryPath: 'ceramics',
  options: [],
  variants: [],
  draft: false,
  listPrice: null,
  lowestPrice30Days: null,
  related: [],
  thumbnails: ['/uploads/a.webp', '/uploads/b.webp'],
  images: [],
  version: 1,
  createdAt: '2026-11-21T08:00:00.000Z',
  updatedAt: '2026-11-21T08:00:00.000Z',
  ...overrides,
});

const lineOf = ({ id, code, title, price }: ProductDto, quantity: number): CartLine => ({
  productId: new Types.ObjectId(id),
  quantity,
  code,
  title,
  price,
});

const pricing = { rules: DEFAULT_RULES, currency: 'EUR' };

/** Prices lines of these products, of which some are gone. */
const price = (entries: [ProductDto, number][], gone: ProductDto[] = []) =>
  priceCart(
    cartOf(entries.map(([known, quantity]) => lineOf(known, quantity))),
    new Map(entries.filter(([known]) => !gone.includes(known)).map(([known]) => [known.id, known])),
    pricing,
  );

const cartOf = (items: CartLine[]) => ({ items, currency: 'EUR' }) as CartFields;

describe('the totals of a cart', () => {
  it('are nothing without lines', async () => {
    expect(await price([])).toMatchObject({ items: [], quantity: 0, total: 0 });
  });

  it('sum up prices in minor units, without the errors of floats', async () => {
    const { items, quantity, total } = await price([
      [product({ price: 10 }), 3],
      [product({ price: 1999 }), 7],
      [product({ price: 0 }), 1],
    ]);
    expect(items.map((item) => item.lineTotal)).toEqual([30, 13993, 0]);
    expect({ quantity, total }).toEqual({ quantity: 11, total: 14023 });
  });

  it('take the price of the catalogue, not the one that the line remembers', async () => {
    const before = product({ price: 100 });
    const now = { ...before, price: 250 };
    const { items, total } = await priceCart(cartOf([lineOf(before, 2)]), new Map([[now.id, now]]), pricing);
    expect(items[0]).toMatchObject({ unitPrice: 250, lineTotal: 500, notice: { code: 'PRICE_CHANGED', was: 100 } });
    expect(total).toBe(500);
  });

  it('are exact in the fullest cart that is possible', async () => {
    const dearest = product({ price: 1_000_000_000, stock: 1_000_000 });
    const { quantity, total } = await price(Array.from({ length: 100 }, () => [{ ...dearest, id: newId() }, 999]));
    expect({ quantity, total }).toEqual({ quantity: 99_900, total: 99_900_000_000_000 });
    expect(Number.isSafeInteger(total)).toBe(true);
  });

  it('are refused rather than rounded when they could not be held exactly', async () => {
    await expect(price([[product({ price: Number.MAX_SAFE_INTEGER }), 2]])).rejects.toThrow(RangeError);
    await expect(
      price([
        [product({ price: Number.MAX_SAFE_INTEGER }), 1],
        [product({ price: 1 }), 1],
      ]),
    ).rejects.toThrow(RangeError);
    await expect(price([[product({ price: 0.5 }), 1]])).rejects.toThrow(RangeError);
  });
});

describe('a line that cannot be bought as it stands', () => {
  it.each([
    ['is switched off', { status: false }, 'NOT_FOR_SALE'],
    ['is sold in another currency now', { currency: 'USD' }, 'CURRENCY_CHANGED'],
    ['is out of stock', { stock: 0 }, 'OUT_OF_STOCK'],
  ])('stays without a part in the total when its product %s', async (_what, change, code) => {
    const { items, quantity, total } = await price([
      [product(change), 2],
      [product({ price: 5 }), 1],
    ]);
    expect(items[0]).toMatchObject({ quantity: 2, unitPrice: 1999, lineTotal: 0, available: 0, notice: { code } });
    expect({ quantity, total }).toEqual({ quantity: 3, total: 5 });
  });

  it('is shown as it was when its product is gone', async () => {
    const gone = product({ title: 'Old mug', price: 700 });
    const { items, total } = await price([[gone, 2]], [gone]);
    expect(items[0]).toMatchObject({
      productId: gone.id,
      product: { id: gone.id, title: 'Old mug', price: 700, currency: 'EUR', stock: 0, status: false, thumbnail: null },
      lineTotal: 0,
      available: 0,
      notice: { code: 'NO_LONGER_SOLD' },
    });
    expect(total).toBe(0);
  });

  it('counts as asked for when only some are left, and says so', async () => {
    const { items, total } = await price([[product({ stock: 1, price: 10 }), 3]]);
    expect(items[0]).toMatchObject({ lineTotal: 30, available: 1, notice: { code: 'INSUFFICIENT_STOCK' } });
    expect(total).toBe(30);
  });
});

const newId = () => new Types.ObjectId().toHexString();
