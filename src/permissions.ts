/** What can be allowed, and what each role may do. Keys and sockets use the same words. */

/** Every permission with what it is for, in words that staff read. */
export const permissions = {
  'products:write': 'Create, change and delete products and their pictures',
  'coupons:write': 'Make, change and end coupons',
  'orders:read': 'See the orders of everybody',
  'orders:write': 'Capture, fulfil, deliver and cancel orders',
  'orders:refund': 'Give money back',
  'users:read': 'See who has an account, and their roles',
  'users:write': 'Change roles, disable and enable accounts',
  'keys:write': 'Make and end API keys',
  'webhooks:write': 'Say which programs are told of what happens',
  'audit:read': 'Read what staff have changed',
} as const;

export type Permission = keyof typeof permissions;

export const allPermissions = Object.keys(permissions) as [Permission, ...Permission[]];

/** From the fewest rights to the most. */
export const roles = ['customer', 'seller', 'support', 'admin'] as const;
export type Role = (typeof roles)[number];

export const permissionsOf: Readonly<Record<Role, readonly Permission[]>> = {
  customer: [],
  seller: ['products:write', 'coupons:write', 'orders:read', 'orders:write', 'keys:write'],
  support: ['users:read', 'orders:read', 'orders:write', 'orders:refund'],
  admin: allPermissions,
};

/**
 * What somebody may do, and whether a second factor is all they lack for more.
 * @param person `passkey`: one of theirs that has opened the login; a login with the password alone shows none
 */
export function rightsOf(
  { role, twoFactor, passkey }: { role: Role; twoFactor?: object | null; passkey?: object | null },
  { staffNeedTwoStep }: { staffNeedTwoStep: boolean },
): { permissions: readonly Permission[]; needsTwoStep: boolean } {
  const needsTwoStep = staffNeedTwoStep && isStaff(role) && !twoFactor && !passkey;
  return { permissions: needsTwoStep ? [] : permissionsOf[role], needsTwoStep };
}

/** Staff are those who may do more than buy. */
export const isStaff = (role: Role) => role !== 'customer';
