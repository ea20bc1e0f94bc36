/**
 * How many letters must be inserted, left out, replaced, or swapped with their neighbour to make one word of the other
 * (optimal string alignment). @returns a number over `limit` as soon as it is known to be more
 */
export function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let older: number[] = [];
  let old: number[] = [];
  for (let j = 0; j <= b.length; j++) old.push(j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      let cost = at(old, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      cost = Math.min(cost, at(old, j) + 1, at(row, j - 1) + 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) cost = Math.min(cost, at(older, j - 2) + 1);
      row.push(cost);
      least = Math.min(least, cost);
    }
    if (least > limit) return limit + 1;
    older = old;
    old = row;
  }
  return at(old, b.length);
}

const at = (row: readonly number[], i: number) => row[i] as number;
