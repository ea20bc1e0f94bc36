import type { Cursor } from '../engine/cursors.ts';
import { MongoError } from '../errors.ts';
import { type CommandContext, type CommandTable, integer, toBigInt } from './command.ts';
import { firstBatch, nextBatch } from './cursor-reply.ts';
import { commandQuery, openMatches } from './open-matches.ts';
import { projectionOf } from './query-request.ts';

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
      const { command } = context;
      for (const field of ['max', 'min', 'returnKey', 'showRecordId', 'tailable', 'awaitData', 'oplogReplay']) {
        if (command[field]) throw new MongoError('CommandNotSupported', `the option find.${field} is not supported`);
      }
      const asked = commandQuery(context, command.filter);
      const skip = integer(command.skip, 0);
      const limit = integer(command.limit, 0);
      const projection = projectionOf(command.projection, asked.query, asked.variables);
      const source = await openMatches(context, { ...asked, query: { ...asked.query, skip, limit } });
      return firstBatch(context, asked.namespace, source, projection, limit);
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
      checkOwner(context, cursor);
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

/** @throws MongoError for another session, or another transaction of it, than the one that opened the cursor. */
function checkOwner({ session, operation }: CommandContext, { id, session: owner, transaction }: Cursor): void {
  const refuse = (code: number, reason: string): never => {
    throw new MongoError(`Location${code}`, `Cannot run getMore on cursor ${id}, which ${reason}`);
  };
  if (session && !owner) refuse(50736, `was not created in a session, in session ${session.id}`);
  if (!session && owner) refuse(50737, `was created in session ${owner}, without an lsid`);
  if (session && session.id !== owner) refuse(50738, `was created in session ${owner}, in session ${session.id}`);
  const asked = operation.transaction?.readTime ? undefined : operation.transaction?.number;
  const own = transaction?.readTime ? undefined : transaction?.number;
  if (asked === own) return;
  if (own === undefined) refuse(50739, `was not created in a transaction, in transaction ${asked}`);
  if (asked === undefined) refuse(50740, `was created in transaction ${own}, without a txnNumber`);
  refuse(50741, `was created in transaction ${own}, in transaction ${asked}`);
}
