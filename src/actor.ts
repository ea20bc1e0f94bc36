/** Who asks: the first argument of every service method that changes something or shows what is private. */
import { AppError } from './errors.ts';

export type Permission = 'products:write';

export interface Actor {
  readonly kind: 'visitor' | 'key' | 'system';
  /** The id of the key; null for the others. */
  readonly id: string | null;
  readonly permissions: readonly Permission[];
}

export const visitor: Actor = Object.freeze({
  kind: 'visitor',
  id: null,
  permissions: [],
});
export const system: Actor = {
  kind: 'system',
  id: null,
  permissions: ['products:write'],
};

/** @throws AppError UNAUTHENTICATED for a visitor, FORBIDDEN for a known caller without the permission. */
export function authorize(actor: Actor, permission: Permission): void {
  if (actor.permissions.includes(permission)) return;
  if (actor.kind === 'visitor') throw new AppError('UNAUTHENTICATED', 'Send "Authorization: Bearer <key>".');
  throw new AppError('FORBIDDEN', `This needs the permission ${permission}.`);
}
