/**
 * What the shop charges beside its prices: delivery and taxes, by country. Amounts are in minor units of the shop's
 * currency, rates in basis points (2100 is 21 %). A JSON file named by SHOP_RULES replaces the rules of this page.
 */
import { z } from 'zod';
import { COUNTRIES, CountryText } from './schemas/country.schema.ts';

const amount = z.int('must be a whole number of minor units').min(0).max(1_000_000_000);
const region = z.string().trim().min(1).max(60);

const ShippingMethod = z.strictObject({
  id: z.string().regex(/^[a-z][a-z\d-]{0,39}$/, 'must be small letters, digits and dashes, for example standard'),
  title: z.string().trim().min(1).max(60),
  price: amount,
  /** `*` is every country that no other method names. */
  countries: z.union([z.literal('*'), z.array(CountryText).min(1)], 'must be a list of countries, or "*"'),
  /** Goods of so much travel for nothing. */
  freeFrom: amount.optional(),
});

const Tax = z.strictObject({
  country: CountryText,
  /** Only there; a region goes before its country. */
  region: region.optional(),
  rate: z.int('must be a whole number of basis points').min(0).max(10_000),
});

export const ShopRules = z.strictObject({
  shippingMethods: z
    .array(ShippingMethod)
    .min(1)
    .max(50)
    .refine((methods) => new Set(methods.map(({ id }) => id)).size === methods.length, 'must have an id each'),
  taxes: z.array(Tax).max(1000),
  pricesIncludeTax: z.boolean(),
});
export type ShopRules = z.output<typeof ShopRules>;

/** Standard rates of value-added tax in the European Union, 2026. */
const EU_RATES =
  'AT 2000 BE 2100 BG 2000 CY 1900 CZ 2100 DE 1900 DK 2500 EE 2400 ES 2100 FI 2550 FR 2000 GR 2400 HR 2500 HU 2700 ' +
  'IE 2300 IT 2200 LT 2100 LU 1700 LV 2100 MT 1800 NL 2100 PL 2300 PT 2300 RO 2100 SE 2500 SI 2200 SK 2300';
const euTaxes = [...EU_RATES.matchAll(/([A-Z]{2}) (\d+)/g)].map(([, country = '', rate]) => ({
  country,
  rate: Number(rate),
}));
const europe = [...euTaxes.map(({ country }) => country), 'CH', 'GB', 'IS', 'LI', 'NO'];

/** A shop in Europe that sends its goods to everywhere. */
export const DEFAULT_RULES: ShopRules = {
  shippingMethods: [
    { id: 'standard', title: 'Standard, 3 to 5 days', price: 490, countries: europe, freeFrom: 7500 },
    { id: 'express', title: 'Express, next day', price: 1290, countries: europe },
    { id: 'international', title: 'International, 7 to 14 days', price: 1990, countries: '*' },
  ],
  taxes: euTaxes,
  pricesIncludeTax: true,
};

/** A way of delivery as it is offered. */
export interface OfferedMethod {
  id: string;
  title: string;
  price: number;
}

/** What is offered to a country, the cheapest first. @param subtotal what the goods cost */
export function methodsFor({ shippingMethods }: ShopRules, country: string, subtotal: number): OfferedMethod[] {
  const named = shippingMethods.filter(({ countries }) => countries !== '*' && countries.includes(country));
  return (named.length > 0 ? named : shippingMethods.filter(({ countries }) => countries === '*'))
    .map(({ id, title, price, freeFrom }) => ({
      id,
      title,
      price: freeFrom !== undefined && subtotal >= freeFrom ? 0 : price,
    }))
    .sort((a, b) => a.price - b.price);
}

/** The rate of a place in basis points; 0 where no tax is named. Regions are compared without regard to capitals. */
export function taxRateOf({ taxes }: ShopRules, country: string, place: string | null): number {
  const fits = (tax: { region?: string | undefined }) => tax.region?.toLowerCase() === place?.trim().toLowerCase();
  const there = taxes.filter((tax) => tax.country === country);
  return (there.find((tax) => tax.region && fits(tax)) ?? there.find((tax) => !tax.region))?.rate ?? 0;
}

/** The countries that the shop delivers to. */
export function deliveredTo({ shippingMethods }: ShopRules): readonly string[] {
  if (shippingMethods.some(({ countries }) => countries === '*')) return COUNTRIES;
  return [...new Set(shippingMethods.flatMap(({ countries }) => countries))].sort();
}
