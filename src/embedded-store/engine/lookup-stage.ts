// Stages that look into another collection: one indexed query for each document, or for each step of a graph.
import type { Document } from 'bson';
import { MongoError } from '../errors.ts';
import { setAt } from './document-paths.ts';
import { evaluator, type Variables, variablesOf } from './expressions.ts';
import { encodeKey } from './key-encoding.ts';
import { namedOperand } from './operator.ts';
import { indexedValues, parsePath } from './paths.ts';
import { arrayOf, bsonType, decodeValue, findElement, type RawValue, rawLong, wholeDocument } from './raw-bson.ts';
import type { Stage } from './stages.ts';
import { itemsOf, NULL } from './values.ts';

/** Runs a pipeline on another collection of the database; without a name it begins with a source of its own. */
type RunPipeline = (from: string | undefined, stages: Document[], variables: Variables) => Promise<Buffer[]>;

function options(name: string, operand: unknown, fields: readonly string[]): Document {
  const given = namedOperand(name, operand, fields);
  for (const field of ['from', 'as', 'localField', 'foreignField', 'connectFromField', 'connectToField', 'depthField'])
    if (given[field] !== undefined && typeof given[field] !== 'string')
      throw new MongoError('FailedToParse', `${name} argument '${field}' must be a string`);
  return given;
}

/** `$lookup` by fields, by pipeline, or both. */
export function lookup(operand: unknown, outer: Variables, run: RunPipeline): Stage {
  const fields = ['from?', 'localField?', 'foreignField?', 'let?', 'pipeline?', 'as'];
  const { from, localField, foreignField, let: definitions, pipeline, as } = options('$lookup', operand, fields);
  const stages: unknown = pipeline ?? [];
  if (!Array.isArray(stages)) throw new MongoError('TypeMismatch', "the 'pipeline' of a $lookup must be an array");
  if ((localField === undefined) !== (foreignField === undefined) || (localField === undefined && !pipeline))
    throw new MongoError('FailedToParse', "$lookup requires either 'pipeline' or both 'localField' and 'foreignField'");
  if (from === undefined && !('$documents' in (stages[0] ?? {})))
    throw new MongoError('FailedToParse', "missing 'from' option to $lookup stage specification");
  const isSame = localField === undefined && definitions === undefined;
  return async function* (input) {
    let found: Buffer[] | undefined;
    for await (const batch of input) {
      for (const document of batch) {
        const join = localField === undefined ? [] : [{ $match: joinFilter(document, localField, foreignField) }];
        if (!found || !isSame)
          found = await run(from, [...join, ...stages], variablesOf(definitions, wholeDocument(document), outer));
        yield [setAt(wholeDocument(document), as.split('.'), arrayOf(found.map(wholeDocument)))];
      }
    }
  };
}

function joinFilter(document: Buffer, localField: string, foreignField: string): Document {
  return matching(foreignField, indexedValues(wholeDocument(document), parsePath(localField)));
}

/** A field has one of the values; a missing one is null, and what is in an empty array is nothing. */
function matching(field: string, values: readonly (RawValue | undefined)[]): Document {
  const wanted = values
    .filter((value) => value?.type !== bsonType.undefined)
    .map((value) => decodeValue(value ?? NULL));
  return { [field]: wanted.length === 1 ? { $eq: wanted[0] } : { $in: wanted } };
}

const ID = Buffer.from('_id');

/** `$graphLookup`: what is reached from each document, each document of the other collection once. */
export function graphLookup(operand: unknown, outer: Variables, run: RunPipeline): Stage {
  const required = ['from', 'startWith', 'connectFromField', 'connectToField', 'as'];
  const optional = ['maxDepth?', 'depthField?', 'restrictSearchWithMatch?'];
  const spec = options('$graphLookup', operand, [...required, ...optional]);
  const { from, startWith, connectFromField, connectToField, as } = spec;
  const { maxDepth = Number.POSITIVE_INFINITY, depthField, restrictSearchWithMatch = {} } = spec;
  if (!(Number(maxDepth) >= 0)) throw new MongoError('Location40101', 'maxDepth requires a nonnegative argument');
  const start = evaluator(startWith, outer);
  const next = parsePath(connectFromField);
  return async function* (input) {
    for await (const batch of input) {
      for (const document of batch) {
        const reached = new Map<string, RawValue>();
        const first = start(wholeDocument(document));
        let frontier = itemsOf(first) ?? [first];
        for (let depth = 0; frontier.length > 0 && depth <= Number(maxDepth); depth++) {
          const filter = { $and: [matching(connectToField, frontier), restrictSearchWithMatch] };
          frontier = [];
          for (const found of await run(from, [{ $match: filter }], outer)) {
            const id = findElement(found, 0, ID);
            const key = id ? encodeKey(id) : '';
            if (reached.has(key)) continue;
            const whole = wholeDocument(found);
            const shown = depthField ? setAt(whole, depthField.split('.'), rawLong(BigInt(depth))) : found;
            reached.set(key, wholeDocument(shown));
            frontier.push(...indexedValues(whole, next).filter((value) => value !== undefined));
          }
        }
        yield [setAt(wholeDocument(document), as.split('.'), arrayOf([...reached.values()]))];
      }
    }
  };
}
