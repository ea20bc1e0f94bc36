/** What comes in and goes out about passkeys. Answers of devices are those of WebAuthn, as browsers write them in JSON. */
import { z } from 'zod';
import { next, password } from './auth.schema.ts';
import { ObjectIdText, plainText } from './common.schema.ts';

const base64url = (max: number) =>
  z
    .string()
    .max(max, 'is too long')
    .regex(/^[\w-]+$/, 'must be base64url');

/** Members that the shop has no use for are taken and ignored: browsers add some. */
const answer = {
  id: base64url(1400),
  rawId: base64url(1400),
  type: z.literal('public-key'),
};

const NewCredential = z
  .object({
    ...answer,
    response: z.object({
      clientDataJSON: base64url(4000),
      attestationObject: base64url(20_000),
      transports: z
        .array(z.string().regex(/^[a-z-]{1,20}$/))
        .max(10)
        .default([]),
    }),
  })
  .meta({ id: 'NewCredential', description: 'What `navigator.credentials.create()` gives, as JSON' });
export type NewCredential = z.output<typeof NewCredential>;

const UsedCredential = z
  .object({
    ...answer,
    response: z.object({
      clientDataJSON: base64url(4000),
      authenticatorData: base64url(4000),
      signature: base64url(8000),
      userHandle: base64url(100),
    }),
  })
  .meta({ id: 'UsedCredential', description: 'What `navigator.credentials.get()` gives, as JSON' });
export type UsedCredential = z.output<typeof UsedCredential>;

export const ProvePassword = z
  .strictObject({ password: password.meta({ description: 'The password of the account' }) })
  .meta({ id: 'ProvePassword' });
export type ProvePassword = z.output<typeof ProvePassword>;

const name = plainText(1, 60)
  .refine((text) => !text.includes('\n'), 'must be one line')
  .meta({ description: 'How you recognise it', example: 'My telephone' });

export const AddPasskey = z.strictObject({ name, response: NewCredential }).meta({ id: 'AddPasskey' });
export type AddPasskey = z.output<typeof AddPasskey>;

export const RenamePasskey = z.strictObject({ name }).meta({ id: 'RenamePasskey' });
export type RenamePasskey = z.output<typeof RenamePasskey>;

export const LogInPasskey = z.strictObject({ response: UsedCredential }).meta({ id: 'LogInPasskey' });

/** The same from a form, whose field holds the JSON. */
export const LogInPasskeyForm = z.strictObject({
  response: z
    .string()
    .transform((text, context): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        context.addIssue('is not complete');
        return z.NEVER;
      }
    })
    .pipe(UsedCredential),
  next,
});

export const PasskeyParams = z.strictObject({ kid: ObjectIdText });

/** From forms. */
export const RemovePasskeyForm = ProvePassword.extend({ id: ObjectIdText });
export const RenamePasskeyForm = z.strictObject({ id: ObjectIdText, name });

export const PasskeyBody = z
  .object({
    id: ObjectIdText,
    name: z.string().meta({ example: 'My telephone' }),
    backedUp: z.boolean().meta({ description: 'Is it kept outside of the device too?' }),
    createdAt: z.iso.datetime(),
    lastUsedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Passkey' });

export const PasskeyListBody = z.object({ items: z.array(PasskeyBody), total: z.int() }).meta({ id: 'PasskeyList' });

export const PasskeyOptionsBody = z
  .looseObject({ challenge: z.string().meta({ description: 'Valid once, for five minutes' }) })
  .meta({ id: 'PasskeyOptions', description: 'For `navigator.credentials`, as JSON' });
