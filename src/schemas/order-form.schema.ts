/** Checkout and orders as forms send them: the pieces of the API, in one list of texts. */
import { z } from 'zod';
import { Checkout, PayOrder } from './order.schema.ts';

/** What says nothing when it is left empty. */
const MAY_BE_EMPTY: readonly string[] = ['line2', 'region', 'phone', 'acceptedTotal'];
/** For the page alone. */
const OF_PAGE: readonly string[] = ['do', 'coupon', 'key'];

/** A field such as `test-outcome` belongs to a method of payment, and counts when that one is chosen. */
function filledIn(form: unknown): Record<string, unknown> {
  const fields = Object.entries(form ?? {});
  const own = `${new Map(fields).get('paymentMethod')}-`;
  const details = fields
    .filter(([name]) => name.startsWith(own))
    .map(([name, value]) => [name.slice(own.length), value]);
  const others = fields.filter(
    ([name, value]) => !name.includes('-') && !OF_PAGE.includes(name) && (value !== '' || !MAY_BE_EMPTY.includes(name)),
  );
  return { ...Object.fromEntries(others), payment: Object.fromEntries(details) };
}

const typedTotal = z
  .string()
  .regex(/^\d{1,15}$/, 'must be the total that was shown')
  .transform(Number);

/** Its faults are at the names of the fields, also those of the address. */
export const CheckoutForm = z.preprocess(
  filledIn,
  Checkout.omit({ address: true })
    .extend({ ...Checkout.shape.address.shape, acceptedTotal: typedTotal.optional() })
    .transform(({ name, line1, line2, city, region, postalCode, country, phone, ...input }) => ({
      ...input,
      address: { name, line1, line2, city, region, postalCode, country, phone },
    })),
);

export const PayOrderForm = z.preprocess(filledIn, PayOrder);

/** What a page of orders is asked for; what makes no sense is as good as nothing. */
export const OrdersPageQuery = z.object({
  cursor: z
    .string()
    .regex(/^[\w-]{16}$/)
    .optional()
    .catch(undefined),
});
export const OrderPageQuery = z.object({ token: z.string().max(100).optional().catch(undefined) });
