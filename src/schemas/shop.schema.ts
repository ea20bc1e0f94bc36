/** What the catalogue's pages take from their address: as people write it, prices in major units. */
import { z } from 'zod';
import { plainText, queryFlag, queryNumber } from './common.schema.ts';

/** The orders that the shop offers, with the words on its menu. */
export const SHOP_SORTS = {
  '-createdAt': 'Newest first',
  price: 'Price, low to high',
  '-price': 'Price, high to low',
  title: 'Name, A to Z',
} as const;
type ShopSort = keyof typeof SHOP_SORTS;

/** An amount as people type it, `12,50` or `12.50`, in minor units of the currency. */
function amount(currency: string) {
  const format = new Intl.NumberFormat('en', { style: 'currency', currency });
  const digits = format.resolvedOptions().maximumFractionDigits ?? 2;
  const pattern = digits > 0 ? `^\\d{1,7}([.,]\\d{1,${digits}})?$` : '^\\d{1,9}$';
  return z
    .string()
    .trim()
    .regex(new RegExp(pattern), `must be an amount, for example ${digits > 0 ? '12 or 12.50' : '1200'}`)
    .transform((text) => Math.round(Number(text.replace(',', '.')) * 10 ** digits));
}

const page = queryNumber(1, 1_000_000).default(1);

const shopQuery = (currency: string) =>
  z
    .object({
      q: plainText(1, 100).optional(),
      category: plainText(1, 400).optional(),
      from: amount(currency).optional(),
      to: amount(currency).optional(),
      inStock: queryFlag.optional(),
      exact: queryFlag.optional(),
      sort: z
        .enum(Object.keys(SHOP_SORTS) as [ShopSort, ...ShopSort[]], 'must be one of the list')
        .default('-createdAt'),
      page,
    })
    // Also asked when one of them is no amount.
    .refine(({ from, to }) => typeof from !== 'number' || typeof to !== 'number' || from <= to, {
      path: ['from'],
      message: 'must not be more than the other price',
    });

const pageQuery = z.object({ page });

type Given = Record<string, string>;

/** An address that was read as far as it makes sense. */
export interface ReadQuery<T> {
  /** What is asked for, without what is wrong. */
  query: T;
  /** What was typed, to be shown again. */
  given: Given;
  /** The part of it that is right, for links. */
  accepted: Given;
  /** What is wrong with a field. */
  faults: Given;
}

export type ShopQuery = z.output<ReturnType<typeof shopQuery>>;

export const readShopQuery = (input: object, currency: string) => readQuery(shopQuery(currency), input);

/** For lists that have pages and no filter. */
export const readPageQuery = (input: object) => readQuery(pageQuery, input);

/** Never refuses: people get the page, with a word beside the field that is wrong. Unknown and empty ones are ignored. */
function readQuery<S extends z.ZodObject>(schema: S, input: object): ReadQuery<z.output<S>> {
  const fields = Object.entries(input).filter(([name, value]) => Object.hasOwn(schema.shape, name) && value !== '');
  const given = Object.fromEntries(fields.map(([name, value]) => [name, String(value).slice(0, 200)]));
  const result = schema.safeParse(Object.fromEntries(fields));
  if (result.success) return { query: result.data, given, accepted: given, faults: {} };
  const faults = Object.fromEntries(result.error.issues.map(({ path, message }) => [String(path[0]), message]));
  const rest = readQuery(schema, Object.fromEntries(fields.filter(([name]) => !Object.hasOwn(faults, name))));
  return { ...rest, given, faults: { ...rest.faults, ...faults } };
}
