/** The cart as its page shows it: a small plain object for the view. */
import type { Request } from 'express';
import { type Problem, problemText } from '../errors.ts';
import { MAX_QUANTITY } from '../schemas/cart.schema.ts';
import type { CartDto } from '../services/cart.service.ts';
import type { CartMerge } from '../services/cart-handover.service.ts';
import { PLACEHOLDER } from './product-views.ts';

interface CartPage {
  req: Request;
  cart: CartDto | null;
  merge: CartMerge | false | null;
  destinations: { countries: readonly string[]; regional: boolean };
  problem?: Problem | undefined;
}

const regionNames = new Intl.DisplayNames('en', { type: 'region' });
export const countryName = (code: string) => regionNames.of(code) ?? code;

export function cartPage({ req, cart, merge, destinations, problem }: CartPage) {
  const at = problem && placeOf(req, problem);
  const lines = cart?.items.map((item) => {
    const lineId = lineIdOf(item.productId, item.variantId);
    const hasProblem = at === `line-${lineId}`;
    return {
      ...item,
      lineId,
      picture: item.product.thumbnail ?? PLACEHOLDER,
      // More than there is in stock is not worth asking for.
      max: Math.min(item.available, MAX_QUANTITY),
      hasProblem,
      entered: hasProblem ? typed(req, 'quantity', item.quantity) : item.quantity,
    };
  });
  const isThere = at !== undefined && (!at.startsWith('line-') || lines?.some(({ hasProblem }) => hasProblem));
  return {
    title: 'Your cart',
    active: 'cart',
    styles: ['cart'],
    cart,
    lines,
    buyable: lines?.some(({ available }) => available > 0),
    merge,
    coupon: { ...cart?.coupon, hasProblem: at === 'coupon', entered: at === 'coupon' ? typed(req, 'code', '') : '' },
    delivery: cart && deliveryView(req, cart, destinations, at === 'delivery'),
    problem: problem && { title: problem.title, detail: problemText(problem), at: isThere && at },
  };
}

function deliveryView(
  req: Request,
  { shipping, shippingMethods, currency }: CartDto,
  { countries, regional }: CartPage['destinations'],
  hasProblem: boolean,
) {
  const country = hasProblem ? typed(req, 'country', '') : shipping?.country;
  return {
    hasProblem,
    regional,
    chosen: shipping,
    region: hasProblem ? typed(req, 'region', '') : shipping?.region,
    countries: countries
      .map((code) => ({ code, name: countryName(code), chosen: code === country }))
      .sort((a, b) => a.name.localeCompare(b.name, 'en')),
    methods: shippingMethods.map((method) => ({ ...method, currency, chosen: method.id === shipping?.method?.id })),
    choice: shippingMethods.length > 1,
  };
}

const lineIdOf = (productId: string, variantId: unknown) =>
  typeof variantId === 'string' && variantId !== '' ? `${productId}-${variantId}` : productId;

/** Where on the page something is wrong. */
function placeOf(req: Request, problem: Problem): string {
  if (req.path.startsWith('/cart/coupon')) return 'coupon';
  if (req.path.startsWith('/cart/shipping')) return 'delivery';
  const productId = String(problem.productId ?? req.params.pid);
  return `line-${lineIdOf(productId, problem.variantId ?? req.body?.variantId)}`;
}

/** What the visitor typed into a field that was refused, to be corrected; never more than would fit there. */
function typed(req: Request, name: string, otherwise: number | string): number | string {
  const text: unknown = req.body?.[name];
  return typeof text === 'string' ? text.slice(0, 60) : otherwise;
}
