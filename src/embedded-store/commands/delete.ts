import type { Document } from 'bson';
import { remove } from '../engine/crud.ts';
import type { Variables } from '../engine/expressions.ts';
import { MongoError } from '../errors.ts';
import { type CommandContext, type CommandTable, type Fields, statements } from './command.ts';
import { letVariables, queryRequest } from './query-request.ts';
import { checkBatch, checkRepeatable, runStatements } from './write-results.ts';
import { type Namespace, namespaceParts, writtenCollection } from './write-target.ts';

const statementFields: Fields = { q: 'object!', limit: 'any!', collation: 'object', hint: 'any' };

export const deleteCommands: CommandTable = {
  delete: {
    fields: { deletes: 'array', ordered: 'bool', let: 'object' },
    transactional: true,
    retryable: true,
    async run(context) {
      const deletes = statements(context, 'deletes', statementFields);
      checkBatch(deletes.length);
      for (const { limit } of deletes)
        if (Number(limit) !== 0 && Number(limit) !== 1)
          throw new MongoError('FailedToParse', `The limit field in delete objects must be 0 or 1. Got ${limit}`);
      const variables = letVariables(context.command);
      const namespace = namespaceParts(context);
      let n = 0;
      const writeErrors = await runStatements(context, deletes, async (source) => {
        n += await runDelete(context, namespace, source, Number(source.limit) === 0, variables);
      });
      return { n, ...(writeErrors.length > 0 && { writeErrors }) };
    },
  },
};

/** Runs one statement of a delete: how many documents are gone. @throws MongoError */
export async function runDelete(
  context: CommandContext,
  namespace: Namespace,
  source: Document,
  all: boolean,
  variables: Variables,
): Promise<number> {
  if (all) checkRepeatable(context, 'limit=0');
  const collection = writtenCollection(context, namespace);
  const query = queryRequest(source, source.q, variables, collection);
  return collection ? (await remove(context.engine, context.operation, collection, query, all)).deleted : 0;
}
