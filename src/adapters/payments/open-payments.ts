/** The ways to pay that the configuration offers. */
import type { Logger } from 'pino';
import type { Config } from '../../config.ts';
import { manualPayments } from './manual-payments.ts';
import type { PaymentProvider } from './payment-provider.ts';
import { stripePayments } from './stripe-payments.ts';
import { testPayments } from './test-payments.ts';

interface OpenPaymentsOptions {
  /** Signs the webhooks of the test provider. */
  testSecret: string;
  /** The address of a path of this server itself. */
  ownUrl: (path: string) => string;
}

export function openPayments(
  { payments: { bankDetails, test, captureLater, stripe } }: Pick<Config, 'payments'>,
  log: Pick<Logger, 'warn'>,
  { testSecret, ownUrl }: OpenPaymentsOptions,
): PaymentProvider[] {
  const deliver = (body: string, headers: Record<string, string>) =>
    fetch(ownUrl('/api/payments/test/webhook'), { method: 'POST', body, headers });
  const providers = [
    stripe && stripePayments({ ...stripe, captureLater }),
    bankDetails ? manualPayments(bankDetails) : null,
    test ? testPayments({ secret: testSecret, captureLater, deliver }) : null,
  ].filter((provider) => provider !== null);
  if (providers.length === 0) log.warn('nothing can be paid: set BANK_DETAILS or STRIPE_SECRET_KEY');
  return providers;
}
