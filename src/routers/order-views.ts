/** Orders as the pages of buyers show them: small plain objects for the views. */
import { type Problem, problemText } from '../errors.ts';
import type { OrderPage, OrderService } from '../services/order.service.ts';
import type { PaymentAnswer, PaymentMethod } from '../services/payment.service.ts';
import { countryName } from './cart-views.ts';
import { PLACEHOLDER } from './product-views.ts';

export type OrderDto = Awaited<ReturnType<OrderService['get']>>;

/** Ways to pay as a form offers them: the first one is chosen when none was. */
export function waysToPay(methods: readonly PaymentMethod[], values: Record<string, unknown>) {
  const wanted = methods.find(({ name }) => name === values.paymentMethod) ?? methods[0];
  return methods.map((method) => ({ ...method, chosen: method === wanted, outcome: values['test-outcome'] }));
}

/** What an order is called in each state, and what happens next. */
const WORDS: Record<OrderDto['status'], [headline: string, next: string]> = {
  pending_payment: ['Waiting for payment', 'Nothing was paid yet.'],
  paid: ['Paid', 'Thank you! We get your order ready, and write to you when it is on its way.'],
  fulfilled: ['On its way', 'Your order has left the shop.'],
  delivered: ['Delivered', 'Your order has arrived. We hope you like it.'],
  cancelled: ['Cancelled', 'Nothing will be sent. What was paid goes back to you.'],
  partly_refunded: ['Partly refunded', 'A part of the money was given back to you.'],
  refunded: ['Refunded', 'All of the money was given back to you.'],
};

export function orderListPage({ items, next }: OrderPage) {
  const orders = items.map((order) => ({
    ...order,
    statusName: WORDS[order.status][0],
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
  const declined = last?.event === 'payment-declined' ? (last.detail ?? '') : null;
  const [headline, next] = wordsOf(order, answer, declined);
  return {
    title: `Order ${order.number}`,
    ...{ active: 'orders', styles: ['cart', 'checkout'], scripts: ['order'] },
    ...{ order, token, key, answer },
    ...{ headline, next },
    steps: stepsOf(order),
    lines: order.lines.map((line) => ({ ...line, picture: line.picture ?? PLACEHOLDER })),
    address: { ...address, country: countryName(address.country) },
    ways: moves.includes('pay') && waysToPay(methods, { paymentMethod: order.paymentMethod, ...values }),
    // What waits for an answer, or for a transfer, needs no other way at once.
    waits: answer !== null && !problem,
    cancellable: moves.includes('cancel') && order.captured === 0,
    timeline: timeline.toReversed(),
    problem: problem && { title: problem.title, detail: problemText(problem) },
  };
}

/** What is the matter, and what happens next. @param declined why the last payment was, if it was */
function wordsOf({ status, paymentStatus, captured }: OrderDto, answer: PaymentAnswer | null, declined: string | null) {
  if (status === 'cancelled' && captured === 0) return ['Cancelled', 'Nothing will be sent, and no money was taken.'];
  if (status !== 'pending_payment') return WORDS[status];
  if (paymentStatus === 'authorized')
    return ['Your payment is promised', 'We get your order ready, and take the money when we send it.'];
  if (answer?.instructions)
    return ['Waiting for your transfer', 'As soon as the money has come, we get your order ready.'];
  if (answer && !answer.redirect)
    return ['The payment is on its way', 'There is no answer yet. This page shows it when it comes.'];
  if (answer || declined === null) return WORDS[status];
  return ['The payment did not work', `${declined} Nothing was taken. Try it again.`.trim()];
}

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
