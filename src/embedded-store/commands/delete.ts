import { remove } from '../engine/crud.ts';
import { MongoError } from '../errors.ts';
import { type CommandTable, checkFields, namespaceOf, statements } from './command.ts';
import { letVariables, queryRequest } from './query-request.ts';
import { acknowledge, checkBatch, runStatements } from './write-results.ts';

const statement = { fields: ['q', 'limit', 'collation', 'hint'], run: () => ({}) };

export const deleteCommands: CommandTable = {
  delete: {
    fields: ['deletes', 'ordered', 'let'],
    transactional: true,
    retryable: true,
    async run(context) {
      const deletes = statements(context, 'deletes');
      checkBatch(deletes.length);
      const variables = letVariables(context.command);
      const collection = context.engine.collection(context.operation, namespaceOf(context));
      let n = 0;
      const writeErrors = await runStatements(context, deletes, async (source) => {
        checkFields('delete.deletes', source, statement);
        const limit = Number(source.limit);
        if (limit !== 0 && limit !== 1)
          throw new MongoError('FailedToParse', 'The limit field in delete objects must be 0 or 1');
        const query = queryRequest(source, 'q', 'delete.deletes', variables);
        if (collection) n += (await remove(context.engine, context.operation, collection, query, limit === 0)).deleted;
      });
      await acknowledge(context);
      return { n, ...(writeErrors.length > 0 && { writeErrors }) };
    },
  },
};
