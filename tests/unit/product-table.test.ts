import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { editDistance } from '../../src/services/edit-distance.ts';
import { priceRanges, roundedDown } from '../../src/services/price-ranges.ts';
import { type Kept, ProductTable, type TableQuery } from '../../src/services/product-table.ts';

const WORDS = ['mug', 'mugs', 'bowl', 'blue', 'bluish', 'tea'];
const PATHS = ['kitchen', 'kitchen/mugs', 'kitchens', 'garden'];
const few = (max: number) => fc.integer({ min: 0, max });
const ids = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');

const kept = fc
  .record({
    ...{ id: ids, titleKey: fc.constantFrom('x', 'y', 'z'), categoryPath: fc.constantFrom(...PATHS) },
    ...{ price: few(400), stock: few(2), status: fc.boolean(), createdAt: few(3), updatedAt: few(3) },
  })
  .map((fields): Kept => ({ ...fields, code: fields.id, category: fields.categoryPath }));
const put = fc.record({ product: kept, terms: fc.uniqueArray(fc.constantFrom(...WORDS), { maxLength: 4 }) });
const changes = fc.array(fc.oneof(put, put, fc.record({ gone: ids })), { maxLength: 30 });

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const queries: fc.Arbitrary<TableQuery> = fc.record({
  ...{ page: fc.integer({ min: 1, max: 3 }), limit: fc.integer({ min: 1, max: 3 }), exact: fc.constant(true) },
  ...{ facets: fc.constant(true), status: maybe(fc.boolean()), inStock: maybe(fc.boolean()) },
  ...{ minPrice: maybe(few(300)), maxPrice: maybe(few(400)), path: maybe(fc.constantFrom(...PATHS)) },
  q: fc.constantFrom('', 'b', 'mug', 'mugs', 'blu tea', 'm b', 'none'),
  sort: fc.constantFrom('price', '-price', 'title', '-createdAt', 'category', '-stock'),
});

/** How many there are of each. */
function tally<T>(items: readonly T[]): Map<T, number> {
  const counts = new Map<T, number>();
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
  return counts;
}

type Row = { product: Kept; terms: string[] };

/** The same by going through all of it for each question. */
function expected(rows: Row[], { q = '', sort, page, limit, ...query }: TableQuery) {
  const { status, inStock, path, minPrice = 0, maxPrice = Number.POSITIVE_INFINITY } = query;
  const is = {
    worded: ({ terms, product }: Row) =>
      q.split(' ').every((word) => terms.some((term) => term.startsWith(word)) || word === '') &&
      (status === undefined || product.status === status),
    there: ({ product: { categoryPath } }: Row) => path === undefined || `${categoryPath}/`.startsWith(`${path}/`),
    priced: ({ product: { price } }: Row) => price >= minPrice && price <= maxPrice,
    available: ({ product: { stock } }: Row) => inStock === undefined || stock > 0 === inStock,
  };
  const those = (...tests: ((row: Row) => boolean)[]) =>
    rows.filter((row) => tests.every((test) => test(row))).map(({ product }) => product);
  const field = sort.replace('-', '').replace('title', 'titleKey') as keyof Kept;
  const found = those(is.worded, is.there, is.priced, is.available).sort((a, b) =>
    a[field] === b[field] ? (a.id < b.id ? -1 : 1) : a[field] < b[field] ? -1 : 1,
  );
  if (sort.startsWith('-')) found.reverse();
  const paths = tally(those(is.worded, is.priced, is.available).map((one) => one.categoryPath));
  const prices = tally(those(is.worded, is.there, is.available).map((one) => roundedDown(one.price)));
  const stocks = those(is.worded, is.there, is.priced).filter(({ stock }) => stock > 0).length;
  return {
    ids: found.slice((page - 1) * limit, page * limit).map(({ id }) => id),
    total: found.length,
    paths: Object.fromEntries(paths),
    prices: priceRanges([...prices]),
    availability: { inStock: stocks, outOfStock: those(is.worded, is.there, is.priced).length - stocks },
  };
}

describe('the table of products', () => {
  it('finds, orders and counts like a walk through all of it, whatever has changed', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(changes, queries), { maxLength: 5 }), (rounds) => {
        const table = new ProductTable();
        const rows = new Map<string, Row>();
        for (const [steps, query] of rounds) {
          for (const step of steps) {
            if ('gone' in step) {
              table.remove(step.gone);
              rows.delete(step.gone);
            } else {
              table.put(step.product, step.terms);
              rows.set(step.product.id, step);
            }
          }
          const { counts, ids: found, total } = table.search(query);
          const { paths = [], ...rest } = counts ?? {};
          expect({ ids: found, total, paths: Object.fromEntries(paths), ...rest }).toEqual(
            expected([...rows.values()], query),
          );
        }
      }),
    );
  });
});

describe('ranges of prices', () => {
  it('begin where the one before has ended, and count everything once', () => {
    fc.assert(
      fc.property(fc.array(few(1_000_000_000), { minLength: 1 }), (prices) => {
        const ranges = priceRanges([...tally(prices.map(roundedDown))]);
        expect(ranges.length).not.toBe(1);
        expect(ranges.length).toBeLessThanOrEqual(6);
        for (const [i, { min, max, count }] of ranges.entries()) {
          const next = ranges[i + 1];
          expect(max).toBe(next ? Number(next.min) - 1 : null);
          expect(count).toBe(prices.filter((price) => price >= (min ?? 0) && price <= (max ?? price)).length);
        }
        if (ranges.length > 0) expect(ranges[0]?.min).toBeNull();
      }),
    );
  });
});

describe('editDistance', () => {
  it.each([
    ['mug', 'mug', 0],
    ['mug', 'mugs', 1],
    ['mug', 'mag', 1],
    ['tepaot', 'teapot', 1],
    ['ordynarry', 'ordinary', 2],
    ['kitten', 'sitting', 3],
  ])('from %s to %s is %i, in both directions', (a, b, distance) => {
    expect(editDistance(a, b, 5)).toBe(distance);
    expect(editDistance(b, a, 5)).toBe(distance);
    expect(editDistance(a, b, 1)).toBe(Math.min(distance, 2));
  });
});
