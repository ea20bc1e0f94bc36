// What every reply ends with: `ok`, a write concern that cannot be met, the time; and errors as replies.
import { BSONError, type Document, Timestamp } from 'bson';
import { DocumentWriter } from '../engine/document-writer.ts';
import { encode, MalformedBsonError, OK } from '../engine/raw-bson.ts';
import { tooDeep } from '../engine/validate.ts';
import { MongoError, transientError } from '../errors.ts';
import { SnapshotReleasedError } from '../storage/base.ts';
import { StorageWriteError } from '../storage/storage.ts';

let newest = 0;
let timeFields: Buffer = Buffer.alloc(0);

/**
 * The time of an operation, for drivers that read their own writes. One node sees every write: the clock will do. There
 * is no `$clusterTime`, as from a server that stands alone: drivers would spend a tenth of a read on passing it around.
 */
function times(): Buffer {
  const second = Math.floor(Date.now() / 1000);
  if (second > newest) {
    newest = second;
    timeFields = encode({ operationTime: new Timestamp({ t: second, i: 1 }) });
  }
  return timeFields;
}

export function finishReply(reply: Document | DocumentWriter, command: Document): Buffer {
  const writer = reply instanceof DocumentWriter ? reply : new DocumentWriter().addAll(encode(reply));
  const writeConcernError = unmetWriteConcern(command.writeConcern as Document | undefined);
  if (writeConcernError) writer.addValue('writeConcernError', writeConcernError);
  return writer.add('ok', OK).addAll(times()).finish();
}

function unmetWriteConcern(writeConcern: Document | undefined): Document | undefined {
  const w: unknown = writeConcern?.w;
  if (w === undefined || w === 'majority') return undefined;
  const errInfo = { writeConcern };
  if (typeof w === 'string')
    return {
      code: 79,
      codeName: 'UnknownReplWriteConcern',
      errmsg: `No write concern mode named '${w}' found in replica set configuration`,
      errInfo,
    };
  return Number(w) > 1
    ? { code: 100, codeName: 'UnsatisfiableWriteConcern', errmsg: 'Not enough data-bearing nodes', errInfo }
    : undefined;
}

export function errorReply(error: unknown, onUnexpected: (error: unknown) => void): Buffer {
  const known = toMongoError(error);
  if (!known) onUnexpected(error);
  const { message, code, codeName, extra, labels } =
    known ?? new MongoError('InternalError', error instanceof Error ? error.message : String(error));
  const reply = { ok: 0, errmsg: message, code, codeName, ...extra, ...(labels.length > 0 && { errorLabels: labels }) };
  return new DocumentWriter().addAll(encode(reply)).addAll(times()).finish();
}

function toMongoError(error: unknown): MongoError | undefined {
  if (error instanceof MongoError) return error;
  if (error instanceof MalformedBsonError || error instanceof BSONError)
    return new MongoError('InvalidBSON', error.message);
  // Reading what is nested deeper than the stack of this thread goes.
  if (error instanceof RangeError && error.message.includes('call stack')) return tooDeep();
  if (error instanceof SnapshotReleasedError) return transientError('NoSuchTransaction', 'The transaction has ended.');
  if (error instanceof StorageWriteError)
    return new MongoError(
      /no space|ENOSPC/i.test(error.message) ? 'OutOfDiskSpace' : 'WriteConcernFailed',
      error.message,
    );
  return undefined;
}
