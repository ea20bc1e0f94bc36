/** Ranges of prices that split what there is into parts of about the same size, at round amounts. Pure. */

const PARTS = 5;

/** Both ends belong to it, in minor units; null where it has no end. */
export interface PriceRange {
  min: number | null;
  max: number | null;
  count: number;
}

/** The round amount at or below a price where a range may begin: 1234 gives 1000, 1999 gives 1500, 2600 gives 2500. */
export function roundedDown(price: number): number {
  const step = Math.max(1, 10 ** Math.floor(Math.log10(Math.max(price, 1))) / 2);
  return Math.floor(price / step) * step;
}

/** @param counts how many prices there are by `roundedDown` @returns none when all are about the same */
export function priceRanges(counts: readonly (readonly [number, number])[]): PriceRange[] {
  const share = counts.reduce((sum, [, count]) => sum + count, 0) / PARTS;
  const ranges: PriceRange[] = [];
  for (const [start, count] of [...counts].sort(([a], [b]) => a - b)) {
    const last = ranges.at(-1);
    if (last && last.count < share) last.count += count;
    else {
      if (last) last.max = start - 1;
      ranges.push({ min: last ? start : null, max: null, count });
    }
  }
  return ranges.length > 1 ? ranges : [];
}
