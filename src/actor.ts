/** Who asks: the first argument of every service method that changes something or shows what is private. */
import { AppError } from './errors.ts';
import { allPermissions, type Permission, type Role } from './permissions.ts';
import type { Locale } from './words.ts';

export interface Actor {
  readonly kind: 'visitor' | 'user' | 'key' | 'system';
  /** The id of the user or key; null for the others. */
  readonly id: string | null;
  readonly permissions: readonly Permission[];
  /** Staff get their permissions when they have a second factor, and have none yet. */
  readonly needsTwoStep?: boolean;
  /** The request by which they came, for the record of what staff change. */
  readonly requestId?: string;
}

/** A person who is logged in. */
export interface UserActor extends Actor {
  readonly kind: 'user';
  readonly id: string;
  /** The login by which they came. */
  readonly sessionId: string;
  readonly email: string;
  readonly name: string;
  /** Of what is mailed to them. */
  readonly locale: Locale;
  readonly role: Role;
}

export const visitor: Actor = Object.freeze({
  kind: 'visitor',
  id: null,
  permissions: [],
});
export const system: Actor = Object.freeze({
  kind: 'system',
  id: null,
  permissions: allPermissions,
});

const TWO_STEP_FIRST =
  'Staff of this shop log in in two steps. Log in with a passkey, or set codes up on /profile/two-step.';
const WHO_ARE_YOU = 'Log in, or send "Authorization: Bearer <key or access token>".';

/** @throws AppError UNAUTHENTICATED for a visitor, FORBIDDEN for a known caller without the permission. */
export function authorize(actor: Actor, permission: Permission): void {
  if (actor.permissions.includes(permission)) return;
  if (actor.kind === 'visitor') throw new AppError('UNAUTHENTICATED', WHO_ARE_YOU);
  if (actor.needsTwoStep) throw new AppError('FORBIDDEN', TWO_STEP_FIRST);
  throw new AppError('FORBIDDEN', `This needs the permission ${permission}.`);
}

export const isUser = (actor: Actor): actor is UserActor => actor.kind === 'user';

/** The person who asks, for what a key cannot do. @throws AppError UNAUTHENTICATED, FORBIDDEN */
export function expectUser(actor: Actor): UserActor {
  if (isUser(actor)) return actor;
  if (actor.kind === 'visitor') throw new AppError('UNAUTHENTICATED', WHO_ARE_YOU);
  throw new AppError('FORBIDDEN', 'This belongs to a person: log in instead of sending a key.');
}
