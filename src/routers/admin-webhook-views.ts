/** Webhooks, and what was sent to them, in words for staff. */
import { STATUS_CODES } from 'node:http';
import type { Request } from 'express';
import { type Problem, problemText } from '../errors.ts';
import type { ORDER_EVENTS } from '../services/outbox-consumers.ts';
import type { WebhookService } from '../services/webhook.service.ts';
import { textsOf } from './admin-page.ts';
import { faultAt } from './form-page.ts';

type WebhookDto = Awaited<ReturnType<WebhookService['get']>>;
type Log = Awaited<ReturnType<WebhookService['deliveries']>>;
type DeliveryDto = Log['items'][number];
type AttemptDto = DeliveryDto['attempts'][number];

const EVENTS: Record<string, string> = {
  '*': 'Everything, also what may come later',
  'order.*': 'All about orders',
  ...({
    'order.placed': 'Somebody has ordered',
    'order.authorized': 'The money is promised, and can be taken',
    'order.paid': 'The money is here',
    'order.payment_failed': 'A payment was refused',
    'order.fulfilled': 'The goods are sent',
    'order.delivered': 'The goods have arrived',
    'order.cancelled': 'The order is cancelled',
    'order.refunded': 'Money was given back',
  } satisfies Record<(typeof ORDER_EVENTS)[number], string>),
};

const STATES = {
  on: { name: 'on', text: 'on', why: '' },
  staff: { name: 'over', text: 'off', why: 'Switched off by staff' },
  gone: { name: 'cancelled', text: 'off', why: 'It answered 410: it is there no more' },
};
export const webhookView = ({ disabled, types }: WebhookDto) => ({
  state: STATES[disabled ?? 'on'],
  told: types.map((type) => (type.endsWith('*') ? (EVENTS[type] ?? type) : type)).join(', '),
});

/** What a form asks for, not yet judged; one box that is ticked is no list. */
export const webhookTyped = (req: Pick<Request, 'body'>) => ({
  url: (textsOf(req).url ?? '').trim(),
  types: [req.body?.types ?? []].flat().map(String),
});

/** The fields of a webhook, and what is wrong with them. `problem` there is what none of them shows. */
export function webhookForm({ url, types }: { url: string; types: readonly string[] }, problem?: Problem) {
  // What a program has chosen is kept, whether there is such an event or not.
  const offered = [...new Set([...Object.keys(EVENTS), ...types])];
  const typesFault = problem?.errors?.find(({ pointer }) => /^#\/types\b/.test(pointer))?.detail;
  const faults = {
    url: faultAt(problem, 'url'),
    types: typesFault && (types.length === 0 ? 'Choose at least one' : `Each ${typesFault}`),
  };
  return {
    form: {
      url,
      types: offered.map((name) => ({ name, text: EVENTS[name] ?? name, chosen: types.includes(name) })),
      faults,
    },
    problem: problem && !faults.url && !faults.types && problemText(problem),
  };
}

export function logView({ items, next }: Log, webhook: WebhookDto, after: string | undefined) {
  const page = `/admin/webhooks/${webhook.id}`;
  return {
    deliveries: items.map((delivery) => deliveryView(delivery, webhook)),
    after,
    first: after && page,
    older: next && `${page}?after=${next}`,
  };
}

function deliveryView(delivery: DeliveryDto, { enabled }: WebhookDto) {
  const { attempts, nextTryAt, state } = delivery;
  const last = attempts.at(-1);
  const isDue = nextTryAt !== null && nextTryAt <= new Date().toISOString();
  return {
    ...delivery,
    state: deliveryState(delivery),
    answer: last && attemptText(last),
    tries: attempts.map((attempt) => ({ at: attempt.at, text: attemptText(attempt) })).reverse(),
    isDue,
    nextTry: isDue ? null : nextTryAt,
    mayBeSent: enabled && state !== 'waiting' && !isDue,
  };
}

function deliveryState({ state, nextTryAt }: DeliveryDto) {
  if (state === 'delivered') return { name: 'delivered', text: 'delivered' };
  if (state === 'waiting') return { name: 'soon', text: 'on its way' };
  return nextTryAt ? { name: 'soon', text: 'not yet delivered' } : { name: 'cancelled', text: 'given up' };
}

function attemptText({ status, fault, ms }: AttemptDto): string {
  if (status === null) return fault ?? '';
  const name = STATUS_CODES[status];
  return `It answered ${status}${name ? ` (${name})` : ''} after ${ms} ms.`;
}
