/** What comes in and goes out about the keys of programs. */
import { z } from 'zod';
import { allPermissions } from '../permissions.ts';
import { ObjectIdText, plainText, queryNumber } from './common.schema.ts';

const MAX_DAYS = 366;

const PermissionText = z.enum(allPermissions).meta({ example: 'products:write' });

const name = plainText(1, 60)
  .refine((text) => !text.includes('\n'), 'must be one line')
  .meta({ description: 'What the key is for', example: 'nightly import' });

export const CreateApiKey = z
  .strictObject({
    name,
    permissions: z
      .array(PermissionText)
      .min(1, 'must hold at least one permission')
      .max(allPermissions.length)
      .meta({ description: 'What the key may do; never more than you may' }),
    days: z.int().min(1).max(MAX_DAYS).default(90).meta({ description: 'How long it is valid', example: 90 }),
  })
  .meta({ id: 'CreateApiKey' });
export type CreateApiKey = z.output<typeof CreateApiKey>;

/** The same from a form: one box that is ticked is no list, and numbers are text. */
export const ApiKeyForm = CreateApiKey.extend({
  permissions: z.preprocess((value) => (value === undefined ? [] : [value].flat()), CreateApiKey.shape.permissions),
  days: queryNumber(1, MAX_DAYS),
});

export const ApiKeyParams = z.strictObject({ kid: ObjectIdText });

const apiKey = {
  id: ObjectIdText,
  name: z.string(),
  owner: ObjectIdText.nullable().meta({ description: 'Who made it; null for the one of the configuration' }),
  permissions: z.array(PermissionText),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime().nullable(),
  lastUsedAt: z.iso.datetime().nullable(),
};

export const ApiKeyBody = z.object(apiKey).meta({ id: 'ApiKey' });
export const NewApiKeyBody = z
  .object({ ...apiKey, key: z.string().meta({ description: 'Shown this once' }) })
  .meta({ id: 'NewApiKey' });
export const ApiKeyListBody = z.object({ items: z.array(ApiKeyBody), total: z.int() }).meta({ id: 'ApiKeyList' });
