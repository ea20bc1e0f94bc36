/** What comes in and goes out about login in two steps. */
import { z } from 'zod';
import { next, password } from './auth.schema.ts';

const CodeText = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .max(40, 'is too long')
  .meta({ description: 'Six digits of the authenticator app, or a recovery code', example: '492039' });

const challenge = z
  .string()
  .regex(/^[\w-]{43}$/, 'is not complete')
  .meta({ description: 'From the answer to the first step', example: 'u7o0JqO3o9yq0lYt3uQn1m8X2b5c7d9e1f3g5h7i9j0' });

export const SecondFactor = z.strictObject({ challenge, code: CodeText }).meta({ id: 'SecondFactor' });
export type SecondFactor = z.output<typeof SecondFactor>;

/** The second step in a browser, whose challenge is in a cookie. */
export const SecondFactorForm = z.strictObject({ code: CodeText, next });

export const ProveTwoStep = z
  .strictObject({ code: CodeText, password: password.meta({ description: 'The password of the account' }) })
  .meta({ id: 'ProveTwoStep' });
export type ProveTwoStep = z.output<typeof ProveTwoStep>;

export const EnableTwoStep = ProveTwoStep.extend({
  setup: z
    .string()
    .regex(/^[\w-]{1,500}$/, 'is not complete')
    .meta({ description: 'From the answer that told the secret' }),
}).meta({ id: 'EnableTwoStep' });
export type EnableTwoStep = z.output<typeof EnableTwoStep>;

export const TwoStepStateBody = z
  .object({
    enabled: z.boolean(),
    since: z.iso.datetime().nullable(),
    recoveryCodesLeft: z.int().meta({ example: 10 }),
  })
  .meta({ id: 'TwoStepState' });

export const TwoStepSetupBody = z
  .object({
    secret: z.string().meta({ description: 'For typing it in, base32', example: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP' }),
    uri: z.string().meta({ description: 'For a QR code: otpauth://' }),
    setup: z.string().meta({ description: 'To be sent back with a code within half an hour' }),
  })
  .meta({ id: 'TwoStepSetup' });

export const RecoveryCodesBody = z
  .object({
    recoveryCodes: z
      .array(z.string().meta({ example: 'abcd-efgh-2345-mnop' }))
      .meta({ description: 'Each works once instead of a code of the app. Shown this once' }),
  })
  .meta({ id: 'RecoveryCodes' });
