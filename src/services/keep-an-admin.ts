/** The shop always has an admin who can log in, whatever happens to accounts at the same moment. */
import type { ClientSession } from 'mongoose';
import { AppError } from '../errors.ts';
import { nextNumber } from '../models/counter.model.ts';
import { User } from '../models/user.model.ts';

/** Changes of staff take their turn here, so that two of them never leave the shop without an admin. */
const STAFF_CHANGES = 'staff-changes';

/** Makes a change of accounts in its turn, in the transaction that it belongs to. @throws AppError LAST_ADMIN */
export async function keepingAnAdmin<T>(session: ClientSession, change: () => Promise<T>): Promise<T> {
  await nextNumber(STAFF_CHANGES, session);
  const result = await change();
  if (!(await User.exists({ role: 'admin', disabledAt: null }).session(session)))
    throw new AppError('LAST_ADMIN', 'This is the last admin who can log in.');
  return result;
}
