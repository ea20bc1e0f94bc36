/** What a cart or an order costs: whole numbers of minor units. The rules are in services/order-totals.ts. */

/** `value` in basis points (1000 is 10 %) for a percentage, in minor units for a fixed sum. */
export type Discount =
  | { kind: 'percentage'; value: number }
  | { kind: 'fixed'; value: number }
  | { kind: 'free-shipping' };

export interface Totals {
  /** Of the lines, before the discount. */
  subtotal: number;
  discount: number;
  shipping: number;
  /** Of lines and shipping; a part of the total when it is included, added to it otherwise. */
  tax: number;
  total: number;
  taxIncluded: boolean;
  /** In the order of the input. `total` is before the discount; `discount` and `tax` are the line's own share. */
  lines: { total: number; discount: number; tax: number }[];
}
