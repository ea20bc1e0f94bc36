import type { Document } from 'bson';
import { MongoError } from '../errors.ts';
import { type Variables, variablesOf } from './expressions.ts';
import { wholeDocument } from './indexes.ts';
import { isPlainObject } from './matcher.ts';
import { indexedValues, parsePath } from './paths.ts';
import { bsonType, DocumentWriter, decodeValue, elements } from './raw-bson.ts';

/** Runs a pipeline on another collection of the database. */
type RunPipeline = (from: string, stages: Document[], variables: Variables) => Promise<Buffer[]>;

/** `$lookup` by fields, by pipeline, or both: one indexed query of the other collection for each document. */
export async function lookup(
  documents: Buffer[],
  operand: unknown,
  outer: Variables,
  run: RunPipeline,
): Promise<Buffer[]> {
  if (!isPlainObject(operand) || typeof operand.as !== 'string')
    throw new MongoError('FailedToParse', "must specify 'as' field for a $lookup");
  const { from, localField, foreignField, as } = operand;
  if (typeof from !== 'string')
    throw new MongoError('FailedToParse', "missing 'from' option to $lookup stage specification");
  const stages: unknown = operand.pipeline ?? [];
  if (!Array.isArray(stages)) throw new MongoError('TypeMismatch', "the 'pipeline' of a $lookup must be an array");
  const results: Buffer[] = [];
  for (const document of documents) {
    const variables = variablesOf(operand.let as Document | undefined, document, outer);
    const join =
      localField === undefined ? [] : [{ $match: joinFilter(document, String(localField), String(foreignField)) }];
    const found = await run(from, [...join, ...stages], variables);
    results.push(withArray(document, as, found));
  }
  return results;
}

function joinFilter(document: Buffer, localField: string, foreignField: string): Document {
  const values = indexedValues(wholeDocument(document), parsePath(localField));
  const decoded = values.map((value) => (value && value.type !== bsonType.undefined ? decodeValue(value) : null));
  return { [foreignField]: decoded.length === 1 ? { $eq: decoded[0] } : { $in: decoded } };
}

function withArray(document: Buffer, name: string, found: readonly Buffer[]): Buffer {
  const writer = new DocumentWriter();
  for (const element of elements(document)) if (element.name !== name) writer.add(element.name, element);
  return writer.addDocuments(name, found).finish();
}
