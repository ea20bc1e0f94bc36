// Stages that look at one document after the other, and $group.
import type { Document } from 'bson';
import { MongoError } from '../errors.ts';
import { type Accumulator, accumulatorForms, MemoryUse } from './accumulators.ts';
import { getAt, setAt } from './document-paths.ts';
import { nextTurn } from './engine.ts';
import { evaluator, type Variables } from './expressions.ts';
import { wholeDocument } from './indexes.ts';
import type { StringFold } from './key-encoding.ts';
import { isPlainObject } from './matcher.ts';
import { items } from './paths.ts';
import { compileProjection } from './projection.ts';
import { flatten } from './projection-spec.ts';
import {
  arrayOf,
  bsonType,
  DocumentWriter,
  elements,
  type RawValue,
  rawDocument,
  rawLong,
  rawString,
  toRaw,
} from './raw-bson.ts';
import { parseSort, sortKey } from './sort.ts';
import { Sorter } from './sorter.ts';
import { keyOf, NULL, textOf, type Value } from './values.ts';

/** Documents on their way from stage to stage. */
export type Batches = AsyncIterable<Buffer[]>;
export type Stage = (input: Batches) => Batches;

export interface StageContext {
  variables: Variables;
  fold: StringFold | undefined;
}

const BATCH = 500;
const TURN_MS = 10;

/** Gives others their turn every few milliseconds. */
export class Pace {
  #since = performance.now();

  get isDue(): boolean {
    return performance.now() - this.#since > TURN_MS;
  }

  async rest(): Promise<void> {
    await nextTurn();
    this.#since = performance.now();
  }
}

/** Batches of documents that are there or come about by computing. */
export async function* inBatches(documents: Iterable<Buffer>): Batches {
  const pace = new Pace();
  let batch: Buffer[] = [];
  for (const document of documents) {
    batch.push(document);
    if (batch.length < BATCH && !pace.isDue) continue;
    yield batch;
    batch = [];
    if (pace.isDue) await pace.rest();
  }
  if (batch.length > 0) yield batch;
}

/** What `work` makes of each document. */
export function mapEach(work: (document: Buffer) => Iterable<Buffer>): Stage {
  function* results(batch: readonly Buffer[]): Generator<Buffer> {
    for (const document of batch) yield* work(document);
  }
  return async function* (input) {
    for await (const batch of input) yield* inBatches(results(batch));
  };
}

/** Calls `work` for each document, and lets others have their turns. */
export async function forEach(input: Batches, work: (document: Buffer) => void): Promise<void> {
  const pace = new Pace();
  for await (const batch of input) {
    for (const document of batch) {
      work(document);
      if (pace.isDue) await pace.rest();
    }
  }
}

/** The expression of an operand, with the variables of the pipeline. */
function compile(expression: unknown, { variables, fold }: StageContext): (root: RawValue) => Value {
  return evaluator(expression, variables, fold);
}

/** Makes one document of one document. */
type Transform = (document: Buffer) => Buffer;

function project(operand: unknown, context: StageContext): Transform {
  if (!isPlainObject(operand) || Object.keys(operand).length === 0)
    throw new MongoError('Location51272', 'projection specification must be an object with at least one field');
  const compiled = compileProjection(operand, {
    fold: context.fold,
    filter: {},
    compile: (expression) => compile(expression, context),
  });
  return (document) => compiled?.(document) ?? document;
}

function addFields(operand: unknown, context: StageContext): Transform {
  if (!isPlainObject(operand))
    throw new MongoError('Location40272', '$addFields specification stage must be an object');
  const paths = flatten(operand).map(([path]) => path);
  if (paths.some((path) => paths.some((other) => other.startsWith(`${path}.`))))
    throw new MongoError('Location40176', 'specification contains two conflicting paths');
  const fields = flatten(operand).map(([path, expression]) => ({
    names: path.split('.'),
    evaluate: compile(expression, context),
  }));
  return (document) => {
    const root = wholeDocument(document);
    return fields.reduce(
      (current, { names, evaluate }) => setAt(wholeDocument(current), names, evaluate(root)),
      document,
    );
  };
}

function unset(operand: unknown, context: StageContext): Transform {
  const names = [operand].flat();
  if (names.length === 0 || !names.every((name) => typeof name === 'string'))
    throw new MongoError('Location31002', '$unset specification must be a string or an array of strings');
  return project(Object.fromEntries(names.map((name) => [name, 0])), context);
}

function replaceWith(operand: unknown, context: StageContext): Transform {
  const evaluate = compile(operand, context);
  return (document) => {
    const value = evaluate(wholeDocument(document));
    if (value?.type !== bsonType.object)
      throw new MongoError('Location40228', "'newRoot' expression must evaluate to an object");
    return rawDocument(value);
  };
}

/** The stages that updates may have, too. */
export const transforms: Readonly<Record<string, (operand: unknown, context: StageContext) => Transform>> = {
  $addFields: addFields,
  $set: addFields,
  $project: project,
  $unset: unset,
  $replaceWith: replaceWith,
  $replaceRoot: (operand, context) => {
    if (!isPlainObject(operand) || operand.newRoot === undefined)
      throw new MongoError('Location40231', 'no newRoot specified for the $replaceRoot stage');
    return replaceWith(operand.newRoot, context);
  },
};

/** The stages of an update. @throws MongoError for those that it cannot have. */
export function compileUpdateStages(stages: readonly Document[], variables: Variables): Transform {
  const steps = stages.map((stage) => {
    const [[name = '', operand] = []] = Object.entries(stage);
    const transform = transforms[name];
    if (!transform) throw new MongoError('InvalidOptions', `${name} is not allowed to be used within an update`);
    return transform(operand, { variables, fold: undefined });
  });
  return (document) => steps.reduce((current, step) => step(current), document);
}

export function unwind(operand: unknown): Stage {
  const { path, includeArrayIndex, preserveNullAndEmptyArrays } = isPlainObject(operand) ? operand : { path: operand };
  if (typeof path !== 'string')
    throw new MongoError('Location28808', 'expected a string as the path for $unwind stage');
  if (!path.startsWith('$') || path.length < 2)
    throw new MongoError('Location28818', `path option to $unwind stage should be prefixed with a '$': ${path}`);
  const names = path.slice(1).split('.');
  const withIndex = (document: Buffer, index: RawValue): Buffer =>
    includeArrayIndex ? setAt(wholeDocument(document), String(includeArrayIndex).split('.'), index) : document;
  return mapEach(function* (document) {
    const root = wholeDocument(document);
    const value = getAt(root, names);
    const isArray = value?.type === bsonType.array;
    let index = 0n;
    if (isArray) for (const item of items(value)) yield withIndex(setAt(root, names, item), rawLong(index++));
    if (isArray ? index > 0n : value && value.type !== bsonType.null && value.type !== bsonType.undefined) {
      if (!isArray) yield withIndex(document, NULL);
    } else if (preserveNullAndEmptyArrays) {
      yield withIndex(isArray ? setAt(root, names, undefined) : document, NULL);
    }
  });
}

const decisions = { KEEP: rawString('$$KEEP'), PRUNE: rawString('$$PRUNE'), DESCEND: rawString('$$DESCEND') };

export function redact(operand: unknown, { variables, fold }: StageContext): Stage {
  const withDecisions = { variables: { ...variables, ...decisions }, fold };
  const decide = compile(operand, withDecisions);
  const redacted = (value: RawValue): RawValue | undefined => {
    if (value.type === bsonType.array) return arrayOf([...items(value)].flatMap((item) => redacted(item) ?? []));
    if (value.type !== bsonType.object) return value;
    const decision = textOf(decide(value));
    if (decision === '$$KEEP') return value;
    if (decision === '$$PRUNE') return undefined;
    if (decision !== '$$DESCEND')
      throw new MongoError('Location17053', '$redact must resolve to $$DESCEND, $$PRUNE, or $$KEEP');
    const writer = new DocumentWriter();
    for (const element of elements(value.buffer, value.start)) {
      const kept = redacted(element);
      if (kept) writer.add(element.name, kept);
    }
    return wholeDocument(writer.finish());
  };
  return mapEach((document) => {
    const kept = redacted(wholeDocument(document));
    return kept ? [rawDocument(kept)] : [];
  });
}

/** An accumulator with the expressions that feed it. */
interface Output {
  name: string;
  value: (root: RawValue) => Value;
  order: ((root: RawValue) => string) | undefined;
  create: (memory: MemoryUse) => Accumulator;
}

/** @throws MongoError for what is not an accumulator. */
export function compileOutputs(fields: Document, context: StageContext): Output[] {
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

const EMPTY = toRaw({});

/** The accumulators of one group. */
export class Group {
  readonly #outputs: readonly Output[];
  readonly #accumulators: readonly Accumulator[];

  constructor(outputs: readonly Output[], memory: MemoryUse) {
    this.#outputs = outputs;
    this.#accumulators = outputs.map((output) => output.create(memory));
  }

  add(root: RawValue): void {
    for (const [i, { value, order }] of this.#outputs.entries()) this.#accumulators[i]?.add(value(root), order?.(root));
  }

  result(id: RawValue): Buffer {
    const writer = new DocumentWriter().add('_id', id);
    for (const [i, { name }] of this.#outputs.entries()) writer.add(name, this.#accumulators[i]?.result() ?? NULL);
    return writer.finish();
  }
}

export function group(operand: unknown, context: StageContext): Stage {
  if (!isPlainObject(operand)) throw new MongoError('Location15947', "a group's fields must be specified in an object");
  const { _id, ...fields } = operand;
  if (_id === undefined) throw new MongoError('Location15955', 'a group specification must include an _id');
  const idOf = compile(_id, context);
  const outputs = compileOutputs(fields, context);
  return async function* (input) {
    const memory = new MemoryUse('$group');
    const groups = new Map<string, { id: RawValue; group: Group }>();
    await forEach(input, (document) => {
      const root = wholeDocument(document);
      const id = idOf(root) ?? NULL;
      const key = keyOf(id, context.fold);
      const found = groups.get(key) ?? { id: memory.keep(id), group: new Group(outputs, memory) };
      groups.set(key, found);
      found.group.add(root);
    });
    yield* inBatches(results(groups.values()));
  };
}

function* results(groups: Iterable<{ id: RawValue; group: Group }>): Generator<Buffer> {
  for (const { id, group } of groups) yield group.result(id);
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
export function bucketAuto(operand: Document, context: StageContext): Stage {
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
      const group = new Group(outputs, memory);
      for (const { document } of found.slice(from, to)) group.add(wholeDocument(document));
      const max = (found[to] ?? found[to - 1])?.value ?? NULL;
      const id = new DocumentWriter()
        .add('min', found[from]?.value ?? NULL)
        .add('max', max)
        .finish();
      yield [group.result(wholeDocument(id))];
      from = to;
    }
  };
}

/** Some documents by chance. */
export function sample(operand: unknown): Stage {
  const size = Number(isPlainObject(operand) ? operand.size : Number.NaN);
  if (!Number.isInteger(size) || size < 1)
    throw new MongoError('Location28747', 'size argument to $sample must be a positive integer');
  return async function* (input) {
    const memory = new MemoryUse('$sample');
    const chosen: Buffer[] = [];
    let seen = 0;
    await forEach(input, (document) => {
      const place = Math.floor(Math.random() * ++seen);
      if (chosen.length < size) {
        memory.use(document.length);
        chosen.push(document);
        [chosen[place], chosen[seen - 1]] = [document, chosen[place] ?? document];
      } else if (place < size) chosen[place] = document;
    });
    yield* inBatches(chosen);
  };
}
