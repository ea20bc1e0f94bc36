import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { calculateTotals, type Discount } from '../../src/services/order-totals.ts';

const NO_TAX = { rate: 0, included: true };
const line = (unitPrice: number, quantity = 1) => ({ unitPrice, quantity });

describe('calculateTotals', () => {
  it('is nothing for nothing', () => {
    expect(calculateTotals({ lines: [], discount: null, shipping: 0, tax: NO_TAX })).toEqual({
      subtotal: 0,
      discount: 0,
      shipping: 0,
      tax: 0,
      total: 0,
      taxIncluded: true,
      lines: [],
    });
  });

  it('takes included tax out of the prices, and adds other tax to them', () => {
    const order = { lines: [line(1230, 2)], discount: null, shipping: 490 };
    expect(calculateTotals({ ...order, tax: { rate: 2300, included: true } })).toMatchObject({
      subtotal: 2460,
      tax: 460 + 92,
      total: 2950,
    });
    expect(calculateTotals({ ...order, tax: { rate: 2300, included: false } })).toMatchObject({
      tax: 566 + 113,
      total: 2950 + 679,
    });
  });

  it('shares a discount out by largest remainder, and rounds half away from zero', () => {
    const third = calculateTotals({
      lines: [line(100), line(100), line(100)],
      discount: { kind: 'fixed', value: 100 },
      shipping: 0,
      tax: NO_TAX,
    });
    expect(third.lines.map(({ discount }) => discount)).toEqual([34, 33, 33]);
    const half = { lines: [line(5)], shipping: 0, tax: NO_TAX };
    expect(calculateTotals({ ...half, discount: { kind: 'percentage', value: 1000 } })).toMatchObject({ discount: 1 });
    expect(calculateTotals({ ...half, discount: { kind: 'percentage', value: 900 } })).toMatchObject({ discount: 0 });
  });

  it('takes no more off than the goods cost, and delivery only with free shipping', () => {
    const order = { lines: [line(300)], shipping: 490, tax: NO_TAX };
    expect(calculateTotals({ ...order, discount: { kind: 'fixed', value: 500 } }).total).toBe(490);
    expect(calculateTotals({ ...order, discount: { kind: 'percentage', value: 10_000 } }).total).toBe(490);
    expect(calculateTotals({ ...order, discount: { kind: 'free-shipping' } })).toMatchObject({
      discount: 0,
      shipping: 0,
      total: 300,
    });
  });

  it('refuses what is not a whole number that can be held exactly', () => {
    for (const lines of [[line(0.5)], [line(1, -1)], [line(Number.MAX_SAFE_INTEGER, 2)], [line(Number.NaN)]])
      expect(() => calculateTotals({ lines, discount: null, shipping: 0, tax: NO_TAX })).toThrow(RangeError);
  });
});

/** Up to the limits of a cart: 100 lines of at most 999, prices to 10^9. */
const lines = fc.array(
  fc.record({ unitPrice: fc.oneof(fc.nat(5000), fc.nat(1_000_000_000)), quantity: fc.integer({ min: 0, max: 999 }) }),
  { maxLength: 100 },
);
const discount = fc.option(
  fc.oneof(
    fc.record({ kind: fc.constant('percentage' as const), value: fc.nat(10_000) }),
    fc.record({ kind: fc.constant('fixed' as const), value: fc.nat(1_000_000_000) }),
    fc.constant<Discount>({ kind: 'free-shipping' }),
  ),
);
const order = fc.record({
  lines,
  discount,
  shipping: fc.nat(1_000_000),
  tax: fc.record({ rate: fc.nat(10_000), included: fc.boolean() }),
});
const add = (amounts: number[]) => amounts.reduce((sum, amount) => sum + amount, 0);

describe('every order', () => {
  it('adds up, in whole numbers that are never below 0', () => {
    fc.assert(
      fc.property(order, (input) => {
        const totals = calculateTotals(input);
        const { subtotal, shipping, tax, total, taxIncluded } = totals;
        const amounts = [subtotal, totals.discount, shipping, tax, total, ...totals.lines.flatMap(Object.values)];
        expect(amounts.every((amount) => Number.isSafeInteger(amount) && amount >= 0)).toBe(true);
        expect(subtotal).toBe(add(totals.lines.map((one) => one.total)));
        expect(total).toBe(subtotal - totals.discount + shipping + (taxIncluded ? 0 : tax));
        expect(totals.discount).toBe(add(totals.lines.map((one) => one.discount)));
        for (const one of totals.lines) expect(one.discount).toBeLessThanOrEqual(one.total);
      }),
    );
  });

  it('has a tax that is exact to half a unit for each line and for delivery', () => {
    fc.assert(
      fc.property(order, (input) => {
        const { rate, included } = input.tax;
        const totals = calculateTotals(input);
        const exactly = (amount: number) => (amount * rate) / (included ? 10_000 + rate : 10_000);
        for (const one of totals.lines)
          expect(Math.abs(one.tax - exactly(one.total - one.discount))).toBeLessThanOrEqual(0.5 + 1e-3);
        const ofShipping = totals.tax - add(totals.lines.map(({ tax }) => tax));
        expect(Math.abs(ofShipping - exactly(totals.shipping))).toBeLessThanOrEqual(0.5 + 1e-3);
      }),
    );
  });

  it('shares a discount out within one unit of the exact proportion', () => {
    fc.assert(
      fc.property(order, (input) => {
        const { subtotal, discount: amount, lines: shares } = calculateTotals(input);
        for (const { total, discount: share } of shares)
          if (subtotal > 0) expect(Math.abs(share - (amount / subtotal) * total)).toBeLessThan(1 + 1e-3);
      }),
    );
  });

  it('costs the same whatever the order of its lines', () => {
    const shuffled = order.chain((input) =>
      fc.shuffledSubarray(input.lines, { minLength: input.lines.length }).map((lines) => [input, lines] as const),
    );
    fc.assert(
      fc.property(shuffled, ([input, lines]) => {
        const [{ lines: _a, ...one }, { lines: _b, ...other }] = [input, { ...input, lines }].map(calculateTotals) as [
          ReturnType<typeof calculateTotals>,
          ReturnType<typeof calculateTotals>,
        ];
        expect(other).toEqual(one);
      }),
    );
  });

  it('costs less with a discount, and never more than without', () => {
    fc.assert(
      fc.property(order, (input) => {
        expect(calculateTotals(input).total).toBeLessThanOrEqual(calculateTotals({ ...input, discount: null }).total);
      }),
    );
  });
});
