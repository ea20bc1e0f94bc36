import { insert } from '../engine/crud.ts';
import { type CommandTable, rawStatements } from './command.ts';
import { checkBatch, runStatements } from './write-results.ts';
import { ensureWritten, namespaceParts } from './write-target.ts';

export const insertCommands: CommandTable = {
  insert: {
    fields: { documents: 'array', ordered: 'bool', bypassDocumentValidation: 'flag' },
    transactional: true,
    retryable: true,
    async run(context) {
      const documents = rawStatements(context, 'documents');
      checkBatch(documents.length);
      const collection = ensureWritten(context, namespaceParts(context));
      let n = 0;
      const writeErrors = await runStatements(context, documents, async (document) => {
        await insert(context.engine, context.operation, collection, document);
        n++;
      });
      return { n, ...(writeErrors.length > 0 && { writeErrors }) };
    },
  },
};
