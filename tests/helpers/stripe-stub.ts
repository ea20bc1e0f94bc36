/** A stand-in for the parts of Stripe's API that the shop uses, with its idempotency keys, its refusals and its webhooks. */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Stripe from 'stripe';

export const STRIPE_SECRET_KEY = 'sk_test_of_the_suite';
export const STRIPE_WEBHOOK_SECRET = 'whsec_of_the_suite';

interface Intent {
  id: string;
  object: 'payment_intent';
  status: 'requires_capture' | 'succeeded' | 'canceled' | 'requires_payment_method';
  amount: number;
  amount_received: number;
  last_payment_error: { message: string } | null;
  metadata: Record<string, string>;
}

interface Session {
  id: string;
  object: 'checkout.session';
  status: 'open' | 'complete' | 'expired';
  amount_total: number;
  currency: string;
  client_reference_id: string;
  metadata: Record<string, string>;
  payment_intent: string | null;
  url: string | null;
  created: number;
  expires_at: number;
}

interface Refund {
  id: string;
  object: 'refund';
  status: string;
  amount: number;
  payment_intent: string;
  metadata: Record<string, string>;
  failure_reason?: string;
}

interface Refusal {
  status: number;
  error: { type: string; code: string; message: string };
}

const refusal = (code: string, status = 400): Refusal => ({
  status,
  error: { type: 'invalid_request_error', code, message: code },
});
const isRefusal = (value: object): value is Refusal => 'error' in value;

export async function startStripeStub() {
  const sessions = new Map<string, Session>();
  const intents = new Map<string, Intent>();
  const refunds: Refund[] = [];
  const answered = new Map<string, { request: string; answer: object }>();
  const manual = new Set<string>();
  const state = { requests: 0, loseAnswers: 0, loseTo: '', refundStatus: 'succeeded' };
  const newId = (prefix: string) => `${prefix}_test_${randomBytes(8).toString('hex')}`;

  const expanded = (session: Session) => ({
    ...session,
    payment_intent: session.payment_intent && intents.get(session.payment_intent),
  });
  const metadataIn = (form: URLSearchParams, prefix = 'metadata') =>
    Object.fromEntries(
      [...form]
        .filter(([key]) => key.startsWith(`${prefix}[`))
        .map(([key, value]) => [key.slice(prefix.length + 1, -1), value]),
    );

  const createSession = (form: URLSearchParams): Session | Refusal => {
    const amount = Number(form.get('line_items[0][price_data][unit_amount]'));
    if (amount < 50) return refusal('amount_too_small');
    const created = Math.floor(Date.now() / 1000);
    const expires = Number(form.get('expires_at'));
    if (expires < created + 30 * 60 || expires > created + 86_400) return refusal('parameter_invalid_integer');
    const id = newId('cs');
    const session: Session = {
      id,
      object: 'checkout.session',
      status: 'open',
      amount_total: amount,
      currency: form.get('line_items[0][price_data][currency]') ?? '',
      client_reference_id: form.get('client_reference_id') ?? '',
      metadata: metadataIn(form),
      payment_intent: null,
      url: `https://checkout.stripe.test/${id}`,
      created,
      expires_at: expires,
    };
    sessions.set(id, session);
    if (form.get('payment_intent_data[capture_method]') === 'manual') manual.add(id);
    return session;
  };
  const listSessions = (query: URLSearchParams) => {
    const intent = query.get('payment_intent');
    const data = [...sessions.values()].filter(
      (session) =>
        (intent === null || session.payment_intent === intent) &&
        session.created >= Number(query.get('created[gte]') ?? 0) &&
        session.created <= Number(query.get('created[lte]') ?? Infinity),
    );
    return { object: 'list', has_more: false, url: '/v1/checkout/sessions', data: data.reverse().map(expanded) };
  };
  const capture = (intent: Intent): Intent | Refusal => {
    if (intent.status !== 'requires_capture') return refusal('payment_intent_unexpected_state');
    return Object.assign(intent, { status: 'succeeded', amount_received: intent.amount });
  };
  const refund = (form: URLSearchParams): Refund | Refusal => {
    const intent = intents.get(form.get('payment_intent') ?? '');
    if (intent?.status !== 'succeeded') return refusal('charge_not_captured');
    const amount = Number(form.get('amount'));
    const before = refunds
      .filter(({ payment_intent, status }) => payment_intent === intent.id && status !== 'failed')
      .reduce((sum, each) => sum + each.amount, 0);
    if (before + amount > intent.amount_received) return refusal('charge_already_refunded');
    const made: Refund = {
      id: newId('re'),
      object: 'refund',
      status: state.refundStatus,
      amount,
      payment_intent: intent.id,
      metadata: metadataIn(form),
      ...(state.refundStatus === 'failed' && { failure_reason: 'expired_or_canceled_card' }),
    };
    refunds.push(made);
    return made;
  };

  const listRefunds = (query: URLSearchParams) => {
    const data = refunds.filter((each) => each.payment_intent === query.get('payment_intent'));
    return { object: 'list', has_more: false, url: '/v1/refunds', data };
  };

  const route = (method: string, url: URL, form: URLSearchParams): object => {
    const [, , resource, sub, id, action] = url.pathname.split('/');
    if (resource === 'checkout' && sub === 'sessions') {
      if (!id) return method === 'POST' ? createSession(form) : listSessions(url.searchParams);
      const session = sessions.get(id);
      if (!session) return refusal('resource_missing', 404);
      if (action === 'expire') {
        if (session.status !== 'open') return refusal('invalid_state');
        Object.assign(session, { status: 'expired', url: null });
      }
      return expanded(session);
    }
    if (resource === 'refunds') return method === 'POST' ? refund(form) : listRefunds(url.searchParams);
    const intent = resource === 'payment_intents' && intents.get(sub ?? '');
    if (!intent) return refusal('resource_missing', 404);
    if (id === 'capture') return capture(intent);
    if (id === 'cancel') return Object.assign(intent, { status: 'canceled' });
    return intent;
  };

  const handle = async (req: IncomingMessage, res: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    state.requests += 1;
    const send = (answer: object) => {
      if (state.loseAnswers > 0 && req.method?.startsWith(state.loseTo)) {
        state.loseAnswers -= 1;
        return void req.socket.destroy();
      }
      res.writeHead(isRefusal(answer) ? answer.status : 200, { 'Content-Type': 'application/json' });
      res.end(JSON.stringify(isRefusal(answer) ? { error: answer.error } : answer));
    };
    if (req.headers.authorization !== `Bearer ${STRIPE_SECRET_KEY}`) return send(refusal('api_key_invalid', 401));
    const key = req.headers['idempotency-key'];
    const request = `${req.method} ${req.url} ${body}`;
    const earlier = typeof key === 'string' ? answered.get(key) : undefined;
    if (earlier) return send(earlier.request === request ? earlier.answer : refusal('idempotency_key_in_use'));
    const answer = route(req.method ?? '', new URL(req.url ?? '', 'http://stripe'), new URLSearchParams(body));
    const copy = JSON.parse(JSON.stringify(answer)) as object;
    if (typeof key === 'string' && req.method === 'POST') answered.set(key, { request, answer: copy });
    send(copy);
  };

  const server: Server = createServer((req, res) => void handle(req, res));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const find = (id: string) => {
    const session = sessions.get(id);
    if (!session) throw new Error(`There is no session ${id}.`);
    return session;
  };
  const intentOf = (id: string) => {
    const intent = intents.get(find(id).payment_intent ?? '');
    if (!intent) throw new Error(`Nobody has tried to pay ${id}.`);
    return intent;
  };

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sessions,
    refunds,
    intentOf,
    /** How many have come. */
    requests: () => state.requests,
    /** What the buyer does on Stripe's page. */
    pay(id: string, { fails = false } = {}) {
      const session = find(id);
      const status = fails ? 'requires_payment_method' : manual.has(id) ? 'requires_capture' : 'succeeded';
      const intent: Intent = {
        id: newId('pi'),
        object: 'payment_intent',
        status,
        amount: session.amount_total,
        amount_received: status === 'succeeded' ? session.amount_total : 0,
        last_payment_error: fails ? { message: 'The bank has refused the debit.' } : null,
        metadata: session.metadata,
      };
      intents.set(intent.id, intent);
      Object.assign(session, { status: 'complete', payment_intent: intent.id, url: null });
      return intent;
    },
    expire: (id: string) => Object.assign(find(id), { status: 'expired', url: null }),
    /** The next answers, to one method or to all, are done and never arrive; the library tries a request three times. */
    loseAnswers(count: number, method = '') {
      Object.assign(state, { loseAnswers: count, loseTo: method });
    },
    /** After a day Stripe does not know the keys of requests any more. */
    forgetKeys: () => answered.clear(),
    refundsBecome(status: string) {
      state.refundStatus = status;
    },
    /** An event as Stripe sends it. */
    event: (type: string, object: object, overrides: SigningOverrides = {}) =>
      signed({ id: newId('evt'), object: 'event', type, data: { object } }, overrides),
    stop: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

export type StripeStub = Awaited<ReturnType<typeof startStripeStub>>;

interface SigningOverrides {
  secret?: string;
  /** In seconds. */
  timestamp?: number;
}

/** A webhook with Stripe's own signature, at a given time. */
export function signed(event: object, { secret = STRIPE_WEBHOOK_SECRET, timestamp }: SigningOverrides = {}) {
  const body = JSON.stringify(event);
  const header = new Stripe(STRIPE_SECRET_KEY).webhooks.generateTestHeaderString({
    payload: body,
    secret,
    ...(timestamp !== undefined && { timestamp }),
  });
  return { body: Buffer.from(body), headers: { 'content-type': 'application/json', 'stripe-signature': header } };
}
