// Chooses the index for a filter and a sort.
import type { Document } from 'bson';
import { MongoError } from '../errors.ts';
import { afterPrefix, type KeyRange } from '../storage/layer.ts';
import { type Conditions, collectConditions } from './bounds.ts';
import type { Collection } from './catalog.ts';
import { compose, sortOrder, usedBounds } from './index-ranges.ts';
import { type Index, keyPrefix, wordKey } from './indexes.ts';
import type { StringFold } from './key-encoding.ts';
import { isPlainObject } from './matcher.ts';
import { admits } from './partial-indexes.ts';
import { parsePath } from './paths.ts';
import type { SortPart } from './sort.ts';
import type { TextSearch } from './text-index.ts';

/** Ranges of one index; `index` null means the documents themselves, in the order of `_id`. */
export interface IndexScan {
  index: Index | null;
  ranges: KeyRange[];
}

export interface Plan {
  scans: IndexScan[];
  /** The documents come in the order that was asked for. */
  sorted: boolean;
  /** The ranges hold exactly what the filter wants. */
  exact: boolean;
  /** A document may come more than once. */
  repeats: boolean;
  /** The filter narrows the ranges. */
  bounded: boolean;
}

export interface PlanRequest {
  filter: Document;
  sort: readonly SortPart[];
  /** Only the first few results are wanted. */
  limited: boolean;
  hint?: unknown;
  fold?: StringFold | undefined;
  text?: TextSearch | undefined;
  /** Counts the keys of ranges, up to a limit. */
  estimate: (ranges: KeyRange[], limit: number) => number;
}

interface Candidate extends Plan {
  score: number;
}

/** Above this many entries, an index in the order of the sort is taken rather than one for the filter alone. */
const FEW_ENTRIES = 1_000;

/** The implied index on `_id`: the documents are stored in its order. */
const idIndex: Omit<Index, 'id'> = {
  name: '_id_',
  spec: { key: { _id: 1 }, name: '_id_', v: 2 },
  fields: [{ path: parsePath('_id'), reversed: false, multikey: false }],
  unique: true,
  sparse: false,
  partial: null,
  fold: undefined,
  text: null,
  ready: true,
};

export function planQuery(collection: Collection, request: PlanRequest): Plan {
  if (request.text && wantsText(request.filter)) return textPlan(request.text, request);
  const conditions = collectConditions(request.filter, request.fold);
  if (request.hint !== undefined) return hinted(collection, conditions, request);
  const usable = collection.indexes.filter((index) => isReadable(index) && admits(index, request, conditions));
  const candidates = [
    candidate(collection, null, conditions, request),
    ...usable.map((index) => candidate(collection, index, conditions, request)),
  ]
    .filter((plan) => plan !== undefined)
    .sort((a, b) => b.score - a.score);
  const best = candidates[0];
  const inOrder = request.limited && request.sort.length > 0 ? candidates.find((plan) => plan.sorted) : undefined;
  if (best?.bounded && !best.sorted && inOrder) {
    const few =
      request.estimate(
        best.scans.flatMap((scan) => scan.ranges),
        FEW_ENTRIES,
      ) < FEW_ENTRIES;
    return few ? best : inOrder;
  }
  if (best?.bounded || inOrder) return best ?? scanAll(collection, false);
  return unionOfBranches(collection, request) ?? best ?? scanAll(collection, request.sort.length === 0);
}

function isReadable({ ready, text, spec }: Index): boolean {
  return ready && !text && !spec.hidden;
}

/** Whether every match has to match `$text`: only then its words narrow the search. */
function wantsText(filter: Document): boolean {
  return '$text' in filter || (Array.isArray(filter.$and) && filter.$and.some(wantsText));
}

function textPlan({ index, words, isPlain }: TextSearch, { filter, sort, hint }: PlanRequest): Plan {
  if (hint !== undefined) throw new MongoError('BadValue', 'text and hint not allowed in same query');
  const ranges = words.map((word) => {
    const start = keyPrefix(index.id) + wordKey(word);
    return { start, end: afterPrefix(start) };
  });
  const exact = isPlain && Object.keys(filter).length === 1 && '$text' in filter;
  return { scans: [{ index, ranges }], sorted: sort.length === 0, exact, repeats: words.length > 1, bounded: true };
}

/** All documents, in the order of `_id`. */
export function scanAll(collection: Collection, sorted: boolean): Plan {
  const prefix = keyPrefix(collection.id);
  return {
    scans: [{ index: null, ranges: [{ start: prefix, end: afterPrefix(prefix) }] }],
    sorted,
    exact: false,
    repeats: false,
    bounded: false,
  };
}

function hinted(collection: Collection, conditions: Conditions, request: PlanRequest): Plan {
  const { hint } = request;
  if (isPlainObject(hint) && '$natural' in hint) {
    const plan = scanAll(collection, request.sort.length === 0);
    if (Math.abs(Number(hint.$natural)) !== 1) throw new MongoError('BadValue', '$natural hint must be 1 or -1');
    if (Number(hint.$natural) < 0) for (const range of plan.scans[0]?.ranges ?? []) range.reverse = true;
    return plan;
  }
  const isId = hint === '_id_' || (isPlainObject(hint) && sameKey(hint, { _id: 1 }));
  const index = collection.indexes.find(
    (other) =>
      isReadable(other) && (other.name === hint || (isPlainObject(hint) && sameKey(hint, other.spec.key as Document))),
  );
  if (!index && !isId) {
    throw new MongoError('BadValue', 'hint provided does not correspond to an existing index');
  }
  return (
    candidate(collection, index ?? null, conditions, request, true) ?? scanAll(collection, request.sort.length === 0)
  );
}

export function sameKey(a: Document, b: Document): boolean {
  const text = (key: Document): string =>
    JSON.stringify(
      Object.entries(key).map(([name, direction]) => [
        name,
        typeof direction === 'string' ? direction : Number(direction),
      ]),
    );
  return text(a) === text(b);
}

function candidate(
  collection: Collection,
  own: Index | null,
  conditions: Conditions,
  request: PlanRequest,
  forced = false,
): Candidate | undefined {
  const index = own ?? { ...idIndex, fold: collection.fold };
  const sameStrings = index.fold === request.fold;
  const used = usedBounds(index, conditions, sameStrings);
  const composed = compose(index, used, keyPrefix(own ? own.id : collection.id));
  // Of a value that is cut the digest stands before what comes after it.
  const isOrdered = request.sort.length === 0 || (sameStrings && !request.fold && !composed.cut);
  const order = isOrdered ? sortOrder(index, used, request.sort) : undefined;
  if (used.length === 0 && order === undefined && !forced) return undefined;
  const points = used.filter((bounds) => bounds.points).length;
  const unique = index.unique && points === index.fields.length;
  const consumed = new Set(index.fields.slice(0, used.length).map((field) => field.path.text));
  const repeats = index.fields.some((field) => field.multikey);
  return {
    scans: [
      {
        index: own,
        ranges:
          order === 'reverse'
            ? composed.ranges.reverse().map((range) => ({ ...range, reverse: true }))
            : composed.ranges,
      },
    ],
    sorted: order !== undefined,
    exact:
      conditions.complete &&
      !composed.cut &&
      !repeats &&
      sameStrings &&
      [...conditions.byPath.keys()].every((path) => consumed.has(path)),
    repeats,
    bounded: used.length > 0,
    score:
      (unique ? 1000 : 0) +
      points * 20 +
      (used.length > points ? 10 : 0) +
      (request.sort.length > 0 && order ? 15 : 0) +
      (own ? 0 : 1) -
      index.fields.length / 10,
  };
}

/** `$or` of which every branch has an index. */
function unionOfBranches(collection: Collection, request: PlanRequest): Plan | undefined {
  const branches: unknown = request.filter.$or;
  if (!Array.isArray(branches) || !branches.every(isPlainObject)) return undefined;
  const plans = branches.map((filter) => planQuery(collection, { ...request, filter, sort: [] }));
  if (!plans.every((plan) => plan.bounded)) return undefined;
  return {
    scans: plans.flatMap((plan) => plan.scans),
    sorted: request.sort.length === 0,
    exact: false,
    repeats: true,
    bounded: true,
  };
}
