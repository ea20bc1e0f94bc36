import { insert } from '../engine/crud.ts';
import { validateDocument } from '../engine/validate.ts';
import { missingField } from '../errors.ts';
import type { CommandContext, CommandTable } from './command.ts';
import { acknowledge, checkBatch, runStatements } from './write-results.ts';
import { ensureWritten, namespaceParts } from './write-target.ts';

export const insertCommands: CommandTable = {
  insert: {
    fields: { documents: 'array', ordered: 'bool', bypassDocumentValidation: 'flag' },
    transactional: true,
    retryable: true,
    async run(context) {
      const documents = rawDocuments(context);
      checkBatch(documents.length);
      const collection = ensureWritten(context, namespaceParts(context));
      let n = 0;
      const writeErrors = await runStatements(context, documents, async (document) => {
        validateDocument(document);
        await insert(context.engine, context.operation, collection, document);
        n++;
      });
      await acknowledge(context);
      return { n, ...(writeErrors.length > 0 && { writeErrors }) };
    },
  },
};

function rawDocuments({ sequences, command }: CommandContext): readonly Buffer[] {
  const sequence = sequences.get('documents');
  if (sequence) return sequence;
  const list: unknown = command.documents;
  if (!Array.isArray(list)) throw missingField('insert', 'documents');
  return list.map((document: Uint8Array) => Buffer.from(document.buffer, document.byteOffset, document.byteLength));
}
