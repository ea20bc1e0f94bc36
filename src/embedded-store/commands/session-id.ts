import { Binary, type Document } from 'bson';
import { MongoError } from '../errors.ts';

/** The UUID of a logical session as hex. @throws MongoError */
export function sessionId(lsid: Document): string {
  const id: unknown = lsid?.id;
  if (!(id instanceof Binary)) throw new MongoError('TypeMismatch', "BSON field 'lsid.id' is missing or not a UUID");
  // It becomes a key of the store, which takes no long ones.
  if (id.sub_type !== Binary.SUBTYPE_UUID || id.length() !== 16)
    throw new MongoError('InvalidUUID', 'uuid must be a 16-byte binary field with UUID (4) subtype');
  return Buffer.from(id.value()).toString('hex');
}
