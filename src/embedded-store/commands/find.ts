import { MongoError } from '../errors.ts';
import { type CommandTable, integer, namespaceOf, toBigInt } from './command.ts';
import { firstBatch, nextBatch } from './cursor-reply.ts';
import { openMatches } from './open-matches.ts';
import { letVariables, projectionOf, queryRequest } from './query-request.ts';

export const findCommands: CommandTable = {
  find: {
    fields: {
      filter: 'object',
      sort: 'object',
      projection: 'object',
      hint: 'any',
      skip: 'count',
      limit: 'count',
      batchSize: 'count',
      singleBatch: 'bool',
      max: 'object',
      min: 'object',
      returnKey: 'bool',
      showRecordId: 'bool',
      tailable: 'bool',
      oplogReplay: 'any',
      noCursorTimeout: 'bool',
      awaitData: 'bool',
      allowPartialResults: 'bool',
      collation: 'object',
      let: 'object',
    },
    transactional: true,
    readsSnapshot: true,
    async run(context) {
      const { command, engine, operation } = context;
      for (const field of ['max', 'min', 'returnKey', 'showRecordId', 'tailable', 'awaitData', 'oplogReplay']) {
        if (command[field]) throw new MongoError('CommandNotSupported', `the option find.${field} is not supported`);
      }
      const variables = letVariables(command);
      const collection = engine.collection(operation, namespaceOf(context));
      const query = queryRequest(command, command.filter, variables, collection);
      const skip = integer(command.skip, 0);
      const limit = integer(command.limit, 0);
      const projection = projectionOf(command.projection, query, variables);
      const source = await openMatches(context, { ...query, skip, limit }, variables);
      return firstBatch(context, namespaceOf(context), source, projection, limit);
    },
  },
  getMore: {
    fields: { collection: 'string!', batchSize: 'count' },
    transactional: true,
    readsSnapshot: true,
    async run(context) {
      const { engine, command, database } = context;
      const id = toBigInt(command.getMore);
      const namespace = `${database}.${command.collection}`;
      const cursor = engine.cursors.get(id);
      if (cursor.namespace !== namespace) {
        throw new MongoError(
          'Unauthorized',
          `Requested getMore on namespace '${namespace}', but cursor belongs to ${cursor.namespace}`,
        );
      }
      if (cursor.transaction && cursor.transaction.state !== 'open') {
        engine.cursors.close(id);
        throw new MongoError('CursorNotFound', `cursor id ${id} belongs to a transaction that has ended`);
      }
      return nextBatch(context, cursor);
    },
  },
  killCursors: {
    fields: { cursors: 'array!' },
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
