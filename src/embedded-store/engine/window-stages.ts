// Stages that look at the neighbours of a document: $setWindowFields, $fill and $densify.
import type { Document } from 'bson';
import { MongoError } from '../errors.ts';
import { MemoryUse } from './accumulators.ts';
import { millisecondsOf, shiftedBy } from './date-operators.ts';
import { getAt, setAt } from './document-paths.ts';
import { evaluator } from './expressions.ts';
import { compileOutputs } from './group-stages.ts';
import { wholeDocument } from './indexes.ts';
import { isPlainObject } from './matcher.ts';
import { combine, isNumeric, rawDouble, toNumber } from './numbers.ts';
import { bsonType, encode, type RawValue, rawInt, toRaw } from './raw-bson.ts';
import { parseSort, type SortPart, sortKey } from './sort.ts';
import { Sorter } from './sorter.ts';
import { type Batches, inBatches, type Stage, type StageContext } from './stages.ts';
import { isNullish, keyOf, NULL, type Value } from './values.ts';

interface Row {
  document: Buffer;
  root: RawValue;
  partition: string;
  /** Its place in the order of the partition. */
  order: string;
  /** The value that it is sorted by, as a number; NaN when that is neither a number nor a date. */
  position: number;
}

/** What a window function gives for each row of a partition. */
type WindowFunction = (rows: readonly Row[]) => Value[];

function failed(message: string): MongoError {
  return new MongoError('FailedToParse', message);
}

/** Rows by partition, each in order. @throws MongoError above 100 MB. */
async function partitions(
  input: Batches,
  partitionOf: (root: RawValue) => string,
  sort: readonly SortPart[],
): Promise<Row[][]> {
  const [by] = sort;
  const sorter = new Sorter<Row>(({ partition, order }) => partition + order);
  const rowOf = (document: Buffer): Row => {
    const root = wholeDocument(document);
    const position = positionOf(by && getAt(root, by.path.text.split('.')));
    return { document, root, partition: partitionOf(root), order: sortKey(root, sort), position };
  };
  for await (const batch of input) await sorter.add(batch.map(rowOf));
  const found: Row[][] = [];
  for (const row of await sorter.finish()) {
    const last = found.at(-1);
    if (last?.[0]?.partition === row.partition) last.push(row);
    else found.push([row]);
  }
  return found;
}

function positionOf(value: Value): number {
  if (value === undefined) return Number.NaN;
  if (value.type === bsonType.date) return millisecondsOf(value) ?? Number.NaN;
  return isNumeric(value) ? toNumber(value) : Number.NaN;
}

export function setWindowFields(operand: unknown, context: StageContext): Stage {
  const { partitionBy = null, sortBy = {}, output } = isPlainObject(operand) ? operand : {};
  if (!isPlainObject(output) || !isPlainObject(sortBy))
    throw failed("$setWindowFields requires 'output', and a 'sortBy' that is an object");
  const memory = new MemoryUse('$setWindowFields');
  const key = evaluator(partitionBy, context.variables, context.fold);
  const sort = parseSort(sortBy);
  const fields = Object.entries(output).map(([path, spec]) => ({
    names: path.split('.'),
    compute: compileWindow(spec, context, memory, sort),
  }));
  return async function* (input) {
    for (const rows of await partitions(input, (root) => keyOf(key(root), context.fold), sort)) {
      const columns = fields.map(({ names, compute }) => ({ names, values: compute(rows) }));
      yield* inBatches(
        rows.map(({ document }, i) =>
          columns.reduce(
            (current, { names, values }) => setAt(wholeDocument(current), names, values[i] ?? NULL),
            document,
          ),
        ),
      );
    }
  };
}

function compileWindow(
  spec: unknown,
  context: StageContext,
  memory: MemoryUse,
  sort: readonly SortPart[],
): WindowFunction {
  const { window, ...functionSpec } = isPlainObject(spec) ? spec : {};
  const [[name = '', operand] = []] = Object.entries(functionSpec);
  const compile = (expression: unknown): ((root: RawValue) => Value) =>
    evaluator(expression ?? null, context.variables, context.fold);
  const special = functions[name];
  if (special && sort.length === 0) throw failed(`${name} requires a sortBy`);
  if (special) return special(isPlainObject(operand) ? operand : { input: operand }, compile, boundsOf(window));
  const [output] = compileOutputs({ value: functionSpec }, context);
  const bounds = boundsOf(window);
  return (rows) => {
    let from = 0;
    let to = 0;
    let accumulator = output?.create(memory);
    let result: Value;
    return rows.map((_, i) => {
      const [start, end] = bounds(rows, i);
      const isLonger = start === from && end >= to;
      if (!isLonger) accumulator = output?.create(memory);
      if (!isLonger) to = start;
      if (to < end || !isLonger || i === 0) {
        for (; to < end; to++) {
          const { root } = rows[to] as Row;
          accumulator?.add(output?.value(root), output?.order?.(root));
        }
        result = accumulator?.result();
      }
      from = start;
      return result;
    });
  };
}

/** The rows that belong to the window of a row: from one up to, but without, another. */
type Bounds = (rows: readonly Row[], index: number) => [start: number, end: number];

function boundsOf(window: unknown): Bounds {
  if (window === undefined) return (rows) => [0, rows.length];
  const { documents, range, unit } = isPlainObject(window) ? window : {};
  const limits: unknown = documents ?? range;
  if (!Array.isArray(limits) || limits.length !== 2 || (documents && range))
    throw failed("'window' requires either 'documents' or 'range', with a lower and an upper bound");
  const [lower, upper] = limits.map((limit) =>
    limit === 'current' ? 0 : limit === 'unbounded' ? undefined : Number(limit),
  );
  if (documents) {
    return (rows, i) => {
      const start = lower === undefined ? 0 : Math.min(rows.length, Math.max(0, i + lower));
      const end = upper === undefined ? rows.length : Math.min(rows.length, Math.max(0, i + upper + 1));
      return [start, Math.max(start, end)];
    };
  }
  return (rows, i) => {
    const { position } = rows[i] as Row;
    const at = (by: number): number => (unit ? shiftedBy(position, String(unit), by) : position + by);
    const start = lower === undefined ? 0 : firstFrom(rows, (row) => row.position >= at(lower));
    const end = upper === undefined ? rows.length : firstFrom(rows, (row) => row.position > at(upper));
    return [start, Math.max(start, end)];
  };
}

/** The first row for which a test holds that holds for all after it. */
function firstFrom(rows: readonly Row[], test: (row: Row) => boolean): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (test(rows[middle] as Row)) high = middle;
    else low = middle + 1;
  }
  return low;
}

type Compile = (expression: unknown) => (root: RawValue) => Value;

/** Functions that are no accumulators. */
const functions: Readonly<Record<string, (operand: Document, compile: Compile, bounds: Bounds) => WindowFunction>> = {
  $documentNumber: () => (rows) => rows.map((_, i) => rawInt(i + 1)),
  $rank: () => (rows) => {
    let rank = 0;
    return rows.map(({ order }, i) => {
      if (order !== rows[i - 1]?.order) rank = i + 1;
      return rawInt(rank);
    });
  },
  $denseRank: () => (rows) => {
    let rank = 0;
    return rows.map(({ order }, i) => rawInt(order === rows[i - 1]?.order ? rank : ++rank));
  },
  $shift: ({ output, by, default: other = null }, compile) => {
    const value = compile(output);
    const fallback = compile(other);
    return (rows) =>
      rows.map(({ root }, i) => {
        const neighbour = rows[i + Number(by)];
        return neighbour ? value(neighbour.root) : fallback(root);
      });
  },
  $locf: ({ input }, compile) => {
    const value = compile(input);
    return (rows) => {
      let last: Value;
      return rows.map(({ root }) => {
        const now = value(root);
        if (!isNullish(now)) last = now;
        return last;
      });
    };
  },
  $linearFill: ({ input }, compile) => {
    const value = compile(input);
    return (rows) => {
      const values = rows.map(({ root }) => value(root));
      return values.map((now, i) => (isNullish(now) ? interpolated(rows, values, i) : now));
    };
  },
  $expMovingAvg: ({ input, N, alpha }, compile) => {
    const value = compile(input);
    const weight = toRaw(alpha ?? 2 / (Number(N) + 1));
    return (rows) => {
      let average: Value;
      return rows.map(({ root }) => {
        const now = value(root);
        if (!isNumeric(now)) return average;
        const step = average && combine('multiply', combine('subtract', now, average), weight);
        average = average && step ? combine('add', average, step) : now;
        return average;
      });
    };
  },
  $derivative: ({ input, unit }, compile, bounds) => {
    const value = compile(input);
    return (rows) =>
      rows.map((_, i) => {
        const [start, end] = bounds(rows, i);
        const [first, last] = [rows[start], rows[end - 1]];
        if (!first || !last || first.position === last.position) return NULL;
        const [a, b] = [value(first.root), value(last.root)];
        if (!isNumeric(a) || !isNumeric(b)) return NULL;
        return combine(
          'divide',
          combine('subtract', b, a),
          rawDouble((last.position - first.position) / lengthOf(unit)),
        );
      });
  },
  $integral: ({ input, unit }, compile, bounds) => {
    const value = compile(input);
    return (rows) =>
      rows.map((_, i) => {
        const [start, end] = bounds(rows, i);
        let area: RawValue = rawDouble(0);
        for (let j = start + 1; j < end; j++) {
          const [left, right] = [rows[j - 1] as Row, rows[j] as Row];
          const [a, b] = [value(left.root), value(right.root)];
          if (!isNumeric(a) || !isNumeric(b)) continue;
          const width = rawDouble((right.position - left.position) / lengthOf(unit) / 2);
          area = combine('add', area, combine('multiply', combine('add', a, b), width));
        }
        return area;
      });
  },
};

function lengthOf(unit: unknown): number {
  return unit === undefined ? 1 : shiftedBy(0, String(unit), 1);
}

/** Between the nearest rows with values, by their positions. */
function interpolated(rows: readonly Row[], values: readonly Value[], index: number): Value {
  const before = values.findLastIndex((value, i) => i < index && isNumeric(value));
  const after = values.findIndex((value, i) => i > index && isNumeric(value));
  const [a, b] = [values[before], values[after]];
  const [left, row, right] = [rows[before], rows[index], rows[after]];
  if (!a || !b || !left || !row || !right) return NULL;
  const share = rawDouble((row.position - left.position) / (right.position - left.position));
  return combine('add', a, combine('multiply', combine('subtract', b, a), share));
}

/** `$fill` in other stages. */
export function fillStages(operand: unknown): Document[] {
  const { partitionBy, partitionByFields, sortBy, output } = isPlainObject(operand) ? operand : {};
  if (!isPlainObject(output)) throw failed("$fill requires 'output'");
  const windows: Document = {};
  const values: Document = {};
  for (const [path, { method, value }] of Object.entries(output)) {
    if (method === 'locf') windows[path] = { $locf: `$${path}` };
    else if (method === 'linear') windows[path] = { $linearFill: `$${path}` };
    else if (value !== undefined) values[path] = { $ifNull: [`$${path}`, value] };
    else throw failed('Method must be either locf or linear');
  }
  const fields = (partitionByFields ?? []).map((name: string, i: number) => [String(i), `$${name}`]);
  const by = partitionBy ?? (partitionByFields ? Object.fromEntries(fields) : null);
  const stages: Document[] = [];
  if (Object.keys(windows).length > 0)
    stages.push({ $setWindowFields: { partitionBy: by, sortBy: sortBy ?? {}, output: windows } });
  if (Object.keys(values).length > 0) stages.push({ $addFields: values });
  return stages;
}

const MOST_ADDED = 500_000;

/** Adds documents, so that the values of a field have no gaps. */
export function densify(operand: unknown): Stage {
  const { field, partitionByFields = [], range } = isPlainObject(operand) ? operand : {};
  const { step, unit, bounds } = isPlainObject(range) ? range : {};
  if (
    typeof field !== 'string' ||
    !(Number(step) > 0) ||
    !(Array.isArray(bounds) || bounds === 'full' || bounds === 'partition')
  )
    throw failed("$densify requires 'field' and a 'range' with a positive 'step' and 'bounds'");
  const names = field.split('.');
  const others: string[][] = partitionByFields.map((name: string) => name.split('.'));
  const valueAt = (start: RawValue, count: number): RawValue =>
    unit
      ? toRaw(new Date(shiftedBy(positionOf(start), String(unit), count * Number(step))))
      : combine('add', start, combine('multiply', rawInt(count), toRaw(step)));
  return async function* (input) {
    const partitionOf = (root: RawValue): string => others.map((path) => keyOf(getAt(root, path))).join('');
    const found = await partitions(input, partitionOf, parseSort({ [field]: 1 }));
    const all = found.flat().filter(({ position }) => !Number.isNaN(position));
    let added = 0;
    function* filled(rows: readonly Row[]): Generator<Buffer> {
      const valued = bounds === 'full' ? all : rows.filter(({ position }) => !Number.isNaN(position));
      const ends = valued.reduce<Row[]>(
        ([low, high], row) => [
          !low || row.position < low.position ? row : low,
          !high || row.position > high.position ? row : high,
        ],
        [],
      );
      const [start, end] = Array.isArray(bounds)
        ? bounds.map(toRaw)
        : ends.map(({ root }) => getAt(root, names) ?? NULL);
      const last = positionOf(end);
      let count = 0;
      let next = start && valueAt(start, 0);
      function* until(position: number): Generator<Buffer> {
        for (; start && next && positionOf(next) < position; next = valueAt(start, ++count)) {
          if (++added > MOST_ADDED)
            throw new MongoError(
              'Location5897900',
              `Generated ${added} documents in $densify, which is over the limit`,
            );
          const base = others.reduce(
            (document, path) => setAt(wholeDocument(document), path, getAt((rows[0] as Row).root, path)),
            EMPTY,
          );
          yield setAt(wholeDocument(base), names, next);
        }
      }
      for (const { document, position } of rows) {
        if (!Number.isNaN(position)) yield* until(Math.min(position, last));
        if (start && next && positionOf(next) === position) next = valueAt(start, ++count);
        yield document;
      }
      yield* until(last);
    }
    for (const rows of found) yield* inBatches(filled(rows));
  };
}

const EMPTY = encode({});
