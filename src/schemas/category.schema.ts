/** What comes in and goes out of the tree of categories. */
import { z } from 'zod';
import { ObjectIdText, plainText, queryFlag } from './common.schema.ts';

const name = plainText(1, 60).meta({ description: 'Unique in the shop', example: 'Mugs' });
const slug = z
  .string()
  .regex(/^[a-z\d]+(-[a-z\d]+)*$/, 'must be lower-case letters and digits, with single hyphens between')
  .max(60)
  .meta({ description: 'Its part of the path', example: 'mugs' });
const parent = ObjectIdText.nullable().meta({ description: 'The id of the category above; null at the top' });
const position = z.int().min(0).max(1_000_000).meta({ description: 'Lower ones come first, equal ones by name' });

export const CreateCategory = z
  .strictObject({ name, slug: slug.optional(), parent: parent.default(null), position: position.default(0) })
  .meta({ id: 'CreateCategory' });
export type CreateCategory = z.output<typeof CreateCategory>;

export const UpdateCategory = z
  .strictObject({ name, slug, parent, position })
  .partial()
  .refine((fields) => Object.keys(fields).length > 0, 'must hold at least one field')
  .meta({ id: 'UpdateCategory', override: { minProperties: 1 } });
export type UpdateCategory = z.output<typeof UpdateCategory>;

export const CategoryParams = z.strictObject({ gid: ObjectIdText });

export const ListCategories = z.strictObject({
  empty: queryFlag.optional().meta({
    description: 'True: also those without a product for sale; needs the permission products:write',
  }),
});

export const CategoryBody = z
  .object({
    id: ObjectIdText,
    name: z.string(),
    slug: z.string(),
    path: z.string().meta({ description: 'Slugs from the top of the tree', example: 'kitchen/mugs' }),
    parent: ObjectIdText.nullable(),
    position: z.int(),
    count: z.int().meta({ description: 'Products for sale in it and below it' }),
  })
  .meta({ id: 'Category' });

export const CategoryList = z.object({ items: z.array(CategoryBody) }).meta({ id: 'CategoryList' });
