// `$out` and `$merge`: what a pipeline found goes into a collection.
import type { Document } from 'bson';
import { MongoError, unknownField } from '../errors.ts';
import type { Collection } from './catalog.ts';
import { insert, update as updateDocuments } from './crud.ts';
import { getAt, setAt } from './document-paths.ts';
import { variablesOf } from './expressions.ts';
import { keyPrefix } from './indexes.ts';
import { isPlainObject } from './matcher.ts';
import type { PipelineContext } from './pipeline.ts';
import { bsonType, decodeValue, elements, isNullish, wholeDocument } from './raw-bson.ts';
import { compileUpdateStages } from './stages.ts';
import { compileUpdate, ensureId, type Update } from './update.ts';
import { writableCollection } from './views.ts';

interface Target {
  database: string;
  name: string;
  /** What is there already. */
  old: Collection | undefined;
}

function target({ engine, operation, database }: PipelineContext, operand: unknown): Target {
  const { db = database, coll = operand } = isPlainObject(operand) ? operand : {};
  if (typeof db !== 'string' || typeof coll !== 'string')
    throw new MongoError('FailedToParse', 'the output of a pipeline must be a collection name or { db, coll }');
  return { database: db, name: coll, old: writableCollection(engine, operation, `${db}.${coll}`) };
}

/** Replaces the collection by these documents; the old one stays when one of them cannot be stored. */
export async function writeOut(
  context: PipelineContext,
  operand: unknown,
  documents: readonly Buffer[],
): Promise<void> {
  const { engine, operation } = context;
  const { database, name, old } = target(context, operand);
  const fresh = engine.ensureCollection(operation, database, `tmp.out.${Date.now()}.${name}`, old?.options);
  for (const index of old?.indexes ?? [])
    engine.change((changes) => engine.catalog.addIndex(fresh, index.spec, true, changes));
  try {
    for (const document of documents) await insert(engine, operation, fresh, document);
    if (old) await engine.transactions.whenUnlocked(keyPrefix(old.id));
  } catch (error) {
    engine.change((changes) => engine.catalog.drop(fresh, changes));
    throw error;
  }
  engine.change((changes) => {
    const replaced = engine.catalog.get(`${database}.${name}`);
    if (replaced) engine.catalog.drop(replaced, changes);
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
  const { whenMatched = 'merge', whenNotMatched = 'insert' } = spec;
  checkMerge(spec);
  const { database, name, old } = target(context, spec.into);
  const { engine, operation } = context;
  const collection = old ?? engine.ensureCollection(operation, database, name);
  const on: string[] = spec.on === undefined ? ['_id'] : [spec.on].flat();
  checkUnique(collection, on);
  for (const each of documents) {
    const { document } = ensureId(each);
    const filter = Object.fromEntries(on.map((path) => [path, { $eq: valueAt(document, path) }]));
    const update = mergeUpdate(context, spec, whenMatched, each);
    const outcome =
      whenMatched === 'fail'
        ? undefined
        : await updateDocuments(engine, operation, collection, { filter, fold: context.fold }, update);
    if (outcome && outcome.matched > 0) continue;
    if (whenNotMatched === 'fail')
      throw new MongoError(
        'MergeStageNoMatchingDocument',
        '$merge could not find a matching document in the target collection for at least one document',
      );
    if (whenNotMatched === 'insert') await insert(engine, operation, collection, document);
  }
}

function checkMerge(spec: Document): void {
  const { whenMatched = 'merge', whenNotMatched = 'insert', on = '_id' } = spec;
  for (const field of Object.keys(spec))
    if (!['into', 'on', 'let', 'whenMatched', 'whenNotMatched'].includes(field)) throw unknownField('$merge', field);
  const isPipeline = Array.isArray(whenMatched);
  if (!isPipeline) checkChoice('whenMatched', whenMatched, ['replace', 'keepExisting', 'merge', 'fail']);
  checkChoice('whenNotMatched', whenNotMatched, ['insert', 'discard', 'fail']);
  if (whenMatched === 'fail' && whenNotMatched !== 'insert')
    throw new MongoError('Location51189', `$merge cannot combine fail with ${whenNotMatched}`);
  if (spec.let !== undefined && !isPipeline)
    throw new MongoError('Location51199', "Cannot use 'let' variables with 'whenMatched' other than a pipeline");
  const fields: unknown[] = [on].flat();
  if (fields.length === 0 || !fields.every((field) => typeof field === 'string'))
    throw new MongoError('Location51186', "$merge 'on' field must be either a string or an array of strings");
}

function checkChoice(field: string, value: unknown, choices: readonly unknown[]): void {
  if (!choices.includes(value))
    throw new MongoError('BadValue', `Enumeration value '${value}' for field '$merge.${field}' is not a valid value.`);
}

/** A document may be meant by its `on` fields only when there cannot be two of them. */
function checkUnique(collection: Collection, on: readonly string[]): void {
  if (on.length === 1 && on[0] === '_id') return;
  const isUnique = collection.indexes.some(
    ({ fields, unique, partial }) =>
      unique && !partial && fields.length === on.length && fields.every(({ path }) => on.includes(path.text)),
  );
  if (!isUnique) throw new MongoError('Location51183', 'Cannot find index to verify that join fields will be unique');
}

function valueAt(document: Buffer, path: string): unknown {
  const value = getAt(wholeDocument(document), path.split('.'));
  if (isNullish(value))
    throw new MongoError('Location51132', `$merge write error: 'on' field '${path}' cannot be missing`);
  if (value.type === bsonType.array)
    throw new MongoError('Location51185', `$merge write error: 'on' field '${path}' cannot be an array`);
  return decodeValue(value);
}

/** What becomes of a stored document; its id stays. */
function mergeUpdate(context: PipelineContext, spec: Document, matched: unknown, document: Buffer): Update {
  const next = (current: Buffer): Buffer => {
    if (matched === 'replace') return document;
    if (Array.isArray(matched)) {
      const variables = variablesOf(spec.let ?? { new: '$$ROOT' }, wholeDocument(document), context.variables);
      return compileUpdateStages(matched, variables)(current);
    }
    return [...(matched === 'merge' ? elements(document) : [])].reduce(
      (merged, element) => setAt(wholeDocument(merged), [element.name], element),
      current,
    );
  };
  return compileUpdate([], {}, [], { compileStages: () => next });
}
