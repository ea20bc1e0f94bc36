// Insert, update and delete, for the commands and for $merge and the TTL sweeper.
import type { Document } from 'bson';
import { MongoError } from '../errors.ts';
import type { Collection } from './catalog.ts';
import { documentKey, insertDocument, removeDocument, replaceDocument } from './collection-writer.ts';
import { checkDeadline, type Engine, nextTurn, type Operation } from './engine.ts';
import { wholeDocument } from './indexes.ts';
import { compileFilter, type Predicate } from './matcher.ts';
import { openQuery, type QueryRequest, takeAll } from './query.ts';
import { decodeValue, findElement, type RawValue } from './raw-bson.ts';
import type { Match } from './scan.ts';
import { ensureId, type Update, upsertSeed } from './update.ts';

export interface UpdateOutcome {
  matched: number;
  modified: number;
  upsertedId?: RawValue;
  /** The last document that was touched, for findAndModify. */
  before?: Buffer;
  after?: Buffer;
}

export async function insert(
  engine: Engine,
  operation: Operation,
  collection: Collection,
  document: Buffer,
): Promise<void> {
  // A copy: the document may be a piece of a large network buffer, which it would keep in memory.
  const stored = Buffer.from(ensureId(document).document);
  checkValid(operation, collection, stored);
  await engine.statement(operation, (target) => insertDocument(target, collection, stored));
  engine.adjustCount(operation, collection, 1);
}

export async function updateFirst(
  engine: Engine,
  operation: Operation,
  collection: Collection,
  query: QueryRequest,
  update: Update,
  upsert: boolean,
): Promise<UpdateOutcome> {
  const predicate = predicateOf(query);
  for (;;) {
    const [found] = await openQuery(engine, collection, { ...query, limit: 1 }).take(operation, 1);
    if (!found)
      return upsert ? insertUpsert(engine, operation, collection, query.filter, update) : { matched: 0, modified: 0 };
    const outcome = await updateMatch(engine, operation, collection, found, predicate, update);
    if (outcome) return outcome;
    checkDeadline(operation);
  }
}

export async function updateAll(
  engine: Engine,
  operation: Operation,
  collection: Collection,
  query: QueryRequest,
  update: Update,
  upsert: boolean,
): Promise<UpdateOutcome> {
  if (update.isReplacement)
    throw new MongoError('FailedToParse', 'multi update is not supported for replacement-style update');
  // All matches are collected first: an update may move a document within the index that finds it.
  const matches = await takeAll(openQuery(engine, collection, query), operation);
  if (matches.length === 0 && upsert) return insertUpsert(engine, operation, collection, query.filter, update);
  const predicate = predicateOf(query);
  const total: UpdateOutcome = { matched: 0, modified: 0 };
  for (const [i, match] of matches.entries()) {
    const outcome = await updateMatch(engine, operation, collection, match, predicate, update);
    total.matched += outcome?.matched ?? 0;
    total.modified += outcome?.modified ?? 0;
    if (i % 200 === 199) await nextTurn();
  }
  return total;
}

/** Undefined when the document has changed since it was found and is not wanted any more. */
async function updateMatch(
  engine: Engine,
  operation: Operation,
  collection: Collection,
  found: Match,
  predicate: Predicate,
  update: Update,
): Promise<UpdateOutcome | undefined> {
  return engine.statement(operation, (target) => {
    const before = target.view.get(documentKey(collection, found.idKey));
    if (!before || (!before.equals(found.document) && !predicate(wholeDocument(before)))) return undefined;
    const after = update.apply(before, false);
    const modified = !after.equals(before);
    if (modified) checkValid(operation, collection, after, before);
    if (modified) replaceDocument(target, collection, found.idKey, before, after);
    return { matched: 1, modified: modified ? 1 : 0, before, after };
  });
}

async function insertUpsert(
  engine: Engine,
  operation: Operation,
  collection: Collection,
  filter: Document,
  update: Update,
): Promise<UpdateOutcome> {
  const { document, id } = ensureId(update.apply(upsertSeed(filter), true));
  await insert(engine, operation, collection, document);
  return { matched: 0, modified: 0, upsertedId: id, after: document };
}

/** Deletes the first match (or all) and returns the last that was deleted. */
export async function remove(
  engine: Engine,
  operation: Operation,
  collection: Collection,
  query: QueryRequest,
  all: boolean,
): Promise<{ deleted: number; document?: Buffer }> {
  const predicate = predicateOf(query);
  for (;;) {
    const source = openQuery(engine, collection, all ? query : { ...query, limit: 1 });
    const matches = all ? await takeAll(source, operation) : await source.take(operation, 1);
    let deleted = 0;
    let document: Buffer | undefined;
    for (const [i, match] of matches.entries()) {
      const gone = await removeMatch(engine, operation, collection, match, predicate);
      if (gone) {
        deleted++;
        document = gone;
      }
      if (i % 200 === 199) await nextTurn();
    }
    if (all || deleted > 0 || matches.length === 0) return { deleted, ...(document && { document }) };
    checkDeadline(operation);
  }
}

async function removeMatch(
  engine: Engine,
  operation: Operation,
  collection: Collection,
  found: Match,
  predicate: Predicate,
): Promise<Buffer | undefined> {
  const gone = await engine.statement(operation, (target) => {
    const document = target.view.get(documentKey(collection, found.idKey));
    if (!document || (!document.equals(found.document) && !predicate(wholeDocument(document)))) return undefined;
    removeDocument(target, collection, found.idKey, document);
    return document;
  });
  if (gone) engine.adjustCount(operation, collection, -1);
  return gone;
}

function checkValid(operation: Operation, collection: Collection, after: Buffer, before?: Buffer): void {
  const { validator, options } = collection;
  if (!validator || operation.bypassValidation || validator(wholeDocument(after))) return;
  if (options.validationLevel === 'moderate' && before && !validator(wholeDocument(before))) return;
  const id = findElement(after, 0, Buffer.from('_id'));
  throw new MongoError('DocumentValidationFailure', 'Document failed validation', {
    errInfo: { failingDocumentId: id && decodeValue(id), details: { specifiedAs: options.validator } },
  });
}

function predicateOf(query: QueryRequest): Predicate {
  return compileFilter(query.filter, query);
}
