/**
 * The form of a product, as plain texts by field name. A form carries the texts that it was made from, so that what two
 * people have changed at the same time can be told apart field by field. Pure.
 */
import type { Problem } from '../errors.ts';
import type { ProductService } from '../services/product.service.ts';
import { countFault, moneyText, moneyTyped, sumFault } from './money-text.ts';

export type ProductDto = Awaited<ReturnType<ProductService['get']>>;
export type Fields = Record<string, string>;

const OPTIONS = [0, 1, 2];
const LABELS: Fields = {
  title: 'Title',
  code: 'Code',
  description: 'Description',
  category: 'Category',
  price: 'Price',
  currency: 'Currency',
  listPrice: 'Regular price',
  related: 'Goes with',
  status: 'For sale',
  draft: 'Draft',
  stock: 'Units in stock',
};
const FLAGS = ['status', 'draft'];

/** @param relatedCodes codes of the products that go with it */
export function fieldsOf(product: ProductDto, relatedCodes: readonly string[]): Fields {
  const { currency, options, variants } = product;
  const texts = ['title', 'code', 'description', 'category', 'currency'] as const;
  return {
    ...Object.fromEntries(texts.map((name) => [name, product[name]])),
    ...(variants.length === 0 && { price: moneyText(product.price, currency) }),
    listPrice: moneyText(product.listPrice, currency),
    ...Object.fromEntries(FLAGS.map((name) => [name, product[name as 'status' | 'draft'] ? 'on' : ''])),
    related: relatedCodes.join('\n'),
    ...Object.fromEntries(
      OPTIONS.flatMap((i) => [
        [`option-${i}-name`, options[i]?.name ?? ''],
        [`option-${i}-values`, options[i]?.values.join('\n') ?? ''],
      ]),
    ),
    ...Object.fromEntries(
      variants.flatMap(({ id, code, price, picture }) => [
        [`variant-${id}-code`, code],
        [`variant-${id}-price`, moneyText(price, currency)],
        [`variant-${id}-picture`, picture ?? ''],
      ]),
    ),
  };
}

export function labelOf(name: string, { variants, options }: ProductDto): string {
  const [kind, id = '', part = ''] = name.split('-');
  if (kind === 'option') return `${options[Number(id)]?.name ?? 'New option'}, ${part}`;
  if (kind === 'variant') return `${variants.find((one) => one.id === id)?.values.join(', ') ?? 'Variant'}, ${part}`;
  return LABELS[name] ?? name;
}

export interface Merged {
  fields: Fields;
  /** Changed by both, into different texts. */
  conflicts: string[];
  /** Changed by the others alone. */
  theirs: string[];
}

/** @param base what the form was made from @param mine what was sent @param theirs the product as it is now */
export function merge(base: Fields, mine: Fields, theirs: Fields): Merged {
  const merged: Merged = { fields: {}, conflicts: [], theirs: [] };
  for (const [name, now] of Object.entries(theirs)) {
    const was = base[name] ?? now;
    // A box that is not ticked sends nothing; a question that was answered so is as if nothing had been typed.
    const isTheirs = !(name in base) || mine[`take-${name}`] === 'theirs';
    const typed = isTheirs ? was : (mine[name] ?? '').replaceAll('\r\n', '\n');
    merged.fields[name] = typed === was ? now : typed;
    if (typed === was && now !== was) merged.theirs.push(name);
    if (typed !== was && now !== was && now !== typed) merged.conflicts.push(name);
  }
  return merged;
}

const lines = (text = '') =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);

/** The rows of options that hold something. */
const keptOptions = (fields: Fields) =>
  OPTIONS.filter((i) => lines(`${fields[`option-${i}-name`]}\n${fields[`option-${i}-values`]}`).length > 0);

interface Wanted {
  /** Boxes of the form besides its fields: `remove-<variant>` and `combine`. */
  boxes: Fields;
  related: (codes: string[]) => Promise<string[]>;
}

/** What the form changes of a product, not yet judged; a product that is not there yet is one without anything. */
export async function inputOf(fields: Fields, product: ProductDto, now: Fields, { boxes, related }: Wanted) {
  const changed = (name: string) => fields[name] !== now[name];
  const { currency = product.currency } = fields;
  const input: Record<string, unknown> = {};
  for (const name of ['title', 'code', 'description', 'category', 'currency'])
    if (changed(name)) input[name] = fields[name];
  for (const name of FLAGS) if (changed(name)) input[name] = fields[name] === 'on';
  if (changed('listPrice')) input.listPrice = fields.listPrice ? moneyTyped(fields.listPrice, currency) : null;
  if (changed('related')) input.related = await related(lines(fields.related));
  const isShaped = Object.keys(fields).some((name) => /^(option|variant)-/.test(name) && changed(name));
  const isCombined = boxes.combine === 'on' && keptOptions(fields).length > 0;
  const hasBoxes = isCombined || Object.keys(boxes).some((name) => name.startsWith('remove-'));
  if (isShaped || hasBoxes) Object.assign(input, shapeOf(fields, product, boxes, currency));
  const isDerived = Array.isArray(input.variants) && input.variants.length > 0;
  if (changed('price') && !isDerived) input.price = moneyTyped(fields.price ?? '', currency);
  return input;
}

/** Options and variants. Values that were renamed in their place are renamed in the variants too. */
function shapeOf(fields: Fields, product: ProductDto, boxes: Fields, currency: string) {
  const kept = keptOptions(fields);
  const options = kept.map((i) => ({ name: fields[`option-${i}-name`], values: lines(fields[`option-${i}-values`]) }));
  const valueNow = (value: string | undefined, i: number, values: string[]) => {
    if (value === undefined) return values[0] ?? '';
    const before = product.options[i]?.values ?? [];
    const isRenamed = !values.includes(value) && before.length === values.length;
    return isRenamed ? (values[before.indexOf(value)] ?? value) : value;
  };
  const variants: object[] = product.variants
    .filter(({ id }) => boxes[`remove-${id}`] !== 'on')
    .map(({ id, stock, values }) => ({
      id,
      code: fields[`variant-${id}-code`],
      values: kept.map((i, k) => valueNow(values[i], i, options[k]?.values ?? [])),
      price: moneyTyped(fields[`variant-${id}-price`] ?? '', currency),
      stock,
      picture: fields[`variant-${id}-picture`] || null,
    }));
  if (boxes.combine === 'on' && options.length > 0) {
    const known = new Set(variants.map((one) => JSON.stringify((one as { values: string[] }).values)));
    const price = fields.price === undefined ? product.price : moneyTyped(fields.price, currency);
    for (const values of combinations(options.map((option) => option.values)))
      if (!known.has(JSON.stringify(values)))
        variants.push({ code: codeOf(fields.code ?? product.code, values), values, price, stock: 0, picture: null });
  }
  return { options, variants };
}

/** At most one more than a product may have, for the schema to refuse. */
const combinations = (lists: string[][]) =>
  lists.reduce<string[][]>((all, list) => all.flatMap((one) => list.map((v) => [...one, v])).slice(0, 101), [[]]);

const codeOf = (code: string, values: string[]) =>
  [code, ...values.map((value) => value.normalize('NFD').replaceAll(/[^\w]/g, '').toUpperCase())]
    .join('-')
    .slice(0, 64);

/** What is wrong, by the names of the form's fields. */
export function faultsOf({ errors = [] }: Problem, fields: Fields, { variants }: ProductDto, boxes: Fields): Fields {
  const ids = variants.map(({ id }) => id).filter((id) => boxes[`remove-${id}`] !== 'on');
  return Object.fromEntries(
    errors.map(({ pointer, detail }) => {
      const [, name = '', i, part] = pointer.split('/');
      if (name === 'options' && i) return [`option-${keptOptions(fields)[Number(i)]}-${part}`, detail];
      const id = ids[Number(i)];
      // Of a variant that is yet to be made: it has price and code from the product.
      const field = name === 'variants' && i ? (id ? `variant-${id}-${part}` : `${part}`) : name;
      if (/price$/i.test(field)) return [field, sumFault(detail, fields[field], fields.currency)];
      return [field, field === 'stock' ? countFault(detail, boxes.stock) : detail];
    }),
  );
}
