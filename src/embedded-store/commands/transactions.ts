import type { Document } from 'bson';
import type { Session } from '../engine/sessions.ts';
import { MongoError } from '../errors.ts';
import { type Command, type CommandContext, type CommandTable, toBigInt } from './command.ts';
import { sessionId } from './session-id.ts';

const endSessions: Command = {
  fields: {},
  run({ engine, command, name }) {
    for (const id of sessionIds(command[name])) {
      engine.transactions.endSession(id);
      engine.cursors.closeAllIn(id);
    }
    return {};
  },
};

export const transactionCommands: CommandTable = {
  commitTransaction: {
    fields: { recoveryToken: 'object' },
    async run(context) {
      const { session, number } = inSession(context);
      context.engine.transactions.commit(session, number);
      await context.engine.storage.flushed();
      return {};
    },
  },
  abortTransaction: {
    fields: { recoveryToken: 'object' },
    run(context) {
      const { session, number } = inSession(context);
      context.engine.transactions.abort(session, number);
      return {};
    },
  },
  endSessions,
  refreshSessions: {
    fields: {},
    run({ engine, command, name }) {
      for (const id of sessionIds(command[name])) engine.sessions.use(id);
      return {};
    },
  },
  killSessions: endSessions,
};

function sessionIds(given: unknown): string[] {
  return ([given].flat() as Document[]).map(sessionId);
}

function inSession({ session, command, name }: CommandContext): { session: Session; number: bigint } {
  if (!session || command.txnNumber === undefined || command.autocommit !== false)
    throw new MongoError('InvalidOptions', `${name} must be run within a transaction`);
  return { session, number: toBigInt(command.txnNumber) };
}
