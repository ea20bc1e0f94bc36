/** What comes in and goes out of payments. */
import { z } from 'zod';

export const ListPaymentMethods = z.strictObject({
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'must be a three-letter currency code')
    .optional()
    .meta({ description: "ISO 4217; the shop's when absent", example: 'EUR' }),
});

export const PaymentMethodsBody = z
  .object({
    items: z.array(
      z.object({
        name: z.string().meta({ description: 'For `paymentMethod` of a checkout', example: 'test' }),
        title: z.string().meta({ description: 'For people' }),
      }),
    ),
  })
  .meta({ id: 'PaymentMethods' });

export const WebhookParams = z.strictObject({
  provider: z.string().max(40).meta({ description: 'Such as `stripe`', example: 'stripe' }),
});
