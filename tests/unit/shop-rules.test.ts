import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { ConfigError, loadConfig } from '../../src/config.ts';
import { DEFAULT_RULES, deliveredTo, methodsFor, ShopRules, taxRateOf } from '../../src/shop-rules.ts';

const dir = mkdtempSync(join(tmpdir(), 'feira-rules-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** What a start says to a file with this text. */
function faultsOf(text: string): readonly string[] {
  const file = join(dir, 'rules.json');
  writeFileSync(file, text);
  try {
    loadConfig({ SHOP_RULES: file });
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

const rules = ShopRules.parse({
  shippingMethods: [
    { id: 'fast', title: 'Fast', price: 900, countries: ['PT', 'es'] },
    { id: 'post', title: 'Post', price: 400, countries: ['PT'], freeFrom: 5000 },
  ],
  taxes: [
    { country: 'PT', rate: 2300 },
    { country: 'PT', region: 'Madeira', rate: 2200 },
    { country: 'US', region: 'NY', rate: 888 },
  ],
  pricesIncludeTax: false,
});

describe('the rules of a shop', () => {
  it('are those of a shop in Europe at first, which delivers everywhere at its price', () => {
    expect(ShopRules.parse(DEFAULT_RULES)).toEqual(DEFAULT_RULES);
    expect(loadConfig({}).rules).toEqual(DEFAULT_RULES);
    const priceTo = (country: string) => methodsFor(DEFAULT_RULES, country, 0)[0]?.price ?? 0;
    expect(priceTo('PT')).toBeGreaterThan(0);
    expect(priceTo('BR')).toBeGreaterThan(priceTo('PT'));
    expect(methodsFor(DEFAULT_RULES, 'PT', 100_000)[0]?.price).toBe(0);
    expect([taxRateOf(DEFAULT_RULES, 'PT', null), taxRateOf(DEFAULT_RULES, 'BR', null)]).toEqual([2300, 0]);
    expect(deliveredTo(DEFAULT_RULES)).toHaveLength(249);
  });

  it('offer to a country what names it, the cheapest first, and free from an amount on', () => {
    expect(methodsFor(rules, 'PT', 4999).map(({ id, price }) => [id, price])).toEqual([
      ['post', 400],
      ['fast', 900],
    ]);
    expect(methodsFor(rules, 'PT', 5000)[0]).toEqual({ id: 'post', title: 'Post', price: 0 });
    expect(methodsFor(rules, 'ES', 0).map(({ id }) => id)).toEqual(['fast']);
    expect(methodsFor(rules, 'DE', 0)).toEqual([]);
    expect(deliveredTo(rules)).toEqual(['ES', 'PT']);
  });

  it('tax a region before its country', () => {
    expect(taxRateOf(rules, 'PT', ' madeira ')).toBe(2200);
    expect(taxRateOf(rules, 'PT', 'Lisboa')).toBe(2300);
    expect([taxRateOf(rules, 'US', 'NY'), taxRateOf(rules, 'US', null), taxRateOf(rules, 'US', 'CA')]).toEqual([
      888, 0, 0,
    ]);
  });
});

describe('SHOP_RULES', () => {
  it('replaces them', () => {
    expect(faultsOf(JSON.stringify(rules))).toEqual([]);
    expect(loadConfig({ SHOP_RULES: join(dir, 'rules.json') }).rules).toEqual(rules);
  });

  it('names every fault of the file', () => {
    expect(faultsOf('{')).toEqual([expect.stringContaining('SHOP_RULES cannot be read: ')]);
    const wrong = { ...rules, taxes: [{ country: 'XX', rate: 0.5 }], pricesIncludeTax: 'no' };
    expect(faultsOf(JSON.stringify(wrong))).toEqual([
      expect.stringMatching(/^SHOP_RULES is wrong at taxes\.0\.country: must be the two letters/),
      expect.stringMatching(/^SHOP_RULES is wrong at taxes\.0\.rate: must be a whole number/),
      expect.stringMatching(/^SHOP_RULES is wrong at pricesIncludeTax/),
    ]);
    const twice = { ...rules, shippingMethods: [rules.shippingMethods[0], rules.shippingMethods[0]] };
    expect(faultsOf(JSON.stringify(twice))).toEqual([expect.stringContaining('must have an id each')]);
    expect(() => loadConfig({ SHOP_RULES: join(dir, 'missing.json') })).toThrow(/SHOP_RULES cannot be read/);
  });
});
