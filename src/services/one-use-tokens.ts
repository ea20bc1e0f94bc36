/** Tokens that are mailed: short-lived, stored as a hash, gone when they have had their effect. */
import type { ClientSession } from 'mongoose';
import { AppError } from '../errors.ts';
import { OneUseToken } from '../models/one-use-token.model.ts';
import type { Locale } from '../words.ts';
import { hashOfToken, randomToken } from './random-token.ts';

/** What each kind of token carries until it is used. */
export interface TokenData {
  signup: { email: string; name: string; locale: Locale; passwordHash: string };
  'reset-password': object;
  'change-email': { email: string };
  'second-factor': object;
  /** The challenges of passkeys: for a person's login, and for a visitor. */
  'new-passkey': { sessionId: string };
  'passkey-login': object;
}

export type TokenPurpose = keyof TokenData;

/** Makes a token; an older one of the same purpose and subject is worth nothing from now on. */
export async function issueToken<P extends TokenPurpose>(
  purpose: P,
  subject: string,
  data: TokenData[P],
  minutes: number,
): Promise<string> {
  const token = randomToken();
  const expiresAt = new Date(Date.now() + minutes * 60_000);
  await OneUseToken.deleteMany({ subject, purpose });
  await OneUseToken.create({ _id: hashOfToken(token), purpose, subject, data, expiresAt });
  return token;
}

/**
 * Uses a token up. In the transaction of its effect, so that it is gone exactly when that has happened.
 * @throws AppError INVALID_TOKEN
 */
export async function takeToken<P extends TokenPurpose>(
  purpose: P,
  token: string,
  session: ClientSession,
): Promise<{ subject: string; data: TokenData[P] }> {
  const doc = await OneUseToken.findOneAndDelete(
    { _id: hashOfToken(token), purpose, expiresAt: { $gt: new Date() } },
    { session },
  ).lean();
  if (!doc) throw expired();
  return { subject: doc.subject, data: doc.data as TokenData[P] };
}

/** What a token is about, without using it up. @throws AppError INVALID_TOKEN */
export async function subjectOfToken(purpose: TokenPurpose, token: string): Promise<string> {
  const doc = await OneUseToken.findOne({ _id: hashOfToken(token), purpose, expiresAt: { $gt: new Date() } }).lean();
  if (!doc) throw expired();
  return doc.subject;
}

/** Links that are on their way to this subject are worth nothing from now on. */
export async function forgetTokens(subject: string, session: ClientSession): Promise<void> {
  await OneUseToken.deleteMany({ subject }, { session });
}

const expired = () => new AppError('INVALID_TOKEN', 'It has expired, was used before, or was replaced by a newer one.');
