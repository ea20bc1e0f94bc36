/** The rules for options and variants, as pure functions. */
import { Types } from 'mongoose';
import { AppError, type InputFault, invalidInput } from '../errors.ts';
import type { ProductDto, ProductFields, Variant } from '../models/product.model.ts';
import { type ChangeStock, MAX_STOCK, type UpdateVariant, type VariantInput } from '../schemas/product.schema.ts';

/**
 * The variants as they were sent: one without an id is the known one with its code, otherwise a new one.
 * @throws AppError INVALID_INPUT for an id that is not among the known ones
 */
export function toVariants(known: readonly Variant[], inputs: readonly VariantInput[]): Variant[] {
  const faults = inputs.flatMap(({ id }, i): InputFault[] =>
    id === undefined || known.some((variant) => variant.id === id)
      ? []
      : [{ pointer: `#/variants/${i}/id`, detail: 'is no variant of this product; leave it out for a new one' }],
  );
  if (faults.length > 0) throw invalidInput(faults);
  const idOf = new Map(known.map(({ code, id }) => [code, id]));
  return inputs.map(({ id, ...input }) => ({
    ...input,
    id: id ?? idOf.get(input.code) ?? new Types.ObjectId().toHexString(),
  }));
}

type Checked = Pick<ProductFields, 'code' | 'options' | 'variants' | 'images'>;

/** @throws AppError INVALID_INPUT, or CODE_TAKEN when two things of one product have the same code */
export function checkVariants({ code, options, variants, images }: Checked): void {
  const faults: InputFault[] = [];
  const expect = (right: boolean, pointer: string, detail: string) => right || faults.push({ pointer, detail });
  expect(areDistinct(options.map(({ name }) => name)), '#/options', 'must not name an option twice');
  for (const [i, { values }] of options.entries())
    expect(areDistinct(values), `#/options/${i}/values`, 'must not name a value twice');
  for (const [i, { values, picture }] of variants.entries()) {
    const isOneOfEach =
      values.length === options.length && options.every((one, n) => one.values.includes(values[n] ?? ''));
    expect(isOneOfEach, `#/variants/${i}/values`, 'must be one value of each option, in the order of the options');
    const isThere = picture === null || images.some((image) => image.id === picture);
    expect(isThere, `#/variants/${i}/picture`, 'must be the id of a picture of the product');
  }
  const combinations = variants.map(({ values }) => JSON.stringify(values));
  expect(areDistinct(combinations), '#/variants', 'must not hold a combination twice');
  expect(areDistinct(variants.map(({ id }) => id)), '#/variants', 'must not hold an id twice');
  if (faults.length > 0) throw invalidInput(faults.slice(0, 20));
  if (!areDistinct([code, ...variants.map((variant) => variant.code)]))
    throw new AppError('CODE_TAKEN', 'Two of this product and its variants have the same code.');
}

const areDistinct = (texts: readonly string[]) => new Set(texts).size === texts.length;

/** What follows from the variants is not written. @throws AppError INVALID_INPUT */
export function expectDerived(input: object, { variants }: Pick<ProductFields, 'variants'>): void {
  if (variants.length === 0) return;
  const faults = ['price', 'stock']
    .filter((field) => field in input)
    .map((field) => ({ pointer: `#/${field}`, detail: 'follows from the variants: change theirs' }));
  if (faults.length > 0) throw invalidInput(faults);
}

/** One variant new, the others as they are. @throws AppError NOT_FOUND */
export function withVariant({ variants }: ProductDto, vid: string, input: UpdateVariant): { variants: Variant[] } {
  if (!variants.some(({ id }) => id === vid)) throw new AppError('NOT_FOUND', 'The product has no such variant.');
  return { variants: variants.map((one) => (one.id === vid ? { ...one, ...input } : one)) };
}

/** The stock of a product without variants, or of one of them. @throws AppError OUT_OF_STOCK, INVALID_INPUT */
export function withStock(
  { stock, variants }: ProductDto,
  { change = 0, counted, variantId }: Omit<ChangeStock, 'reason'>,
): Partial<ProductFields> {
  const changed = (stock: number) => {
    const after = counted ?? stock + change;
    if (after < 0) throw new AppError('OUT_OF_STOCK', `There are only ${stock}.`, { available: stock });
    if (after > MAX_STOCK) throw invalidInput([{ pointer: '#/change', detail: `must leave at most ${MAX_STOCK}` }]);
    return after;
  };
  if (variantId === null && variants.length === 0) return { stock: changed(stock) };
  if (!variants.some((one) => one.id === variantId))
    throw invalidInput([{ pointer: '#/variantId', detail: 'must be one of the variants' }]);
  return { variants: variants.map((one) => (one.id === variantId ? { ...one, stock: changed(one.stock) } : one)) };
}
