// Accumulators: of $group over documents, of expressions over the elements of an array.
import { MongoError } from '../errors.ts';
import { compareValues } from './collation.ts';
import { arrayOf, documentOf } from './document-writer.ts';
import type { StringFold } from './key-encoding.ts';
import { isNumeric, Sum } from './numbers.ts';
import { any, type Operator } from './operator.ts';
import { bsonType, elements, isNullish, type RawValue } from './raw-bson.ts';
import { itemsOf, keyOf, NULL, type Value } from './values.ts';

/** Takes values one after the other. */
export interface Accumulator {
  add(value: Value): void;
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

/** Starts an accumulator, as one of a group or of an expression. */
export type Create = (memory: MemoryUse, fold: StringFold | undefined) => Accumulator;

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
        if (!isNullish(value) && (!best || compareValues(value, best, fold) * direction > 0)) best = memory.keep(value);
      },
      result: () => best ?? NULL,
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

function list(memory: MemoryUse): Accumulator {
  const found: RawValue[] = [];
  return {
    add: (value) => {
      if (value) found.push(memory.keep(value));
    },
    result: () => arrayOf(found),
  };
}

export const accumulators: Readonly<Record<string, Create>> = {
  $sum: sum((total) => total.total),
  $avg: sum((total) => (total.count === 0 ? NULL : total.mean)),
  $min: extreme(-1),
  $max: extreme(1),
  $mergeObjects: mergedObject,
  $first: edge(true),
  $last: edge(false),
  $addToSet: set,
  $push: list,
};

/** Over its arguments; a single one that is an array stands for its elements. */
function overArguments(name: string): [string, Operator] {
  const apply: Operator['apply'] = (args, fold) => {
    const accumulator = accumulators[name]?.(new MemoryUse(name), fold);
    for (const value of (args.length === 1 && itemsOf(args[0])) || args) accumulator?.add(value);
    return accumulator?.result();
  };
  return [name, { takes: any, apply }];
}

/** Accumulators as operators of expressions. */
export const accumulatorOperators: Readonly<Record<string, Operator>> = Object.fromEntries(
  ['$sum', '$avg', '$min', '$max', '$mergeObjects'].map(overArguments),
);
