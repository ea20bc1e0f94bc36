// Accumulators: of $group and $bucket over documents, of expressions over the elements of an array.
import { MongoError } from '../errors.ts';
import type { StringFold } from './key-encoding.ts';
import { isNumeric, rawDouble, Sum, toNumber } from './numbers.ts';
import { any, array, type Operator } from './operator.ts';
import { arrayOf, bsonType, elements, type RawValue } from './raw-bson.ts';
import { sortByKey } from './sort.ts';
import { compare, documentOf, isNullish, itemsOf, keyOf, NULL, sortValues, typeName, type Value } from './values.ts';

/** Takes values one after the other; `order` is the place of a value where `sortBy` gives one. */
export interface Accumulator {
  add(value: Value, order?: string): void;
  result(): Value;
}

const MEMORY_BYTES = 100 * 1024 * 1024;

/** What a stage keeps in memory. */
export class MemoryUse {
  #bytes = 0;
  readonly #stage: string;

  constructor(stage: string) {
    this.#stage = stage;
  }

  /** A copy: it must not keep the whole document in memory that it came from. @throws MongoError above 100 MB. */
  keep(value: RawValue): RawValue {
    this.use(value.end - value.start + 100);
    const buffer = Buffer.from(value.buffer.subarray(value.start, value.end));
    return { type: value.type, buffer, start: 0, end: buffer.length };
  }

  use(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > MEMORY_BYTES)
      throw new MongoError(
        'QueryExceededMemoryLimitNoDiskUseAllowed',
        `Exceeded memory limit for ${this.#stage}: ${MEMORY_BYTES} bytes; this server does not spill to disk.`,
      );
  }
}

type Create = (memory: MemoryUse, fold: StringFold | undefined) => Accumulator;

function sum(finish: (sum: Sum) => Value): Create {
  return () => {
    const total = new Sum();
    return {
      add: (value) => {
        if (isNumeric(value)) total.add(value);
      },
      result: () => finish(total),
    };
  };
}

function extreme(direction: 1 | -1): Create {
  return (memory, fold) => {
    let best: RawValue | undefined;
    return {
      add: (value) => {
        if (!isNullish(value) && (!best || compare(value, best, fold) * direction > 0)) best = memory.keep(value);
      },
      result: () => best ?? NULL,
    };
  };
}

/** By Welford's method. */
function deviation(lessOne: number): Create {
  return () => {
    let count = 0;
    let mean = 0;
    let squares = 0;
    return {
      add: (value) => {
        if (!isNumeric(value)) return;
        const distance = toNumber(value) - mean;
        count++;
        mean += distance / count;
        squares += distance * (toNumber(value) - mean);
      },
      result: () => (count <= lessOne ? NULL : rawDouble(Math.sqrt(squares / (count - lessOne)))),
    };
  };
}

function mergedObject(memory: MemoryUse): Accumulator {
  const fields = new Map<string, RawValue>();
  return {
    add: (value) => {
      if (isNullish(value)) return;
      if (value.type !== bsonType.object) throw new MongoError('Location40400', '$mergeObjects requires object inputs');
      for (const element of elements(value.buffer, value.start)) fields.set(element.name, memory.keep(element));
    },
    result: () => documentOf(fields),
  };
}

function edge(isFirst: boolean): Create {
  return (memory) => {
    let found: { value: Value } | undefined;
    return {
      add: (value) => {
        if (!isFirst || !found) found = { value: value && memory.keep(value) };
      },
      result: () => found?.value ?? NULL,
    };
  };
}

function set(memory: MemoryUse, fold: StringFold | undefined): Accumulator {
  const found = new Map<string, RawValue>();
  return {
    add: (value) => {
      const order = keyOf(value, fold);
      if (value && !found.has(order)) found.set(order, memory.keep(value));
    },
    result: () => arrayOf([...found.values()]),
  };
}

/** Collects values: all of them (a missing one as null), those that are `present`, or those with a value. */
function list(which: 'all' | 'present' | 'valued', finish: (values: RawValue[], fold?: StringFold) => Value): Create {
  return (memory, fold) => {
    const found: RawValue[] = [];
    return {
      add: (value) => {
        if (which === 'all' || (which === 'present' ? value : !isNullish(value)))
          found.push(memory.keep(value ?? NULL));
      },
      result: () => finish(found, fold),
    };
  };
}

/** Values in the order of `sortBy` on their documents. */
function ranked(finish: (values: RawValue[]) => Value): Create {
  return (memory) => {
    const found: { order: string; value: RawValue }[] = [];
    return {
      add: (value, order = '') => {
        found.push({ order, value: memory.keep(value ?? NULL) });
      },
      result: () => finish(sortByKey(found, ({ order }) => order).map(({ value }) => value)),
    };
  };
}

/** An accumulator of $group. */
interface AccumulatorForm {
  /** The field of its operand that is the value; absent when the operand itself is. */
  value?: 'input' | 'output';
  /** Its other fields. */
  options?: readonly string[];
  create(memory: MemoryUse, fold: StringFold | undefined, options: Readonly<Record<string, Value>>): Accumulator;
}

/** The first `n` of what it finds. */
function several(value: 'input' | 'output', createFor: (n: number) => Create): AccumulatorForm {
  return {
    value,
    options: value === 'output' ? ['n', 'sortBy'] : ['n'],
    create: (memory, fold, { n }) => {
      const count = isNumeric(n) ? toNumber(n) : Number.NaN;
      if (!Number.isInteger(count))
        throw new MongoError('Location5787902', `Value for 'n' must be of integral type, found ${typeName(n)}`);
      if (count < 1) throw new MongoError('Location5787908', `'n' must be greater than 0, found ${count}`);
      return createFor(count)(memory, fold);
    },
  };
}

export const accumulatorForms: Readonly<Record<string, AccumulatorForm>> = {
  $sum: { create: sum((total) => total.total) },
  $avg: { create: sum((total) => (total.count === 0 ? NULL : total.mean)) },
  $min: { create: extreme(-1) },
  $max: { create: extreme(1) },
  $stdDevPop: { create: deviation(0) },
  $stdDevSamp: { create: deviation(1) },
  $mergeObjects: { create: mergedObject },
  $first: { create: edge(true) },
  $last: { create: edge(false) },
  $addToSet: { create: set },
  $push: { create: list('present', arrayOf) },
  $firstN: several('input', (n) => list('all', (values) => arrayOf(values.slice(0, n)))),
  $lastN: several('input', (n) => list('all', (values) => arrayOf(values.slice(-n)))),
  $minN: several('input', (n) => list('valued', (values, fold) => arrayOf(sortValues(values, 1, fold).slice(0, n)))),
  $maxN: several('input', (n) => list('valued', (values, fold) => arrayOf(sortValues(values, -1, fold).slice(0, n)))),
  $topN: several('output', (n) => ranked((values) => arrayOf(values.slice(0, n)))),
  $bottomN: several('output', (n) => ranked((values) => arrayOf(values.slice(-n)))),
  $top: { value: 'output', options: ['sortBy'], create: ranked((values) => values[0] ?? NULL) },
  $bottom: { value: 'output', options: ['sortBy'], create: ranked((values) => values.at(-1) ?? NULL) },
};

function accumulate(name: string, values: readonly Value[], fold: StringFold | undefined, n?: Value): Value {
  const accumulator = accumulatorForms[name]?.create(new MemoryUse(name), fold, { n });
  for (const value of values) accumulator?.add(value);
  return accumulator?.result();
}

/** Over its arguments; a single one that is an array stands for its elements. */
function overArguments(name: string): [string, Operator] {
  const apply: Operator['apply'] = (args, fold) =>
    accumulate(name, (args.length === 1 && itemsOf(args[0])) || args, fold);
  return [name, { takes: any, apply }];
}

function overArray(name: string): [string, Operator] {
  const apply: Operator['apply'] = ([n, input], fold) =>
    accumulate(name, array(name, 'Location5788200', input), fold, n);
  return [name, { fields: ['n', 'input'], apply }];
}

/** Accumulators as operators of expressions. */
export const accumulatorOperators: Readonly<Record<string, Operator>> = Object.fromEntries([
  ...['$sum', '$avg', '$min', '$max', '$stdDevPop', '$stdDevSamp', '$mergeObjects'].map(overArguments),
  ...['$firstN', '$lastN', '$minN', '$maxN'].map(overArray),
]);
