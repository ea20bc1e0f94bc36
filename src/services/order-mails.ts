/** The mails about an order, sent through the outbox: a killed process loses none. */
import { Order, type OrderDto } from '../models/order.model.ts';
import type { LoginLimits } from './login-limits.ts';
import type { MailOrder, MailService } from './mail.service.ts';
import { orderTokenOf } from './order-link.ts';
import { toOrderDto } from './order-view.ts';
import type { Consumer, ShopEvents } from './outbox.ts';
import type { PaymentService } from './payment.service.ts';

interface OrderMailsDeps {
  mail: Pick<MailService, 'deliver'>;
  limits: Pick<LoginLimits, 'guestMail'>;
  payments: Pick<PaymentService, 'instructions'>;
  linkTo: (path: string) => string;
  /** Of the tokens of guests. */
  linkSecret: string;
}

const TYPES = [
  'order.placed',
  'order.paid',
  'order.payment_failed',
  'order.fulfilled',
  'order.cancelled',
  'order.refunded',
  'order.link_wanted',
] as const satisfies (keyof ShopEvents)[];
type MailedEvent = (typeof TYPES)[number];

/** What whoever orders in somebody's name could have the shop write again and again; the link is limited elsewhere. */
const BY_BUYERS: readonly MailedEvent[] = ['order.placed', 'order.paid', 'order.payment_failed', 'order.cancelled'];

export function orderMails({ mail, limits, payments, linkTo, linkSecret }: OrderMailsDeps): Consumer {
  /** An account's order opens to who is logged in; a guest's to whoever has the link. */
  const linkToOrder = ({ id, owner }: OrderDto) =>
    linkTo(owner ? `/orders/${id}` : `/orders/${id}?token=${orderTokenOf(linkSecret, id)}`);
  return {
    name: 'mail',
    types: TYPES,
    atOnce: 8,
    async handle([event]) {
      if (!event || !isMailed(event.type) || !('orderId' in event.data)) return;
      const record = await Order.findById(event.data.orderId).lean();
      // The person may have been erased since.
      if (!record?.email) return;
      const isLimited = !record.owner && BY_BUYERS.includes(event.type);
      if (isLimited && !(await limits.guestMail(record.email))) return;
      const order = toOrderDto(record, 'customer');
      const isOpen = order.moves.includes('pay');
      const known = { link: linkToOrder(order), toPay: isOpen ? payments.instructions(order) : null };
      await mail.deliver(event.id, event.at, { to: record.email, ...contentOf(event.type, order, known) });
    },
  };
}

const isMailed = (type: keyof ShopEvents): type is MailedEvent => (TYPES as readonly string[]).includes(type);

/** @param known `toPay`: what the buyer must know to pay, if that is still open */
function contentOf(
  type: MailedEvent,
  order: OrderDto,
  { link, toPay }: { link: string; toPay: string | null },
): DistributiveOmit<MailOrder, 'to'> {
  const locale = order.locale === 'pt' || order.locale === 'es' ? order.locale : 'en';
  const money = moneyIn(locale, order.currency);
  const data = { name: order.address.name, number: order.number, link };
  switch (type) {
    case 'order.placed':
      return {
        template: 'order-placed',
        locale,
        data: {
          ...data,
          lines: linesOf(order, money),
          totals: totalsOf(order, money),
          toPay: toPay?.split('\n') ?? null,
        },
      };
    case 'order.paid':
      return { template: 'order-paid', locale, data: { ...data, amount: money(order.captured) } };
    case 'order.fulfilled':
      return { template: 'order-fulfilled', locale, data: { ...data, tracking: trackingOf(order) } };
    case 'order.cancelled':
      return { template: 'order-cancelled', locale, data };
    case 'order.refunded':
      return { template: 'order-refunded', locale, data: { ...data, amount: money(order.refunded) } };
    case 'order.payment_failed':
      return { template: 'payment-failed', locale, data };
    case 'order.link_wanted':
      return { template: 'order-link', locale, data };
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
type Money = (minorUnits: number) => string;

/** Amounts as people who speak the language write them. */
function moneyIn(locale: string, currency: string): Money {
  const format = new Intl.NumberFormat(locale, { style: 'currency', currency });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  return (minorUnits) => format.format(minorUnits / 10 ** digits);
}

const linesOf = ({ lines }: OrderDto, money: Money) =>
  lines.map(({ quantity, title, total }) => ({ quantity, title, amount: money(total) }));

/** What says nothing is left out. */
function totalsOf({ totals }: OrderDto, money: Money) {
  const rows = [
    { what: 'subtotal' as const, amount: totals.subtotal },
    { what: 'discount' as const, amount: -totals.discount },
    { what: 'shipping' as const, amount: totals.shipping },
    ...(totals.taxIncluded ? [] : [{ what: 'tax' as const, amount: totals.tax }]),
    { what: 'total' as const, amount: totals.total },
    ...(totals.taxIncluded ? [{ what: 'tax-included' as const, amount: totals.tax }] : []),
  ];
  return rows
    .filter(({ what, amount }) => amount !== 0 || what === 'total')
    .map(({ what, amount }) => ({ what, amount: money(amount) }));
}

const trackingOf = ({ timeline }: OrderDto) => timeline.findLast(({ event }) => event === 'fulfilled')?.detail ?? null;
