/** Ranges of prices that split what there is into parts of about the same size, at round amounts. Pure. */

const PARTS = 5;

/** Both ends belong to it, in minor units; null where it has no end. */
export interface PriceRange {
  min: number | null;
  max: number | null;
  count: number;
}

/** @param prices whole minor units, in any order @returns none when all are about the same */
export function priceRanges(prices: readonly number[]): PriceRange[] {
  const sorted = Float64Array.from(prices).sort();
  const [lowest, highest] = [sorted[0] ?? 0, sorted.at(-1) ?? 0];
  const starts = new Set<number>();
  for (let part = 1; part < PARTS; part++) starts.add(rounded(sorted[Math.floor((sorted.length * part) / PARTS)] ?? 0));
  const bounds = [...starts].filter((start) => start > lowest && start <= highest).sort((a, b) => a - b);
  if (bounds.length === 0) return [];

  const counts = new Array<number>(bounds.length + 1).fill(0);
  let range = 0;
  for (const price of sorted) {
    while (price >= (bounds[range] ?? Number.POSITIVE_INFINITY)) range++;
    counts[range] = (counts[range] ?? 0) + 1;
  }
  return counts
    .map((count, i) => ({ min: bounds[i - 1] ?? null, max: ends(bounds[i]), count }))
    .filter(({ count }) => count > 0);
}

const ends = (next: number | undefined) => (next === undefined ? null : next - 1);

/** To one digit and a half: 1234 becomes 1000, 1811 becomes 2000, 1650 becomes 1500. */
function rounded(price: number): number {
  const step = Math.max(1, 10 ** Math.floor(Math.log10(Math.max(price, 1))) / 2);
  return Math.round(price / step) * step;
}
