/** Orders as the pages of buyers show them: small plain objects for the views. */
import { type Problem, problemText } from '../errors.ts';
import type { OrderService } from '../services/order.service.ts';
import type { PaymentAnswer, PaymentMethod } from '../services/payment.service.ts';
import { countryName } from './cart-views.ts';
import { PLACEHOLDER } from './product-views.ts';

type OrderDto = Awaited<ReturnType<OrderService['get']>>;
type OrderPage = Awaited<ReturnType<OrderService['list']>>;

/** Ways to pay as a form offers them: the first one is chosen when none was. */
export function waysToPay(methods: readonly PaymentMethod[], values: Record<string, unknown>) {
  const wanted = methods.find(({ name }) => name === values.paymentMethod) ?? methods[0];
  return methods.map((method) => ({ ...method, chosen: method === wanted, outcome: values['test-outcome'] }));
}

const STATUS_NAMES: Record<OrderDto['status'], string> = {
  pending_payment: 'Waiting for payment',
  paid: 'Paid',
  fulfilled: 'On its way',
  delivered: 'Delivered',
  cancelled: 'Cancelled',
  partly_refunded: 'Partly refunded',
  refunded: 'Refunded',
};

export function orderListPage({ items, next }: OrderPage) {
  const orders = items.map((order) => ({
    ...order,
    statusName: STATUS_NAMES[order.status],
    pictures: order.lines.slice(0, 4).map(({ picture }) => picture ?? PLACEHOLDER),
    first: order.lines[0]?.title,
    more: order.lines.length - 1,
  }));
  return { title: 'Your orders', active: 'orders', styles: ['cart', 'checkout'], scripts: ['order'], orders, next };
}

interface ShownOrder {
  order: OrderDto;
  /** Of an open payment: what the buyer has to know or do to go on. */
  answer: PaymentAnswer | null;
  methods: readonly PaymentMethod[];
  /** Of a guest. */
  token: string | undefined;
  key: string;
  values: Record<string, unknown>;
  problem: Problem | undefined;
}

export function orderPage({ order, answer, methods, token, key, values, problem }: ShownOrder) {
  const { moves, address } = order;
  // Staff see more than this page is for.
  const timeline = order.timeline.filter(({ staffOnly }) => !staffOnly);
  const last = timeline.at(-1);
  return {
    title: `Order ${order.number}`,
    active: 'orders',
    styles: ['cart', 'checkout'],
    scripts: ['order'],
    ...{ order, token, key, answer },
    ...headlineOf(order, answer, last?.event === 'payment-declined' ? (last.detail ?? '') : null),
    steps: stepsOf(order),
    lines: order.lines.map((line) => ({ ...line, picture: line.picture ?? PLACEHOLDER })),
    address: { ...address, country: countryName(address.country) },
    ways: moves.includes('pay') && waysToPay(methods, { paymentMethod: order.paymentMethod, ...values }),
    // What waits for an answer, or for a transfer, needs no other way at once.
    waits: answer !== null && !problem,
    cancellable: moves.includes('cancel') && order.captured === 0,
    timeline: timeline.map((one) => ({ ...one, text: TOLD[one.event] ?? one.event })).reverse(),
    problem: problem && { title: problem.title, detail: problemText(problem) },
  };
}

/** What is the matter, and what happens next. @param declined why the last payment was, if it was */
function headlineOf({ status, paymentStatus }: OrderDto, answer: PaymentAnswer | null, declined: string | null) {
  const told = { headline: STATUS_NAMES[status], next: NEXT[status] };
  if (status !== 'pending_payment') return told;
  if (paymentStatus === 'authorized')
    return {
      headline: 'Your payment is promised',
      next: 'We get your order ready, and take the money when we send it.',
    };
  if (answer?.instructions)
    return { headline: 'Waiting for your transfer', next: 'As soon as the money has come, we get your order ready.' };
  if (answer && !answer.redirect)
    return { headline: 'The payment is on its way', next: 'There is no answer yet. This page shows it when it comes.' };
  if (!answer && declined !== null)
    return { headline: 'The payment did not work', next: `${declined} Nothing was taken. Try it again.`.trim() };
  return told;
}

const NEXT: Record<OrderDto['status'], string> = {
  pending_payment: 'Nothing was paid yet.',
  paid: 'Thank you! We get your order ready, and write to you when it is on its way.',
  fulfilled: 'Your order has left the shop.',
  delivered: 'Your order has arrived. We hope you like it.',
  cancelled: 'Nothing will be sent. What was paid goes back to you.',
  partly_refunded: 'A part of the money was given back to you.',
  refunded: 'All of the money was given back to you.',
};

/** What has happened, and what is to come: `state` is done, now or ahead. */
function stepsOf({ status, paymentStatus, fulfilledAt, deliveredAt }: OrderDto) {
  const isPaid = ['paid', 'partly_refunded', 'refunded'].includes(paymentStatus);
  const steps: [string, boolean][] = [['Order', true]];
  if (status === 'cancelled') steps.push(['Cancelled', true]);
  else if (status === 'refunded') steps.push(['Payment', true], ['Refund', true]);
  else steps.push(['Payment', isPaid], ['Dispatch', fulfilledAt !== null], ['Delivery', deliveredAt !== null]);
  const now = steps.findIndex(([, done]) => !done);
  return steps.map(([name, done], i) => ({ name, state: done ? 'done' : i === now ? 'now' : 'ahead' }));
}

/** The timeline in words. */
const TOLD: Record<string, string> = {
  placed: 'The order was placed',
  authorized: 'The payment was promised',
  paid: 'Paid',
  'payment-declined': 'A payment did not work',
  voided: 'The open payment was given up',
  fulfilled: 'Sent',
  delivered: 'Delivered',
  cancelled: 'Cancelled',
  reopened: 'The payment came after all: the order goes on',
  'refund-requested': 'Money is on its way back',
  refunded: 'Money was given back',
  restocked: 'Units came back to the shop',
};
