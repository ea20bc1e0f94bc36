import { MongoError } from '../errors.ts';
import { type CommandTable, documentField, namespaceOf, numberField, toBigInt } from './command.ts';
import { cursorReply, DEFAULT_BATCH, firstBatch } from './cursor-reply.ts';
import { openMatches } from './open-matches.ts';
import { letVariables, projectionOf, queryRequest } from './query-request.ts';

export const findCommands: CommandTable = {
  find: {
    fields: [
      'filter',
      'sort',
      'projection',
      'hint',
      'skip',
      'limit',
      'batchSize',
      'singleBatch',
      'max',
      'min',
      'returnKey',
      'showRecordId',
      'tailable',
      'oplogReplay',
      'noCursorTimeout',
      'awaitData',
      'allowPartialResults',
      'collation',
      'let',
    ],
    transactional: true,
    readsSnapshot: true,
    async run(context) {
      const { command, engine, operation } = context;
      for (const field of ['max', 'min', 'returnKey', 'showRecordId', 'tailable', 'awaitData', 'oplogReplay']) {
        if (command[field]) throw new MongoError('CommandNotSupported', `the option find.${field} is not supported`);
      }
      const variables = letVariables(command);
      const collection = engine.collection(operation, namespaceOf(context));
      const query = queryRequest(command, 'filter', 'find', variables, collection);
      const skip = nonNegative('skip', numberField(command, 'skip', 'find', 0));
      const limit = nonNegative('limit', numberField(command, 'limit', 'find', 0));
      const batchSize = nonNegative('batchSize', numberField(command, 'batchSize', 'find', DEFAULT_BATCH));
      const projection = projectionOf(documentField(command, 'projection', 'find'), query, variables);
      const source = await openMatches(context, { ...query, skip, limit }, variables);
      return firstBatch(
        context,
        {
          namespace: namespaceOf(context),
          source,
          projection,
          transaction: operation.transaction,
          remaining: limit === 0 ? Number.POSITIVE_INFINITY : limit,
          noTimeout: Boolean(command.noCursorTimeout),
        },
        batchSize,
        Boolean(command.singleBatch),
      );
    },
  },
  getMore: {
    fields: ['collection', 'batchSize'],
    transactional: true,
    readsSnapshot: true,
    async run(context) {
      const { engine, command, database } = context;
      const id = toBigInt(command.getMore);
      const cursor = engine.cursors.get(id);
      if (cursor.namespace !== `${database}.${String(command.collection)}`) {
        throw new MongoError(
          'Unauthorized',
          `Requested getMore on namespace '${database}.${String(command.collection)}', but cursor belongs to a different namespace ${cursor.namespace}`,
        );
      }
      if (cursor.transaction && cursor.transaction.state !== 'open') {
        engine.cursors.close(id);
        throw new MongoError('CursorNotFound', `cursor id ${id} belongs to a transaction that has ended`);
      }
      const size = numberField(command, 'batchSize', 'getMore', 0);
      return cursorReply(context, cursor, 'nextBatch', size === 0 ? Number.POSITIVE_INFINITY : size);
    },
  },
  killCursors: {
    fields: ['cursors'],
    transactional: true,
    readsSnapshot: true,
    run({ engine, command }) {
      const cursorsKilled: unknown[] = [];
      const cursorsNotFound: unknown[] = [];
      for (const id of command.cursors as unknown[])
        (engine.cursors.close(toBigInt(id)) ? cursorsKilled : cursorsNotFound).push(id);
      return { cursorsKilled, cursorsNotFound, cursorsAlive: [], cursorsUnknown: [] };
    },
  },
};

function nonNegative(field: string, value: number): number {
  if (value < 0)
    throw new MongoError('Location51024', `BSON field '${field}' value must be >= 0, actual value '${value}'`);
  return value;
}
