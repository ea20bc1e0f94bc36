/** What comes in and goes out about people with an account. */
import { z } from 'zod';
import { roles } from '../permissions.ts';
import { LOCALES } from '../words.ts';
import { ObjectIdText, pageOf, paging, plainText, queryFlag, queryNumber } from './common.schema.ts';

export const PersonName = plainText(1, 100)
  .refine((text) => !text.includes('\n'), 'must be one line')
  .meta({ description: 'How the shop calls the person', example: 'Ana Sousa' });

export const LocaleText = z
  .enum(LOCALES, `must be one of ${LOCALES.join(', ')}`)
  .meta({ description: 'The language of mails', example: 'en' });

export const EditUser = z
  .strictObject({ name: PersonName, locale: LocaleText })
  .partial()
  .refine((fields) => Object.keys(fields).length > 0, 'must hold at least one field')
  .meta({ id: 'EditUser', override: { minProperties: 1 } });
export type EditUser = z.output<typeof EditUser>;

const RoleText = z.enum(roles, `must be one of ${roles.join(', ')}`).meta({ example: 'seller' });

/** What staff change of an account. */
export const ManageUser = z
  .strictObject({
    role: RoleText,
    disabled: z.boolean().meta({ description: 'True: cannot log in, and every login ends' }),
  })
  .partial()
  .refine((fields) => Object.keys(fields).length > 0, 'must hold at least one field')
  .meta({ id: 'ManageUser', override: { minProperties: 1 } });
export type ManageUser = z.output<typeof ManageUser>;

/** The same from a form, with the version of the page that was looked at. */
export const ManageUserForm = z.strictObject({
  role: RoleText.optional(),
  disabled: queryFlag.optional(),
  version: queryNumber(1, Number.MAX_SAFE_INTEGER),
});

/** The version of the page that was looked at. */
export const RemoveTwoStepForm = ManageUserForm.pick({ version: true });

export const ListUsers = z.strictObject({
  ...paging,
  role: RoleText.optional(),
  disabled: queryFlag.optional(),
  q: z.string().trim().max(254).optional().meta({ description: 'How the e-mail address begins' }),
});
export type ListUsers = z.output<typeof ListUsers>;

export const UserParams = z.strictObject({ uid: ObjectIdText });

export const UserBody = z
  .object({
    id: ObjectIdText,
    email: z.string().meta({ example: 'ana@example.com' }),
    name: z.string().meta({ example: 'Ana Sousa' }),
    role: z.enum(roles),
    locale: LocaleText,
    avatar: z.string().nullable().meta({ description: 'The address of the picture' }),
    disabled: z.boolean(),
    twoStep: z.boolean().meta({ description: 'Does the login ask for a code after the password?' }),
    version: z.int(),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: 'User' });

export const UserListBody = pageOf(UserBody).meta({ id: 'UserList' });
