// What stages are made of, and those that look at one document after the other.
import type { Document } from 'bson';
import { MongoError } from '../errors.ts';
import { getAt, setAt } from './document-paths.ts';
import { nextTurn } from './engine.ts';
import { evaluator, type Variables } from './expressions.ts';
import type { StringFold } from './key-encoding.ts';
import { isPlainObject } from './matcher.ts';
import { items } from './paths.ts';
import { compileProjection } from './projection.ts';
import { flatten } from './projection-spec.ts';
import { bsonType, isNullish, type RawValue, rawDocument, rawLong, wholeDocument } from './raw-bson.ts';
import { Sorter } from './sorter.ts';
import { NULL, type Value } from './values.ts';

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
export function compile(expression: unknown, { variables, fold }: StageContext): (root: RawValue) => Value {
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
  const entries = flatten(operand);
  if (entries.some(([path]) => entries.some(([other]) => other.startsWith(`${path}.`))))
    throw new MongoError('Location40176', 'specification contains two conflicting paths');
  const fields = entries.map(([path, expression]) => ({
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
    if (!isPlainObject(stage))
      throw new MongoError('TypeMismatch', "Each element of the 'pipeline' array must be an object");
    const [[name = '', operand] = [], ...others] = Object.entries(stage);
    if (others.length > 0)
      throw new MongoError('Location40323', 'A pipeline stage specification object must contain exactly one field.');
    const transform = Object.hasOwn(transforms, name) ? transforms[name] : undefined;
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
    if (isArray ? index > 0n : !isNullish(value)) {
      if (!isArray) yield withIndex(document, NULL);
    } else if (preserveNullAndEmptyArrays) {
      yield withIndex(isArray ? setAt(root, names, undefined) : document, NULL);
    }
  });
}

/** Some documents by chance. */
export function sample(operand: unknown): Stage {
  const size = Number(isPlainObject(operand) ? operand.size : Number.NaN);
  if (!Number.isInteger(size) || size < 1)
    throw new MongoError('Location28747', 'size argument to $sample must be a positive integer');
  return async function* (input) {
    const sorter = new Sorter<{ document: Buffer; place: string }>(({ place }) => place, undefined, size);
    for await (const batch of input)
      await sorter.add(batch.map((document) => ({ document, place: Math.random().toFixed(20) })));
    yield* inBatches((await sorter.finish()).map(({ document }) => document));
  };
}
