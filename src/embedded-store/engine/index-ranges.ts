// What of an index a query reads: the bounds that its filter sets, the ranges of keys they make, and the way to walk them.
import { afterPrefix, type Key, type KeyRange } from '../storage/layer.ts';
import { type Bounds, type Conditions, intersect, type Range } from './bounds.ts';
import type { Index, IndexField } from './indexes.ts';
import { complement, holdsStrings, isCut, keys, limitBound } from './key-encoding.ts';
import type { SortPart } from './sort.ts';

const MAX_POINTS = 2_000;

/** The bounds of the index's first fields, as far as the filter says something that the keys can answer. */
export function usedBounds(index: Omit<Index, 'id'>, conditions: Conditions, sameStrings: boolean): Bounds[] {
  const used: Bounds[] = [];
  for (const field of index.fields) {
    // Two paths through one array: the filter may mean different elements, a key holds fields of the same.
    if (used.some((_, i) => shareArray(index.fields[i], field))) break;
    const all = (conditions.byPath.get(field.path.text) ?? []).filter(
      (bounds) => (sameStrings || !hasStrings(bounds)) && !missesNull(field, bounds),
    );
    if (all.length === 0) break;
    const bounds = field.multikey ? all[0] : all.reduce(intersect);
    if (!bounds) break;
    used.push(bounds);
    if (!bounds.points) break;
  }
  return used;
}

function shareArray(a: IndexField | undefined, b: IndexField): boolean {
  return a?.multikey === true && b.multikey && a.path.text.split('.')[0] === b.path.text.split('.')[0];
}

/** The filter `a.0: null` also looks for a field `0` in the elements of `a`; the index holds the element at 0. */
function missesNull({ path, multikey }: IndexField, { ranges }: Bounds): boolean {
  return (
    multikey && path.numeric.includes(true) && ranges.some(({ start, end }) => start <= keys.null && end > keys.null)
  );
}

function hasStrings(bounds: Bounds): boolean {
  return bounds.ranges.some((range) => holdsStrings(range.start));
}

/** How the index must be walked for this sort, if it can be. */
export function sortOrder(
  index: Omit<Index, 'id'>,
  used: readonly Bounds[],
  sort: readonly SortPart[],
): 'forward' | 'reverse' | undefined {
  if (sort.length === 0) return 'forward';
  // The sort counts elements without the field, which a sparse index leaves out.
  if (index.sparse && index.fields.some((field) => field.multikey)) return undefined;
  let fixed = 0;
  while (used[fixed]?.points && used[fixed]?.ranges.length === 1) fixed++;
  const fixedPaths = new Set(
    index.fields
      .slice(0, fixed)
      .filter((field) => !field.multikey)
      .map((field) => field.path.text),
  );
  const wanted = sort.filter((part) => !fixedPaths.has(part.path.text));
  let direction: boolean | undefined;
  for (const [i, part] of wanted.entries()) {
    const field = index.fields[fixed + i];
    let reversed: boolean;
    if (field) {
      // The sort counts all elements of an array, bounds leave some out.
      if (field.path.text !== part.path.text || used.some((_, k) => shareArray(index.fields[k], field)))
        return undefined;
      reversed = field.reversed !== part.descending;
    } else {
      // Entries with equal keys are in the order of _id; a unique index has no equal keys.
      if (part.path.text !== '_id' || i !== wanted.length - 1) return undefined;
      if (index.unique && !index.sparse) break;
      reversed = part.descending;
    }
    if (direction !== undefined && direction !== reversed) return undefined;
    direction = reversed;
  }
  return direction ? 'reverse' : 'forward';
}

/** The ranges of keys that these bounds allow; `cut` when they hold other keys, too: not all points, or not the whole value. */
export function compose(
  index: Omit<Index, 'id'>,
  used: readonly Bounds[],
  prefix: Key,
): { ranges: KeyRange[]; cut: boolean } {
  let prefixes: Key[] = [''];
  let last: Range[] | undefined;
  let cut = false;
  for (const [i, bounds] of used.entries()) {
    const reverse = bounds.points ? reversePoint : reverseRange;
    const ranges = index.fields[i]?.reversed ? bounds.ranges.map(reverse).reverse() : bounds.ranges;
    if (!bounds.points || prefixes.length * ranges.length > MAX_POINTS) {
      cut = bounds.points;
      last = cut ? [{ start: ranges[0]?.start ?? '', end: ranges.at(-1)?.end ?? '' }] : ranges;
      break;
    }
    prefixes = prefixes.flatMap((before) => ranges.map((range) => before + range.start));
  }
  const all: Range[] = last
    ? prefixes.flatMap((before) => last.map((range) => ({ start: before + range.start, end: before + range.end })))
    : prefixes.map((key) => ({ start: key, end: key === '' ? '' : afterPrefix(key) }));
  const ranges = all.map(({ start, end }) => {
    if (isCut(start) || isCut(end)) cut = true;
    return {
      start: prefix + limitBound(start, false),
      end: end === '' ? afterPrefix(prefix) : prefix + limitBound(end, true),
    };
  });
  return { ranges, cut };
}

/** Begins at the key itself, after which those of further fields may stand. */
function reversePoint({ start }: Range): Range {
  const key = complement(start);
  return { start: key, end: afterPrefix(key) };
}

function reverseRange({ start, end }: Range): Range {
  return { start: afterPrefix(complement(end)), end: afterPrefix(complement(start)) };
}
