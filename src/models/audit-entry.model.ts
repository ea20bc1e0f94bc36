/** What staff have changed. Entries are only ever added. Who it was is an id: names stand with the accounts. */
import { type InferSchemaType, model, Schema, type Types } from 'mongoose';
import { STAFF_KINDS, type StaffKind } from '../words.ts';

/** Values of one field before and after; null where there was none. */
export interface AuditedChange {
  before: unknown;
  after: unknown;
}

const auditEntrySchema = new Schema(
  {
    at: { type: Date, required: true },
    actorKind: { type: String, enum: STAFF_KINDS, required: true },
    actorId: { type: Schema.Types.ObjectId, required: true },
    /** A domain event's name, such as `product.updated`. */
    action: { type: String, required: true },
    targetId: { type: Schema.Types.ObjectId, required: true },
    changes: { type: Schema.Types.Mixed, required: true },
    requestId: { type: String, default: null },
  },
  { versionKey: false, id: false, minimize: false },
);
auditEntrySchema.index({ targetId: 1, _id: -1 });
auditEntrySchema.index({ actorId: 1, _id: -1 });

export const AuditEntry = model('AuditEntry', auditEntrySchema, 'audit_entries');

export type AuditEntryRecord = InferSchemaType<typeof auditEntrySchema> & { _id: Types.ObjectId };

export interface AuditEntryDto {
  id: string;
  at: string;
  actor: { kind: StaffKind; id: string; name: string | null };
  action: string;
  targetId: string;
  changes: Record<string, AuditedChange>;
  requestId: string | null;
}

/** @param name of the actor, null when there is no such account or key any more */
export function toAuditEntryDto(doc: AuditEntryRecord, name: string | null): AuditEntryDto {
  return {
    id: doc._id.toHexString(),
    at: doc.at.toISOString(),
    actor: { kind: doc.actorKind, id: doc.actorId.toHexString(), name },
    action: doc.action,
    targetId: doc.targetId.toHexString(),
    changes: doc.changes,
    requestId: doc.requestId ?? null,
  };
}
