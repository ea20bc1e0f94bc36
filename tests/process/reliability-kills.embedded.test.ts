import { expect, it } from '@jest/globals';
import { kills } from '../reliability/kills.ts';
import { onShop } from '../reliability/part.ts';
import { replays } from '../reliability/replays.ts';

const LIMIT_MS = 120_000;

it(
  'makes one order of all copies of a checkout, also when it is killed in between',
  async () => {
    const { facts, faults } = await onShop({ hurries: true }, (shop) => replays(shop, { checkouts: 20 }));
    expect(faults).toEqual([]);
    expect(facts).toMatchObject({ 'copies sent': 60, kills: 1 });
  },
  LIMIT_MS,
);

it(
  'loses no order and leaves no half of one when it is killed under load',
  async () => {
    const { facts, faults } = await onShop({ hurries: true }, (shop) => kills(shop, { kills: 2, waits: false }));
    expect(faults).toEqual([]);
    expect(facts.orders).toBeGreaterThan(0);
  },
  LIMIT_MS,
);
