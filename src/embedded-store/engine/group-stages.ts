// Stages that bring documents together: $group, $bucket and $bucketAuto.
import type { Document } from 'bson';
import { MongoError } from '../errors.ts';
import { type Accumulator, accumulatorForms, MemoryUse } from './accumulators.ts';
import { isPlainObject } from './matcher.ts';
import { DocumentWriter, type RawValue, toRaw, wholeDocument } from './raw-bson.ts';
import { parseSort, sortKey } from './sort.ts';
import { Sorter } from './sorter.ts';
import { compile, forEach, inBatches, type Stage, type StageContext } from './stages.ts';
import { documentOf, keyOf, NULL, type Value } from './values.ts';

const EMPTY = toRaw({});

/** An accumulator with the expressions that feed it. */
interface Output {
  name: string;
  value: (root: RawValue) => Value;
  order: ((root: RawValue) => string) | undefined;
  create: (memory: MemoryUse) => Accumulator;
}

/** @throws MongoError for what is not an accumulator. */
function compileOutputs(fields: Document, context: StageContext): Output[] {
  return Object.entries(fields).map(([name, spec]) => {
    if (name.includes('.')) throw new MongoError('Location40235', `The field name '${name}' cannot contain '.'`);
    if (!isPlainObject(spec))
      throw new MongoError('Location40234', `The field '${name}' must be an accumulator object`);
    const [[operator = '', operand] = [], ...others] = Object.entries('$count' in spec ? { $sum: 1 } : spec);
    if (others.length > 0 || operator === '')
      throw new MongoError('Location40238', `The field '${name}' must specify one accumulator`);
    const form = accumulatorForms[operator];
    if (!form) throw new MongoError('Location15952', `unknown group operator '${operator}'`);
    if (Array.isArray(operand))
      throw new MongoError('Location40237', `The ${operator} accumulator is a unary operator`);
    const parts = form.options?.includes('sortBy') ? parseSort(operand.sortBy) : undefined;
    const constants = Object.fromEntries(
      (form.options ?? [])
        .filter((option) => option !== 'sortBy')
        .map((option) => [option, compile(operand[option] ?? null, context)(EMPTY)]),
    );
    return {
      name,
      value: compile(form.value ? operand[form.value] : operand, context),
      order: parts && ((root: RawValue) => sortKey(root, parts, context.fold)),
      create: (memory: MemoryUse) => form.create(memory, context.fold, constants),
    };
  });
}

/** The accumulators of one group. */
interface Group {
  add(root: RawValue): void;
  result(): Buffer;
}

function startGroup(id: RawValue, outputs: readonly Output[], memory: MemoryUse): Group {
  const fields = outputs.map((output) => ({ ...output, accumulator: output.create(memory) }));
  return {
    add: (root) => {
      for (const { accumulator, value, order } of fields) accumulator.add(value(root), order?.(root));
    },
    result: () => {
      const writer = new DocumentWriter().add('_id', id);
      for (const { name, accumulator } of fields) writer.add(name, accumulator.result() ?? NULL);
      return writer.finish();
    },
  };
}

export function group(operand: unknown, context: StageContext): Stage {
  if (!isPlainObject(operand)) throw new MongoError('Location15947', "a group's fields must be specified in an object");
  const { _id, ...fields } = operand;
  if (_id === undefined) throw new MongoError('Location15955', 'a group specification must include an _id');
  const idOf = compile(_id, context);
  const outputs = compileOutputs(fields, context);
  return async function* (input) {
    const memory = new MemoryUse('$group');
    const groups = new Map<string, Group>();
    await forEach(input, (document) => {
      const root = wholeDocument(document);
      const id = idOf(root) ?? NULL;
      const key = keyOf(id, context.fold);
      const found = groups.get(key) ?? startGroup(memory.keep(id), outputs, memory);
      groups.set(key, found);
      found.add(root);
    });
    yield* inBatches(results(groups.values()));
  };
}

function* results(groups: Iterable<Group>): Generator<Buffer> {
  for (const group of groups) yield group.result();
}

/** Groups by ranges: a `$group` by a `$switch`. */
export function bucketStages(operand: unknown): Document[] {
  const {
    groupBy,
    boundaries,
    default: other,
    output = { count: { $sum: 1 } },
  } = isPlainObject(operand) ? operand : {};
  if (groupBy === undefined || !Array.isArray(boundaries))
    throw new MongoError('Location40198', "$bucket requires 'groupBy' and 'boundaries' to be specified.");
  if (boundaries.length < 2)
    throw new MongoError('Location40192', "The $bucket 'boundaries' field must have at least 2 values");
  const keys = boundaries.map((boundary) => keyOf(toRaw(boundary)));
  if (keys.some((key, i) => i > 0 && key <= (keys[i - 1] ?? '')))
    throw new MongoError('Location40194', "The 'boundaries' option to $bucket must be sorted");
  const branches = boundaries.slice(0, -1).map((from, i) => ({
    case: { $and: [{ $gte: [groupBy, { $literal: from }] }, { $lt: [groupBy, { $literal: boundaries[i + 1] }] }] },
    // biome-ignore lint/suspicious/noThenProperty: MongoDB's name for it
    then: { $literal: from },
  }));
  const fallback = other === undefined ? {} : { default: { $literal: other } };
  return [{ $group: { _id: { $switch: { branches, ...fallback } }, ...output } }, { $sort: { _id: 1 } }];
}

/** Groups of about the same size; equal values stay together. */
export function bucketAuto(operand: unknown, context: StageContext): Stage {
  if (!isPlainObject(operand)) throw new MongoError('Location40240', 'the $bucketAuto specification must be an object');
  const { groupBy, buckets, output = { count: { $sum: 1 } }, granularity } = operand;
  if (granularity !== undefined)
    throw new MongoError('CommandNotSupported', "'granularity' of $bucketAuto is not supported");
  const count = Number(buckets);
  if (groupBy === undefined || !Number.isInteger(count) || count < 1)
    throw new MongoError('Location40246', "$bucketAuto requires 'groupBy' and a positive number of 'buckets'");
  const { fold } = context;
  const keyFor = compile(groupBy, context);
  const outputs = compileOutputs(output, context);
  return async function* (input) {
    const memory = new MemoryUse('$bucketAuto');
    const sorter = new Sorter<{ document: Buffer; value: RawValue }>(
      ({ value }, strings) => keyOf(value, strings),
      fold,
    );
    for await (const batch of input)
      await sorter.add(batch.map((document) => ({ document, value: keyFor(wholeDocument(document)) ?? NULL })));
    const found = await sorter.finish();
    const isSame = (i: number): boolean => keyOf(found[i]?.value, fold) === keyOf(found[i - 1]?.value, fold);
    const size = Math.max(1, Math.round(found.length / count));
    for (let from = 0, number = 1; from < found.length; number++) {
      let to = number === count ? found.length : Math.min(from + size, found.length);
      while (to < found.length && isSame(to)) to++;
      const [min, max] = [found[from], found[to] ?? found[to - 1]];
      const id = documentOf(Object.entries({ min: min?.value, max: max?.value }));
      const group = startGroup(id, outputs, memory);
      for (const { document } of found.slice(from, to)) group.add(wholeDocument(document));
      yield [group.result()];
      from = to;
    }
  };
}
