/**
 * A provider without money, for trying the shop out and for its tests. What becomes of a payment is chosen by the
 * buyer: `outcome` in the details. It keeps nothing, so `find` knows the same after any crash; its webhooks are signed
 * as Standard Webhooks say, and come the way that all webhooks come.
 */
import { Webhook } from 'standardwebhooks';
import { z } from 'zod';
import { AppError, inputFaults, invalidInput } from '../../errors.ts';
import {
  type Attempt,
  factOf,
  type PaymentDetails,
  type PaymentFact,
  type PaymentProvider,
  type PaymentResult,
  refundFactOf,
} from './payment-provider.ts';

const HOLD_MS = 15 * 60 * 1000;
const DELAY_MS = 2000;

/**
 * `timeout`: the money is taken and the answer is lost. `refund-fails`: it is approved, and the first refund of it is
 * refused. The other names are what they say.
 */
const TEST_OUTCOMES = [
  ...(['approve', 'decline', 'delay', 'webhook-first', 'webhook-twice', 'timeout'] as const),
  'refund-fails',
] as const;
type Outcome = (typeof TEST_OUTCOMES)[number];

const Details = z.strictObject({
  outcome: z.enum(TEST_OUTCOMES, `must be one of ${TEST_OUTCOMES.join(', ')}`).default('approve'),
});

interface TestPaymentsOptions {
  /** Signs the webhooks; random. */
  secret: string;
  /** Whether money is only authorized first. */
  captureLater: boolean;
  /** Brings a webhook to the shop. */
  deliver: (body: string, headers: Record<string, string>) => Promise<unknown>;
  /** After which a delayed payment comes about. */
  delayMs?: number;
}

export function testPayments({
  secret,
  captureLater,
  deliver,
  delayMs = DELAY_MS,
}: TestPaymentsOptions): PaymentProvider {
  const webhook = new Webhook(secret, { format: 'raw' });
  const taken = captureLater ? 'authorized' : 'captured';
  const voided = new Set<string>();
  /** The refund that is refused, by its payment. */
  const refused = new Map<string, string>();

  /** Nobody waits for what could not be delivered: the shop asks by itself in the end. */
  const tell = async (request: Attempt) => {
    const fact = factOf(taken, { ...request, reference: referenceOf(request) });
    const id = `evt_${request.attempt}`;
    const body = JSON.stringify({ type: `payment.${taken}`, data: fact });
    const now = new Date();
    const headers = {
      'Content-Type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': webhook.sign(id, now, body),
    };
    await deliver(body, headers).catch(() => {});
  };
  const tellLater = (request: Attempt) =>
    setTimeout(() => {
      if (!voided.has(referenceOf(request))) void tell(request);
    }, delayMs).unref();

  const send: Partial<Record<Outcome, (request: Attempt) => unknown>> = {
    delay: tellLater,
    'webhook-first': tell,
    'webhook-twice': (request) => void Promise.all([tell(request), tell(request)]),
    timeout: () => {
      throw new Error('The test provider does not answer.');
    },
  };
  const resultOf = (request: Attempt): PaymentResult => {
    const outcome = outcomeOf(request.details);
    const known = { reference: referenceOf(request), amount: request.amount };
    if (outcome === 'decline') return { ...known, state: 'declined', reason: 'The test provider declines, as asked.' };
    const waits = outcome === 'delay' && Date.now() < request.startedAt.getTime() + delayMs;
    return { ...known, state: waits ? 'pending' : taken };
  };

  return {
    name: 'test',
    title: 'Test payment (no money)',
    holdMs: HOLD_MS,
    capturesAtOnce: !captureLater,
    accepts: () => true,
    checkDetails: (details) => void outcomeOf(details),
    async authorize(request) {
      const result = resultOf(request);
      await send[outcomeOf(request.details)]?.(request);
      return result;
    },
    find: async (attempt) => resultOf(attempt),
    capture: async (payment) => factOf('captured', payment),
    async void(payment) {
      voided.add(payment.reference);
      return factOf('voided', payment);
    },
    async refund(payment) {
      const { reference, refundId } = payment;
      if (!reference.endsWith(REFUND_FAILS)) return refundFactOf('refunded', payment);
      if (!refused.has(reference)) refused.set(reference, refundId);
      if (refused.get(reference) !== refundId) return refundFactOf('refunded', payment);
      return refundFactOf('refund-failed', {
        ...payment,
        reason: 'The test provider refuses the first refund, as asked.',
      });
    },
    async readWebhook(body, headers) {
      try {
        // Nobody else can sign: it is as it was sent.
        const { data } = webhook.verify(body, headers as Record<string, string>) as { data: PaymentFact };
        return { eventId: String(headers['webhook-id']), fact: data };
      } catch (error) {
        throw new AppError('WEBHOOK_REFUSED', (error as Error).message);
      }
    },
  };
}

const REFUND_FAILS = '_refund-fails';

/** All that is known of a payment when it is given back. */
const referenceOf = ({ attempt, details }: Attempt) =>
  `test_${attempt}${outcomeOf(details) === 'refund-fails' ? REFUND_FAILS : ''}`;

/** @throws AppError INVALID_INPUT */
function outcomeOf(details: PaymentDetails): Outcome {
  const { success, data, error } = Details.safeParse(details);
  if (success) return data.outcome;
  throw invalidInput(inputFaults(error).map((fault) => ({ ...fault, pointer: `#/payment${fault.pointer.slice(1)}` })));
}
