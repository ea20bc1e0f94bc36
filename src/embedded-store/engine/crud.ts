// Insert, update and delete, for the commands and for $merge and the TTL sweeper.
import type { Document } from 'bson';
import { MongoError } from '../errors.ts';
import type { Key } from '../storage/layer.ts';
import type { Collection } from './catalog.ts';
import { documentKey, insertDocument, removeDocument, replaceDocument, type WriteTarget } from './collection-writer.ts';
import { checkDeadline, type Engine, nextTurn, type Operation } from './engine.ts';
import { compileFilter } from './matcher.ts';
import { openQuery, type QueryRequest, takeAll } from './query.ts';
import { decodeValue, idOf, type RawValue, wholeDocument } from './raw-bson.ts';
import type { Match } from './scan.ts';
import { ensureId, type Update, upsertSeed } from './update.ts';
import { validateDocument } from './validate.ts';

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
  const stored = Buffer.from(ensureId(validateDocument(document)).document);
  checkValid(operation, collection, stored);
  await engine.statement(operation, (target) => insertDocument(target, collection, stored));
  engine.adjustCount(operation, collection, 1);
}

/** Changes the first match, or all; `upsert` inserts a document where there is none. @throws MongoError */
export async function update(
  engine: Engine,
  operation: Operation,
  collection: Collection,
  query: QueryRequest,
  change: Update,
  { all = false, upsert = false } = {},
): Promise<UpdateOutcome> {
  if (all && change.isReplacement)
    throw new MongoError('FailedToParse', 'multi update is not supported for replacement-style update');
  const changed = eachMatch(engine, operation, collection, query, all, (target, idKey, before) => {
    const after = change.apply(before, false);
    const isModified = !after.equals(before);
    if (isModified) checkValid(operation, collection, after, before);
    if (isModified) replaceDocument(target, collection, idKey, before, after);
    return { before, after, isModified };
  });
  const outcome: UpdateOutcome = { matched: 0, modified: 0 };
  for await (const { before, after, isModified } of changed) {
    outcome.matched++;
    if (isModified) outcome.modified++;
    Object.assign(outcome, { before, after });
  }
  if (outcome.matched > 0 || !upsert) return outcome;
  return insertUpsert(engine, operation, collection, query.filter, change).catch(async (error) => {
    // What it wants to insert may have come while it waited, and match.
    const isTaken = error instanceof MongoError && error.codeName === 'DuplicateKey' && !operation.transaction;
    const again = isTaken ? await update(engine, operation, collection, query, change, { all }) : outcome;
    if (again.matched === 0) throw error;
    return again;
  });
}

/**
 * Gives what `change` makes of the first match, or of each, as it is at that moment; what does not match any more is left
 * out. All are found before the first is changed: an update may move a document within the index that finds it.
 */
async function* eachMatch<T>(
  engine: Engine,
  operation: Operation,
  collection: Collection,
  query: QueryRequest,
  all: boolean,
  change: (target: WriteTarget, idKey: Key, document: Buffer) => T,
): AsyncGenerator<T> {
  const predicate = compileFilter(query.filter, query);
  let isChanged = false;
  while (!isChanged) {
    const source = openQuery(engine, collection, all ? query : { ...query, limit: 1 });
    const matches = all ? eachOnce(await takeAll(source, operation)) : await source.take(operation, 1);
    for (const [i, found] of matches.entries()) {
      const result = await engine.statement(operation, (target) => {
        const document = target.view.get(documentKey(collection, found.idKey));
        const matches = document && (document.equals(found.document) || predicate(wholeDocument(document)));
        return matches ? { value: change(target, found.idKey, document) } : undefined;
      });
      if (result) yield result.value;
      isChanged ||= result !== undefined;
      if (i % 200 === 199) await nextTurn();
    }
    if (all || matches.length === 0) return;
    checkDeadline(operation);
  }
}

/** A document that others move within an index while it is read comes twice. */
function eachOnce(matches: readonly Match[]): Match[] {
  return [...new Map(matches.map((match) => [match.idKey, match])).values()];
}

async function insertUpsert(
  engine: Engine,
  operation: Operation,
  collection: Collection,
  filter: Document,
  change: Update,
): Promise<UpdateOutcome> {
  const { document, id } = ensureId(change.apply(upsertSeed(filter), true));
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
  const removed = eachMatch(engine, operation, collection, query, all, (target, idKey, document) => {
    removeDocument(target, collection, idKey, document);
    return document;
  });
  const outcome: { deleted: number; document?: Buffer } = { deleted: 0 };
  for await (const document of removed) {
    engine.adjustCount(operation, collection, -1);
    outcome.deleted++;
    outcome.document = document;
  }
  return outcome;
}

function checkValid(operation: Operation, collection: Collection, after: Buffer, before?: Buffer): void {
  const { validator, options } = collection;
  if (!validator || operation.bypassValidation || validator(wholeDocument(after))) return;
  if (options.validationLevel === 'moderate' && before && !validator(wholeDocument(before))) return;
  const id = idOf(after);
  throw new MongoError('DocumentValidationFailure', 'Document failed validation', {
    errInfo: { failingDocumentId: id && decodeValue(id), details: { specifiedAs: options.validator } },
  });
}
