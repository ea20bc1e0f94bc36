/** Everybody who may ask something of a shop, for the tests of who may what. */
import { allPermissions, type Permission, permissionsOf, type Role } from '../../src/permissions.ts';
import { admin, someone, staff } from './accounts.ts';
import type { Feira } from './start-feira.ts';

export interface Caller {
  name: string;
  kind: 'visitor' | 'person' | 'key';
  permissions: readonly Permission[];
  /** What shows who it is: an access token or a key; null for a visitor. */
  token: string | null;
  /** The same for a request. */
  headers: Record<string, string>;
  /** The address of a person, null for others. */
  email: string | null;
}

/** A visitor, two customers, somebody of each role of staff, and a key for each permission. */
export async function everybody(feira: Feira): Promise<Caller[]> {
  const boss = await admin(feira);
  const callers = [callerOf('a visitor', 'visitor', [], null)];
  const people = ['another customer', ...Object.keys(permissionsOf)];
  for (const name of people) {
    const role = name === 'another customer' ? 'customer' : (name as Role);
    const { accessToken, user } = role === 'customer' ? await someone(feira) : await staff(feira, role);
    callers.push(callerOf(name, 'person', permissionsOf[role], accessToken, user.email));
  }
  for (const permission of allPermissions) {
    const name = `a key for ${permission}`;
    const { body } = await boss.as('post', '/api/keys').send({ name, permissions: [permission] });
    callers.push(callerOf(name, 'key', [permission], body.key));
  }
  return callers;
}

function callerOf(
  name: string,
  kind: Caller['kind'],
  permissions: readonly Permission[],
  token: string | null,
  email: string | null = null,
): Caller {
  return { name, kind, permissions, token, headers: token ? { Authorization: `Bearer ${token}` } : {}, email };
}
