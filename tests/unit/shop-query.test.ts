import { describe, expect, it } from '@jest/globals';
import { readShopQuery } from '../../src/schemas/shop.schema.ts';

const read = (input: object, currency = 'EUR') => readShopQuery(input, currency);

describe('readShopQuery', () => {
  it('turns amounts as people write them into minor units of the currency', () => {
    expect(read({ from: '12', to: '12,5' }).query).toMatchObject({ from: 1200, to: 1250 });
    expect(read({ from: ' 0.29 ' }).query).toMatchObject({ from: 29 });
    expect(read({ from: '1200' }, 'JPY').query).toMatchObject({ from: 1200 });
    expect(read({ from: '1.250' }, 'KWD').query).toMatchObject({ from: 1250 });
  });

  it.each([
    ['12.345', 'EUR'],
    ['12.50', 'JPY'],
    ['-1', 'EUR'],
    ['1e3', 'EUR'],
    ['99999999', 'EUR'],
  ])('does not take %s as an amount of %s', (from, currency) => {
    const { query, given, accepted, faults } = read({ from, q: 'mug' }, currency);
    expect(faults.from).toMatch(/^must be an amount/);
    expect(given).toEqual({ from, q: 'mug' });
    expect(accepted).toEqual({ q: 'mug' });
    expect(query).toMatchObject({ q: 'mug', page: 1, sort: '-createdAt' });
  });

  it('reads the rest whatever is wrong, and ignores what is empty or unknown', () => {
    const { query, faults } = read({
      q: '',
      page: ['1', '2'],
      from: '9',
      to: 'x',
      sort: 'cost',
      __proto__: 1,
      other: 1,
    });
    expect(query).toEqual({ from: 900, page: 1, sort: '-createdAt' });
    expect(Object.keys(faults).sort()).toEqual(['page', 'sort', 'to']);
  });
});
