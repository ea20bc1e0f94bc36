import type { Document } from 'bson';
import { MongoError } from '../errors.ts';

/** The UUID of a logical session as hex. @throws MongoError */
export function sessionId(lsid: Document): string {
  const id: unknown = lsid?.id;
  if (typeof id === 'object' && id !== null && 'buffer' in id && id.buffer instanceof Uint8Array)
    return Buffer.from(id.buffer).toString('hex');
  throw new MongoError('TypeMismatch', "BSON field 'lsid.id' is missing or not a UUID");
}
