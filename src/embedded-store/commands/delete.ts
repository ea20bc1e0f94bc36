import type { Document } from 'bson';
import { remove } from '../engine/crud.ts';
import type { Variables } from '../engine/expressions.ts';
import { MongoError } from '../errors.ts';
import { type CommandContext, type CommandTable, checkFields, statements } from './command.ts';
import { letVariables, queryRequest } from './query-request.ts';
import { acknowledge, checkBatch, runStatements } from './write-results.ts';
import { type Namespace, namespaceParts, writtenCollection } from './write-target.ts';

const statement = { fields: ['q', 'limit', 'collation', 'hint'] };

export const deleteCommands: CommandTable = {
  delete: {
    fields: ['deletes', 'ordered', 'let'],
    transactional: true,
    retryable: true,
    async run(context) {
      const deletes = statements(context, 'deletes');
      checkBatch(deletes.length);
      const variables = letVariables(context.command);
      const namespace = namespaceParts(context);
      let n = 0;
      const writeErrors = await runStatements(context, deletes, async (source) => {
        checkFields('delete.deletes', source, statement);
        const limit = Number(source.limit);
        if (limit !== 0 && limit !== 1)
          throw new MongoError('FailedToParse', 'The limit field in delete objects must be 0 or 1');
        n += await runDelete(context, namespace, source, limit === 0, variables);
      });
      await acknowledge(context);
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
  const collection = writtenCollection(context, namespace);
  const query = queryRequest(source, 'q', 'delete.deletes', variables, collection);
  return collection ? (await remove(context.engine, context.operation, collection, query, all)).deleted : 0;
}
