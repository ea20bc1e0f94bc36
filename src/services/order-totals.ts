/**
 * What an order costs. Whole numbers of minor units throughout; pure. The rules, in their order:
 *
 * 1. A line costs unit price × quantity; the subtotal is their sum.
 * 2. A discount is one amount, at most the subtotal: a percentage of it, rounded, or a fixed sum. It is shared out among
 *    the lines in proportion by largest remainder, so that the shares sum to it. Free shipping makes shipping 0 instead.
 * 3. Tax is reckoned of each line less its share, and of shipping, each rounded; the tax of the whole is their sum.
 *    Included tax is a part of the prices, other tax is added to them.
 *
 * Rounding is half away from zero. The order of the lines makes no difference to the totals.
 */

import type { Discount, Totals } from '../models/totals.ts';

export type { Discount, Totals };

export interface ToTotal {
  lines: readonly { unitPrice: number; quantity: number }[];
  discount: Discount | null;
  /** In minor units, before a discount. */
  shipping: number;
  /** `rate` in basis points: 2100 is 21 %. */
  tax: { rate: number; included: boolean };
}

/** @throws RangeError when an amount is no whole number that can be held exactly, or is below 0 */
export function calculateTotals({ lines, discount, shipping: asked, tax }: ToTotal): Totals {
  const totals = lines.map(({ unitPrice, quantity }) => exact(exact(unitPrice) * exact(quantity)));
  const subtotal = sum(totals);
  const shares = shareOut(amountOf(discount, subtotal), totals);
  const shipping = discount?.kind === 'free-shipping' ? 0 : exact(asked);
  const taxOf = (amount: number) => timesRatio(amount, tax.rate, tax.included ? 10_000 + tax.rate : 10_000);
  const taxed = totals.map((total, i) => {
    const share = shares[i] ?? 0;
    return { total, discount: share, tax: taxOf(total - share) };
  });
  const wholeTax = exact(sum(taxed.map((line) => line.tax)) + taxOf(shipping));
  const reduced = sum(shares);
  return {
    subtotal,
    discount: reduced,
    shipping,
    tax: wholeTax,
    total: exact(subtotal - reduced + shipping + (tax.included ? 0 : wholeTax)),
    taxIncluded: tax.included,
    lines: taxed,
  };
}

function amountOf(discount: Discount | null, subtotal: number): number {
  if (!discount || discount.kind === 'free-shipping') return 0;
  const { kind, value } = discount;
  return Math.min(subtotal, kind === 'fixed' ? exact(value) : timesRatio(subtotal, value, 10_000));
}

/** Shares of `amount` in proportion to the parts, which sum to it; `amount` is at most the sum of the parts. */
function shareOut(amount: number, parts: readonly number[]): number[] {
  const whole = BigInt(sum(parts));
  if (whole === 0n) return parts.map(() => 0);
  const shares = parts.map((part, i) => {
    const product = BigInt(amount) * BigInt(part);
    return { i, part, share: Number(product / whole), remainder: product % whole };
  });
  const left = amount - sum(shares.map(({ share }) => share));
  // Equal remainders: the dearer line first, so that the order of the lines decides nothing.
  const byRemainder = [...shares].sort((a, b) =>
    a.remainder === b.remainder ? b.part - a.part : a.remainder > b.remainder ? -1 : 1,
  );
  for (const entry of byRemainder.slice(0, left)) entry.share += 1;
  return shares.map(({ share }) => share);
}

/** amount × numerator / denominator, rounded half up: amounts are never below 0. Exact beyond 2^53 in between. */
const timesRatio = (amount: number, numerator: number, denominator: number) =>
  exact(Number((BigInt(amount) * BigInt(exact(numerator)) * 2n + BigInt(denominator)) / (BigInt(denominator) * 2n)));

const sum = (amounts: readonly number[]) => exact(amounts.reduce((total, amount) => total + amount, 0));

function exact(amount: number): number {
  if (Number.isSafeInteger(amount) && amount >= 0) return amount;
  throw new RangeError('An amount is not a whole number that can be held exactly.');
}
