/** Checking a code and using it up are one update, so that each is accepted once. */
import type { ClientSession } from 'mongoose';
import type { UserActor } from '../actor.ts';
import { AppError } from '../errors.ts';
import { Passkey } from '../models/passkey.model.ts';
import { User, type UserRecord } from '../models/user.model.ts';
import { hashOfRecoveryCode } from './recovery-codes.ts';
import { unseal } from './sealing.ts';
import { stepOf } from './totp.ts';

interface TypedCode {
  userId: string;
  /** Of the app, or a recovery code. */
  code: string;
}

/**
 * Uses a code up, in the transaction of its effect.
 * @param key opens the secret of the app
 * @throws AppError WRONG_CODE, the same for every reason
 */
export async function useCode(key: Buffer, { userId, code }: TypedCode, session: ClientSession): Promise<UserRecord> {
  const digits = digitsOf(code);
  const user = /^\d{6}$/.test(digits)
    ? await useCodeOfApp(key, { userId, code: digits }, session)
    : await useRecoveryCode({ userId, code }, session);
  if (!user) throw wrongCode();
  return user;
}

async function useCodeOfApp(
  key: Buffer,
  { userId, code }: TypedCode,
  session: ClientSession,
): Promise<UserRecord | null> {
  const user = await User.findOne({ _id: userId, disabledAt: null }).session(session).lean();
  if (!user?.twoFactor) return null;
  const { secret } = user.twoFactor;
  const step = stepOf(unseal(key, secret, userId), code);
  if (step === null) return null;
  return User.findOneAndUpdate(
    { _id: userId, 'twoFactor.secret': secret, 'twoFactor.lastStep': { $lt: step } },
    { $set: { 'twoFactor.lastStep': step } },
    { session, timestamps: false },
  ).lean();
}

async function useRecoveryCode({ userId, code }: TypedCode, session: ClientSession): Promise<UserRecord | null> {
  const hash = hashOfRecoveryCode(code);
  return User.findOneAndUpdate(
    { _id: userId, disabledAt: null, 'twoFactor.recoveryCodes': hash },
    { $pull: { 'twoFactor.recoveryCodes': hash } },
    { session, timestamps: false },
  ).lean();
}

/** Apps show codes in groups. */
export const digitsOf = (code: string) => code.replace(/[\s-]/g, '');

/**
 * Whoever has learnt the password of staff, and has not their passkey, gives the account no second factor of their own.
 * @throws AppError FORBIDDEN
 */
export async function expectOwnPasskey({ id, needsTwoStep }: UserActor): Promise<void> {
  if (needsTwoStep && (await Passkey.exists({ user: id })))
    throw new AppError('FORBIDDEN', 'Log in with your passkey first. If it is lost, ask an admin to remove it.');
}

const WRONG = 'is wrong, or was used before';

/** The field shows it beside itself. */
export const wrongCode = () =>
  new AppError('WRONG_CODE', `The code ${WRONG}.`, { errors: [{ pointer: '#/code', detail: WRONG }] });
