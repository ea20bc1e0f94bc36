/** The end of logins as part of what ends them: a new password, a second step, a passkey that is gone. */
import type { ClientSession } from 'mongoose';
import { Session } from '../models/session.model.ts';

/** A person's, those that a passkey has opened, or all but one. */
export interface Logins {
  user: string;
  passkey?: string;
  /** The one that stays. */
  except?: string | undefined;
}

export const theseLogins = ({ except, ...logins }: Logins) => ({ ...logins, ...(except && { _id: { $ne: except } }) });

/**
 * In the transaction that changes an account: they are worth nothing as soon as it commits, whatever becomes of
 * `SessionService.endAll` after it.
 */
export async function expireLogins(session: ClientSession, logins: Logins): Promise<void> {
  await Session.updateMany(theseLogins(logins), { $set: { expiresAt: new Date(0) } }, { session });
}
