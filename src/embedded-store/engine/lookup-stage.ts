// `$lookup`: one indexed query for each document.
import type { Document } from 'bson';
import { MongoError } from '../errors.ts';
import { setAt } from './document-paths.ts';
import { arrayOf } from './document-writer.ts';
import { type Variables, variablesOf } from './expressions.ts';
import { isRegex } from './matcher.ts';
import { namedOperand } from './operator.ts';
import { indexedValues, parsePath } from './paths.ts';
import { bsonType, decodeValue, wholeDocument } from './raw-bson.ts';
import type { Stage } from './stages.ts';

/** Runs a pipeline on another collection of the database; without a name it begins with a source of its own. */
type RunPipeline = (from: string | undefined, stages: Document[], variables: Variables) => Promise<Buffer[]>;

/** `$lookup` by fields, by pipeline, or both. */
export function lookup(operand: unknown, outer: Variables, run: RunPipeline): Stage {
  const fields = ['from?', 'localField?', 'foreignField?', 'let?', 'pipeline?', 'as'];
  const given = namedOperand('$lookup', operand, fields);
  for (const field of ['from', 'as', 'localField', 'foreignField'])
    if (given[field] !== undefined && typeof given[field] !== 'string')
      throw new MongoError('FailedToParse', `$lookup argument '${field}' must be a string`);
  const { from, localField, foreignField, let: definitions, pipeline, as } = given;
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

/** The foreign field has one of the values; null when there is none, as in an empty array. */
function joinFilter(document: Buffer, localField: string, foreignField: string): Document {
  const found = indexedValues(wholeDocument(document), parsePath(localField))
    .filter((value) => value !== undefined)
    .filter((value) => value.type !== bsonType.undefined);
  const wanted = found.length > 0 ? found.map(decodeValue) : [null];
  const equal = wanted.map((value) => ({ [foreignField]: { $eq: value } }));
  if (equal.length === 1) return equal[0] ?? {};
  // `$in` would search with a regular expression.
  return wanted.some(isRegex) ? { $or: equal } : { [foreignField]: { $in: wanted } };
}
