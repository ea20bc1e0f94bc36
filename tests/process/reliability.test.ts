import { expect, it } from '@jest/globals';
import { databaseUri } from '../helpers/start-feira.ts';
import { coupons } from '../reliability/coupons.ts';
import { type Outcome, onShop } from '../reliability/part.ts';
import { races } from '../reliability/races.ts';
import type { Shop } from '../reliability/shop-under-test.ts';
import { webhooks } from '../reliability/webhooks.ts';

const LIMIT_MS = 120_000;
/** Two processes on the server of the suite when one is given, otherwise one with the store inside. */
const options = process.env.TEST_MONGODB_URI ? { uri: databaseUri('any'), hurries: true } : { hurries: true };

async function expectWell(part: (shop: Shop) => Promise<Outcome>): Promise<Outcome['facts']> {
  const { facts, faults } = await onShop(options, part);
  expect(faults).toEqual([]);
  return facts;
}

it(
  'sells each of the last units once',
  async () => {
    const facts = await expectWell((shop) => races(shop, { rounds: 1, units: 10 }));
    expect(facts.sold).toBe(10);
  },
  LIMIT_MS,
);

it(
  'takes each coupon for one use once',
  async () => {
    expect(await expectWell((shop) => coupons(shop, { coupons: 2 }))).toMatchObject({ orders: 2, refused: 38 });
  },
  LIMIT_MS,
);

it(
  'counts each event of a payment once, in any order and number',
  async () => {
    expect(await expectWell((shop) => webhooks(shop, { events: 40 }))).toMatchObject({
      'copies sent': 200,
      orders: 10,
    });
  },
  LIMIT_MS,
);
