// Every command that the server knows, by the name that a client sends.
import { aggregateCommands } from './aggregate.ts';
import { bulkWriteCommands } from './bulk-write.ts';
import { collModCommands } from './coll-mod.ts';
import { collectionCommands } from './collections.ts';
import type { CommandTable } from './command.ts';
import { deleteCommands } from './delete.ts';
import { explainCommands } from './explain.ts';
import { findCommands } from './find.ts';
import { findAndModifyCommands } from './find-and-modify.ts';
import { handshakeCommands } from './handshake.ts';
import { indexCommands } from './indexes.ts';
import { insertCommands } from './insert.ts';
import { statisticsCommands } from './statistics.ts';
import { transactionCommands } from './transactions.ts';
import { updateCommands } from './update.ts';

export const commands: CommandTable = {
  ...handshakeCommands,
  ...findCommands,
  ...insertCommands,
  ...updateCommands,
  ...deleteCommands,
  ...findAndModifyCommands,
  ...aggregateCommands,
  ...bulkWriteCommands,
  ...collModCommands,
  ...collectionCommands,
  ...statisticsCommands,
  ...indexCommands,
  ...explainCommands,
  ...transactionCommands,
};
