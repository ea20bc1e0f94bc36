/** The password once more, for what a login that was left open must not be enough for. */
import { AppError, invalidInput } from '../errors.ts';
import { User, type UserRecord } from '../models/user.model.ts';
import type { LoginLimits } from './login-limits.ts';
import { isPassword } from './passwords.ts';

interface Confirmation {
  userId: string;
  password: string;
  /** What the field is called that the password was typed into. */
  field: string;
  address: string;
}

/**
 * The account, when that is its password. There are as many tries as at the login.
 * @throws AppError INVALID_INPUT at the field, TOO_MANY_REQUESTS, NOT_FOUND
 */
export async function confirmPassword(
  limits: Pick<LoginLimits, 'login'>,
  { userId, password, field, address }: Confirmation,
): Promise<UserRecord> {
  const user = await User.findById(userId).lean();
  if (!user) throw new AppError('NOT_FOUND', 'The account has been erased.');
  return limits.login(user.email, address, async () => {
    if (await isPassword(password, user.passwordHash)) return user;
    throw invalidInput([{ pointer: `#/${field}`, detail: 'is not your password' }]);
  });
}
