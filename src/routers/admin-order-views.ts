/** Orders as the pages of staff show them, and what their forms send, in the words of the schemas. */
import type { Request } from 'express';
import type { Problem } from '../errors.ts';
import { ListOrders } from '../schemas/order.schema.ts';
import type { OrderPage, OrderService } from '../services/order.service.ts';
import { textsOf, withoutEmpty } from './admin-page.ts';
import { countryName } from './cart-views.ts';
import { moneyText, moneyTyped, sumFault } from './money-text.ts';

type OrderDto = Awaited<ReturnType<OrderService['get']>>;

const DAY_MS = 24 * 60 * 60 * 1000;
const DAY = /^\d{4}-\d\d-\d\d$/;
const FILTERS = [
  ['status', 'Status'],
  ['paymentStatus', 'Payment'],
  ['fulfilmentStatus', 'Delivery'],
] as const;
/** What is most often looked for. */
const CHIPS = [
  ['', 'All'],
  ['status=pending_payment', 'To be paid'],
  ['paymentStatus=authorized', 'To capture'],
  ['status=paid', 'To send'],
  ['status=fulfilled', 'On the way'],
] as const;

/** States, and what becomes of money, where their own names are not what people say. */
const WORDS: Record<string, string> = {
  pending_payment: 'to be paid',
  pending: 'not paid',
  voided: 'payment given up',
  unfulfilled: 'not sent',
  fulfilled: 'sent',
  partly_refunded: 'partly refunded',
  captured: 'received',
  'refund-requested': 'refund asked for',
  'refund-failed': 'refund failed',
};
const words = (state: string) => WORDS[state] ?? state;

const WAYS_TO_PAY: Record<string, string> = { manual: 'bank transfer', test: 'test payment', stripe: 'Stripe' };

/** The last day counts whole. */
export function orderSearch(query: Request['query']) {
  const { from, to, ...rest } = withoutEmpty(query);
  const startOf = (day: unknown, days = 0) => {
    const time = typeof day === 'string' && DAY.test(day) ? Date.parse(`${day}T00:00:00Z`) : Number.NaN;
    return Number.isNaN(time) ? day : new Date(time + days * DAY_MS).toISOString();
  };
  return ListOrders.safeParse({
    ...rest,
    ...(from !== undefined && { from: startOf(from) }),
    ...(to !== undefined && { to: startOf(to, 1) }),
  });
}

export function orderListView({ query }: Request, { items, next }: OrderPage) {
  const { cursor, ...typed } = withoutEmpty(query) as Record<string, string>;
  const search = String(new URLSearchParams(typed));
  return {
    title: 'Orders',
    scripts: ['admin-orders'],
    typed,
    chips: CHIPS.map(([href, text]) => ({ text, href: `/admin/orders?${href}`, current: href === search })),
    filters: FILTERS.map(([name, label]) => {
      const values: readonly string[] = ListOrders.shape[name].unwrap().options;
      return {
        name,
        label,
        options: values.map((value) => ({ value, text: words(value), chosen: typed[name] === value })),
      };
    }),
    orders: items.map((order) => ({ ...order, ...statusWords(order), units: unitsOf(order) })),
    // New ones belong at the top of the whole list alone.
    isLive: cursor === undefined && search === '',
    now: new Date().toISOString(),
    first: cursor && `/admin/orders?${search}`,
    older: next && `/admin/orders?${new URLSearchParams({ ...typed, cursor: next })}`,
  };
}

const unitsOf = ({ lines }: OrderDto) => lines.reduce((sum, { quantity }) => sum + quantity, 0);

const statusWords = ({ status, paymentStatus, fulfilmentStatus }: OrderDto) => ({
  statusText: words(status),
  paymentText: words(paymentStatus),
  fulfilmentText: words(fulfilmentStatus),
});

const EVENTS: Record<string, string> = {
  placed: 'Placed',
  authorized: 'Payment authorized',
  paid: 'Paid',
  'payment-declined': 'Payment declined',
  'payment-mismatch': 'Money that does not fit',
  voided: 'The open payment given up',
  fulfilled: 'Sent',
  delivered: 'Delivered',
  cancelled: 'Cancelled',
  reopened: 'Opened again',
  'refund-requested': 'Refund asked for',
  refunded: 'Refunded',
  'refund-failed': 'Refund failed',
  'refund-given-up': 'Refund not answered',
  'refund-retried': 'Refund tried again',
  restocked: 'Back into stock',
  note: 'Note',
};

const WHY_STUCK = { refused: 'the provider has refused it.', unanswered: 'the provider has not answered for days.' };

interface OrderView {
  req: Request;
  order: OrderDto;
  problem?: Problem | undefined;
  /** What the chosen refund is worth. */
  sum?: number | undefined;
}

export function orderView({ req, order, problem, sum }: OrderView) {
  const { permissions, id: me } = req.actor;
  const may = (permission: 'orders:write' | 'orders:refund') => permissions.includes(permission);
  const can = (move: OrderDto['moves'][number]) => order.moves.includes(move);
  const form = req.method === 'POST' ? (req.path.split('/')[4] ?? '') : '';
  const texts = textsOf(req);
  const faults = refundFaults(texts, problem);
  return {
    title: `Order ${order.number}`,
    scripts: ['admin-order'],
    order,
    ...statusWords(order),
    form,
    typed: texts,
    moves: {
      confirm: may('orders:write') && can('capture') && order.paymentStatus !== 'authorized',
      capture: may('orders:write') && can('capture') && order.paymentStatus === 'authorized',
      fulfil: may('orders:write') && can('fulfil'),
      deliver: may('orders:write') && can('deliver'),
      // What was paid is given back by it.
      cancel: may('orders:write') && can('cancel') && (order.captured <= order.refunded || may('orders:refund')),
      refund: may('orders:refund') && can('refund'),
      retry: may('orders:refund'),
      note: may('orders:write'),
    },
    stuck: order.stuckRefunds?.map((refund) => ({ ...refund, text: WHY_STUCK[refund.why] })),
    wayToPay: WAYS_TO_PAY[order.paymentMethod] ?? order.paymentMethod,
    ledger: order.ledger?.map((entry) => ({ ...entry, kindText: words(entry.kind) })),
    country: countryName(order.address.country),
    isPaid: order.captured > order.refunded,
    kept: order.captured - order.refunded,
    lines: order.lines.map((line, i) => ({
      ...line,
      i,
      left: line.quantity - line.refunded,
      quantityTyped: texts[`quantity-${i}`] ?? '0',
      restock: texts[`restock-${i}`] === 'on',
      fault: faults.get(`quantity-${i}`),
    })),
    refundText: sum === undefined ? undefined : moneyText(sum, order.currency),
    refundSum: sum,
    faults: Object.fromEntries(faults),
    timeline: order.timeline
      .map((entry) => ({ ...entry, text: EVENTS[entry.event] ?? entry.event, byMe: entry.actorId === me }))
      .reverse(),
  };
}

/** The refund that a form asks for, not yet judged. */
export function refundTyped(body: Record<string, string>, { lines, currency }: OrderDto): Record<string, unknown> {
  const { shipping, amount, reason = '' } = body;
  return {
    lines: chosenLines(body, lines).map((line) => {
      const typed = body[`quantity-${line}`] ?? '';
      return {
        line,
        quantity: /^\d{1,9}$/.test(typed) ? Number(typed) : typed,
        restock: body[`restock-${line}`] === 'on',
      };
    }),
    shipping: shipping === 'on',
    ...(amount && { amount: moneyTyped(amount, currency) }),
    reason,
  };
}

const chosenLines = (body: Record<string, unknown>, lines: readonly unknown[] = Array(100).fill(0)) =>
  lines.flatMap((_, line) => (['', '0', undefined].includes(body[`quantity-${line}`] as string) ? [] : [line]));

/** Faults of a refund by the names of the form's fields. */
function refundFaults(body: Record<string, string>, problem: Problem | undefined): Map<string, string> {
  const chosen = chosenLines(body);
  return new Map(
    problem?.errors?.map(({ pointer, detail }) => {
      const [, i] = /^#\/lines\/(\d+)/.exec(pointer) ?? [];
      if (i !== undefined) return [`quantity-${chosen[Number(i)]}`, detail];
      const name = pointer.slice(2);
      return [name, name === 'amount' && body.amount ? sumFault(detail, body.amount) : detail];
    }),
  );
}
