/** The checkout as its page shows it: a small plain object for the view. */
import { type Problem, problemText } from '../errors.ts';
import type { CartDto } from '../services/cart.service.ts';
import type { CheckoutCart } from '../services/cart-handover.service.ts';
import type { PaymentMethod } from '../services/payment.service.ts';
import { countryName } from './cart-views.ts';
import { type FormField, faultAt, filledFields } from './form-page.ts';
import { waysToPay } from './order-views.ts';
import { PLACEHOLDER } from './product-views.ts';

interface CheckoutPage {
  cart: CartDto;
  /** What was typed, or is known of the buyer. */
  values: Record<string, unknown>;
  /** Of who is logged in; null for a guest. */
  email: string | null;
  countries: readonly string[];
  methods: readonly PaymentMethod[];
  key: string;
  problem: Problem | undefined;
}

const text = (name: string, label: string, autocomplete: string, maxlength: number): FormField => ({
  ...{ name, label, autocomplete, maxlength, type: 'text' },
  optional: label.includes('optional'),
});
const EMAIL: FormField = {
  ...{ name: 'email', label: 'E-mail', type: 'email', autocomplete: 'email', maxlength: 254 },
  hint: 'For the confirmation, and the link to your order.',
};
const addressFields = (countries: FormField['options'] = []): FormField[] => [
  text('name', 'Name', 'name', 100),
  text('line1', 'Street and number', 'address-line1', 200),
  text('line2', 'Flat, floor, company (optional)', 'address-line2', 200),
  text('postalCode', 'Postal code', 'postal-code', 20),
  text('city', 'City', 'address-level2', 100),
  { ...text('country', 'Country', 'country', 2), type: 'select', options: [['', 'Choose a country'], ...countries] },
  text('region', 'Region (optional)', 'address-level1', 60),
  { ...text('phone', 'Phone (optional)', 'tel', 40), type: 'tel' },
];

export function checkoutPage({ cart, values, email, countries, methods, key, problem }: CheckoutPage) {
  const contact = email === null ? filledFields([EMAIL], values, problem) : [];
  const named = countries.map((code) => [code, countryName(code)] as const);
  const address = filledFields(addressFields(named.sort(([, a], [, b]) => a.localeCompare(b))), values, problem);
  const lines = cart.items.map((item) => ({
    ...item,
    picture: item.product.thumbnail ?? PLACEHOLDER,
    blocks: item.notice !== null && item.notice.code !== 'PRICE_CHANGED',
  }));
  const { shipping, shippingMethods } = cart;
  const delivery = {
    methods: shippingMethods.map((one) => ({ ...one, chosen: one.id === shipping?.method?.id })),
    fault: faultAt(problem, 'shippingMethod'),
  };
  const coupon = couponView(cart, values, problem);
  const blocks = lines.some((line) => line.blocks) || Boolean(cart.coupon?.notice);
  const wrong = [...contact, ...address].filter(({ fault }) => fault);
  return {
    ...{ title: 'Checkout', active: 'cart', styles: ['cart', 'checkout'], scripts: ['checkout'] },
    ...{ cart, key, lines, contact, address, delivery, coupon, email, blocks },
    ways: waysToPay(methods, values),
    productIds: lines.map(({ productId }) => productId).join(' '),
    isFree: cart.total === 0,
    buyable: Boolean(shipping?.method) && !blocks && methods.length > 0,
    continues: !shipping && !blocks,
    problem: problem && { ...problemView(cart, values, problem), wrong },
  };
}

function couponView({ coupon }: CartDto, { coupon: typed }: Record<string, unknown>, problem: Problem | undefined) {
  const isRefused = problem?.code === 'COUPON_NOT_VALID' && !coupon?.notice;
  const fault = isRefused ? problem.detail : faultAt(problem, 'code') && 'Type the code of a coupon.';
  return { ...coupon, typed: typeof typed === 'string' ? typed.slice(0, 60) : '', fault };
}

/** What is wrong; and of what the buyer had agreed to, what is different now. */
function problemView({ total }: CartDto, { acceptedTotal }: Record<string, unknown>, problem: Problem) {
  const { title, changes = [], code } = problem;
  const was = typeof acceptedTotal === 'string' && /^\d{1,15}$/.test(acceptedTotal) ? Number(acceptedTotal) : total;
  return {
    ...{ title, changes: changes as CheckoutCart['notices'], detail: problemText(problem) },
    isChanged: ['CART_CHANGED', 'OUT_OF_STOCK', 'NOT_FOR_SALE'].includes(code),
    ...(was !== total && { was }),
  };
}
