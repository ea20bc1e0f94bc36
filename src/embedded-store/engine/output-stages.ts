// `$out` and `$merge`: what a pipeline found goes into a collection.
import type { Document } from 'bson';
import { MongoError } from '../errors.ts';
import { insert, updateFirst } from './crud.ts';
import { runUpdateStages, variablesOf } from './expressions.ts';
import { makeIndex, wholeDocument } from './indexes.ts';
import { isPlainObject } from './matcher.ts';
import { indexedValues, parsePath } from './paths.ts';
import type { PipelineContext } from './pipeline.ts';
import { decode, decodePlain, decodeValue, findElement } from './raw-bson.ts';
import { compileUpdate, ensureId, type Update } from './update.ts';

function target(context: PipelineContext, operand: unknown): { database: string; name: string } {
  if (typeof operand === 'string') return { database: context.database, name: operand };
  if (isPlainObject(operand)) return { database: String(operand.db ?? context.database), name: String(operand.coll) };
  throw new MongoError('FailedToParse', 'the output of a pipeline must be a collection name or { db, coll }');
}

/** Replaces the collection by these documents; the old one stays when one of them cannot be stored. */
export async function writeOut(
  context: PipelineContext,
  operand: unknown,
  documents: readonly Buffer[],
): Promise<void> {
  const { engine, operation } = context;
  const { database, name } = target(context, operand);
  const old = engine.collection(operation, `${database}.${name}`);
  const fresh = engine.ensureCollection(operation, database, `tmp.out.${Date.now()}.${name}`, old?.options);
  for (const index of old?.indexes ?? [])
    engine.change((changes) => engine.catalog.addIndex(fresh, makeIndex(0, index.spec, [], true).spec, true, changes));
  try {
    for (const document of documents) await insert(engine, operation, fresh, document);
  } catch (error) {
    engine.change((changes) => engine.catalog.drop(fresh, changes));
    throw error;
  }
  engine.change((changes) => {
    if (old) engine.catalog.drop(old, changes);
    engine.catalog.rename(fresh, database, name, changes);
  });
}

/** Merges each document into the collection by its `on` fields. */
export async function writeMerge(
  context: PipelineContext,
  operand: unknown,
  documents: readonly Buffer[],
): Promise<void> {
  const spec: Document = isPlainObject(operand) ? operand : { into: operand };
  const { database, name } = target(context, spec.into);
  const { engine, operation } = context;
  const collection = engine.ensureCollection(operation, database, name);
  const on: string[] = spec.on === undefined ? ['_id'] : [spec.on].flat().map(String);
  const matched: unknown = spec.whenMatched ?? 'merge';
  const notMatched: unknown = spec.whenNotMatched ?? 'insert';
  if (matched === 'fail' && notMatched !== 'insert')
    throw new MongoError('BadValue', `$merge cannot combine whenMatched: fail with whenNotMatched: ${notMatched}`);
  for (const each of documents) {
    const document = ensureId(each).document;
    if (matched === 'fail') {
      await insert(engine, operation, collection, document);
      continue;
    }
    const filter = Object.fromEntries(on.map((path) => [path, { $eq: valueAt(document, path) }]));
    const update = mergeUpdate(context, spec, matched, document);
    const outcome = await updateFirst(engine, operation, collection, { filter, fold: context.fold }, update, false);
    if (outcome.matched > 0) continue;
    if (notMatched === 'fail')
      throw new MongoError(
        'MergeStageNoMatchingDocument',
        '$merge could not find a matching document in the target collection for at least one document in the source collection',
      );
    if (notMatched === 'insert') await insert(engine, operation, collection, document);
  }
}

function valueAt(document: Buffer, path: string): unknown {
  const value = indexedValues(wholeDocument(document), parsePath(path))[0];
  return value ? decodeValue(value) : null;
}

function mergeUpdate(context: PipelineContext, spec: Document, matched: unknown, document: Buffer): Update {
  const runPipeline = (current: Buffer, stages: Document[]): Buffer => {
    const variables = variablesOf(spec.let as Document | undefined, document, {
      ...context.variables,
      new: decodePlain(document),
    });
    return runUpdateStages(current, stages, variables);
  };
  if (matched === 'keepExisting') return { isReplacement: false, apply: (current) => current };
  const fields = decode(document);
  if (matched === 'replace') return compileUpdate(fields, {}, [], { runPipeline });
  if (Array.isArray(matched)) return compileUpdate(matched, {}, [], { runPipeline });
  const { _id, ...others } = fields;
  const changes = findElement(document, 0, Buffer.from('_id')) ? others : fields;
  return Object.keys(changes).length === 0
    ? { isReplacement: false, apply: (current) => current }
    : compileUpdate({ $set: changes }, {}, [], { runPipeline });
}
