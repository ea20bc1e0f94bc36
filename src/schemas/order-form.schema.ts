/** Checkout and orders as forms send them: the pieces of the API, in one list of texts. */
import { z } from 'zod';
import { Checkout, PayOrder } from './order.schema.ts';

/** What says nothing when it is left empty. */
const MAY_BE_EMPTY: readonly string[] = ['line2', 'region', 'phone', 'acceptedTotal'];

/** A field such as `test-outcome` belongs to a method of payment, and counts when that one is chosen. */
function filledIn(form: unknown): Record<string, unknown> {
  const fields = Object.entries(form ?? {}).filter(([name, value]) => value !== '' || !MAY_BE_EMPTY.includes(name));
  const own = `${new Map(fields).get('paymentMethod')}-`;
  const details = fields
    .filter(([name]) => name.startsWith(own))
    .map(([name, value]) => [name.slice(own.length), value]);
  const others = fields.filter(([name]) => !name.includes('-'));
  return { ...Object.fromEntries(others), payment: Object.fromEntries(details) };
}

const typedTotal = z
  .string()
  .regex(/^\d{1,15}$/, 'must be the total that was shown')
  .transform(Number);

/** `do`, `coupon` and `key` are for the page alone. */
export const CheckoutForm = z.preprocess(
  (form) => {
    const { do: _do, coupon: _coupon, key: _key, ...filled } = filledIn(form);
    const { email, shippingMethod, paymentMethod, payment, acceptedTotal, ...address } = filled;
    return { email, shippingMethod, paymentMethod, payment, acceptedTotal, address };
  },
  Checkout.extend({ acceptedTotal: typedTotal.optional() }),
);

export const PayOrderForm = z.preprocess((form) => {
  const { key: _key, ...filled } = filledIn(form);
  return filled;
}, PayOrder);

/** What a page of orders is asked for; what makes no sense is as good as nothing. */
export const OrdersPageQuery = z.object({
  cursor: z
    .string()
    .regex(/^[\w-]{16}$/)
    .optional()
    .catch(undefined),
});
export const OrderPageQuery = z.object({ token: z.string().max(100).optional().catch(undefined) });
