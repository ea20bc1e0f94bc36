/** The record of what staff have changed: written with each change, and read by those who may. */
import { isDeepStrictEqual } from 'node:util';
import type { ClientSession } from 'mongoose';
import { type Actor, authorize } from '../actor.ts';
import { ApiKey } from '../models/api-key.model.ts';
import { AuditEntry, type AuditEntryDto, type AuditedChange, toAuditEntryDto } from '../models/audit-entry.model.ts';
import { User } from '../models/user.model.ts';
import type { ListAudit } from '../schemas/audit.schema.ts';

/** Something that a member of staff has done to one thing. */
export interface StaffWrite {
  /** A domain event's name, such as `product.updated`. */
  action: string;
  targetId: string;
  /** The thing as it was; null when it was made. */
  before: object | null;
  /** The thing as it is; null when it is gone. */
  after: object | null;
}

export interface AuditPage {
  items: AuditEntryDto[];
  /** For the next page; null at the end. */
  next: string | null;
}

/** Adds entries in the transaction of the change that they tell of. The shop's own changes are not recorded. */
export async function recordStaffWrites(
  actor: Actor,
  writes: readonly StaffWrite[],
  session: ClientSession,
): Promise<void> {
  if ((actor.kind !== 'user' && actor.kind !== 'key') || writes.length === 0) return;
  const common = { at: new Date(), actorKind: actor.kind, actorId: actor.id, requestId: actor.requestId ?? null };
  await AuditEntry.insertMany(
    writes.map(({ action, targetId, before, after }) => ({
      ...common,
      action,
      targetId,
      changes: changesBetween(before, after),
    })),
    { session },
  );
}

/** The fields that differ. What changes with every write says nothing. */
function changesBetween(before: object | null, after: object | null): Record<string, AuditedChange> {
  const [old, now] = [new Map(Object.entries(before ?? {})), new Map(Object.entries(after ?? {}))];
  const fields = [...new Set([...old.keys(), ...now.keys()])].filter((field) => !ALWAYS.has(field));
  return Object.fromEntries(
    fields
      .map((field) => [field, { before: old.get(field) ?? null, after: now.get(field) ?? null }] as const)
      .filter(([, change]) => !isDeepStrictEqual(change.before, change.after)),
  );
}

const ALWAYS = new Set(['id', 'version', 'createdAt', 'updatedAt']);

export class AuditService {
  /** The newest first. @throws AppError UNAUTHENTICATED, FORBIDDEN */
  async list(actor: Actor, { actorId, targetId, action, after, limit }: ListAudit): Promise<AuditPage> {
    authorize(actor, 'audit:read');
    const docs = await AuditEntry.find({
      ...(actorId && { actorId }),
      ...(targetId && { targetId }),
      ...(action && { action }),
      ...(after && { _id: { $lt: after } }),
    })
      .sort({ _id: -1 })
      .limit(limit + 1)
      .lean();
    const shown = docs.slice(0, limit);
    const names = await namesOf(shown.map((doc) => doc.actorId));
    const items = shown.map((doc) => toAuditEntryDto(doc, names.get(doc.actorId.toHexString()) ?? null));
    return { items, next: docs.length > limit ? (items.at(-1)?.id ?? null) : null };
  }
}

async function namesOf(ids: readonly unknown[]): Promise<Map<string, string>> {
  const [users, keys] = await Promise.all([
    User.find({ _id: { $in: ids } }, { name: 1 }).lean(),
    ApiKey.find({ _id: { $in: ids } }, { name: 1 }).lean(),
  ]);
  return new Map([...users, ...keys].map(({ _id, name }) => [_id.toHexString(), name]));
}
