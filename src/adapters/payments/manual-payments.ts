/** Bank transfers: the buyer is told where to, and staff confirm with `capture` what has come. No other party is asked. */
import { type Attempt, factOf, noDetails, type PaymentProvider, refundFactOf } from './payment-provider.ts';

const HOLD_MS = 7 * 24 * 60 * 60 * 1000;

/** @param bankDetails for the buyer: whose account it is, and its number */
export function manualPayments(bankDetails: string): PaymentProvider {
  const instructions = (number: string) => `${bankDetails}\n${number}`;
  const answer = async ({ attempt, number, amount }: Attempt) => ({
    state: 'pending' as const,
    reference: `bank_${attempt}`,
    amount,
    instructions: instructions(number),
  });
  return {
    name: 'manual',
    title: 'Bank transfer',
    holdMs: HOLD_MS,
    capturesAtOnce: false,
    instructions,
    accepts: () => true,
    checkDetails: noDetails,
    authorize: answer,
    find: answer,
    capture: async (payment) => factOf('captured', payment),
    void: async (payment) => factOf('voided', payment),
    /** Staff send the money back themselves; this notes it. */
    refund: async (payment) => refundFactOf('refunded', payment),
  };
}
