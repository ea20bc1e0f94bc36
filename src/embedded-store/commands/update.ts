import type { Document } from 'bson';
import { type UpdateOutcome, update } from '../engine/crud.ts';
import { constants, type Variables } from '../engine/expressions.ts';
import { decodeValue } from '../engine/raw-bson.ts';
import { compileUpdateStages } from '../engine/stages.ts';
import { compileUpdate } from '../engine/update.ts';
import { MongoError } from '../errors.ts';
import { type CommandContext, type CommandTable, type Fields, statements } from './command.ts';
import { letVariables, queryRequest } from './query-request.ts';
import { checkBatch, checkRepeatable, runStatements } from './write-results.ts';
import { ensureWritten, type Namespace, namespaceParts, writtenCollection } from './write-target.ts';

export const updateOptions: Fields = {
  multi: 'bool',
  upsert: 'bool',
  collation: 'object',
  arrayFilters: 'array',
  hint: 'any',
  sort: 'object',
};
const statementFields: Fields = { q: 'object!', u: 'any!', c: 'object', ...updateOptions };

export const updateCommands: CommandTable = {
  update: {
    fields: { updates: 'array', ordered: 'bool', bypassDocumentValidation: 'flag', let: 'object' },
    transactional: true,
    retryable: true,
    async run(context) {
      const updates = statements(context, 'updates', statementFields);
      checkBatch(updates.length);
      const namespace = namespaceParts(context);
      const variables = letVariables(context.command);
      const upserted: Document[] = [];
      let n = 0;
      let nModified = 0;
      const writeErrors = await runStatements(context, updates, async (statement, index) => {
        const outcome = await runUpdate(context, namespace, statement, variables);
        n += outcome.matched;
        nModified += outcome.modified;
        if (outcome.upsertedId) {
          n++;
          upserted.push({ index, _id: decodeValue(outcome.upsertedId) });
        }
      });
      return { n, nModified, ...(upserted.length > 0 && { upserted }), ...(writeErrors.length > 0 && { writeErrors }) };
    },
  },
};

/** Runs one statement of an update. @throws MongoError */
export function runUpdate(
  context: CommandContext,
  namespace: Namespace,
  source: Document,
  variables: Variables,
): Promise<UpdateOutcome> {
  const existing = writtenCollection(context, namespace);
  const query = queryRequest(source, source.q, variables, existing);
  const change = compileUpdate(source.u, query.filter, source.arrayFilters ?? [], {
    fold: query.fold,
    compileStages: (stages) => compileUpdateStages(stages, { ...variables, ...constants(source.c) }),
  });
  const { multi: all, upsert } = source;
  if (all && source.sort) throw new MongoError('FailedToParse', 'Cannot specify sort with multi=true');
  if (all) checkRepeatable(context, 'multi=true');
  const collection = upsert ? ensureWritten(context, namespace) : existing;
  if (!collection) return Promise.resolve({ matched: 0, modified: 0 });
  return update(context.engine, context.operation, collection, query, change, { all, upsert });
}
